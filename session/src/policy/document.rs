//! The configuration as it is written, with the checks that make it safe to use.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer};

use super::ConfigError;
use crate::extract::Source;
use crate::policy::builtin;
use crate::redact::SecretPath;
use crate::wire::ParameterKind;

/// The plugin configuration of one Envoy: where to send, and the policy to start with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginConfig {
    /// Where batches go.
    pub aggregator: Aggregator,
    /// Where this Envoy stands, e.g. `gateway` (default) or `sidecar`: tells two recordings of
    /// one request apart.
    #[serde(default = "default_capture_point")]
    pub capture_point: String,
    /// Sizes and times of batches and buffers.
    #[serde(default)]
    pub limits: Limits,
    /// Secrets inline. For development only: they show up in Envoy's `/config_dump`.
    #[serde(default)]
    pub development: Option<Development>,
    /// How sessions are made.
    #[serde(default)]
    pub policy: PolicyDocument,
}

/// What the aggregator hands to filters: the live policy, and what is tried beside it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveDocument {
    /// Names this state of things; changes with every change of what follows.
    pub live_version: String,
    /// The policy; absent: the one of the plugin configuration.
    #[serde(default)]
    pub policy: Option<PolicyDocument>,
    /// Policies to compute beside it, at most 4.
    #[serde(default)]
    pub candidates: Vec<CandidateDocument>,
    /// The key finder, where it is on.
    #[serde(default)]
    pub finder: Option<Sample>,
}

/// A policy that is only tried.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateDocument {
    /// The policy; its `version` names it on records.
    pub policy: PolicyDocument,
    /// For whom and how long.
    pub sample: Sample,
}

/// A share of clients, for a limited time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Clients in a million, by keyed hash of IP and user agent.
    pub clients_ppm: u32,
    /// Microseconds since the Unix epoch.
    pub until_us: i64,
}

impl Sample {
    /// Whether a client with this hash is in it now.
    #[must_use]
    pub fn has(&self, client: u64, now_us: i64) -> bool {
        now_us < self.until_us && client % 1_000_000 < u64::from(self.clients_ppm)
    }
}

/// The aggregator as Envoy reaches it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregator {
    /// Name of the Envoy cluster.
    pub cluster: String,
    /// `:authority` of the calls; default `throughline`.
    #[serde(default = "default_authority")]
    pub authority: String,
    /// How long one call may take, milliseconds; default 5,000.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u32,
}

/// Sizes and times of batches and buffers, per Envoy worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// A batch is closed when it has this many bytes; default 262,144.
    pub batch_bytes: u32,
    /// A batch is closed when it is this old, milliseconds; default 100.
    pub batch_ms: u32,
    /// What may wait for the aggregator, bytes; what does not fit is dropped and counted;
    /// default 8,388,608.
    pub buffer_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_bytes: 256 * 1024,
            batch_ms: 100,
            buffer_bytes: 8 * 1024 * 1024,
        }
    }
}

/// Secrets inline, for development only.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Development {
    /// Stands in for the environment's `THROUGHLINE_SESSION_SECRET`.
    pub session_secret: Option<String>,
    /// Stands in for the environment's `THROUGHLINE_INGEST_TOKEN`.
    pub ingest_token: Option<String>,
}

/// Secrets are not for logs.
impl std::fmt::Debug for Development {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Development(…)")
    }
}

/// How sessions are made.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyDocument {
    /// Name of this version; default: a hash of the configuration.
    pub version: Option<String>,
    /// Named sets of hosts and path prefixes, first match; what matches none is `default`.
    pub applications: Vec<Application>,
    /// Ordered; the next is tried when the one before found nothing.
    pub keys: Vec<KeyRule>,
    /// Built-in rules that are not wanted, by name; `*` switches all off. They come after `keys`.
    pub builtin_off: Vec<String>,
    /// What makes the session when no rule found a value.
    pub fallback: Fallback,
    /// Values kept for display and analysis, in the order they are shown in.
    pub parameters: Vec<Parameter>,
    /// Most that is kept of one body, bytes, where a rule reads it; default 16,384.
    pub body_bytes: BodyBytes,
    /// Query parameters whose values are recorded; of all others only the names are.
    pub query_values: Vec<String>,
    /// Path templates whose `*` segments are stored as keyed hashes, e.g. `/reset/*`.
    pub secret_paths: Vec<String>,
    /// How bots are looked for. The aggregator reads and checks it; filters do not need it.
    pub detection: serde::de::IgnoredAny,
    /// What people come to do, as steps. Filters do not need it either.
    pub flows: serde::de::IgnoredAny,
    /// When visits end. Filters do not need it either.
    pub visits: serde::de::IgnoredAny,
}

/// A named set of hosts and path prefixes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// Hosts without port: exact, or `*.example.com` for every host below; empty means all.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Empty means all.
    #[serde(default)]
    pub path_prefixes: Vec<String>,
}

/// One way to tell whose request it is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRule {
    /// Lower-case letters, digits, `-` and `_`; shown on every record the rule matched.
    pub name: String,
    /// Where the value is; a list of places makes a composite key, of which all must be found.
    #[serde(deserialize_with = "one_or_many")]
    pub from: Vec<Source>,
    /// Rules with the same namespace give the same session for the same values; default: the
    /// rule's name.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Applications the rule is for; empty means all.
    #[serde(default)]
    pub applications: Vec<String>,
    /// Hosts the rule is for, as in an application.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Path prefixes the rule is for; empty means all.
    #[serde(default)]
    pub path_prefixes: Vec<String>,
    /// Methods the rule is for, e.g. `GET`; empty means all.
    #[serde(default)]
    pub methods: Vec<String>,
}

/// A named value kept for display and analysis.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// Where the value is; of a list of places the first that has it.
    #[serde(deserialize_with = "one_or_many")]
    pub from: Vec<Source>,
    /// What it says about the session.
    #[serde(default)]
    pub kind: ParameterKind,
    /// Kept as a keyed hash instead of the value.
    #[serde(default)]
    pub hash: bool,
    /// Kept with all but its ends hidden.
    #[serde(default)]
    pub mask: Option<Mask>,
    /// What is longer is cut, bytes; default 128.
    #[serde(default)]
    pub bytes_max: Option<u16>,
    /// As in a key rule.
    #[serde(default)]
    pub applications: Vec<String>,
    /// As in a key rule.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// As in a key rule.
    #[serde(default)]
    pub path_prefixes: Vec<String>,
    /// As in a key rule.
    #[serde(default)]
    pub methods: Vec<String>,
}

/// How many characters at the ends of a value stay readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// At its start; default 0.
    #[serde(default)]
    pub start: u8,
    /// At its end; default 0.
    #[serde(default)]
    pub end: u8,
}

/// Most that is kept of one body, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct BodyBytes(pub u32);

impl Default for BodyBytes {
    fn default() -> Self {
        Self(16 * 1024)
    }
}

/// What makes the session when no rule found a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// Client address and user agent.
    #[default]
    IpUserAgent,
    /// Client address.
    Ip,
    /// The client address's /24 (IPv4) or /64 (IPv6).
    IpPrefix,
}

impl Fallback {
    /// Its name on records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::IpUserAgent => "ip_user_agent",
            Self::Ip => "ip",
            Self::IpPrefix => "ip_prefix",
        }
    }
}

fn default_capture_point() -> String {
    "gateway".to_owned()
}

fn default_authority() -> String {
    "throughline".to_owned()
}

fn default_timeout_ms() -> u32 {
    5_000
}

/// A source, or a list of them, with the error of the source itself.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Source>, D::Error> {
    use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
    use serde::de::{MapAccess, SeqAccess, Visitor};

    struct Sources;
    impl<'de> Visitor<'de> for Sources {
        type Value = Vec<Source>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a place such as {\"cookie\": \"sid\"}, or a list of places")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            Source::deserialize(MapAccessDeserializer::new(map)).map(|source| vec![source])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(seq))
        }
    }
    deserializer.deserialize_any(Sources)
}

impl PluginConfig {
    /// Reads and checks a plugin configuration.
    ///
    /// # Errors
    /// [`ConfigError`] with the place and the remedy; nothing is guessed or ignored.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let mut config: Self = read(json)?;
        config.check()?;
        config.policy.normalise();
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let Limits {
            batch_bytes,
            batch_ms,
            buffer_bytes,
        } = self.limits;
        let ranges = [
            ("limits.batch_bytes", batch_bytes, 1_024..=4 * 1_048_576),
            ("limits.batch_ms", batch_ms, 10..=10_000),
            (
                "limits.buffer_bytes",
                buffer_bytes,
                batch_bytes.saturating_mul(2)..=256 * 1_048_576,
            ),
            (
                "aggregator.timeout_ms",
                self.aggregator.timeout_ms,
                100..=60_000,
            ),
        ];
        for (place, value, range) in ranges {
            if !range.contains(&value) {
                let (low, high) = (range.start(), range.end());
                return Err(ConfigError::new(
                    place,
                    format!("{value} is not in {low}..={high}"),
                ));
            }
        }
        if self.aggregator.cluster.is_empty() {
            return Err(ConfigError::new(
                "aggregator.cluster",
                "is empty; name the Envoy cluster of the aggregator",
            ));
        }
        check_name("capture_point", &self.capture_point)?;
        self.policy.check().map_err(|error| ConfigError {
            place: format!("policy.{}", error.place),
            problem: error.problem,
        })
    }
}

/// Reads JSON, naming the place of what does not fit.
fn read<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T, ConfigError> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let document = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| ConfigError::new(error.path().to_string(), error.inner().to_string()))?;
    deserializer
        .end()
        .map_err(|error| ConfigError::new(".", error.to_string()))?;
    Ok(document)
}

impl LiveDocument {
    /// Reads and checks what the aggregator hands out.
    ///
    /// # Errors
    /// [`ConfigError`] with the place and the remedy.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let mut live: Self = read(json)?;
        check_count("candidates", live.candidates.len(), 4)?;
        let inside = |place: String| {
            move |error: ConfigError| {
                ConfigError::new(format!("{place}.{}", error.place), error.problem)
            }
        };
        if let Some(policy) = &mut live.policy {
            policy.check().map_err(inside("policy".to_owned()))?;
            policy.normalise();
        }
        for (index, candidate) in live.candidates.iter_mut().enumerate() {
            let place = format!("candidates[{index}].policy");
            candidate.policy.check().map_err(inside(place))?;
            candidate.policy.normalise();
        }
        Ok(live)
    }
}

impl PolicyDocument {
    /// Reads and checks a policy by itself.
    ///
    /// # Errors
    /// [`ConfigError`] with the place and the remedy.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let mut document: Self = read(json)?;
        document.check()?;
        document.normalise();
        Ok(document)
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_count("applications", self.applications.len(), 1_000)?;
        check_count("keys", self.keys.len(), 100)?;
        check_count("parameters", self.parameters.len(), 50)?;
        check_count("query_values", self.query_values.len(), 50)?;
        check_count("secret_paths", self.secret_paths.len(), 100)?;
        if self.body_bytes.0 > 1_048_576 {
            let problem = format!("{} is more than 1048576", self.body_bytes.0);
            return Err(ConfigError::new("body_bytes", problem));
        }
        let mut applications = HashSet::from(["default"]);
        for (index, application) in self.applications.iter().enumerate() {
            let place = format!("applications[{index}]");
            check_name(&format!("{place}.name"), &application.name)?;
            check_scope(&place, &application.hosts, &application.path_prefixes)?;
            applications.insert(application.name.as_str());
        }
        self.check_keys(&applications)?;
        self.check_parameters(&applications)?;
        if let Some(unknown) = self
            .builtin_off
            .iter()
            .find(|name| !builtin::is_known(name))
        {
            return Err(ConfigError::new(
                "builtin_off",
                format!(
                    "there is no built-in rule `{unknown}`; there are {}",
                    builtin::names()
                ),
            ));
        }
        for (index, template) in self.secret_paths.iter().enumerate() {
            if SecretPath::parse(template).is_none() {
                return Err(ConfigError::new(
                    format!("secret_paths[{index}]"),
                    format!(
                        "`{template}` must start with `/` and have a `*` segment, e.g. `/reset/*`"
                    ),
                ));
            }
        }
        Ok(())
    }

    fn check_keys(&self, applications: &HashSet<&str>) -> Result<(), ConfigError> {
        let fallbacks = [Fallback::Ip, Fallback::IpUserAgent, Fallback::IpPrefix];
        let mut taken = HashSet::from(fallbacks.map(Fallback::name));
        for (index, rule) in self.keys.iter().enumerate() {
            let place = format!("keys[{index}]");
            rule.check(&place)?;
            if !taken.insert(&rule.name) || rule.name.starts_with(builtin::PREFIX) {
                return Err(ConfigError::new(
                    format!("{place}.name"),
                    format!(
                        "`{}` is taken by another rule, a built-in one or a fallback; choose another name",
                        rule.name
                    ),
                ));
            }
            check_applications(&place, &rule.applications, applications)?;
        }
        Ok(())
    }

    fn check_parameters(&self, applications: &HashSet<&str>) -> Result<(), ConfigError> {
        let mut taken = HashSet::new();
        for (index, parameter) in self.parameters.iter().enumerate() {
            let place = format!("parameters[{index}]");
            check_name(&format!("{place}.name"), &parameter.name)?;
            check_from(&place, &parameter.from)?;
            check_scope(&place, &parameter.hosts, &parameter.path_prefixes)?;
            check_methods(&place, &parameter.methods)?;
            check_applications(&place, &parameter.applications, applications)?;
            if !taken.insert(&parameter.name) {
                return Err(ConfigError::new(
                    format!("{place}.name"),
                    format!("`{}` is taken; choose another name", parameter.name),
                ));
            }
            if parameter.hash && parameter.mask.is_some() {
                return Err(ConfigError::new(
                    place,
                    "is hashed and masked; a hash has nothing to mask, so choose one",
                ));
            }
            if !(1..=1_024).contains(&parameter.bytes_max.unwrap_or(128)) {
                return Err(ConfigError::new(
                    format!("{place}.bytes_max"),
                    "is not in 1..=1024",
                ));
            }
        }
        Ok(())
    }

    /// Hosts are compared in lower case.
    fn normalise(&mut self) {
        let hosts = self
            .applications
            .iter_mut()
            .flat_map(|application| &mut application.hosts);
        let hosts = hosts.chain(self.keys.iter_mut().flat_map(|rule| &mut rule.hosts));
        let hosts = hosts.chain(
            self.parameters
                .iter_mut()
                .flat_map(|parameter| &mut parameter.hosts),
        );
        hosts.for_each(|host| host.make_ascii_lowercase());
    }
}

impl KeyRule {
    fn check(&self, place: &str) -> Result<(), ConfigError> {
        check_name(&format!("{place}.name"), &self.name)?;
        if let Some(namespace) = &self.namespace {
            check_name(&format!("{place}.namespace"), namespace)?;
        }
        check_scope(place, &self.hosts, &self.path_prefixes)?;
        check_from(place, &self.from)?;
        check_methods(place, &self.methods)
    }
}

fn check_from(place: &str, from: &[Source]) -> Result<(), ConfigError> {
    if (1..=8).contains(&from.len()) {
        return Ok(());
    }
    let problem = format!("has {} places; it needs 1 to 8", from.len());
    Err(ConfigError::new(format!("{place}.from"), problem))
}

fn check_methods(place: &str, methods: &[String]) -> Result<(), ConfigError> {
    match methods
        .iter()
        .find(|method| !method.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        Some(odd) => Err(ConfigError::new(
            format!("{place}.methods"),
            format!("`{odd}` is not a method; methods are upper-case, e.g. GET"),
        )),
        None => Ok(()),
    }
}

fn check_applications(
    place: &str,
    named: &[String],
    known: &HashSet<&str>,
) -> Result<(), ConfigError> {
    match named.iter().find(|name| !known.contains(name.as_str())) {
        Some(unknown) => Err(ConfigError::new(
            format!("{place}.applications"),
            format!("there is no application `{unknown}`; define it under policy.applications"),
        )),
        None => Ok(()),
    }
}

fn check_count(place: &str, count: usize, limit: usize) -> Result<(), ConfigError> {
    if count > limit {
        return Err(ConfigError::new(
            place,
            format!("has {count} entries; the limit is {limit}"),
        ));
    }
    Ok(())
}

fn check_name(place: &str, name: &str) -> Result<(), ConfigError> {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if (1..=64).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(());
    }
    let problem = format!("`{name}` must be 1 to 64 lower-case letters, digits, `-` and `_`");
    Err(ConfigError::new(place, problem))
}

fn check_scope(place: &str, hosts: &[String], path_prefixes: &[String]) -> Result<(), ConfigError> {
    check_count(&format!("{place}.hosts"), hosts.len(), 1_000)?;
    check_count(
        &format!("{place}.path_prefixes"),
        path_prefixes.len(),
        1_000,
    )?;
    let odd_host = hosts.iter().find(|host| {
        let name = host.strip_prefix("*.").unwrap_or(host);
        name.is_empty()
            || name.contains(['*', '/', ' '])
            || (name.contains(':') && !name.starts_with('['))
    });
    if let Some(host) = odd_host {
        return Err(ConfigError::new(
            format!("{place}.hosts"),
            format!(
                "`{host}` is not a host; write `shop.example` or `*.shop.example`, without a port"
            ),
        ));
    }
    match path_prefixes.iter().find(|prefix| !prefix.starts_with('/')) {
        Some(prefix) => Err(ConfigError::new(
            format!("{place}.path_prefixes"),
            format!("`{prefix}` must start with `/`"),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::PluginConfig;

    fn check(json: &str, expected: Result<(), &str>) {
        let outcome = PluginConfig::parse(json.as_bytes())
            .map(drop)
            .map_err(|e| e.to_string());
        assert_eq!(outcome, expected.map_err(str::to_owned), "{json}");
    }

    fn policy(policy: &str) -> String {
        format!(r#"{{"aggregator":{{"cluster":"throughline"}},"policy":{policy}}}"#)
    }

    #[test]
    fn accepts_what_the_docs_show() {
        check(r#"{"aggregator":{"cluster":"throughline"}}"#, Ok(()));
        check(
            &policy(
                r#"{
                "version":"v7",
                "applications":[{"name":"shop","hosts":["shop.example","*.Shop.example"],"path_prefixes":["/"]}],
                "keys":[
                    {"name":"login_token","from":{"bearer":{}}},
                    {"name":"device","from":[{"header":"X-Device"},{"cookie":"sid"}],"methods":["GET"],"applications":["shop","default"]}
                ],
                "fallback":"ip","query_values":["page"],"secret_paths":["/reset/*"]}"#,
            ),
            Ok(()),
        );
    }

    #[test]
    fn refuses_with_place_and_remedy() {
        for (json, error) in [
            ("", ".: EOF while parsing a value at line 1 column 0"),
            ("{}", ".: missing field `aggregator` at line 1 column 2"),
            (
                r#"{"aggregator":{"cluster":""}}"#,
                "aggregator.cluster: is empty; name the Envoy cluster of the aggregator",
            ),
            (
                r#"{"aggregator":{"cluster":"a"},"limits":{"batch_ms":1}}"#,
                "limits.batch_ms: 1 is not in 10..=10000",
            ),
            (
                r#"{"aggregator":{"cluster":"a"}} x"#,
                ".: trailing characters at line 1 column 32",
            ),
        ] {
            check(json, Err(error));
        }
    }

    #[test]
    fn refuses_impossible_policies() {
        for (json, error) in [
            (
                r#"{"keyz":[]}"#,
                "policy.keyz: unknown field `keyz`, expected one of `version`, `applications`, `keys`, `builtin_off`, `fallback`, `parameters`, `body_bytes`, `query_values`, `secret_paths`, `detection`, `flows`, `visits`",
            ),
            (
                r#"{"keys":[{"name":"a","from":{"cokie":"sid"}}]}"#,
                "policy.keys[0].from: unknown variant `cokie`, expected one of `bearer`, `cookie`, `fingerprint`, `form`, `graphql`, `grpc`, `header`, `host`, `json`, `jwt`, `method`, `path`, `path_segment`, `query`, `tls`",
            ),
            (
                r#"{"keys":[{"name":"a","from":"sid"}]}"#,
                "policy.keys[0].from: invalid type: string \"sid\", expected a place such as {\"cookie\": \"sid\"}, or a list of places",
            ),
            (
                r#"{"keys":[{"name":"a","from":[]}]}"#,
                "policy.keys[0].from: has 0 places; it needs 1 to 8",
            ),
            (
                r#"{"keys":[{"name":"a","from":{"cookie":""}}]}"#,
                "policy.keys[0].from: the name is empty; say which one",
            ),
            (
                r#"{"keys":[{"name":"A","from":{"bearer":{}}}]}"#,
                "policy.keys[0].name: `A` must be 1 to 64 lower-case letters, digits, `-` and `_`",
            ),
            (
                r#"{"keys":[{"name":"ip","from":{"bearer":{}}}]}"#,
                "policy.keys[0].name: `ip` is taken by another rule, a built-in one or a fallback; choose another name",
            ),
            (
                r#"{"keys":[{"name":"a","from":{"bearer":{}},"applications":["x"]}]}"#,
                "policy.keys[0].applications: there is no application `x`; define it under policy.applications",
            ),
            (
                r#"{"keys":[{"name":"a","from":{"bearer":{}},"methods":["get"]}]}"#,
                "policy.keys[0].methods: `get` is not a method; methods are upper-case, e.g. GET",
            ),
            (
                r#"{"applications":[{"name":"a","hosts":["shop.example:80"]}]}"#,
                "policy.applications[0].hosts: `shop.example:80` is not a host; write `shop.example` or `*.shop.example`, without a port",
            ),
            (
                r#"{"applications":[{"name":"a","path_prefixes":["api"]}]}"#,
                "policy.applications[0].path_prefixes: `api` must start with `/`",
            ),
            (
                r#"{"secret_paths":["/reset"]}"#,
                "policy.secret_paths[0]: `/reset` must start with `/` and have a `*` segment, e.g. `/reset/*`",
            ),
            (
                r#"{"fallback":"user"}"#,
                "policy.fallback: unknown variant `user`, expected one of `ip_user_agent`, `ip`, `ip_prefix`",
            ),
        ] {
            let outcome = PluginConfig::parse(policy(json).as_bytes())
                .err()
                .unwrap()
                .to_string();
            let without_position = outcome.split(" at line ").next();
            assert_eq!(without_position, Some(error), "{json}");
        }
    }
}
