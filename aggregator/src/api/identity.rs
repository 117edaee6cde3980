//! Who is behind a session, and which belong together with it: users, roles, parameters, links.

use std::collections::{BTreeMap, BTreeSet};

use duckdb::types::Value;
use duckdb::{Connection, Row};
use serde::Serialize;
use throughline_session::hex::Hex;
use throughline_session::wire::SessionId;
use utoipa::ToSchema;

use super::SharedKey;
use super::sessions::at;
use crate::filters::Clause;
use crate::joined;
use crate::store::{PARAM_SUMS, StoreError, rows_among};
use crate::time;

/// Links, users and roles listed with a session: the latest ones.
const LISTED_MAX: u64 = 100;

/// A context parameter of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ParamSummary {
    /// Its name in the policy.
    name: String,
    /// `user`, `role` or `plain`.
    kind: String,
    /// The last value, or what the policy lets through of it.
    value: String,
    /// The client could put there what it liked.
    forgeable: bool,
    /// Start of the first request with it.
    #[schema(format = DateTime)]
    first: String,
    /// Start of the last request with it.
    #[schema(format = DateTime)]
    last: String,
    /// Requests with it.
    requests: u64,
}

/// A user or role of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct IdentityValue {
    /// `user` or `role`.
    kind: String,
    /// The parameter that it comes from.
    name: String,
    /// The value, or what the policy lets through of it.
    value: String,
    /// The client could put there what it liked.
    forgeable: bool,
    /// Start of the first request with it.
    #[schema(format = DateTime)]
    first: String,
    /// Start of the last request with it.
    #[schema(format = DateTime)]
    last: String,
    /// Requests with it.
    requests: u64,
}

/// Another session known to belong together with this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct SessionLink {
    /// `login`, `refresh`, `both`, or `policy_change`: the same exchange under the policy before.
    kind: String,
    /// The other session, 32 hex digits.
    session: String,
    /// Rule or fallback that made the other session.
    key: String,
    /// `from`: this session goes on where the other ended, e.g. after its login; `to`: the other
    /// goes on where this one ended.
    direction: String,
    /// The other session has a shared key: the link is not followed.
    shared_key: bool,
    /// Requests of the other session are stored. Never were any where a login was its first request, which is this
    /// session's; or they are gone.
    stored: bool,
    /// Start of the first request with it.
    #[schema(format = DateTime)]
    first: String,
    /// Start of the last request with it.
    #[schema(format = DateTime)]
    last: String,
    /// Requests with it.
    requests: u64,
}

fn blob(id: SessionId) -> Value {
    Value::Blob(id.0.to_vec())
}

/// Those of `sessions` that there are requests of, and whether their key is shared.
pub(super) fn stored(
    connection: &Connection,
    sessions: &BTreeSet<SessionId>,
    limit: SharedKey,
) -> Result<BTreeMap<SessionId, bool>, StoreError> {
    if sessions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT session, {1} > ? OR {2} > ? FROM {0}",
        rows_among(connection, sessions)?,
        joined::count("ips"),
        joined::count("users"),
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([limit.ips, limit.users], |row| {
        Ok((id(row, 0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn id(row: &Row<'_>, column: usize) -> duckdb::Result<SessionId> {
    let bytes: Vec<u8> = row.get(column)?;
    // The column holds nothing else.
    Ok(Hex(bytes.try_into().unwrap_or_default()))
}

/// The rows of `visit_parts` and `param_parts` of a session that began and ended at these `times`.
pub(super) fn parts(session: SessionId, times: (i64, i64)) -> Clause {
    Clause::new(
        "session = ? AND last >= ? AND first <= ?",
        [blob(session), at(times.0), at(times.1)],
    )
}

/// The parameters of a session, one line per name.
pub(super) fn param_summaries(
    connection: &Connection,
    parts: &Clause,
) -> Result<Vec<ParamSummary>, StoreError> {
    let mut statement = connection.prepare(&format!(
        "SELECT name, kind, arg_max(value, last), arg_max(forgeable, last),
            epoch_us(min(first)), epoch_us(max(last)), sum(requests)::UBIGINT
         FROM {PARAM_SUMS} WHERE {} GROUP BY name, kind ORDER BY name, kind",
        parts.sql
    ))?;
    let rows = statement.query_map([], |row| {
        Ok(ParamSummary {
            name: row.get(0)?,
            kind: row.get(1)?,
            value: row.get(2)?,
            forgeable: row.get(3)?,
            first: time::text(row.get(4)?),
            last: time::text(row.get(5)?),
            requests: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The users and roles of a session, one by one.
pub(super) fn identities(
    connection: &Connection,
    parts: &Clause,
) -> Result<Vec<IdentityValue>, StoreError> {
    let mut statement = connection.prepare(&format!(
        "SELECT kind, name, value, forgeable, epoch_us(min(first)), epoch_us(max(last)),
            sum(requests)::UBIGINT
         FROM {PARAM_SUMS} WHERE {} AND kind <> 'plain'
         GROUP BY kind, name, value, forgeable
         ORDER BY max(last) DESC, kind, name, value, forgeable LIMIT {LISTED_MAX}",
        parts.sql
    ))?;
    let rows = statement.query_map([], |row| {
        Ok(IdentityValue {
            kind: row.get(0)?,
            name: row.get(1)?,
            value: row.get(2)?,
            forgeable: row.get(3)?,
            first: time::text(row.get(4)?),
            last: time::text(row.get(5)?),
            requests: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The links of a session, the latest 100, and how many there are.
pub(super) fn links(
    connection: &Connection,
    session: SessionId,
    limit: SharedKey,
) -> Result<(Vec<SessionLink>, u64), StoreError> {
    let of = |column| Clause::new(format!("{column} = ?"), [blob(session)]).sql;
    let mut statement = connection.prepare(&format!(
        "SELECT kind, other, any_value(key), direction, epoch_us(min(first)),
            epoch_us(max(last)), sum(requests)::UBIGINT, (count(*) OVER ())::UBIGINT
         FROM (
            SELECT kind, session_b AS other, key_b AS key, 'from' AS direction, first, last,
                requests FROM link_parts WHERE {}
            UNION ALL
            SELECT kind, session_a, key_a, 'to', first, last, requests FROM link_parts
            WHERE {}
         ) GROUP BY kind, other, direction
         ORDER BY max(last) DESC, kind, other, direction LIMIT {LISTED_MAX}",
        of("session_a"),
        of("session_b")
    ))?;
    let mut all = 0;
    let rows = statement.query_map([], |row| {
        let link = SessionLink {
            kind: row.get(0)?,
            session: String::new(),
            key: row.get(2)?,
            direction: row.get(3)?,
            shared_key: false,
            stored: false,
            first: time::text(row.get(4)?),
            last: time::text(row.get(5)?),
            requests: row.get(6)?,
        };
        Ok((id(row, 1)?, link, row.get::<_, u64>(7)?))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (other, link, count) = row?;
        all = count;
        found.push((other, link));
    }
    let others = found.iter().map(|(other, _)| *other).collect();
    let stored = stored(connection, &others, limit)?;
    let complete = |(other, link): (SessionId, SessionLink)| SessionLink {
        session: other.to_string(),
        shared_key: stored.get(&other).is_some_and(|shared| *shared),
        stored: stored.contains_key(&other),
        ..link
    };
    Ok((found.into_iter().map(complete).collect(), all))
}
