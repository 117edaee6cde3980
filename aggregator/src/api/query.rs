//! A query against DuckDB: one of a few at a time, stopped when it takes too long or when
//! nobody waits for it any more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use duckdb::{Connection, InterruptHandle};

use super::App;
use super::error::ApiError;
use crate::store::StoreError;

/// The running query, if it runs.
#[derive(Default)]
struct Running(Mutex<(Option<Arc<InterruptHandle>>, bool)>);

impl Running {
    fn state(&self) -> MutexGuard<'_, (Option<Arc<InterruptHandle>>, bool)> {
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
        let pending = state.0.is_some() || !state.1;
        state.1 = true;
        if let Some(handle) = &state.0 {
            handle.interrupt();
        }
        pending && state.0.is_some()
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

/// Runs `work` on a connection of its own, away from the async threads.
pub(super) async fn run<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let began = Instant::now();
    let patience = app.query_timeout;
    let permit = tokio::time::timeout(patience, Arc::clone(&app.queries).acquire_owned()).await;
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
                work(&reading.connection)
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
