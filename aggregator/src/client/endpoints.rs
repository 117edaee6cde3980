//! `throughline endpoints [FILTER]`

use std::io::Write;

use serde_json::Value;

use super::{ClientError, Place, footer, list, text, took, when};
use crate::table::Table;

/// What the applications are asked for.
#[derive(Debug, clap::Args)]
pub struct Endpoints {
    /// Filter, as docs/filters.md describes it: `app:shop last:24h`.
    filter: Vec<String>,
    /// How many, 1 to 500.
    #[arg(long, default_value_t = 50)]
    limit: u64,
    /// Where the service is.
    #[command(flatten)]
    place: Place,
}

impl Endpoints {
    pub(super) async fn run(&self, out: &mut dyn Write) -> Result<(), ClientError> {
        let parameters = [
            ("q", Some(self.filter.join(" "))),
            ("limit", Some(self.limit.to_string())),
        ];
        let answer = self.place.http()?.get("/v1/endpoints", &parameters).await?;
        self.place.print(out, &answer, table)
    }
}

fn share(value: &Value, name: &str) -> String {
    let share = value[name].as_f64().unwrap_or(0.0);
    format!("{:.1} %", share * 100.0)
}

fn table(answer: &Value) -> String {
    let mut table = Table::new(&[
        "application",
        ">requests",
        ">sessions",
        ">errors",
        ">p50",
        ">p95",
        ">bots",
        "last",
        "endpoint",
    ]);
    for endpoint in list(answer, "/items") {
        table.row([
            text(endpoint, "/application"),
            text(endpoint, "/requests"),
            text(endpoint, "/sessions"),
            share(endpoint, "error_share"),
            took(endpoint, "/p50_ms"),
            took(endpoint, "/p95_ms"),
            share(endpoint, "bot_share"),
            when(endpoint, "/last"),
            text(endpoint, "/endpoint"),
        ]);
    }
    let more = "There are more: --limit, or a narrower filter.";
    footer(table.to_string(), answer, "No request matches.", more)
}
