//! names and hashes → proposals: which places of an exchange could tell whose it is.
//!
//! Pure: what a sampled client sent and got, in order, makes the evidence; the evidence makes the
//! ranking. Hashes are keyed apart from session ids, so nothing here can be joined with sessions.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Places that are looked at: the first by name; a client could send any number.
const PLACES_MAX: usize = 500;
/// Proposals listed.
const PROPOSALS_MAX: usize = 20;
/// A place that fewer clients have says too little.
const CLIENTS_MIN: usize = 2;
/// What scores less is no proposal.
const SCORE_MIN: f64 = 0.05;
/// Words in the name of a place that hold a user rather than a session.
const USER_WORDS: [&str; 6] = ["user", "email", "account", "customer", "member", "login"];

/// What one exchange of a sampled client held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// The client: a hash of address and user agent.
    pub client: u64,
    /// Start, microseconds since the Unix epoch.
    pub start_us: i64,
    /// The exchange has a login link.
    pub login: bool,
    /// Place, and keyed hash of the value there.
    pub places: Vec<(String, u64)>,
}

/// What is known of a place.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Evidence {
    /// The place, as the filter names it, e.g. `cookie:sid`.
    pub place: String,
    /// Share of the sample's requests that have it.
    pub requests_share: f64,
    /// Share of the sample's clients that have it.
    pub clients_share: f64,
    /// Clients that have it.
    pub clients: u64,
    /// Different values.
    pub values: u64,
    /// Different values of a client, on average.
    pub values_per_client: f64,
    /// Values that several clients had.
    pub shared_values: u64,
    /// From the first to the last time a value was seen, on average, seconds.
    pub lifetime_s: f64,
    /// Share of the values that were seen in a response before any request had them.
    pub first_in_response: f64,
    /// Share of the logins at which the client's value changed; null without any login.
    pub changes_at_login: Option<f64>,
}

/// A proposal: places that hold the same values, and what to write into the policy.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Proposal {
    /// From 0 to 1: how much it looks like a session's key.
    pub score: f64,
    /// Key rules of one namespace, ready for `keys` of the policy.
    #[schema(value_type = Vec<Object>)]
    pub keys: Vec<Value>,
    /// Why: each place.
    pub evidence: Vec<Evidence>,
}

/// A place that may hold whose session it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UserProposal {
    /// A parameter, ready for `parameters` of the policy.
    #[schema(value_type = Object)]
    pub parameter: Value,
    /// Why.
    pub evidence: Evidence,
}

/// What the sights come to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Findings {
    /// Proposals for key rules, the best first.
    pub keys: Vec<Proposal>,
    /// Proposals for user parameters.
    pub users: Vec<UserProposal>,
}

#[derive(Default)]
struct PlaceFacts {
    requests: u64,
    by_client: HashMap<u64, HashSet<u64>>,
    values: HashMap<u64, Life>,
    logins: u64,
    changes: u64,
}

struct Life {
    first_us: i64,
    last_us: i64,
    client: u64,
    shared: bool,
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    (part as f64 / whole as f64 * 1000.0).round() / 1000.0
}

fn count<T>(iterator: impl Iterator<Item = T>) -> u64 {
    iterator.count() as u64
}

/// Ranks what was seen; `sights` in the order of their starts.
#[must_use]
pub fn findings(sights: &[Sight]) -> Findings {
    let mut facts: BTreeMap<&str, PlaceFacts> = BTreeMap::new();
    // Where each value was seen first: in a response?
    let mut firsts: HashMap<u64, bool> = HashMap::new();
    let mut clients = HashSet::new();
    // The client's last value of each place, and places whose next value follows a login.
    let mut held: HashMap<u64, HashMap<&str, (u64, bool)>> = HashMap::new();
    for sight in sights {
        clients.insert(sight.client);
        let mut counted = BTreeSet::new();
        let own = held.entry(sight.client).or_default();
        for (place, value) in &sight.places {
            let in_response = place.starts_with("response.");
            firsts.entry(*value).or_insert(in_response);
            if !facts.contains_key(place.as_str()) && facts.len() >= PLACES_MAX {
                continue;
            }
            let known = facts.entry(place).or_default();
            known.add(sight, *value, counted.insert(place));
            if let Some((before, after_login)) = own.get_mut(place.as_str()) {
                if *after_login {
                    known.logins += 1;
                    known.changes += u64::from(*before != *value);
                }
                (*before, *after_login) = (*value, false);
            } else {
                own.insert(place, (*value, false));
            }
        }
        if sight.login {
            own.values_mut()
                .for_each(|(_, after_login)| *after_login = true);
        }
    }
    let all = (sights.len() as u64, clients.len() as u64);
    let evidence: BTreeMap<&str, Evidence> = facts
        .iter()
        .map(|(place, facts)| (*place, facts.evidence(place, all, &firsts)))
        .collect();
    let mut keys: Vec<Proposal> = groups(&facts)
        .into_iter()
        .filter_map(|group| propose(&group, &facts, &evidence))
        .filter(|proposal| proposal.score >= SCORE_MIN)
        .collect();
    keys.sort_by(|one, two| two.score.total_cmp(&one.score));
    keys.truncate(PROPOSALS_MAX);
    let users = facts.iter().filter_map(|(place, facts)| {
        user(place, facts).map(|parameter| UserProposal {
            parameter,
            evidence: facts.evidence(place, all, &firsts),
        })
    });
    Findings {
        users: users.take(PROPOSALS_MAX).collect(),
        keys,
    }
}

impl PlaceFacts {
    fn add(&mut self, sight: &Sight, value: u64, new: bool) {
        self.requests += u64::from(new);
        self.by_client
            .entry(sight.client)
            .or_default()
            .insert(value);
        let life = self.values.entry(value).or_insert(Life {
            first_us: sight.start_us,
            last_us: sight.start_us,
            client: sight.client,
            shared: false,
        });
        life.first_us = life.first_us.min(sight.start_us);
        life.last_us = life.last_us.max(sight.start_us);
        life.shared |= life.client != sight.client;
    }

    fn pairs(&self) -> u64 {
        self.by_client
            .values()
            .map(|values| values.len() as u64)
            .sum()
    }

    fn shared(&self) -> u64 {
        count(self.values.values().filter(|life| life.shared))
    }

    fn evidence(
        &self,
        place: &str,
        (requests, clients): (u64, u64),
        firsts: &HashMap<u64, bool>,
    ) -> Evidence {
        let values = self.values.len() as u64;
        let lives = self
            .values
            .values()
            .map(|life| life.last_us - life.first_us);
        let lives_s = lives.sum::<i64>().unsigned_abs() / 1_000_000;
        let issued = self
            .values
            .keys()
            .filter(|value| firsts.get(value) == Some(&true));
        Evidence {
            place: place.to_owned(),
            requests_share: share(self.requests, requests),
            clients_share: share(self.by_client.len() as u64, clients),
            clients: self.by_client.len() as u64,
            values,
            values_per_client: share(self.pairs(), self.by_client.len() as u64),
            shared_values: self.shared(),
            lifetime_s: share(lives_s, values),
            first_in_response: share(count(issued), values),
            changes_at_login: (self.logins > 0).then(|| share(self.changes, self.logins)),
        }
    }
}

/// Places that share values: one namespace each.
fn groups<'a>(facts: &BTreeMap<&'a str, PlaceFacts>) -> Vec<Vec<&'a str>> {
    let mut groups: Vec<Vec<&'a str>> = Vec::new();
    for (place, own) in facts {
        let same = |other: &&str| {
            let other = facts.get(other).map(|other| &other.values);
            let both = other.map_or(0, |other| {
                count(own.values.keys().filter(|value| other.contains_key(*value)))
            });
            let least = other.map_or(0, HashMap::len).min(own.values.len()) as u64;
            both >= 2 && both * 2 >= least
        };
        // A place may bring groups together that had nothing in common without it.
        let (near, mut rest): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| group.iter().any(same));
        let mut joined: Vec<&str> = near.into_iter().flatten().collect();
        joined.push(place);
        joined.sort_unstable();
        rest.push(joined);
        groups = rest;
    }
    groups
}

/// The place in the words of the policy.
fn source(place: &str) -> Option<Value> {
    if let Some(inner) = place.strip_prefix("response.") {
        return source(inner).map(|inner| json!({ "response": inner }));
    }
    match place.split_once(':') {
        None if place == "bearer" => Some(json!({"bearer": {}})),
        Some((kind @ ("cookie" | "header" | "query" | "json"), name)) => {
            let mut source = json!({});
            source[kind] = name.into();
            Some(source)
        }
        _ => None,
    }
}

/// A name of the policy, made of a place's.
fn rule_name(place: &str) -> String {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let lower = place.to_ascii_lowercase();
    let name: String = lower
        .chars()
        .map(|letter| if fits(letter) { letter } else { '_' })
        .collect();
    let name = name.split('_').filter(|part| !part.is_empty());
    name.collect::<Vec<_>>()
        .join("_")
        .chars()
        .take(64)
        .collect()
}

fn propose(
    group: &[&str],
    facts: &BTreeMap<&str, PlaceFacts>,
    evidence: &BTreeMap<&str, Evidence>,
) -> Option<Proposal> {
    // What is only ever in a response cannot tell whose a request is.
    let scores = group.iter().filter(|place| !place.starts_with("response."));
    let scored =
        scores.filter_map(|place| Some((score(facts.get(place)?, evidence.get(place)?)?, *place)));
    let (score, best) = scored.max_by(|one, two| one.0.total_cmp(&two.0))?;
    let namespace = rule_name(best);
    let keys = group.iter().filter_map(|place| {
        let mut rule = json!({"name": rule_name(place), "from": source(place)?});
        if group.len() > 1 {
            rule["namespace"] = namespace.clone().into();
        }
        Some(rule)
    });
    Some(Proposal {
        score,
        keys: keys.collect(),
        evidence: group
            .iter()
            .filter_map(|place| evidence.get(place).cloned())
            .collect(),
    })
}

/// How much a place looks like a session's key; `None` when it cannot be one.
fn score(facts: &PlaceFacts, evidence: &Evidence) -> Option<f64> {
    if facts.by_client.len() < CLIENTS_MIN || facts.requests == 0 {
        return None;
    }
    // A key is one client's own …
    let own = 1.0 - share(evidence.shared_values, evidence.values);
    // … comes again …
    let again = 1.0 - share(evidence.values.saturating_sub(1), facts.requests);
    // … stays, but for logins and refreshes …
    let steady = share(facts.by_client.len() as u64, facts.pairs());
    let all = own.powi(4)
        * again.powi(2)
        * (0.25 + 0.35 * evidence.first_in_response + 0.2 * steady + 0.2 * evidence.clients_share);
    // … and was given out by the application.
    Some((all * 1000.0).round() / 1000.0)
}

/// A parameter for a place that is named like a user and holds one value per client.
fn user(place: &str, facts: &PlaceFacts) -> Option<Value> {
    let name = place.rsplit(['/', ':']).next()?.to_ascii_lowercase();
    let path = place.to_ascii_lowercase();
    let named = USER_WORDS.iter().any(|word| path.contains(word));
    let steady = facts.pairs() <= facts.by_client.len() as u64 * 2;
    let own = facts.shared() * 4 <= facts.values.len() as u64;
    let fits = named && steady && own && facts.by_client.len() >= CLIENTS_MIN && !name.is_empty();
    let from = source(place).filter(|_| fits)?;
    Some(json!({"name": rule_name(place), "from": from, "kind": "user", "hash": true}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(kind: &str, number: u64) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        (kind, number).hash(&mut hasher);
        hasher.finish()
    }

    /// People who log in: a cookie from the first response on, then a token out of a JSON body.
    fn traffic() -> Vec<Sight> {
        let mut sights = Vec::new();
        for client in 0..40_u64 {
            for step in 0..12_u64 {
                let mut places = vec![
                    ("header:x-app".to_owned(), hash("app", 0)),
                    ("header:x-device".to_owned(), hash("device", client)),
                    (
                        "header:x-correlation".to_owned(),
                        hash("correlation", client * 100 + step),
                    ),
                    ("query:item".to_owned(), hash("item", (client + step) % 7)),
                ];
                let cookie = hash("cookie", client);
                let token = hash("token", client);
                match step {
                    0 => places.push(("response.cookie:sid".into(), cookie)),
                    _ => places.push(("cookie:sid".into(), cookie)),
                }
                if step == 3 {
                    places.push(("response.json:/token".into(), token));
                    places.push(("response.json:/user/id".into(), hash("user", client)));
                }
                if step > 3 {
                    places.push(("bearer".into(), token));
                }
                sights.push(Sight {
                    client,
                    start_us: i64::try_from(step * 1000 + client).unwrap() * 1_000_000,
                    login: step == 3,
                    places,
                });
            }
        }
        sights.sort_by_key(|sight| sight.start_us);
        sights
    }

    #[test]
    fn the_cookie_and_the_token_come_first() {
        let found = findings(&traffic());
        let best: Vec<_> = found
            .keys
            .iter()
            .take(2)
            .map(|it| it.keys.clone())
            .collect();
        let cookie = vec![
            json!({"name": "cookie_sid", "from": {"cookie": "sid"}, "namespace": "cookie_sid"}),
            json!({"name": "response_cookie_sid", "from": {"response": {"cookie": "sid"}}, "namespace": "cookie_sid"}),
        ];
        let token = vec![
            json!({"name": "bearer", "from": {"bearer": {}}, "namespace": "bearer"}),
            json!({"name": "response_json_token", "from": {"response": {"json": "/token"}}, "namespace": "bearer"}),
        ];
        assert!(best.contains(&cookie) && best.contains(&token), "{best:#?}");
        let scores: Vec<_> = found.keys.iter().map(|it| it.score).collect();
        assert!(scores[1] > scores[2] + 0.1, "{scores:?}");
        // What everyone has, and what never comes again, is no key.
        for place in ["header:x-app", "header:x-correlation", "query:item"] {
            let of = found.keys.iter().find(|it| it.evidence[0].place == place);
            assert!(of.is_none_or(|it| it.score < 0.1), "{of:?}");
        }
        let users: Vec<_> = found
            .users
            .iter()
            .map(|it| it.evidence.place.as_str())
            .collect();
        assert_eq!(users, ["response.json:/user/id"]);
    }

    #[test]
    fn proposals_are_a_policy_that_filters_take() {
        let found = findings(&traffic());
        for proposal in &found.keys {
            let policy = json!({ "keys": proposal.keys }).to_string();
            throughline_session::policy::PolicyDocument::parse(policy.as_bytes()).unwrap();
        }
        for user in &found.users {
            let policy = json!({ "parameters": [user.parameter] }).to_string();
            throughline_session::policy::PolicyDocument::parse(policy.as_bytes()).unwrap();
        }
    }

    #[test]
    fn evidence_counts_what_was_seen() {
        let found = findings(&traffic());
        let mut all = found.keys.iter().flat_map(|it| &it.evidence);
        let cookie = all.find(|it| it.place == "cookie:sid").unwrap();
        assert_eq!(
            (cookie.clients, cookie.values, cookie.shared_values),
            (40, 40, 0)
        );
        assert_eq!((cookie.values_per_client, cookie.clients_share), (1.0, 1.0));
        assert_eq!(
            (cookie.requests_share, cookie.first_in_response),
            (0.917, 1.0)
        );
        assert_eq!(
            (cookie.lifetime_s, cookie.changes_at_login),
            (10_000.0, Some(0.0))
        );
        assert_eq!(findings(&[]), Findings::default());
    }
}
