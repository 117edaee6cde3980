//! `throughline sql 'SELECT …'`

use std::io::{Read as _, Write};

use serde_json::{Value, json};

use super::{ClientError, Place, list, plain};
use crate::table::Table;

/// One SELECT.
#[derive(Debug, clap::Args)]
pub struct Sql {
    /// The statement; `-` reads it from standard input.
    sql: String,
    /// Rows, 1 to 100,000.
    #[arg(long, default_value_t = 1_000)]
    limit: u64,
    /// Where the service is.
    #[command(flatten)]
    place: Place,
}

impl Sql {
    pub(super) async fn run(&self, out: &mut dyn Write) -> Result<(), ClientError> {
        let mut sql = self.sql.clone();
        if sql == "-" {
            sql.clear();
            let mut input = std::io::stdin().take(crate::sql::SQL_LEN_MAX as u64 + 1);
            input
                .read_to_string(&mut sql)
                .map_err(ClientError::Output)?;
        }
        let body = json!({"sql": sql, "limit": self.limit});
        let answer = self.place.http()?.post("/v1/sql", &body).await?;
        self.place.print(out, &answer, table)
    }
}

fn table(answer: &Value) -> String {
    let name = |column: &Value| {
        let kind = plain(&column["type"]);
        let number = ["INT", "DOUBLE", "FLOAT", "DECIMAL"];
        let right = number.iter().any(|it| kind.contains(it)) && !kind.ends_with(']');
        format!("{}{}", if right { ">" } else { "" }, plain(&column["name"]))
    };
    let headings: Vec<_> = list(answer, "/columns").iter().map(name).collect();
    let mut table = Table::new(&headings);
    for row in list(answer, "/rows") {
        table.row(row.as_array().into_iter().flatten().map(plain));
    }
    let mut text = format!("{table}\n({} rows", plain(&answer["row_count"]));
    if answer["cut"] == true {
        text.push_str(", and there are more: --limit");
    }
    if answer["partial"] == true {
        text.push_str("; only the newest requests were looked at");
    }
    text.push(')');
    text
}
