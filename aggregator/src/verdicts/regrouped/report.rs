//! Two lists of verdicts → what was gained, lost and kept, and whom it would newly hit.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use throughline_session::hex::Hex;
use throughline_session::wire::SessionId;
use utoipa::ToSchema;

use super::members::{Members, Part};
use super::{Clients, Flagged};

/// Examples of verdicts gained, and of verdicts lost.
const EXAMPLES_MAX: usize = 10;
/// Clients named with an example, and sessions and users with each.
const NAMED_MAX: usize = 5;

/// How many under which grouping.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = VerdictCounts)]
pub struct Counts {
    /// Flagged by the candidate's grouping only.
    pub gained: u64,
    /// Flagged by today's only.
    pub lost: u64,
    /// Flagged by both.
    pub kept: u64,
}

/// What changes for one kind of bot.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = VerdictTypeChange)]
pub struct TypeChange {
    /// Which kind; null: of any kind, each client and session once.
    pub bot_type: Option<String>,
    /// Clients (address and user agent) that are, or belong to, a flagged session, user or source.
    pub clients: Counts,
    /// Flagged sessions. One of the candidate's is kept when a request of it is in a session that is
    /// flagged today; `gained` and `kept` count the candidate's sessions, `lost` today's.
    pub sessions: Counts,
}

/// Why a client that would be newly caught may be an honest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Somebody said of today's verdict about it: no bot.
    SaidWrong,
    /// Detection takes it for a machine of the application's own, or a good bot.
    KnownMachine,
    /// Nothing is known of it, but that today's grouping does not flag it.
    NotFlaggedToday,
}

/// A client that an example is about.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = VerdictClient)]
pub struct ExampleClient {
    /// 16 hex digits: a hash of address and user agent.
    pub client: String,
    /// Its address.
    pub client_ip: Option<String>,
    /// Its user agent.
    pub user_agent: Option<String>,
    /// Users on its requests, at most 5.
    pub users: Vec<String>,
    /// Its sessions today that the verdict concerns, at most 5: these can be looked up.
    pub sessions: Vec<String>,
    /// Whether it may be an honest one; null for a verdict lost, and where today's grouping flags it
    /// for another kind of bot.
    pub standing: Option<Standing>,
}

/// A verdict that some clients have under one grouping only.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = VerdictExample)]
pub struct Example {
    /// The verdict. A session of the candidate is no session that can be looked up.
    #[serde(flatten)]
    pub verdict: Flagged,
    /// Clients that it is about, and that the other grouping does not flag as this kind of bot.
    pub clients: u64,
    /// Some of them, at most 5: those most likely to be honest first.
    pub examples: Vec<ExampleClient>,
}

/// Clients that are flagged with the candidate and not today. Whether they are honest is known only
/// of those that people, or detection, said something of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct NewlyCaught {
    /// All of them.
    pub clients: u64,
    /// Users on their requests.
    pub users: u64,
    /// Of these clients: somebody said of today's verdict about them that it is wrong.
    pub said_wrong: u64,
    /// Detection takes them for machines of the application's own, or good bots.
    pub known_machine: u64,
    /// Nothing is known of them, but that today's grouping does not flag them: honest, or bots that
    /// it misses.
    pub not_flagged_today: u64,
}

/// What a candidate changes about verdicts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Regrouped {
    /// Records judged under both groupings.
    pub requests: u64,
    /// Their clients.
    pub clients: u64,
    /// By kind of bot, all kinds together first.
    pub changes: Vec<TypeChange>,
    /// Verdicts gained, those about most clients first.
    pub gained: Vec<Example>,
    /// Verdicts lost, likewise.
    pub lost: Vec<Example>,
    /// Whom it newly catches.
    pub newly_caught: NewlyCaught,
    /// Clients no longer flagged, of which somebody had confirmed that they are bots.
    pub confirmed_lost: u64,
}

/// Clients of which people said something.
pub(super) struct Said {
    pub(super) wrong: Clients,
    pub(super) confirmed: Clients,
}

/// Whom one grouping flags.
pub(super) struct Caught<'a> {
    part: Part,
    /// By client and kind of bot, the surest verdict.
    clients: BTreeMap<(u64, &'a str), &'a Flagged>,
    sessions: BTreeMap<SessionId, &'a str>,
}

impl<'a> Caught<'a> {
    pub(super) fn of(members: &Members, part: Part, flagged: &'a [Flagged]) -> Self {
        let mut clients: BTreeMap<_, &Flagged> = BTreeMap::new();
        let mut sessions = BTreeMap::new();
        for it in flagged {
            if it.subject_kind == "session"
                && let Some(id) = Hex::parse(&it.subject)
            {
                sessions.insert(id, it.bot_type.as_str());
            }
            for client in members.clients(part, it) {
                let surest = clients.entry((client, it.bot_type.as_str())).or_insert(it);
                if it.confidence > surest.confidence {
                    *surest = it;
                }
            }
        }
        Self {
            part,
            clients,
            sessions,
        }
    }

    /// Clients flagged as this kind of bot; `None`: as any.
    fn clients(&self, kind: Option<&str>) -> Clients {
        let fits = |of: &&str| kind.is_none_or(|kind| kind == *of);
        let keys = self.clients.keys();
        keys.filter(|(_, of)| fits(of)).map(|(id, _)| *id).collect()
    }

    fn flags(&self, session: SessionId, kind: Option<&str>) -> bool {
        let found = self.sessions.get(&session);
        found.is_some_and(|of| kind.is_none_or(|kind| kind == *of))
    }
}

pub(super) fn report(
    members: &Members,
    now: &Caught<'_>,
    then: &Caught<'_>,
    said: &Said,
) -> Regrouped {
    let kinds: BTreeSet<&str> = now
        .clients
        .keys()
        .chain(then.clients.keys())
        .map(|(_, kind)| *kind)
        .collect();
    let kinds = kinds.into_iter().map(Some);
    let changes = std::iter::once(None).chain(kinds).map(|kind| TypeChange {
        bot_type: kind.map(str::to_owned),
        clients: client_counts(now, then, kind),
        sessions: session_counts(members, now, then, kind),
    });
    let after = then.clients(None);
    let newly: Clients = after.difference(&now.clients(None)).copied().collect();
    let standing = |client: u64| {
        newly
            .contains(&client)
            .then(|| standing(client, then, &said.wrong))
    };
    Regrouped {
        requests: members.requests(),
        clients: members.len(),
        changes: changes.collect(),
        gained: examples(members, then, now, standing),
        lost: examples(members, now, then, |_| None),
        newly_caught: newly_caught(members, &newly, |client| {
            self::standing(client, then, &said.wrong)
        }),
        confirmed_lost: said.confirmed.difference(&after).count() as u64,
    }
}

fn client_counts(now: &Caught<'_>, then: &Caught<'_>, kind: Option<&str>) -> Counts {
    let (now, then) = (now.clients(kind), then.clients(kind));
    Counts {
        gained: then.difference(&now).count() as u64,
        lost: now.difference(&then).count() as u64,
        kept: now.intersection(&then).count() as u64,
    }
}

fn session_counts(
    members: &Members,
    now: &Caught<'_>,
    then: &Caught<'_>,
    kind: Option<&str>,
) -> Counts {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    for (_, today, tried) in members.sessions() {
        let (flags_today, flags_tried) = (now.flags(*today, kind), then.flags(*tried, kind));
        if flags_today {
            *before.entry(today).or_insert(false) |= flags_tried;
        }
        if flags_tried {
            *after.entry(tried).or_insert(false) |= flags_today;
        }
    }
    let count = |of: &BTreeMap<_, bool>, also| of.values().filter(|it| **it == also).count() as u64;
    Counts {
        gained: count(&after, false),
        lost: count(&before, false),
        kept: count(&after, true),
    }
}

fn standing(client: u64, then: &Caught<'_>, said_wrong: &Clients) -> Standing {
    if said_wrong.contains(&client) {
        return Standing::SaidWrong;
    }
    let mut verdicts = then.clients.range((client, "")..);
    let known = |it: &Flagged| it.class != "unknown";
    let is_known = verdicts
        .by_ref()
        .take_while(|((of, _), _)| *of == client)
        .any(|(_, it)| known(it));
    if is_known {
        Standing::KnownMachine
    } else {
        Standing::NotFlaggedToday
    }
}

fn newly_caught(
    members: &Members,
    newly: &Clients,
    standing: impl Fn(u64) -> Standing,
) -> NewlyCaught {
    let mut found = NewlyCaught::default();
    let mut users = BTreeSet::new();
    for client in newly {
        found.clients += 1;
        *match standing(*client) {
            Standing::SaidWrong => &mut found.said_wrong,
            Standing::KnownMachine => &mut found.known_machine,
            Standing::NotFlaggedToday => &mut found.not_flagged_today,
        } += 1;
        users.extend(members.client(*client).into_iter().flat_map(|it| &it.users));
    }
    found.users = users.len() as u64;
    found
}

/// Verdicts of `one` that `other` has not, those about most clients first.
fn examples(
    members: &Members,
    one: &Caught<'_>,
    other: &Caught<'_>,
    standing: impl Fn(u64) -> Option<Standing>,
) -> Vec<Example> {
    let mut verdicts: BTreeMap<&str, (&Flagged, Clients)> = BTreeMap::new();
    for (key, verdict) in &one.clients {
        if !other.clients.contains_key(key) {
            let (_, clients) = verdicts
                .entry(&verdict.id)
                .or_insert_with(|| (*verdict, Clients::new()));
            clients.insert(key.0);
        }
    }
    let mut verdicts: Vec<_> = verdicts.into_values().collect();
    verdicts.sort_by(|(left, left_clients), (right, right_clients)| {
        let surer = right.confidence.total_cmp(&left.confidence);
        right_clients.len().cmp(&left_clients.len()).then(surer)
    });
    let example = |(verdict, clients): (&Flagged, Clients)| {
        let mut all: Vec<_> = clients.iter().map(|it| (standing(*it), *it)).collect();
        all.sort_by_key(|(standing, client)| (standing.is_none(), *standing, *client));
        let some = all.into_iter().take(NAMED_MAX);
        Example {
            verdict: verdict.clone(),
            clients: clients.len() as u64,
            examples: some
                .map(|(standing, it)| example_client(members, one.part, it, verdict, standing))
                .collect(),
        }
    };
    let most = verdicts.into_iter().take(EXAMPLES_MAX);
    most.map(example).collect()
}

fn example_client(
    members: &Members,
    part: Part,
    client: u64,
    verdict: &Flagged,
    standing: Option<Standing>,
) -> ExampleClient {
    let known = members.client(client).cloned().unwrap_or_default();
    let users = known.users.iter().take(NAMED_MAX);
    ExampleClient {
        client: format!("{client:016x}"),
        users: users.map(ToString::to_string).collect(),
        client_ip: known.ip,
        user_agent: known.user_agent,
        sessions: sessions(members, part, client, verdict),
        standing,
    }
}

/// The client's sessions today that a verdict concerns.
fn sessions(members: &Members, part: Part, client: u64, verdict: &Flagged) -> Vec<String> {
    let of_session = verdict.subject_kind == "session";
    let concerned = members
        .sessions()
        .filter(|(of, now, then)| {
            let own = if part == Part::Now { now } else { then };
            *of == client && (!of_session || own.to_string() == verdict.subject)
        })
        .map(|(_, now, _)| *now);
    let concerned: BTreeSet<SessionId> = concerned.collect();
    let some = concerned.iter().take(NAMED_MAX);
    some.map(ToString::to_string).collect()
}
