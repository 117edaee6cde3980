//! What can be exported, as SQL over what the child process sees: one line each in [`ALL`].

use crate::filters::{Seen, SessionFilter};
use crate::joined;
use crate::sql::view_select;

/// Records of the child's snapshot have no later position.
const EVERYTHING: u64 = i64::MAX.cast_unsigned();

/// A list.
#[derive(Clone, Copy)]
pub struct List {
    /// As users write it.
    pub name: &'static str,
    /// What a row is.
    pub meaning: &'static str,
    sql: fn(&Parts) -> String,
}

/// Every list.
pub const ALL: &[List] = &[
    List {
        name: "requests",
        meaning: "one row per request that matches",
        sql: requests,
    },
    List {
        name: "sessions",
        meaning: "one row per session, with what detection says of it",
        sql: sessions,
    },
    List {
        name: "visits",
        meaning: "one row per visit of the sessions",
        sql: visits,
    },
    List {
        name: "endpoints",
        meaning: "one row per application and endpoint",
        sql: endpoints,
    },
    List {
        name: "sources",
        meaning: "one row per client address",
        sql: sources,
    },
    List {
        name: "users",
        meaning: "one row per user",
        sql: users,
    },
    List {
        name: "verdicts",
        meaning: "one row per subject: the last word of detection",
        sql: verdicts,
    },
];

impl List {
    /// The list of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|list| list.name == name)
    }

    /// All names, with commas between.
    #[must_use]
    pub fn names() -> String {
        let names: Vec<_> = ALL.iter().map(|list| list.name).collect();
        names.join(", ")
    }
}

/// What is exported, as SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// To be run before.
    pub prepare: Vec<String>,
    /// One SELECT.
    pub select: String,
}

/// The parts of a filter that lists are made of.
struct Parts {
    /// On rows of `session_rows`.
    selection: String,
    /// On rows of `records`: what the filter says of requests, and when.
    request: String,
    /// Not before, and before: microseconds since the Unix epoch.
    time: (Option<i64>, Option<i64>),
    plain: bool,
}

impl Parts {
    /// `column` holds a session that the filter selects: an id as bytes.
    fn chosen(&self, column: &str) -> String {
        if self.plain {
            "true".into()
        } else {
            format!("{column} IN (SELECT session FROM chosen)")
        }
    }

    /// The same, an id in hex.
    fn chosen_hex(&self, column: &str) -> String {
        if self.plain {
            "true".into()
        } else {
            format!("{column} IN (SELECT lower(hex(session)) FROM chosen)")
        }
    }

    /// When, on `column`.
    fn within(&self, column: &str) -> String {
        within(self.time, column)
    }
}

fn within((from_us, to_us): (Option<i64>, Option<i64>), column: &str) -> String {
    let bound = |sign: &str, at: Option<i64>| {
        at.map_or("true".into(), |at| {
            format!("{column} {sign} make_timestamp({at})")
        })
    };
    format!("{} AND {}", bound(">=", from_us), bound("<", to_us))
}

impl Wanted {
    /// What `list` holds under `filter`; `None` where the filter cannot be written as SQL.
    #[must_use]
    pub fn new(list: &List, filter: &SessionFilter) -> Option<Self> {
        let time = (filter.from_us, filter.to_us);
        let parts = Parts {
            selection: filter.selection(Seen::to(EVERYTHING)).whole()?,
            request: format!(
                "{} AND {}",
                filter.request().whole()?,
                within(time, "start")
            ),
            time,
            plain: filter.is_plain(),
        };
        let mut prepare = Vec::new();
        if !parts.plain {
            prepare.push(format!(
                "CREATE TEMP TABLE chosen AS SELECT session FROM session_rows WHERE {}",
                parts.selection
            ));
        }
        Some(Self {
            prepare,
            select: (list.sql)(&parts),
        })
    }
}

fn requests(parts: &Parts) -> String {
    format!(
        "{} WHERE {} AND {}",
        view_select("requests"),
        parts.request,
        parts.chosen("session")
    )
}

fn sessions(parts: &Parts) -> String {
    let lists = ["ips", "user_agents", "users", "roles"];
    let lists = lists.map(|column| format!("{} AS {column}", joined::list(column)));
    format!(
        "SELECT lower(hex(rows.session)) AS session, rows.application, key, first, last,
            visits, rows.requests, errors_4xx, errors_5xx, request_bytes, response_bytes, duration_us, {},
            bot_type, confidence, flagged, label
         FROM (FROM session_rows WHERE {}) AS rows LEFT JOIN (
            SELECT unhex(session) AS session, bot_type, confidence, flagged, label
            FROM current_verdicts WHERE subject_kind = 'session'
         ) AS verdict USING (session)",
        lists.join(", "),
        parts.selection
    )
}

fn visits(parts: &Parts) -> String {
    format!(
        "SELECT * FROM main.visits WHERE {} AND {}",
        parts.chosen_hex("session"),
        parts.within("first")
    )
}

fn verdicts(parts: &Parts) -> String {
    format!(
        "SELECT * FROM main.verdicts WHERE {} AND {}",
        parts.chosen_hex("session"),
        parts.within("said_at")
    )
}

/// What some requests have in common.
const FIGURES: &str = "count(*)::UBIGINT AS requests,
    count(DISTINCT session)::UBIGINT AS sessions,
    (count(DISTINCT session) FILTER (bot))::UBIGINT AS bots,
    (count(*) FILTER (status BETWEEN 400 AND 499))::UBIGINT AS errors_4xx,
    (count(*) FILTER (status BETWEEN 500 AND 599))::UBIGINT AS errors_5xx,
    least(sum(request_bytes), 18446744073709551615)::UBIGINT AS request_bytes,
    least(sum(response_bytes), 18446744073709551615)::UBIGINT AS response_bytes,
    approx_quantile(duration_us, 0.5)::UBIGINT AS p50_us,
    approx_quantile(duration_us, 0.95)::UBIGINT AS p95_us,
    min(start) AS first, max(start) AS last";

/// Requests of the sessions, within the time.
fn rows(parts: &Parts) -> String {
    format!(
        "SELECT *, session IN (SELECT unhex(session) FROM current_verdicts
            WHERE subject_kind = 'session' AND flagged AND label IS DISTINCT FROM 'wrong') AS bot
         FROM records WHERE {} AND {}",
        parts.within("start"),
        parts.chosen("session")
    )
}

fn endpoints(parts: &Parts) -> String {
    format!(
        "SELECT application, endpoint, {FIGURES} FROM ({}) GROUP BY application, endpoint",
        rows(parts)
    )
}

fn sources(parts: &Parts) -> String {
    format!(
        "SELECT client_ip AS source, {FIGURES} FROM ({}) WHERE client_ip IS NOT NULL
         GROUP BY client_ip",
        rows(parts)
    )
}

fn users(parts: &Parts) -> String {
    format!(
        "SELECT value AS user, {FIGURES} FROM ({}) JOIN (
            SELECT DISTINCT session, value FROM param_parts WHERE kind = 'user'
         ) USING (session) GROUP BY value",
        rows(parts)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_names_of_their_own() {
        for list in ALL {
            assert_eq!(List::named(list.name).unwrap().meaning, list.meaning);
        }
        assert!(List::named("nothing").is_none());
    }

    #[test]
    fn a_plain_filter_chooses_nothing_beforehand() {
        let filter = |q: &str| SessionFilter::parse(q, 1_767_225_600_000_000).unwrap();
        let requests = List::named("requests").unwrap();
        let plain = Wanted::new(requests, &filter("last:1h")).unwrap();
        assert!(plain.prepare.is_empty());
        assert!(
            plain
                .select
                .contains("start >= make_timestamp(1767222000000000)")
        );
        let chosen = Wanted::new(requests, &filter("status:5xx user:it's")).unwrap();
        assert_eq!(chosen.prepare.len(), 1);
        assert!(!chosen.select.contains('?') && !chosen.prepare[0].contains(" ?"));
    }
}
