//! `throughline sessions`, `show`, `tail`, `bots`, `endpoints`, `sql`, `export`, `import` and `backup`: the common questions, put
//! to a running service through its API. Tables for people, `--json` for programs.
//!
//! A command is one file with its arguments and `run`, and one line in [`ClientCommand`].

mod backup;
mod bots;
mod endpoints;
mod export;
mod http;
mod import;
mod sessions;
mod show;
mod sql;
mod tail;

use std::io::Write;

use ::http::Method;
use serde_json::Value;

pub use http::ClientError;
pub use import::ImportError;

use http::Http;

/// A question to a running service.
#[derive(Debug, clap::Subcommand)]
pub enum ClientCommand {
    /// Which sessions were there: the one active last first.
    Sessions(sessions::Sessions),
    /// One session: who, when, what it did, in order.
    Show(show::Show),
    /// What happens, as it comes; Ctrl-C ends it.
    Tail(tail::Tail),
    /// Who is held for a bot, and why.
    Bots(bots::Bots),
    /// What the applications are asked for, and how that goes.
    Endpoints(endpoints::Endpoints),
    /// Run one SELECT over the views of docs/sql.md.
    Sql(sql::Sql),
    /// Write a whole list as CSV, NDJSON or Parquet.
    Export(export::Export),
    /// Take in access logs, as if the filter had seen their requests.
    Import(import::Import),
    /// Copy everything that the service has into a new folder, while it runs.
    Backup(backup::Backup),
}

/// Where the service is, and how its answer is printed.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// Where the service listens.
    #[arg(
        long,
        env = "THROUGHLINE_URL",
        default_value = "http://127.0.0.1:8470",
        value_name = "URL"
    )]
    url: String,
    /// A token to read with; the variable keeps it out of process lists.
    #[arg(long, env = "THROUGHLINE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Print the service's answer as JSON.
    #[arg(long)]
    json: bool,
}

/// What the service at `url` says of itself: `/readyz` and `/v1/status`.
///
/// # Errors
/// When it cannot be asked, or does not let the token in.
pub async fn answers(url: &str, token: Option<&str>) -> Result<(Value, Value), ClientError> {
    let http = Http::new(url, token)?;
    let ask = async |path: &str| http.raw(Method::GET, path, bytes::Bytes::new()).await;
    let (_, readiness) = ask("/readyz").await?;
    let (status, answer) = ask("/v1/status").await?;
    if !status.is_success() {
        return Err(ClientError::of_problem(&answer));
    }
    Ok((readiness, answer))
}

/// Asks, and prints the answer to `out`.
///
/// # Errors
/// Why there is no answer, in words that say what to do.
pub async fn run(command: &ClientCommand, out: &mut dyn Write) -> Result<(), ClientError> {
    match command {
        ClientCommand::Sessions(command) => command.run(out).await,
        ClientCommand::Show(command) => command.run(out).await,
        ClientCommand::Tail(command) => command.run(out).await,
        ClientCommand::Bots(command) => command.run(out).await,
        ClientCommand::Endpoints(command) => command.run(out).await,
        ClientCommand::Sql(command) => command.run(out).await,
        ClientCommand::Export(command) => command.run(out).await,
        ClientCommand::Backup(command) => command.run(out).await,
        ClientCommand::Import(command) => Ok(command.run(out).await.map_err(Box::new)?),
    }
}

impl Place {
    fn http(&self) -> Result<Http, ClientError> {
        Http::new(&self.url, self.token.as_deref())
    }

    /// Prints `answer` as JSON, or what `table` makes of it.
    fn print(
        &self,
        out: &mut dyn Write,
        answer: &Value,
        table: impl FnOnce(&Value) -> String,
    ) -> Result<(), ClientError> {
        let text = if self.json {
            serde_json::to_string_pretty(answer).unwrap_or_default()
        } else {
            table(answer)
        };
        writeln!(out, "{text}").map_err(ClientError::Output)
    }
}

/// The list at `pointer`; empty where there is none.
fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

/// The value at `pointer` as people read it.
fn text(value: &Value, pointer: &str) -> String {
    plain(value.pointer(pointer).unwrap_or(&Value::Null))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A point in time without fractions: `2026-01-31 08:00:00`.
fn when(value: &Value, pointer: &str) -> String {
    let text = text(value, pointer);
    let short: String = text.chars().take(19).collect();
    short.replace('T', " ")
}

/// Milliseconds as people say them.
fn took(value: &Value, pointer: &str) -> String {
    let ms = value.pointer(pointer).and_then(Value::as_f64);
    match ms {
        None => String::new(),
        Some(ms) if ms < 1000.0 => format!("{ms:.0} ms"),
        Some(ms) if ms < 60_000.0 => format!("{:.1} s", ms / 1000.0),
        Some(ms) if ms < 3_600_000.0 => format!("{:.1} min", ms / 60_000.0),
        Some(ms) => format!("{:.1} h", ms / 3_600_000.0),
    }
}

/// The first of a list of values, and how many there are.
fn first(value: &Value, pointer: &str) -> String {
    let values = list(value, &format!("{pointer}/values"));
    let count = value
        .pointer(&format!("{pointer}/count"))
        .and_then(Value::as_u64);
    match (values.first(), count.unwrap_or(0)) {
        (None, _) => String::new(),
        (Some(one), 0 | 1) => plain(one),
        (Some(one), more) => format!("{} +{}", plain(one), more - 1),
    }
}

/// What a list says when there is nothing in it, or more of it.
fn footer(table: String, answer: &Value, nothing: &str, more: &str) -> String {
    if list(answer, "/items").is_empty() {
        return nothing.to_owned();
    }
    if answer["next"].is_null() {
        return table;
    }
    format!("{table}\n{more}")
}
