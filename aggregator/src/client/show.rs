//! `throughline show ID`

use std::io::Write;

use serde_json::{Value, json};

use super::http::segment;
use super::{ClientError, Place, first, list, plain, text, took, when};
use crate::table::Table;

/// One session.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// Session id, 32 hex digits, as `throughline sessions` shows it.
    id: String,
    /// Requests shown, 1 to 500.
    #[arg(long, default_value_t = 50)]
    limit: u64,
    /// Where the service is.
    #[command(flatten)]
    place: Place,
}

impl Show {
    pub(super) async fn run(&self, out: &mut dyn Write) -> Result<(), ClientError> {
        let http = self.place.http()?;
        let path = format!("/v1/sessions/{}", segment(&self.id));
        let session = http.get(&path, &[]).await?;
        let limit = [("limit", Some(self.limit.to_string()))];
        let requests = http.get(&format!("{path}/requests"), &limit).await?;
        let answer = json!({"session": session, "requests": requests});
        self.place.print(out, &answer, show)
    }
}

fn show(answer: &Value) -> String {
    let session = &answer["session"];
    let mut facts = Table::new(&["session", ""]);
    facts = {
        let mut row = |name: &str, value: String| {
            if !value.is_empty() {
                facts.row([name.to_owned(), value]);
            }
        };
        row("id", text(session, "/session"));
        row("application", text(session, "/application"));
        row("key", text(session, "/key"));
        let (from, to) = (when(session, "/first"), when(session, "/last"));
        row(
            "seen",
            format!("{from} to {to} ({})", took(session, "/duration_ms")),
        );
        row("requests", text(session, "/requests"));
        row("address", first(session, "/ips"));
        row("user agent", first(session, "/user_agents"));
        row("user", first(session, "/users"));
        row("verdict", verdict(&session["verdict"]));
        for link in list(session, "/links") {
            let other = text(link, "/session");
            let without = if link["stored"] == false {
                ", no requests stored"
            } else {
                ""
            };
            row(
                "link",
                format!(
                    "{} {} {other}{without}",
                    text(link, "/kind"),
                    text(link, "/direction")
                ),
            );
        }
        facts
    };
    let mut table = Table::new(&["start", "method", ">status", ">took", "path"]);
    for request in list(answer, "/requests/items") {
        let us = request["duration_us"].as_f64().unwrap_or(0.0);
        let ms = json!({"ms": us / 1000.0});
        let letters = plain(&request["start"]).replace('T', " ");
        table.row([
            letters.chars().take(23).collect(),
            text(request, "/method"),
            text(request, "/status"),
            took(&ms, "/ms"),
            text(request, "/path"),
        ]);
    }
    let end = if answer
        .pointer("/requests/next")
        .is_some_and(|next| !next.is_null())
    {
        "\nThere are more requests: --limit."
    } else {
        ""
    };
    format!("{facts}\n\n{table}{end}")
}

fn verdict(verdict: &Value) -> String {
    if verdict.is_null() {
        return String::new();
    }
    let confidence = verdict["confidence"].as_f64().unwrap_or(0.0);
    format!("{} ({confidence:.2})", text(verdict, "/bot_type"))
}
