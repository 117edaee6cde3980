//! What the demo prints: the table of sessions, the books, and where to look next.
#![expect(clippy::print_stdout, reason = "the demo talks to a person")]

use std::io::Write as _;

use demo::{Http, Stack, Status};
use serde_json::Value;

/// Sessions in the table; the API has them all.
const ROWS: usize = 20;
const COLUMNS: [(&str, Align); 10] = [
    ("last seen", Align::Left),
    ("application", Align::Left),
    ("key", Align::Left),
    ("session", Align::Left),
    ("ip", Align::Left),
    ("requests", Align::Right),
    ("4xx", Align::Right),
    ("5xx", Align::Right),
    ("duration", Align::Right),
    ("user agent", Align::Left),
];

#[derive(Clone, Copy, PartialEq)]
enum Align {
    Left,
    Right,
}

/// One line, out at once even when the output is a pipe.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    println!("{text}");
    Ok(std::io::stdout().flush()?)
}

/// Who listens where.
pub(crate) fn places(stack: &Stack) -> anyhow::Result<()> {
    line(&format!(
        "demo: the shop's API  http://{}\n\
         demo: Envoy + filter  http://{}   (admin {})\n\
         demo: aggregator      {}   (open it in a browser)\n\
         demo: admin token     {}\n\
         demo: logs and data   {}",
        stack.upstream,
        stack.ingress,
        stack.admin.base(),
        stack.api.base(),
        stack.admin_token,
        stack
            .folder()
            .strip_prefix(demo::repository())
            .unwrap_or(stack.folder())
            .display(),
    ))
}

/// What to try while it runs.
pub(crate) async fn where_next(stack: &Stack) -> anyhow::Result<()> {
    let api = stack.api.base();
    let failing: Value = stack
        .api
        .json("/v1/sessions?q=path:/api/login+status:401&limit=1")
        .await?;
    let session = failing["items"][0]["session"].as_str().unwrap_or("SESSION");
    line(&format!(
        "\nWhere to look next (Ctrl-C ends the demo):\n\n\
         # sessions with failed logins, the one active last first (docs/filters.md)\n\
         curl -s '{api}/v1/sessions?q=path:/api/login+status:401&limit=5'\n\
         # what one of them did, in order\n\
         curl -s {api}/v1/sessions/{session}/requests\n\
         # who is held for a bot, and why\n\
         curl -s '{api}/v1/verdicts?flagged=true'\n\
         # where every record is\n\
         curl -s {api}/v1/status\n\
         # all there is to ask\n\
         curl -s {api}/openapi.json\n\
         # a request of your own, through Envoy\n\
         curl -s -H 'host: shop.example' 'http://{}/api/products?page=2'",
        stack.ingress,
    ))
}

/// The table: the sessions seen last.
pub(crate) async fn sessions(api: &Http) -> anyhow::Result<()> {
    let page: Value = api.json(&format!("/v1/sessions?limit={ROWS}")).await?;
    let items = page["items"].as_array().cloned().unwrap_or_default();
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    let width = |column: usize, title: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .chain([title.len()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = COLUMNS
        .iter()
        .enumerate()
        .map(|(column, (title, _))| width(column, title))
        .collect();
    let print = |cells: &[String]| {
        let padded =
            cells.iter().zip(&widths).zip(COLUMNS).map(
                |((cell, &width), (_, align))| match align {
                    Align::Left => format!("{cell:<width$}"),
                    Align::Right => format!("{cell:>width$}"),
                },
            );
        line(padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    line("")?;
    print(&COLUMNS.map(|(title, _)| title.to_owned()))?;
    for row in &rows {
        print(row)?;
    }
    Ok(())
}

/// The books in one line.
pub(crate) fn ledger(status: &Status) -> anyhow::Result<()> {
    let totals = status.totals;
    line(&format!(
        "\nhandled by Envoy {} = seen {} + bypassed {}; seen = stored {} + quarantined {} + \
         dropped {} + pending {} + lost {}{}",
        status
            .handled()
            .map_or("?".to_owned(), |count| count.to_string()),
        totals.seen,
        totals.bypassed,
        totals.stored,
        totals.quarantined,
        totals.dropped,
        totals.pending,
        totals.lost,
        if totals.balanced {
            ""
        } else {
            "   (does not balance!)"
        },
    ))
}

fn row(session: &Value) -> Vec<String> {
    let text = |name: &str| session[name].as_str().unwrap_or("-").to_owned();
    let count = |name: &str| {
        session[name]
            .as_u64()
            .map_or("-".to_owned(), |n| n.to_string())
    };
    vec![
        clock(&text("last")),
        text("application"),
        text("key"),
        cut(&text("session"), 12),
        list(&session["ips"], 15),
        count("requests"),
        count("errors_4xx"),
        count("errors_5xx"),
        duration(session["duration_ms"].as_u64().unwrap_or(0)),
        list(&session["user_agents"], 48),
    ]
}

/// The time of day out of an RFC 3339 time.
fn clock(time: &str) -> String {
    time.split(['T', '.', 'Z'])
        .nth(1)
        .unwrap_or(time)
        .to_owned()
}

/// The first of some values, and how many more there are.
fn list(listed: &Value, length: usize) -> String {
    let count = listed["count"].as_u64().unwrap_or(0);
    match listed["values"][0].as_str() {
        None => "-".to_owned(),
        Some(first) if count <= 1 => cut(first, length),
        Some(first) => format!("{} +{}", cut(first, length), count - 1),
    }
}

pub(crate) fn cut(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars()
        .take(length.saturating_sub(1))
        .chain(['…'])
        .collect()
}

fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_short() {
        assert_eq!(clock("2026-05-01T10:20:30.123Z"), "10:20:30");
        assert_eq!(cut("é2345", 4), "é23…");
        let some = serde_json::json!({"values": ["a", "b", "c"], "count": 3});
        assert_eq!(list(&some, 5), "a +2");
        assert_eq!(list(&serde_json::json!({"values": [], "count": 0}), 5), "-");
        for (ms, expected) in [(7, "7 ms"), (1_250, "1.2 s"), (61_000, "1 min 01 s")] {
            assert_eq!(duration(ms), expected);
        }
    }
}
