//! `throughline export`

use std::fs::File;
use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use http_body_util::BodyExt as _;

use super::{ClientError, Place};
use crate::export::{ALL_LISTS, Format};

/// What is exported, and where to.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// requests, sessions, visits, endpoints, sources, users or verdicts.
    #[arg(long, default_value = "requests", value_name = "LIST", value_parser = names())]
    what: String,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// Filter, as docs/filters.md describes it: 'app:shop status:5xx last:24h'.
    #[arg(long = "where", default_value = "", value_name = "FILTER")]
    filter: String,
    /// The file to be written, which appears when it is complete; standard output when absent.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where the service is.
    #[command(flatten)]
    place: Place,
}

fn names() -> clap::builder::PossibleValuesParser {
    ALL_LISTS
        .iter()
        .map(|list| list.name)
        .collect::<Vec<_>>()
        .into()
}

impl Export {
    pub(super) async fn run(&self, out: &mut dyn Write) -> Result<(), ClientError> {
        let Some(file) = &self.output else {
            if self.format == Format::Parquet && std::io::stdout().is_terminal() {
                return Err(ClientError::Terminal);
            }
            return self.copy(out).await;
        };
        let failed = |source| ClientError::File(file.display().to_string(), source);
        // Beside the file, so that what bears its name is always complete.
        let partial = partial(file);
        let mut writing = File::create(&partial).map_err(failed)?;
        let copied = self.copy(&mut writing).await;
        let kept = copied.and_then(|()| {
            writing.sync_all().map_err(failed)?;
            std::fs::rename(&partial, file).map_err(failed)
        });
        if kept.is_err() {
            drop(std::fs::remove_file(&partial));
        }
        kept
    }

    async fn copy(&self, out: &mut dyn Write) -> Result<(), ClientError> {
        let parameters = [
            ("format", Some(self.format.name().to_owned())),
            (
                "q",
                Some(self.filter.clone()).filter(|filter| !filter.is_empty()),
            ),
        ];
        let path = format!("/v1/export/{}", self.what);
        let (headers, mut body) = self.place.http()?.stream(&path, &parameters).await?;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| ClientError::Cut)?;
            if let Ok(bytes) = frame.into_data() {
                out.write_all(&bytes).map_err(ClientError::Output)?;
            }
        }
        out.flush().map_err(ClientError::Output)?;
        if headers
            .get("throughline-partial")
            .is_some_and(|it| it == "true")
        {
            return Err(ClientError::Partial);
        }
        Ok(())
    }
}

fn partial(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}
