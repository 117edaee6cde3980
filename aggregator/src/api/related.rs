//! Sessions that belong together: what links lead to, and those of the same user.

use std::collections::{BTreeMap, BTreeSet};

use duckdb::types::Value;
use duckdb::{Connection, params_from_iter};
use serde::Serialize;
use throughline_session::wire::SessionId;
use utoipa::ToSchema;

use super::SharedKey;
use super::identity::{id, stored};
use crate::filters::{Clause, with_parameter};
use crate::store::{Database, PARAM_SUMS, StoreError, rows_among};

/// Related sessions listed.
const RELATED_MAX: usize = 100;
/// How many links one after the other are followed.
const DISTANCE_MAX: u32 = 4;
/// Links looked at for each of these steps.
const STEP_MAX: u64 = 2_000;
/// Names and values of users by which sessions are looked up.
const USERS_MAX: u64 = 100;

/// A session that links lead to, or that has the same user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct RelatedSession {
    /// Session id, 32 hex digits.
    session: String,
    /// Kind of the last link on the way there, or `user`: the same user in the same application.
    via: String,
    /// Links on the way there.
    distance: u32,
}

/// Looks for them.
#[derive(Clone, Copy)]
pub(super) struct Related<'a> {
    pub(super) connection: &'a Connection,
    pub(super) database: &'a Database,
    pub(super) limit: SharedKey,
}

impl Related<'_> {
    /// What links lead to, nearest first, and sessions of the same user: of a session of this
    /// `application` with these `parts`, whose key is not shared. Never through a shared key.
    pub(super) fn of(
        self,
        session: SessionId,
        application: &str,
        parts: &Clause,
    ) -> Result<Vec<RelatedSession>, StoreError> {
        let mut seen = BTreeSet::from([session]);
        let mut all = Vec::new();
        let mut edge = seen.clone();
        for distance in 1..=DISTANCE_MAX {
            let mut next = self.neighbours(&edge)?;
            next.retain(|other, _| !seen.contains(other));
            let others: BTreeSet<_> = next.keys().copied().collect();
            let stored = stored(self.connection, &others, self.limit)?;
            next.retain(|other, _| stored.get(other) != Some(&true));
            seen.extend(others);
            edge = next.keys().copied().collect();
            // One without requests is followed, and not shown.
            next.retain(|other, _| stored.contains_key(other));
            all.extend(next.into_iter().map(|(other, kind)| RelatedSession {
                session: other.to_string(),
                via: kind,
                distance,
            }));
            if edge.is_empty() || all.len() >= RELATED_MAX {
                break;
            }
        }
        if all.len() < RELATED_MAX {
            let mut same = self.same_user(session, application, parts)?;
            same.retain(|other| !seen.contains(other));
            let stored = stored(self.connection, &same, self.limit)?;
            let follows = |other: &&SessionId| stored.get(*other) == Some(&false);
            all.extend(same.iter().filter(follows).map(|other| RelatedSession {
                session: other.to_string(),
                via: "user".into(),
                distance: 1,
            }));
        }
        all.truncate(RELATED_MAX);
        Ok(all)
    }

    /// Sessions one link away, each with the kind of that link.
    fn neighbours(
        self,
        edge: &BTreeSet<SessionId>,
    ) -> Result<BTreeMap<SessionId, String>, StoreError> {
        let sql = format!(
            "SELECT session_b, min(kind) FROM link_parts WHERE {} GROUP BY 1
             UNION ALL
             SELECT session_a, min(kind) FROM link_parts WHERE {} GROUP BY 1
             ORDER BY 1, 2 DESC LIMIT {STEP_MAX}",
            Clause::among("session_a", edge).sql,
            Clause::among("session_b", edge).sql
        );
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| Ok((id(row, 0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Sessions of the same application with the same user, as far as nobody can forge it.
    fn same_user(
        self,
        session: SessionId,
        application: &str,
        parts: &Clause,
    ) -> Result<BTreeSet<SessionId>, StoreError> {
        let own = format!(
            "SELECT DISTINCT name, value FROM {PARAM_SUMS}
             WHERE {} AND kind = 'user' AND NOT forgeable ORDER BY ALL LIMIT {USERS_MAX}",
            parts.sql
        );
        let mut statement = self.connection.prepare(&own)?;
        let users = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let users: Vec<(String, String)> = users.collect::<Result<_, _>>()?;
        if users.is_empty() {
            return Ok(BTreeSet::new());
        }
        // Who has the value: looked up. Whether nobody could forge it: in the parts of those few.
        let with = users
            .iter()
            .map(|(name, value)| with_parameter(name, value));
        let with: Vec<_> = with.collect();
        let selects: Vec<_> = with.iter().map(|it| it.sql.as_str()).collect();
        let sql = format!(
            "SELECT DISTINCT session FROM ({}) ORDER BY session LIMIT {}",
            selects.join(" UNION ALL "),
            RELATED_MAX + 1
        );
        let mut statement = self.connection.prepare(&sql)?;
        let values = params_from_iter(with.into_iter().flat_map(|it| it.values));
        let found = statement.query_map(values, |row| id(row, 0))?;
        let mut found: BTreeSet<_> = found.collect::<Result<_, duckdb::Error>>()?;
        found.remove(&session);
        self.unforgeable(&found, application, &users)
    }

    /// Those of `sessions` that have one of `users` where nobody can forge it.
    fn unforgeable(
        self,
        sessions: &BTreeSet<SessionId>,
        application: &str,
        users: &[(String, String)],
    ) -> Result<BTreeSet<SessionId>, StoreError> {
        if sessions.is_empty() {
            return Ok(BTreeSet::new());
        }
        let sql = format!(
            "CREATE OR REPLACE TEMP TABLE alike AS SELECT session, first, last FROM {}
             WHERE application = ?",
            rows_among(self.connection, sessions)?
        );
        self.connection.execute(&sql, [application])?;
        let times = "SELECT epoch_us(min(first)), epoch_us(max(last)) FROM alike";
        let times: (Option<i64>, Option<i64>) = self
            .connection
            .query_row(times, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (Some(first_us), Some(last_us)) = times else {
            return Ok(BTreeSet::new());
        };
        self.database
            .narrow(self.connection, &["param_parts"], first_us, last_us)?;
        let named = users.iter().map(|(name, value)| {
            let both = [name, value].map(|it| Value::Text(it.clone()));
            Clause::new("name = ? AND value = ?", both)
        });
        let which = Clause::all([Clause::among("session", sessions), Clause::any(named)]);
        let sql = format!(
            "SELECT DISTINCT session FROM param_parts WHERE {} AND kind = 'user' AND NOT forgeable
                AND session IN (SELECT session FROM alike)",
            which.sql
        );
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map(params_from_iter(which.values), |row| id(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
