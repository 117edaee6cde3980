//! `throughline backup`

use std::io::Write;
use std::path::PathBuf;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::http::with;
use super::{ClientError, Place, text};

/// Where the copy goes.
#[derive(Debug, clap::Args)]
pub struct Backup {
    /// The folder to be made, on the service's machine.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Where the service is; the token must be of the role `admin`.
    #[command(flatten)]
    place: Place,
}

impl Backup {
    pub(super) async fn run(&self, out: &mut dyn Write) -> Result<(), ClientError> {
        let to = std::path::absolute(&self.to)
            .map_err(|error| ClientError::File(self.to.display().to_string(), error))?;
        let path = with("/v1/backup", &[("to", Some(to.display().to_string()))]);
        let http = self.place.http()?;
        let (status, answer) = http.patient(Method::POST, &path, Bytes::new()).await?;
        if !status.is_success() {
            return Err(ClientError::of_problem(&answer));
        }
        self.place.print(out, &answer, told)
    }
}

fn told(answer: &Value) -> String {
    format!(
        "{}: {} records, {} files, {} bytes; `throughline restore --from` it",
        text(answer, "/folder"),
        text(answer, "/records"),
        text(answer, "/files"),
        text(answer, "/bytes")
    )
}
