//! `throughline sessions [FILTER]`

use std::io::Write;

use serde_json::Value;

use super::{ClientError, Place, first, footer, list, text, took, when};
use crate::table::Table;

/// Which sessions.
#[derive(Debug, clap::Args)]
pub struct Sessions {
    /// Filter, as docs/filters.md describes it: `app:shop status:4xx last:24h`.
    filter: Vec<String>,
    /// What the list is ordered by: last, first, duration, requests, errors or bytes.
    #[arg(long, default_value = "last")]
    sort: String,
    /// How many, 1 to 500.
    #[arg(long, default_value_t = 20)]
    limit: u64,
    /// Where the service is.
    #[command(flatten)]
    place: Place,
}

impl Sessions {
    pub(super) async fn run(&self, out: &mut dyn Write) -> Result<(), ClientError> {
        let parameters = [
            ("q", Some(self.filter.join(" "))),
            ("sort", Some(self.sort.clone())),
            ("limit", Some(self.limit.to_string())),
        ];
        let answer = self.place.http()?.get("/v1/sessions", &parameters).await?;
        self.place.print(out, &answer, table)
    }
}

fn table(answer: &Value) -> String {
    let mut table = Table::new(&[
        "last",
        "application",
        "session",
        ">requests",
        ">errors",
        ">lasted",
        "address",
        "user",
        "verdict",
    ]);
    for session in list(answer, "/items") {
        let count = |name: &str| session[name].as_u64().unwrap_or(0);
        table.row([
            when(session, "/last"),
            text(session, "/application"),
            text(session, "/session"),
            count("requests").to_string(),
            (count("errors_4xx") + count("errors_5xx")).to_string(),
            took(session, "/duration_ms"),
            first(session, "/ips"),
            first(session, "/users"),
            text(session, "/verdict/bot_type"),
        ]);
    }
    let more = "There are more: --limit, or a narrower filter.";
    footer(table.to_string(), answer, "No session matches.", more)
}
