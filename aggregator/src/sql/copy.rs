//! Statements of the service's own whose rows are written as a file: exports.

use std::process::Stdio;
use std::sync::Arc;

use tokio::process::Child;

use super::child::{job, start};
use super::snapshot::Snapshot;
use super::{Copy, Sql, SqlError};
use crate::export::{Format, Wanted};
use crate::tokens::Scope;

/// A child that writes a file to its standard output, and what is wrong to its standard error.
#[derive(Debug)]
pub struct Copied {
    /// Killed when dropped.
    pub child: Child,
    /// What it shows is of this time, microseconds since the Unix epoch.
    pub as_of_us: i64,
    /// Not all requests are there to be looked at, only the newest.
    pub partial: bool,
    /// Its files stay for as long as the child may read them.
    _snapshot: Arc<Snapshot>,
}

impl Sql {
    /// Has a child write what is wanted, of the applications in `scope`, in at most `cpu_s` seconds
    /// of a processor.
    ///
    /// # Errors
    /// Why none can be started.
    pub async fn copy(
        &self,
        wanted: Wanted,
        format: Format,
        scope: &Scope,
        cpu_s: u64,
        now_us: i64,
    ) -> Result<Copied, SqlError> {
        let snapshot = self.snapshot(now_us).await?;
        let mut job = job(&snapshot, &wanted.select, 0, cpu_s);
        job.copy = Some(Copy {
            format,
            prepare: wanted.prepare,
            applications: match scope {
                Scope::All => None,
                Scope::Only(applications) => Some(applications.iter().cloned().collect()),
            },
        });
        Ok(Copied {
            child: start(&job, Stdio::piped()).await?,
            as_of_us: snapshot.made_us,
            partial: snapshot.cut,
            _snapshot: snapshot,
        })
    }
}
