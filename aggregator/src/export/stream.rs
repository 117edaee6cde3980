//! A child process that writes a list, and whoever reads it: neither runs ahead of the other.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, ChildStdout};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Format, Wanted};
use crate::sql::{Copied, Sql, SqlError};
use crate::tokens::Scope;

/// Exports at a time.
const EXPORTS_MAX: usize = 2;
/// How long one waits for its turn.
const TURN: Duration = Duration::from_secs(10);
/// Bytes handed on at once.
const CHUNK: usize = 128 * 1024;
/// Chunks that wait for whoever reads.
const QUEUE_MAX: usize = 4;
/// Whoever takes nothing for so long is let go.
const STALLED: Duration = Duration::from_secs(60);
/// Processor time of one export, seconds.
const CPU_S: u64 = 3600;
/// What a child says of its failure, bytes.
const REASON_LEN_MAX: u64 = 4096;

/// The exports that run.
#[derive(Debug)]
pub struct Exports(Arc<Semaphore>);

impl Default for Exports {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(EXPORTS_MAX)))
    }
}

/// An export that has begun.
#[derive(Debug)]
pub struct Export {
    /// What it shows is of this time, microseconds since the Unix epoch.
    pub as_of_us: i64,
    /// Not all requests were there to be looked at, only the newest.
    pub partial: bool,
    /// Its bytes; after an error there is nothing more, and what came is not everything.
    pub bytes: Receiver<std::io::Result<Bytes>>,
}

impl Exports {
    /// Begins an export; waits until there is something to read. Dropping the result ends it.
    /// `cut` is called when it ends before its end.
    ///
    /// # Errors
    /// Why there is nothing.
    pub async fn begin(
        &self,
        sql: &Sql,
        wanted: Wanted,
        format: Format,
        scope: &Scope,
        now_us: i64,
        cut: impl FnOnce() + Send + 'static,
    ) -> Result<Export, SqlError> {
        let place = tokio::time::timeout(TURN, Arc::clone(&self.0).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(SqlError::Busy);
        };
        let mut copied = sql.copy(wanted, format, scope, CPU_S, now_us).await?;
        let (as_of_us, partial) = (copied.as_of_us, copied.partial);
        let Some((output, errors)) = copied.child.stdout.take().zip(copied.child.stderr.take())
        else {
            return Err(SqlError::Failed("the child has no output".into()));
        };
        let mut pump = Pump {
            copied,
            output,
            errors,
            _place: place,
        };
        let first = tokio::time::timeout(sql.patience(), pump.read()).await;
        let first = match first {
            Err(_) => return Err(SqlError::Timeout(sql.patience())),
            Ok(Ok(first)) => first,
            Ok(Err(error)) => return Err(SqlError::Failed(error.to_string())),
        };
        if first.is_empty() {
            pump.end().await?;
        }
        let (sender, bytes) = channel(QUEUE_MAX);
        drop(tokio::spawn(async move {
            if let Err(why) = pump.run(first, &sender).await {
                tracing::warn!(why, "an export ended before its end");
                cut();
                // Whoever still reads sees a broken answer, not a short one.
                drop(sender.send(Err(std::io::Error::other(why))).await);
            }
        }));
        Ok(Export {
            as_of_us,
            partial,
            bytes,
        })
    }
}

/// One export.
struct Pump {
    /// Killed with this.
    copied: Copied,
    output: ChildStdout,
    errors: ChildStderr,
    _place: OwnedSemaphorePermit,
}

impl Pump {
    /// The next bytes; none at the end.
    async fn read(&mut self) -> std::io::Result<Bytes> {
        let mut chunk = Vec::with_capacity(CHUNK);
        while chunk.len() < CHUNK {
            let most = (CHUNK - chunk.len()) as u64;
            if (&mut self.output).take(most).read_buf(&mut chunk).await? == 0 {
                break;
            }
        }
        Ok(chunk.into())
    }

    /// Hands everything on; why that is not everything.
    async fn run(
        mut self,
        first: Bytes,
        sender: &Sender<std::io::Result<Bytes>>,
    ) -> Result<(), String> {
        let mut chunk = first;
        while !chunk.is_empty() {
            match tokio::time::timeout(STALLED, sender.send(Ok(chunk))).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err("whoever read it has gone".into()),
                Err(_) => return Err(format!("nothing was read for {} s", STALLED.as_secs())),
            }
            chunk = tokio::select! {
                read = self.read() => read.map_err(|error| error.to_string())?,
                () = sender.closed() => return Err("whoever read it has gone".into()),
            };
        }
        self.end().await.map_err(|error| format!("{error:?}"))
    }

    /// How the child ended, now that it has written everything.
    async fn end(&mut self) -> Result<(), SqlError> {
        let failed = |error: std::io::Error| SqlError::Failed(error.to_string());
        let mut reason = Vec::new();
        let mut errors = (&mut self.errors).take(REASON_LEN_MAX);
        errors.read_to_end(&mut reason).await.map_err(failed)?;
        let child: &mut Child = &mut self.copied.child;
        let status = child.wait().await.map_err(failed)?;
        if status.success() {
            return Ok(());
        }
        let reason = String::from_utf8_lossy(&reason).trim().to_owned();
        Err(SqlError::Ended(if reason.is_empty() {
            status.to_string()
        } else {
            reason
        }))
    }
}
