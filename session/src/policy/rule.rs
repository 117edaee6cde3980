//! request → session key: which application, which rule, which session.

use crate::extract::Source;
use crate::identity::{Hasher, Namespace};
use crate::policy::{Fallback, KeyRule, PluginConfig};
use crate::redact::SecretPath;
use crate::request::Request;
use crate::wire::SessionId;

/// A policy ready to be applied: what the filter asks for every request.
#[derive(Clone)]
pub struct Policy {
    /// Its name on every batch.
    pub version: String,
    applications: Vec<(String, Scope)>,
    rules: Vec<Rule>,
    fallback: Fallback,
    /// Query parameters whose values are recorded.
    pub query_values: Vec<String>,
    /// Paths with segments that are never stored.
    pub secret_paths: Vec<SecretPath>,
}

#[derive(Clone)]
struct Rule {
    name: String,
    namespace: String,
    from: Vec<Source>,
    applications: Vec<String>,
    scope: Scope,
    methods: Vec<String>,
}

#[derive(Clone)]
struct Scope {
    hosts: Vec<String>,
    path_prefixes: Vec<String>,
}

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    application: Option<usize>,
    rule: Option<usize>,
    /// The session.
    pub session: SessionId,
}

impl Policy {
    /// Prepares a checked configuration; `version` is used where the document has none.
    #[must_use]
    pub fn new(config: &PluginConfig, version: &str) -> Self {
        let document = &config.policy;
        let rule = |rule: &KeyRule| Rule {
            name: rule.name.clone(),
            namespace: rule.namespace.clone().unwrap_or_else(|| rule.name.clone()),
            from: rule.from.clone(),
            applications: rule.applications.clone(),
            scope: Scope::new(&rule.hosts, &rule.path_prefixes),
            methods: rule.methods.clone(),
        };
        Self {
            version: document
                .version
                .clone()
                .unwrap_or_else(|| version.to_owned()),
            applications: document
                .applications
                .iter()
                .map(|application| {
                    let scope = Scope::new(&application.hosts, &application.path_prefixes);
                    (application.name.clone(), scope)
                })
                .collect(),
            rules: document.keys.iter().map(rule).collect(),
            fallback: document.fallback,
            query_values: document.query_values.clone(),
            secret_paths: document
                .secret_paths
                .iter()
                .filter_map(|template| SecretPath::parse(template))
                .collect(),
        }
    }

    /// Finds the application and the session of a request; a fallback always finds one.
    #[must_use]
    pub fn find(&self, request: &Request<'_>, client_ip: &[u8], hasher: &Hasher) -> Found {
        let host = request.host().unwrap_or_default();
        let path = request.path().unwrap_or_default();
        let application = self
            .applications
            .iter()
            .position(|(_, scope)| scope.covers(host, path));
        let name = self.application_at(application);
        let by_rule = self
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.is_for(name, host, path, request.method))
            .find_map(|(index, rule)| Some((index, rule.session(name, request, hasher)?)));
        match by_rule {
            Some((rule, session)) => Found {
                application,
                rule: Some(rule),
                session,
            },
            None => {
                let session = self.fallback_session(name, request, client_ip, hasher);
                Found {
                    application,
                    rule: None,
                    session,
                }
            }
        }
    }

    /// The application that host and path belong to.
    #[must_use]
    pub fn application(&self, found: &Found) -> &str {
        self.application_at(found.application)
    }

    /// The rule that found a value, or the fallback.
    #[must_use]
    pub fn key(&self, found: &Found) -> &str {
        found
            .rule
            .and_then(|index| self.rules.get(index))
            .map_or(self.fallback.name(), |rule| &rule.name)
    }

    fn application_at(&self, index: Option<usize>) -> &str {
        index
            .and_then(|index| self.applications.get(index))
            .map_or("default", |(name, _)| name)
    }

    fn fallback_session(
        &self,
        application: &str,
        request: &Request<'_>,
        client_ip: &[u8],
        hasher: &Hasher,
    ) -> SessionId {
        let namespace = Namespace::Fallback(self.fallback.name());
        match self.fallback {
            Fallback::Ip => hasher.session(application, namespace, [client_ip]),
            Fallback::IpUserAgent => {
                let user_agent = request.user_agent.unwrap_or_default();
                hasher.session(application, namespace, [client_ip, user_agent])
            }
        }
    }
}

impl Rule {
    fn is_for(&self, application: &str, host: &[u8], path: &[u8], method: Option<&[u8]>) -> bool {
        (self.applications.is_empty() || self.applications.iter().any(|name| name == application))
            && (self.methods.is_empty()
                || self
                    .methods
                    .iter()
                    .any(|name| Some(name.as_bytes()) == method))
            && self.scope.covers(host, path)
    }

    fn session(
        &self,
        application: &str,
        request: &Request<'_>,
        hasher: &Hasher,
    ) -> Option<SessionId> {
        let namespace = Namespace::Named(&self.namespace);
        if let [source] = self.from.as_slice() {
            return Some(hasher.session(application, namespace, [&*source.find(request)?]));
        }
        let values: Option<Vec<_>> = self
            .from
            .iter()
            .map(|source| source.find(request))
            .collect();
        Some(hasher.session(application, namespace, values?.iter().map(|value| &**value)))
    }
}

impl Scope {
    fn new(hosts: &[String], path_prefixes: &[String]) -> Self {
        Self {
            hosts: hosts.to_vec(),
            path_prefixes: path_prefixes.to_vec(),
        }
    }

    fn covers(&self, host: &[u8], path: &[u8]) -> bool {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::headers::HeaderBlock;

    const POLICY: &str = r#"{"aggregator":{"cluster":"a"},"policy":{
        "applications":[
            {"name":"admin","hosts":["shop.example"],"path_prefixes":["/admin"]},
            {"name":"shop","hosts":["shop.example","*.shop.example"]}],
        "keys":[
            {"name":"token","from":{"bearer":{}}},
            {"name":"query_token","from":{"query":"token"},"namespace":"token"},
            {"name":"pair","from":[{"header":"x-tenant"},{"header":"x-user"}]},
            {"name":"sid","from":{"cookie":"sid"},"applications":["shop"]},
            {"name":"posted","from":{"header":"x-post"},"methods":["POST"]}]}}"#;

    fn find(headers: &[(&str, &str)], client_ip: &str) -> (String, String, SessionId) {
        let policy = Policy::new(&PluginConfig::parse(POLICY.as_bytes()).unwrap(), "v");
        let pairs: Vec<_> = headers
            .iter()
            .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
            .collect();
        let block = HeaderBlock::from_pairs(&pairs);
        let hasher = Hasher::new(&[7; 16]).unwrap();
        let found = policy.find(&Request::new(&block), client_ip.as_bytes(), &hasher);
        (
            policy.application(&found).to_owned(),
            policy.key(&found).to_owned(),
            found.session,
        )
    }

    #[test]
    fn the_first_rule_that_finds_a_value_wins() {
        let bearer = ("authorization", "Bearer t1");
        for (headers, application, key) in [
            (
                vec![
                    (":authority", "Shop.Example:80"),
                    bearer,
                    ("cookie", "sid=1"),
                ],
                "shop",
                "token",
            ),
            (
                vec![(":authority", "a.shop.example"), ("cookie", "sid=1")],
                "shop",
                "sid",
            ),
            (
                vec![(":authority", "shop.example.evil"), ("cookie", "sid=1")],
                "default",
                "ip_user_agent",
            ),
            (
                vec![(":authority", "evilshop.example"), bearer],
                "default",
                "token",
            ),
            (
                vec![
                    (":authority", "shop.example"),
                    (":path", "/admin/x"),
                    ("cookie", "sid=1"),
                ],
                "admin",
                "ip_user_agent",
            ),
            (vec![("x-tenant", "a")], "default", "ip_user_agent"),
            (vec![("x-tenant", "a"), ("x-user", "b")], "default", "pair"),
            (
                vec![(":method", "POST"), ("x-post", "a")],
                "default",
                "posted",
            ),
            (
                vec![(":method", "GET"), ("x-post", "a")],
                "default",
                "ip_user_agent",
            ),
        ] {
            let (found_application, found_key, _) = find(&headers, "10.0.0.1");
            assert_eq!(
                (&*found_application, &*found_key),
                (application, key),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn a_shared_namespace_makes_one_session_of_one_value() {
        let header = find(&[("authorization", "Bearer a+b")], "1").2;
        assert_eq!(header, find(&[(":path", "/x?token=a%2Bb")], "2").2);
        assert_ne!(
            header,
            find(
                &[("cookie", "sid=a+b"), (":authority", "shop.example")],
                "1"
            )
            .2
        );
        assert_ne!(
            header,
            find(
                &[
                    ("authorization", "Bearer a+b"),
                    (":authority", "shop.example")
                ],
                "1"
            )
            .2
        );
    }

    #[test]
    fn the_fallback_tells_addresses_and_user_agents_apart() {
        let one = find(&[("user-agent", "x")], "10.0.0.1").2;
        assert_eq!(
            one,
            find(&[("user-agent", "x"), (":path", "/other")], "10.0.0.1").2
        );
        assert_ne!(one, find(&[("user-agent", "y")], "10.0.0.1").2);
        assert_ne!(one, find(&[("user-agent", "x")], "10.0.0.2").2);
    }

    proptest! {
        #[test]
        fn any_headers_give_a_session(pairs: Vec<(Vec<u8>, Vec<u8>)>, ip: Vec<u8>) {
            let pairs: Vec<_> = pairs.iter().map(|(n, v)| (&n[..], &v[..])).collect();
            let block = HeaderBlock::from_pairs(&pairs);
            let policy = Policy::new(&PluginConfig::parse(POLICY.as_bytes()).unwrap(), "v");
            let hasher = Hasher::new(&[7; 16]).unwrap();
            let request = Request::new(&block);
            prop_assert_eq!(
                policy.find(&request, &ip, &hasher),
                policy.find(&request, &ip, &hasher)
            );
        }
    }
}
