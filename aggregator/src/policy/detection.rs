//! policy → detection: how each application is watched, as people write it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use throughline_detection::detectors;
use throughline_detection::verdicts::{Exception, Network, Profile, Sensitivity};
use throughline_session::hex::Hex;

use super::document::Refused;

/// Profiles of one policy.
const PROFILES_MAX: usize = 256;
/// Exceptions, networks of good bots, crawlers, and account parameters, of one profile.
const ENTRIES_MAX: usize = 1_000;

/// How some applications are watched for bots.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetectionProfile {
    /// For which applications; empty means: for all that no profile before names.
    pub applications: Vec<String>,
    /// What is flagged: `low`, `medium` (default) or `high`.
    pub sensitivity: Sensitivity,
    /// Detectors that are off.
    pub off: Vec<String>,
    /// Limits in place of cold-start and learnt ones, by detector, in its unit.
    pub limits: BTreeMap<String, f64>,
    /// Whom to leave alone: no verdict, so neither alert nor reaction.
    pub exceptions: Vec<ExceptionEntry>,
    /// Networks of good bots that you have verified, e.g. `66.249.64.0/19`.
    pub good_bots: Vec<String>,
    /// Good bots that are looked up in DNS when somebody claims to be one.
    pub crawlers: Vec<CrawlerEntry>,
    /// Names of parameters, or of query parameters under `query_values`, whose value is the
    /// account that a login tries.
    pub account_parameters: Vec<String>,
    /// Names of parameters whose value is the TLS fingerprint that the proxy measured.
    pub fingerprint_parameters: Vec<String>,
}

/// A good bot that is known by the names of its addresses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrawlerEntry {
    /// For people.
    pub name: String,
    /// What its user agent has in it, whatever the case, e.g. `Googlebot`.
    pub user_agent: String,
    /// Domains that its addresses have names in, e.g. `googlebot.com`.
    pub domains: Vec<String>,
}

/// Whom to leave alone: exactly one of the fields, and a note.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExceptionEntry {
    /// An address or a network, e.g. `203.0.113.7` or `203.0.113.0/24`.
    pub network: Option<String>,
    /// A user agent, exactly.
    pub user_agent: Option<String>,
    /// Requests whose path begins so.
    pub path_prefix: Option<String>,
    /// A session, 32 hex digits.
    pub session: Option<String>,
    /// A user, as the policy's user parameter has it.
    pub user: Option<String>,
    /// A country, two letters in capitals. Needs databases that know countries (`--geo`).
    pub country: Option<String>,
    /// Why, for people.
    pub note: Option<String>,
}

fn network(text: &str) -> Result<Network, String> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| {
        format!("`{text}` is no address: give one such as 203.0.113.7 or 203.0.113.0/24")
    })?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Ok(most), |bits| bits.parse::<u8>().map_err(|_| bits));
    match bits {
        Ok(bits) if bits <= most => Ok(Network { address, bits }),
        _ => Err(format!(
            "`{text}` has no good length: after the slash comes a number of 0 to {most}"
        )),
    }
}

impl ExceptionEntry {
    fn read(&self) -> Result<Exception, String> {
        let mut found = Vec::new();
        if let Some(text) = &self.network {
            found.push(Exception::Network(network(text)?));
        }
        if let Some(text) = &self.user_agent {
            found.push(Exception::UserAgent(text.clone()));
        }
        if let Some(text) = &self.path_prefix {
            if !text.starts_with('/') {
                return Err(format!("`{text}` does not begin with /"));
            }
            found.push(Exception::PathPrefix(text.clone()));
        }
        if let Some(text) = &self.session {
            let session = Hex::parse(text)
                .ok_or_else(|| format!("`{text}` is no session: it has 32 hex digits"))?;
            found.push(Exception::Session(session));
        }
        if let Some(text) = &self.user {
            found.push(Exception::User(text.clone()));
        }
        if let Some(text) = &self.country {
            let fits = text.len() == 2 && text.bytes().all(|it| it.is_ascii_uppercase());
            if !fits {
                return Err(format!(
                    "`{text}` is no country: give two capitals such as DE"
                ));
            }
            found.push(Exception::Country(text.clone()));
        }
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(
                "give exactly one of network, user_agent, path_prefix, session, user, country"
                    .to_owned(),
            ),
        }
    }
}

impl CrawlerEntry {
    /// The domains as they are compared.
    pub fn domains(&self) -> impl Iterator<Item = String> {
        self.domains.iter().map(|it| it.to_ascii_lowercase())
    }

    fn check(&self) -> Result<(), String> {
        const DOMAINS_MAX: usize = 20;
        if self.name.trim().is_empty() {
            return Err("it has no name: give one, e.g. googlebot".to_owned());
        }
        if self.user_agent.trim().len() < 3 {
            return Err(format!(
                "`{}` is in too many user agents: give three characters or more, e.g. Googlebot",
                self.user_agent
            ));
        }
        if self.domains.is_empty() || self.domains.len() > DOMAINS_MAX {
            return Err(format!(
                "{} domains: give 1 to {DOMAINS_MAX}, e.g. googlebot.com",
                self.domains.len()
            ));
        }
        self.domains.iter().try_for_each(|it| domain(it))
    }
}

/// A domain below a top-level one, as ASCII: everybody has a name in `com`.
fn domain(text: &str) -> Result<(), String> {
    let is_label = |label: &str| {
        let edges = !label.starts_with('-') && !label.ends_with('-');
        let mut bytes = label.bytes();
        let letters = bytes.all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_');
        (1..=63).contains(&label.len()) && edges && letters
    };
    if text.len() <= 253 && text.contains('.') && text.split('.').all(is_label) {
        return Ok(());
    }
    Err(format!(
        "`{text}` is no domain: give one such as googlebot.com, of at least two labels"
    ))
}

fn known(name: &str) -> Result<(), String> {
    if detectors::abouts().any(|about| about.name == name) {
        return Ok(());
    }
    let names: Vec<_> = detectors::abouts().map(|about| about.name).collect();
    let nearest = crate::spelling::nearest(name, names.iter().copied())
        .map(|nearest| format!("did you mean `{nearest}`? "))
        .unwrap_or_default();
    Err(format!(
        "there is no detector `{name}`: {nearest}the detectors are {}",
        names.join(", ")
    ))
}

fn at<T>(place: String, outcome: Result<T, String>) -> Result<T, Refused> {
    outcome.map_err(|problem| Refused { place, problem })
}

impl DetectionProfile {
    /// As detection takes it. What [`check`] refuses is left out.
    fn profile(&self) -> Profile {
        Profile {
            sensitivity: self.sensitivity,
            off: self.off.clone(),
            limits: self
                .limits
                .iter()
                .map(|(name, limit)| (name.clone(), *limit))
                .collect(),
            exceptions: self
                .exceptions
                .iter()
                .filter_map(|it| it.read().ok())
                .collect(),
            good_bots: self
                .good_bots
                .iter()
                .filter_map(|it| network(it).ok())
                .collect(),
            good_bot_domains: self
                .crawlers
                .iter()
                .flat_map(CrawlerEntry::domains)
                .collect(),
            account_parameters: self.account_parameters.clone(),
            fingerprint_parameters: self.fingerprint_parameters.clone(),
        }
    }

    fn check(&self, place: &str) -> Result<(), Refused> {
        for (index, name) in self.off.iter().enumerate() {
            at(format!("{place}.off[{index}]"), known(name))?;
        }
        for (name, limit) in &self.limits {
            let place = format!("{place}.limits.{name}");
            at(place.clone(), known(name))?;
            if !(limit.is_finite() && *limit > 0.0) {
                let problem = format!("{limit} is no limit: give a number above 0");
                return Err(Refused { place, problem });
            }
        }
        for (index, exception) in self.exceptions.iter().enumerate() {
            at(format!("{place}.exceptions[{index}]"), exception.read())?;
        }
        for (index, text) in self.good_bots.iter().enumerate() {
            at(format!("{place}.good_bots[{index}]"), network(text))?;
        }
        for (index, crawler) in self.crawlers.iter().enumerate() {
            at(format!("{place}.crawlers[{index}]"), crawler.check())?;
        }
        for (name, entries) in [
            ("exceptions", self.exceptions.len()),
            ("good_bots", self.good_bots.len()),
            ("crawlers", self.crawlers.len()),
            ("account_parameters", self.account_parameters.len()),
            ("fingerprint_parameters", self.fingerprint_parameters.len()),
        ] {
            if entries > ENTRIES_MAX {
                let problem = format!("{entries} entries; the limit is {ENTRIES_MAX}");
                let place = format!("{place}.{name}");
                return Err(Refused { place, problem });
            }
        }
        Ok(())
    }
}

/// The profiles of a policy, checked; `applications` are those it defines.
pub(super) fn check(
    policy: &Value,
    applications: &[throughline_session::policy::Application],
) -> Result<Vec<DetectionProfile>, Refused> {
    let Some(value) = policy.get("detection").filter(|it| !it.is_null()) else {
        return Ok(Vec::new());
    };
    let profiles: Vec<DetectionProfile> =
        serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            let inner = if path == "." { String::new() } else { path };
            Refused {
                place: format!("detection{inner}"),
                problem: error.into_inner().to_string(),
            }
        })?;
    if profiles.len() > PROFILES_MAX {
        let problem = format!("{} profiles; the limit is {PROFILES_MAX}", profiles.len());
        let place = "detection".to_owned();
        return Err(Refused { place, problem });
    }
    for (index, profile) in profiles.iter().enumerate() {
        let place = format!("detection[{index}]");
        profile.check(&place)?;
        let named =
            |name: &&String| **name == "default" || applications.iter().any(|it| it.name == **name);
        if let Some(name) = profile.applications.iter().find(|name| !named(name)) {
            return Err(Refused {
                place: format!("{place}.applications"),
                problem: format!("there is no application `{name}`: define it under applications"),
            });
        }
    }
    Ok(profiles)
}

/// The profiles of a policy that was checked.
#[must_use]
pub fn profiles(policy: &Value) -> Vec<DetectionProfile> {
    let value = policy.get("detection").cloned().unwrap_or_default();
    serde_json::from_value(value).unwrap_or_default()
}

/// The first profile that names an application, or that names none.
#[must_use]
pub fn entry_for<'a>(
    profiles: &'a [DetectionProfile],
    application: &str,
) -> Option<&'a DetectionProfile> {
    profiles.iter().find(|profile| {
        let named = &profile.applications;
        named.is_empty() || named.iter().any(|name| name == application)
    })
}

/// How an application is watched, by that profile.
#[must_use]
pub fn profile_for(profiles: &[DetectionProfile], application: &str) -> Profile {
    let found = entry_for(profiles, application);
    found.map(DetectionProfile::profile).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(profile: &Value) -> String {
        let policy = json!({"detection": [{}, profile]});
        match check(&policy, &[]) {
            Ok(_) => String::new(),
            Err(refused) => refused.to_string(),
        }
    }

    #[test]
    fn names_the_place_and_the_remedy() {
        for (profile, expected) in [
            (
                json!({"sensitivity": "high", "off": ["scraping"], "limits": {"scanning": 20}}),
                "",
            ),
            (json!({"applications": ["default"]}), ""),
            (json!({"account_parameters": ["account"]}), ""),
            (
                json!({"off": ["scrapping"]}),
                "detection[1].off[0]: there is no detector `scrapping`: did you mean `scraping`?",
            ),
            (
                json!({"limits": {"scanning": 0}}),
                "detection[1].limits.scanning: 0 is no limit",
            ),
            (
                json!({"exceptions": [{}]}),
                "detection[1].exceptions[0]: give exactly one of",
            ),
            (
                json!({"exceptions": [{"user": "a", "session": "00"}]}),
                "`00` is no session",
            ),
            (
                json!({"exceptions": [{"network": "10.0.0.0/33"}]}),
                "0 to 32",
            ),
            (
                json!({"good_bots": ["google"]}),
                "detection[1].good_bots[0]: `google` is no address",
            ),
            (
                json!({"crawlers": [
                    {"name": "google", "user_agent": "Googlebot", "domains": ["googlebot.com"]},
                ]}),
                "",
            ),
            (
                json!({"crawlers": [{"name": "all", "user_agent": "bot", "domains": ["com"]}]}),
                "detection[1].crawlers[0]: `com` is no domain: give one such as googlebot.com",
            ),
            (
                json!({"crawlers": [{"name": "none", "user_agent": "", "domains": ["a.example"]}]}),
                "detection[1].crawlers[0]: `` is in too many user agents",
            ),
            (
                json!({"crawlers": [{"name": "none", "user_agent": "Bingbot", "domains": []}]}),
                "detection[1].crawlers[0]: 0 domains: give 1 to 20",
            ),
            (
                json!({"crawlers": [{"name": "none", "domains": ["a.example"]}]}),
                "detection[1].crawlers[0]: missing field `user_agent`",
            ),
            (
                json!({"applications": ["shop"]}),
                "detection[1].applications: there is no application `shop`",
            ),
            (
                json!({"sensitivity": "higher"}),
                "detection[1].sensitivity: unknown variant `higher`",
            ),
            (json!({"exemptions": []}), "unknown field `exemptions`"),
        ] {
            let said = refused(&profile);
            let good = said.contains(expected) && said.is_empty() == expected.is_empty();
            assert!(good, "{profile}: {said}");
        }
    }

    #[test]
    fn the_first_profile_that_fits_holds() {
        let policy = json!({"detection": [
            {"applications": ["shop"], "sensitivity": "low"},
            {"off": ["scraping"], "exceptions": [{"network": "203.0.113.7"}]},
        ]});
        let profiles = profiles(&policy);
        assert_eq!(profile_for(&profiles, "shop").sensitivity, Sensitivity::Low);
        let others = profile_for(&profiles, "api");
        assert_eq!((others.off.len(), others.exceptions.len()), (1, 1));
        assert_eq!(profile_for(&[], "shop"), Profile::default());
    }
}
