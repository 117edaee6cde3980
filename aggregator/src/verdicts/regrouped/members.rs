//! Which clients a session, a user or a source consists of, under both groupings.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use throughline_detection::verdicts::Network;
use throughline_session::hex::Hex;
use throughline_session::wire::{ParameterKind, Record, SessionId};

use super::{Clients, Flagged, Tried};

/// Which grouping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    /// Today's.
    Now,
    /// The candidate's.
    Then,
}

/// Which client, as people know it.
#[derive(Debug, Clone, Default)]
pub(super) struct Client {
    pub(super) ip: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) users: BTreeSet<Box<str>>,
}

/// Everything of the records that says who belongs to what.
#[derive(Debug, Default)]
pub(super) struct Members {
    requests: u64,
    clients: BTreeMap<u64, Client>,
    /// Client, its session today, its session then.
    sessions: HashSet<(u64, SessionId, SessionId)>,
    by_session: HashMap<(Part, SessionId), Clients>,
    /// By application and user.
    by_user: HashMap<(Part, Box<str>, Box<str>), Clients>,
    /// By application and address.
    by_address: HashMap<(Part, Box<str>, IpAddr), Clients>,
}

impl Members {
    pub(super) fn add(&mut self, tried: &Tried) {
        self.requests += 1;
        let client = tried.client;
        let (now, then) = (&tried.now, &tried.then);
        let known = self.clients.entry(client).or_insert_with(|| Client {
            ip: now.client_ip.as_deref().map(str::to_owned),
            user_agent: now.user_agent.as_deref().map(str::to_owned),
            users: BTreeSet::new(),
        });
        let user = user(now);
        if let Some(user) = user
            && !known.users.contains(user)
        {
            known.users.insert(user.into());
        }
        self.sessions.insert((client, now.session, then.session));
        let address = now.client_ip.as_deref().and_then(|ip| ip.parse().ok());
        let address = address.map(|ip: IpAddr| ip.to_canonical());
        for (part, record) in [(Part::Now, now), (Part::Then, then)] {
            let of = self.by_session.entry((part, record.session));
            of.or_default().insert(client);
            let application = || Box::from(&*record.application);
            if let Some(user) = user {
                let key = (part, application(), user.into());
                self.by_user.entry(key).or_default().insert(client);
            }
            if let Some(address) = address {
                let key = (part, application(), address);
                self.by_address.entry(key).or_default().insert(client);
            }
        }
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    pub(super) fn len(&self) -> u64 {
        self.clients.len() as u64
    }

    pub(super) fn client(&self, client: u64) -> Option<&Client> {
        self.clients.get(&client)
    }

    /// Each client's sessions today and then.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &(u64, SessionId, SessionId)> {
        self.sessions.iter()
    }

    /// The clients that a verdict is about.
    pub(super) fn clients(&self, part: Part, flagged: &Flagged) -> Clients {
        let subject = flagged.subject.as_str();
        let application = || Box::from(flagged.application.as_str());
        let found = match flagged.subject_kind.as_str() {
            "session" => Hex::parse(subject).and_then(|id| self.by_session.get(&(part, id))),
            "user" => self.by_user.get(&(part, application(), subject.into())),
            _ => match subject.parse() {
                Ok(address) => self.by_address.get(&(part, application(), address)),
                Err(_) => return self.in_network(part, &flagged.application, subject),
            },
        };
        found.cloned().unwrap_or_default()
    }

    fn in_network(&self, part: Part, application: &str, network: &str) -> Clients {
        let parsed = network.split_once('/');
        let parsed = parsed.and_then(|(address, bits)| {
            let (address, bits) = (address.parse().ok()?, bits.parse().ok()?);
            Some(Network { address, bits })
        });
        let Some(network) = parsed else {
            return Clients::new();
        };
        self.by_address
            .iter()
            .filter(|((of, name, address), _)| {
                *of == part && &**name == application && network.contains(*address)
            })
            .flat_map(|(_, clients)| clients.iter().copied())
            .collect()
    }

    /// The clients of today's sessions with these ids.
    pub(super) fn clients_of_sessions<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Clients {
        ids.filter_map(Hex::parse)
            .filter_map(|id| self.by_session.get(&(Part::Now, id)))
            .flatten()
            .copied()
            .collect()
    }
}

/// The user that detection takes.
fn user<'a>(record: &'a Record<'_>) -> Option<&'a str> {
    let of_user = |it: &&throughline_session::wire::Param<'_>| it.kind == ParameterKind::User;
    let users = record.params.iter().filter(of_user);
    users.min_by_key(|it| it.forgeable).map(|it| &*it.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(client: u64, ip: &str, user: &str) -> Tried {
        let text = format!(
            r#"{{"index":0,"start_us":1,"application":"shop","key":"k","client_ip":"{ip}",
            "request_session":"{client:032x}","session":"{client:032x}",
            "params":[{{"name":"u","value":"{user}","kind":"user"}}]}}"#
        );
        let now: Record<'static> = serde_json::from_str(text.leak()).unwrap();
        let then = Record {
            session: Hex([9; 16]),
            application: "other".into(),
            ..now.clone()
        };
        Tried {
            place: (0, 0),
            client,
            now,
            then,
        }
    }

    #[test]
    fn users_addresses_and_networks_have_their_clients() {
        let mut members = Members::default();
        for (client, ip, user) in [
            (1, "203.0.113.7", "ann"),
            (2, "::ffff:203.0.113.9", "ann"),
            (3, "2001:db8::1", "bob"),
        ] {
            members.add(&tried(client, ip, user));
        }
        for (part, application, kind, subject, expected) in [
            (Part::Now, "shop", "user", "ann", &[1, 2][..]),
            (Part::Then, "shop", "user", "ann", &[]),
            (Part::Then, "other", "user", "bob", &[3]),
            (Part::Now, "shop", "source", "203.0.113.9", &[2]),
            (Part::Now, "shop", "source", "203.0.113.0/24", &[1, 2]),
            (Part::Now, "shop", "source", "2001:db8::/64", &[3]),
            (Part::Now, "other", "source", "203.0.113.0/24", &[]),
            (Part::Now, "shop", "source", "no address", &[]),
            (Part::Now, "shop", "session", "not hexadecimal", &[]),
            (Part::Then, "other", "session", &"09".repeat(16), &[1, 2, 3]),
        ] {
            let flagged = Flagged {
                id: String::new(),
                subject_kind: kind.into(),
                subject: subject.into(),
                application: application.into(),
                bot_type: String::new(),
                confidence: 1.0,
                class: String::new(),
                reason: String::new(),
            };
            let found: Vec<u64> = members.clients(part, &flagged).into_iter().collect();
            assert_eq!(found, expected, "{kind} {subject}");
        }
    }
}
