//! `throughline bots`

use std::io::Write;

use serde_json::Value;

use super::{ClientError, Place, footer, list, plain, text, when};
use crate::table::Table;

/// Who is held for a bot.
#[derive(Debug, clap::Args)]
pub struct Bots {
    /// Those too that the application's sensitivity does not flag.
    #[arg(long)]
    all: bool,
    /// How many, 1 to 500.
    #[arg(long, default_value_t = 20)]
    limit: u64,
    /// Where the service is.
    #[command(flatten)]
    place: Place,
}

impl Bots {
    pub(super) async fn run(&self, out: &mut dyn Write) -> Result<(), ClientError> {
        let parameters = [
            ("flagged", (!self.all).then(|| "true".into())),
            ("limit", Some(self.limit.to_string())),
        ];
        let answer = self.place.http()?.get("/v1/verdicts", &parameters).await?;
        self.place.print(out, &answer, table)
    }
}

fn table(answer: &Value) -> String {
    let mut table = Table::new(&["said", "kind", ">sure", "subject", "label", "why"]);
    for verdict in list(answer, "/items") {
        let why: Vec<_> = list(verdict, "/reasons").iter().map(plain).collect();
        let sure = verdict["confidence"].as_f64().unwrap_or(0.0);
        table.row([
            when(verdict, "/last"),
            text(verdict, "/bot_type"),
            format!("{sure:.2}"),
            text(verdict, "/subject"),
            text(verdict, "/label/label"),
            why.join("; "),
        ]);
    }
    let more = "There are more: --limit.";
    footer(table.to_string(), answer, "Nobody is held for a bot.", more)
}
