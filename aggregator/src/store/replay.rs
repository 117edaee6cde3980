//! DuckDB → record: what is stored, again in log order, for detection to learn from.

use std::borrow::Cow;

use duckdb::types::Value;
use duckdb::{Connection, OptionalExt as _, Row, params};
use throughline_session::hex::Hex;
use throughline_session::wire::{Link, LinkKind, Param, ParameterKind, Record, flag_bits};

use super::database::StoreError;
use crate::crawlers::Confirmation;
use crate::verdicts::{Event, Judge, Labelling, Place, Profiles, Ruling};

/// Records read at once.
const ROWS: usize = 20_000;

/// A stretch of the log out of the store: records and rulings.
#[derive(Debug, Default)]
pub struct Replayed {
    records: Vec<(Place, Record<'static>)>,
    rulings: Vec<(u64, Ruling)>,
    /// Where it ends; the next one begins there.
    pub end: u64,
}

pub(super) const COLUMNS: &str =
    "position, idx, epoch_us(start), session, request_session, application, key,
    request_id, trace_id, method, scheme, host, path, query_names, query_values, query_hash,
    protocol, status, flags, request_bytes, response_bytes, duration_us, upstream_us, client_ip,
    user_agent, referer_host, content_type, links, params, header_shape, header_marks";

impl Replayed {
    /// Where the latest `records` stored records begin, at most.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn start(connection: &Connection, records: u64) -> Result<u64, StoreError> {
        let sql = "SELECT coalesce(min(position), 0) FROM (
            SELECT position FROM records ORDER BY position DESC LIMIT ?)";
        // LIMIT is a signed number to DuckDB.
        let most = records.min(i64::MAX.cast_unsigned());
        let start: u64 = connection.query_row(sql, [most], |row| row.get(0))?;
        let all: u64 =
            connection.query_row("SELECT count(*) FROM records", [], |row| row.get(0))?;
        Ok(if all <= records { 0 } else { start })
    }

    /// The profiles that hold at the end of what is stored.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn profiles(connection: &Connection) -> Result<Profiles, StoreError> {
        let sql = "SELECT position, policy_version, document FROM profiles
            ORDER BY position DESC LIMIT 1";
        let found = connection.query_row(sql, [], profiles).optional()?;
        Ok(found.map(|(_, profiles)| profiles).unwrap_or_default())
    }

    /// Reads what is stored of the log from `from` to `end`, the first part of it.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn read(connection: &Connection, from: u64, end: u64) -> Result<Self, StoreError> {
        // Whole batches only: those of the first rows.
        let sql = "SELECT max(position) FROM (SELECT position FROM records
            WHERE position >= ? AND position < ? ORDER BY position LIMIT ?)";
        let rows = u64::try_from(ROWS).unwrap_or(u64::MAX);
        let last: Option<u64> =
            connection.query_row(sql, params![from, end, rows], |row| row.get(0))?;
        let Some(last) = last else {
            let rulings = rulings(connection, from, end)?;
            return Ok(Self {
                rulings,
                end,
                records: Vec::new(),
            });
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM records WHERE position >= ? AND position <= ?
             ORDER BY position, idx"
        );
        let mut statement = connection.prepare(&sql)?;
        let records = statement
            .query_map(params![from, last], record)?
            .collect::<Result<_, _>>()?;
        Ok(Self {
            records,
            rulings: rulings(connection, from, last + 1)?,
            end: (last + 1).min(end),
        })
    }

    /// Has `judge` learn from it; gives the number of records.
    pub fn apply(&self, judge: &mut Judge, events: &mut Vec<Event>) -> u64 {
        let mut rulings = self.rulings.iter().peekable();
        for (place, record) in &self.records {
            while let Some((_, ruling)) = rulings.next_if(|(position, _)| *position < place.0) {
                judge.rule(ruling);
            }
            judge.record(record, *place, events);
        }
        rulings.for_each(|(_, ruling)| judge.rule(ruling));
        self.records.len() as u64
    }

    /// The records alone, in log order, for a judge with rulings of its own.
    #[must_use]
    pub fn records(&self) -> &[(Place, Record<'static>)] {
        &self.records
    }
}

/// Crawlers that were confirmed from `from` to before `end`, in log order.
///
/// # Errors
/// When DuckDB refuses.
pub fn crawlers(
    connection: &Connection,
    from: u64,
    end: u64,
) -> Result<Vec<(u64, Ruling)>, StoreError> {
    let sql = "SELECT position, address, domain, epoch_us(said_at) FROM crawlers
        WHERE position >= ? AND position < ? ORDER BY position";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([from, end], |row| {
        let address: String = row.get(1)?;
        let confirmation = |address| Confirmation {
            address,
            domain: row.get(2).unwrap_or_default(),
            at_us: row.get(3).unwrap_or_default(),
        };
        let position: u64 = row.get(0)?;
        let ruling = address.parse().ok().map(confirmation).map(Ruling::Crawler);
        Ok(ruling.map(|ruling| (position, ruling)))
    })?;
    Ok(rows
        .collect::<duckdb::Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect())
}

fn profiles(row: &Row<'_>) -> duckdb::Result<(u64, Profiles)> {
    let document: String = row.get(2)?;
    let profiles = Profiles::of_text(row.get(1)?, &document);
    Ok((row.get(0)?, profiles))
}

fn rulings(connection: &Connection, from: u64, end: u64) -> Result<Vec<(u64, Ruling)>, StoreError> {
    let sql = "SELECT position, policy_version, document FROM profiles
        WHERE position >= ? AND position < ?";
    let mut statement = connection.prepare(sql)?;
    let ruling = |row: &Row<'_>| {
        let (position, profiles) = profiles(row)?;
        Ok((position, Ruling::Profiles(profiles)))
    };
    let mut found: Vec<(u64, Ruling)> = statement
        .query_map([from, end], ruling)?
        .collect::<Result<_, _>>()?;
    let sql = "SELECT position, id, label, note, author, epoch_us(said_at) FROM labels
        WHERE position >= ? AND position < ?";
    let mut labels = connection.prepare(sql)?;
    let label = |row: &Row<'_>| {
        let label: Option<String> = row.get(2)?;
        let labelling = Labelling {
            id: row.get(1)?,
            label: label.and_then(|it| serde_json::from_value(it.into()).ok()),
            note: row.get(3)?,
            author: row.get(4)?,
            at_us: row.get(5)?,
        };
        Ok((row.get(0)?, Ruling::Label(labelling)))
    };
    for row in labels.query_map([from, end], label)? {
        found.push(row?);
    }
    found.extend(crawlers(connection, from, end)?);
    found.sort_by_key(|(position, _)| *position);
    Ok(found)
}

type Text = Option<Cow<'static, str>>;

fn text(row: &Row<'_>, at: usize) -> duckdb::Result<Text> {
    Ok(row.get::<_, Option<String>>(at)?.map(Cow::Owned))
}

pub(super) fn id<const N: usize>(row: &Row<'_>, at: usize) -> duckdb::Result<Hex<N>> {
    let bytes: Vec<u8> = row.get(at)?;
    Ok(Hex(bytes.try_into().unwrap_or([0; N])))
}

/// A record and its place, of a row that begins with [`COLUMNS`].
pub(super) fn record(row: &Row<'_>) -> duckdb::Result<(Place, Record<'static>)> {
    let place = (row.get(0)?, row.get(1)?);
    let flags: String = row.get(18)?;
    let hash = |at: usize| -> duckdb::Result<Option<Hex<8>>> {
        let number: Option<u64> = row.get(at)?;
        Ok(number.map(|it| Hex(it.to_be_bytes())))
    };
    let record = Record {
        index: place.1,
        start_us: row.get(2)?,
        session: id(row, 3)?,
        request_session: id(row, 4)?,
        application: row.get::<_, String>(5)?.into(),
        key: row.get::<_, String>(6)?.into(),
        request_id: text(row, 7)?,
        trace_id: text(row, 8)?,
        method: text(row, 9)?,
        scheme: text(row, 10)?,
        host: text(row, 11)?,
        path: text(row, 12)?,
        query_names: texts(row.get(13)?),
        query_values: pairs(row.get(14)?),
        query_hash: hash(15)?,
        protocol: text(row, 16)?,
        status: row.get(17)?,
        flags: flag_bits(&flags),
        request_bytes: row.get(19)?,
        response_bytes: row.get(20)?,
        duration_us: row.get(21)?,
        upstream_us: row.get(22)?,
        client_ip: text(row, 23)?,
        user_agent: text(row, 24)?,
        referer_host: text(row, 25)?,
        content_type: text(row, 26)?,
        links: links(row.get(27)?),
        params: parameters(row.get(28)?),
        header_shape: hash(29)?,
        header_marks: row.get(30)?,
        extract_failed: Vec::new(),
        trials: Vec::new(),
        finder: Vec::new(),
        truncated: Vec::new(),
    };
    Ok((place, record))
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::List(values) => values,
        _ => Vec::new(),
    }
}

fn string(value: Option<&Value>) -> Cow<'static, str> {
    match value {
        Some(Value::Text(text)) => Cow::Owned(text.clone()),
        _ => Cow::Borrowed(""),
    }
}

fn texts(value: Value) -> Vec<Cow<'static, str>> {
    list(value).iter().map(|it| string(Some(it))).collect()
}

/// The fields of a struct in its order.
fn fields(value: &Value) -> Vec<&Value> {
    match value {
        Value::Struct(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

fn pairs(value: Value) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    let pair = |value: &Value| {
        let fields = fields(value);
        (
            string(fields.first().copied()),
            string(fields.get(1).copied()),
        )
    };
    list(value).iter().map(pair).collect()
}

pub(super) fn links(value: Value) -> Vec<Link<'static>> {
    let link = |value: &Value| {
        let fields = fields(value);
        let kind: LinkKind =
            serde_json::from_value(string(fields.first().copied()).as_ref().into()).ok()?;
        let Some(Value::Blob(session)) = fields.get(1).copied() else {
            return None;
        };
        Some(Link {
            kind,
            session: Hex(session.clone().try_into().ok()?),
            key: string(fields.get(2).copied()),
        })
    };
    list(value).iter().filter_map(link).collect()
}

fn parameters(value: Value) -> Vec<Param<'static>> {
    let parameter = |value: &Value| {
        let fields = fields(value);
        let kind = string(fields.get(2).copied());
        Param {
            name: string(fields.first().copied()),
            value: string(fields.get(1).copied()),
            kind: serde_json::from_value(kind.as_ref().into()).unwrap_or(ParameterKind::Plain),
            forgeable: matches!(fields.get(3), Some(Value::Boolean(true))),
        }
    };
    list(value).iter().map(parameter).collect()
}
