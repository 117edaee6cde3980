//! A policy ready to be applied to every request.

use super::builtin;
use super::document::{Application, Fallback, KeyRule, Mask, Parameter, PolicyDocument};
use crate::extract::{Place, Source};
use crate::redact::SecretPath;
use crate::wire::ParameterKind;

/// A policy ready to be applied: what the filter asks for every request.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Its name on every batch.
    pub version: String,
    pub(super) applications: Vec<(String, Scope)>,
    pub(super) rules: Vec<Rule>,
    pub(super) fallback: Fallback,
    pub(super) parameters: Vec<Kept>,
    /// Query parameters whose values are recorded.
    pub query_values: Vec<String>,
    /// Paths with segments that are never stored.
    pub secret_paths: Vec<SecretPath>,
    /// Most that is kept of one body, bytes.
    pub body_bytes: usize,
    /// Whether any rule or parameter reads the TLS handshake.
    pub reads_tls: bool,
    /// Whether any rule or parameter reads a body.
    pub(super) reads_bodies: bool,
}

/// A key rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) from: Vec<Source>,
    pub(super) when: When,
    /// Some part of it is in a body or in the response.
    pub(super) late: bool,
}

/// A context parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) from: Vec<Source>,
    pub(super) kind: ParameterKind,
    pub(super) hash: bool,
    pub(super) mask: Option<Mask>,
    pub(super) bytes_max: usize,
    pub(super) when: When,
}

/// What a rule or parameter is limited to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct When {
    /// Nothing below limits it, as with every built-in rule.
    always: bool,
    applications: Vec<String>,
    scope: Scope,
    methods: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scope {
    hosts: Vec<String>,
    path_prefixes: Vec<String>,
}

/// The things of a request that limits are about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Where<'a> {
    pub(super) application: &'a str,
    pub(super) host: &'a [u8],
    pub(super) path: &'a [u8],
    pub(super) method: Option<&'a [u8]>,
}

impl Policy {
    /// Prepares a checked document; `version` is used where it has none.
    #[must_use]
    pub fn new(document: &PolicyDocument, version: &str) -> Self {
        let builtin = builtin::rules(&document.builtin_off, &document.keys);
        let application = |application: &Application| {
            let scope = Scope::new(&application.hosts, &application.path_prefixes);
            (application.name.clone(), scope)
        };
        let secret_path = |template: &String| SecretPath::parse(template);
        let rules: Vec<_> = document
            .keys
            .iter()
            .chain(&builtin)
            .map(Rule::new)
            .collect();
        let parameters: Vec<_> = document.parameters.iter().map(Kept::new).collect();
        let mut sources = rules
            .iter()
            .flat_map(|rule| &rule.from)
            .chain(parameters.iter().flat_map(|parameter| &parameter.from));
        Self {
            version: document
                .version
                .clone()
                .unwrap_or_else(|| version.to_owned()),
            applications: document.applications.iter().map(application).collect(),
            fallback: document.fallback,
            query_values: document.query_values.clone(),
            secret_paths: document
                .secret_paths
                .iter()
                .filter_map(secret_path)
                .collect(),
            body_bytes: usize::try_from(document.body_bytes.0).unwrap_or(usize::MAX),
            reads_tls: sources
                .clone()
                .any(|source| matches!(source.place, Place::Tls(_))),
            reads_bodies: sources.any(Source::reads_body),
            rules,
            parameters,
        }
    }
}

impl Rule {
    fn new(rule: &KeyRule) -> Self {
        Self {
            name: rule.name.clone(),
            namespace: rule.namespace.clone().unwrap_or_else(|| rule.name.clone()),
            from: rule.from.clone(),
            when: When::new(
                &rule.applications,
                &rule.hosts,
                &rule.path_prefixes,
                &rule.methods,
            ),
            late: rule.from.iter().any(Source::is_late),
        }
    }
}

impl Kept {
    fn new(parameter: &Parameter) -> Self {
        let Parameter {
            applications,
            hosts,
            path_prefixes,
            methods,
            ..
        } = parameter;
        Self {
            name: parameter.name.clone(),
            from: parameter.from.clone(),
            kind: parameter.kind,
            hash: parameter.hash,
            mask: parameter.mask,
            bytes_max: usize::from(parameter.bytes_max.unwrap_or(128)),
            when: When::new(applications, hosts, path_prefixes, methods),
        }
    }
}

impl When {
    fn new(
        applications: &[String],
        hosts: &[String],
        path_prefixes: &[String],
        methods: &[String],
    ) -> Self {
        Self {
            always: applications.is_empty()
                && hosts.is_empty()
                && path_prefixes.is_empty()
                && methods.is_empty(),
            applications: applications.to_vec(),
            scope: Scope::new(hosts, path_prefixes),
            methods: methods.to_vec(),
        }
    }

    pub(super) fn covers(&self, place: &Where<'_>) -> bool {
        self.always || self.limits_cover(place)
    }

    fn limits_cover(&self, place: &Where<'_>) -> bool {
        (self.applications.is_empty()
            || self
                .applications
                .iter()
                .any(|name| name == place.application))
            && (self.methods.is_empty()
                || self
                    .methods
                    .iter()
                    .any(|name| Some(name.as_bytes()) == place.method))
            && self.scope.covers(place.host, place.path)
    }
}

impl Scope {
    fn new(hosts: &[String], path_prefixes: &[String]) -> Self {
        Self {
            hosts: hosts.to_vec(),
            path_prefixes: path_prefixes.to_vec(),
        }
    }

    pub(super) fn covers(&self, host: &[u8], path: &[u8]) -> bool {
        (self.hosts.is_empty() || self.hosts.iter().any(|pattern| host_fits(pattern, host)))
            && (self.path_prefixes.is_empty()
                || self
                    .path_prefixes
                    .iter()
                    .any(|prefix| path.starts_with(prefix.as_bytes())))
    }
}

/// `pattern` is lower-case: an exact host, or `*.` and the host that it stands below.
fn host_fits(pattern: &str, host: &[u8]) -> bool {
    match pattern.strip_prefix('*') {
        // The dot of `*.` belongs to the suffix: `*.a` fits `b.a`, not `a`.
        Some(suffix) => {
            host.len() > suffix.len()
                && host
                    .split_at_checked(host.len().saturating_sub(suffix.len()))
                    .is_some_and(|(_, end)| end.eq_ignore_ascii_case(suffix.as_bytes()))
        }
        None => host.eq_ignore_ascii_case(pattern.as_bytes()),
    }
}
