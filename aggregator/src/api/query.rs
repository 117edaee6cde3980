//! A query against DuckDB: one of a few at a time, stopped when it takes too long or when
//! nobody waits for it any more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use duckdb::{Connection, InterruptHandle};
use tokio::sync::Semaphore;

use super::error::ApiError;
use super::request::Call;
use crate::store::{StoreError, restrict};

/// What stops the query while it runs, and whether it shall not run any more.
type RunState = (Option<Arc<InterruptHandle>>, bool);

/// A query that may have to be stopped.
#[derive(Default)]
struct Running(Mutex<RunState>);

impl Running {
    fn state(&self) -> MutexGuard<'_, RunState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `false` when the query was stopped before it began.
    fn begin(&self, handle: Arc<InterruptHandle>) -> bool {
        let mut state = self.state();
        state.0 = Some(handle);
        !state.1
    }

    /// Must come before the connection is closed: no one may interrupt it then.
    fn end(&self) {
        *self.state() = (None, true);
    }

    /// Whether there was still something to stop.
    fn stop(&self) -> bool {
        let mut state = self.state();
        state.1 = true;
        if let Some(handle) = &state.0 {
            handle.interrupt();
        }
        state.0.is_some()
    }
}

/// Stops the query when the handler's future is dropped: on its deadline or with its client.
struct StopOnDrop(Arc<Running>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if !self.0.stop() {
            return;
        }
        // DuckDB forgets an interruption that comes between two statements: insist.
        let running = Arc::clone(&self.0);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(async move {
                while running.stop() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }));
        }
    }
}

/// Runs `work` on a connection of its own and in one transaction, which is not kept, away from the async
/// threads. It sees the applications that the caller's token is for.
pub(super) async fn run<T: Send + 'static>(
    call: &Call,
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    run_among(call, &call.app.queries, work).await
}

/// [`run`], with a permit of `pool`.
pub(super) async fn run_among<T: Send + 'static>(
    call: &Call,
    pool: &Arc<Semaphore>,
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let app = &call.app;
    let scope = call.grant.scope.clone();
    let began = Instant::now();
    let patience = app.query_timeout;
    let permit = tokio::time::timeout(patience, Arc::clone(pool).acquire_owned()).await;
    let Ok(Ok(permit)) = permit else {
        return Err(ApiError::QueriesBusy);
    };
    let running = Arc::new(Running::default());
    let stop = StopOnDrop(Arc::clone(&running));
    let database = Arc::clone(&app.database);
    let task = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let outcome = database.read().and_then(|reading| {
            let goes = running.begin(reading.connection.interrupt_handle());
            let outcome = if goes {
                restrict(&reading.connection, &scope).and_then(|()| {
                    // An answer is of one moment, however many statements it takes.
                    reading.connection.execute_batch("BEGIN TRANSACTION")?;
                    work(&reading.connection)
                })
            } else {
                Err(StoreError::NotOpen)
            };
            running.end();
            outcome
        });
        running.end();
        outcome
    });
    let outcome = match tokio::time::timeout(patience, task).await {
        Ok(Ok(outcome)) => outcome.map_err(ApiError::from),
        Ok(Err(error)) => Err(ApiError::Database(error.to_string())),
        Err(_) => Err(ApiError::QueryTimeout {
            after_ms: patience.as_millis(),
        }),
    };
    drop(stop);
    app.metrics
        .query_seconds
        .observe(began.elapsed().as_secs_f64());
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs for hours, if it is not stopped.
    const ENDLESS: &str = "SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000) b";

    #[tokio::test]
    async fn a_query_that_nobody_waits_for_is_stopped() {
        let connection = Connection::open_in_memory().unwrap();
        let running = Arc::new(Running::default());
        let stop = StopOnDrop(Arc::clone(&running));
        let (began, begun) = tokio::sync::oneshot::channel();
        let query = tokio::task::spawn_blocking(move || {
            assert!(running.begin(connection.interrupt_handle()));
            began.send(()).unwrap();
            let outcome = connection.execute_batch(ENDLESS);
            running.end();
            outcome
        });
        begun.await.unwrap();
        drop(stop);
        let stopped = tokio::time::timeout(Duration::from_secs(20), query)
            .await
            .unwrap();
        let error = stopped.unwrap().unwrap_err().to_string();
        assert!(error.to_lowercase().contains("interrupt"), "{error}");
    }

    #[test]
    fn a_query_stopped_before_it_begins_does_not_begin() {
        let connection = Connection::open_in_memory().unwrap();
        let running = Arc::new(Running::default());
        drop(StopOnDrop(Arc::clone(&running)));
        assert!(!running.begin(connection.interrupt_handle()));
    }
}
