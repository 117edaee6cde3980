//! The thread that closes, expires and forgets: the compactor.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use duckdb::Connection;

use super::close::{Due, close, due, transaction};
use super::errand::Errand;
use super::manifest;
use super::merge::{Merge, Merging};
use super::retention::{Expired, Retention, by_age, by_budget, disk_use};
use super::standing::{Shared, Standing, figures};
use super::{Errands, forget};
use crate::clock::Clock;
use crate::config::units::micros;
use crate::endpoints::Documents;
use crate::log::Log;
use crate::store::database::{Database, StoreError};
use crate::store::thread::{Health, reopen_after};
use crate::store::{desk, rollup};

/// Between two looks at what is hot.
const LOOK: Duration = Duration::from_millis(500);
/// Between two looks at whether there are parts to be folded into sessions, which lists see then.
const FOLD: Duration = Duration::from_millis(50);
/// To fold takes the time of who asks: so many times as long as it took, nothing is folded,
const REST: u32 = 4;
/// but no longer than this.
const REST_MAX: Duration = Duration::from_secs(5);
/// Between two looks at which endpoints are new.
const SEE: Duration = Duration::from_secs(3);
/// Between two looks at what is too old, while nothing is closed.
const EXPIRE: Duration = Duration::from_secs(10);
/// How long whoever is to be forgotten waits for the store.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a merge that failed: nothing depends on it.
const MERGE_AGAIN: Duration = Duration::from_secs(600);
/// After a failure.
const RETRY: Duration = Duration::from_secs(5);

/// What the compactor works with.
#[derive(Clone)]
pub struct Compacting {
    /// The database.
    pub database: Arc<Database>,
    /// Whose last batch must be stored before anybody is forgotten.
    pub log: Arc<dyn Log>,
    /// How far it is stored.
    pub health: Arc<Health>,
    /// What the endpoints of applications are called.
    pub documents: Arc<Documents>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What goes when.
    pub retention: Retention,
    /// The data folder, whose size the budget bounds.
    pub data: PathBuf,
    /// How it stands.
    pub standing: Arc<Shared>,
}

/// The running compactor.
pub struct Compactor {
    thread: JoinHandle<()>,
    errands: Sender<Errand>,
    folding: JoinHandle<()>,
    /// Dropped: the folding thread ends.
    folds: Sender<()>,
}

impl Compactor {
    /// Starts the thread.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(parts: Compacting) -> io::Result<Self> {
        let (errands, waiting) = channel();
        let (folds, ended) = channel();
        let folding_parts = parts.clone();
        let folding = std::thread::Builder::new()
            .name("folding".into())
            .spawn(move || keep_folding(&folding_parts, &ended))?;
        let thread = std::thread::Builder::new()
            .name("compactor".into())
            .spawn(move || {
                let mut thread = Thread {
                    parts,
                    expired: None,
                    merging: None,
                    merge_at: Instant::now(),
                    unmerged: 0,
                };
                thread.run(&waiting);
            })?;
        Ok(Self {
            thread,
            errands,
            folding,
            folds,
        })
    }

    /// For whoever wants sessions pinned or forgotten.
    #[must_use]
    pub fn errands(&self) -> Errands {
        Errands::new(self.errands.clone())
    }

    /// Ends after what is being done.
    pub fn stop(self) {
        // It may have ended already.
        drop(self.errands.send(Errand::Stop));
        drop(self.folds);
        let ended = [self.thread.join(), self.folding.join()];
        if ended.iter().any(Result::is_err) {
            tracing::error!("the compactor's thread panicked");
        }
    }
}

/// Folds parts into sessions again and again: in a thread of its own, as closing a segment takes
/// its time.
fn keep_folding(parts: &Compacting, ended: &Receiver<()>) {
    let mut rest = FOLD;
    let mut see_at = Instant::now();
    let mut saw = true;
    while ended.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
        rest = sum(&parts.database, &parts.health);
        if see_at > Instant::now() {
            continue;
        }
        see_at = Instant::now() + SEE;
        let seen = see(parts);
        if let Err(error) = &seen
            && saw
        {
            tracing::error!(%error, "cannot look which endpoints are new; it is tried again");
        }
        saw = seen.is_ok();
    }
}

/// Looks which endpoints are new.
fn see(parts: &Compacting) -> Result<(), StoreError> {
    let reading = parts.database.read()?;
    let _turn = parts.database.folder.turn();
    transaction(&reading.connection, || {
        desk::see(&reading.connection, &parts.documents)
    })
}

/// Sums what sessions did since the last time; gives how long to rest then.
fn sum(database: &Database, health: &Health) -> Duration {
    match fold(database, health) {
        Ok(took) => (took * REST).clamp(FOLD, REST_MAX),
        Err(error) => {
            reopen_after(database, &error);
            health.fail_to_sum(&error);
            RETRY
        }
    }
}

/// Gives how long it took, without the wait for whoever else writes.
fn fold(database: &Database, health: &Health) -> Result<Duration, StoreError> {
    if health.summed() >= health.position() {
        return Ok(Duration::ZERO);
    }
    let reading = database.read()?;
    let _turn = database.folder.turn();
    let connection = &reading.connection;
    let began = Instant::now();
    let (sessions, position) = transaction(connection, || {
        let sessions = rollup::fold(connection)?;
        let stored = "SELECT position FROM log_position";
        let position = connection.query_row(stored, [], |row| row.get(0))?;
        Ok((sessions, position))
    })?;
    health.sum(position);
    let took = began.elapsed();
    let seconds = took.as_secs_f64();
    tracing::debug!(
        sessions,
        seconds,
        position,
        "summed what sessions did since"
    );
    Ok(took)
}

struct Thread {
    parts: Compacting,
    /// When it was last looked what is too old.
    expired: Option<Instant>,
    /// Segments that are becoming one.
    merging: Option<Merging>,
    /// The next ones not before.
    merge_at: Instant,
    /// Those behind this position are merged first, as those before it could not be; 0 where all could.
    unmerged: u64,
}

impl Thread {
    fn run(&mut self, errands: &Receiver<Errand>) {
        let mut pause = Duration::ZERO;
        loop {
            match errands.recv_timeout(pause) {
                Ok(Errand::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    return self.stop_merging();
                }
                Ok(errand) => {
                    pause = Duration::ZERO;
                    self.errand(errand);
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            pause = match self.look() {
                Ok(true) => Duration::ZERO,
                Ok(false) => LOOK,
                Err(error) => {
                    self.failed(&error);
                    RETRY
                }
            };
        }
    }

    fn errand(&mut self, errand: Errand) {
        if errand.is_quiet() {
            self.stop_merging();
        }
        if errand.deletes() {
            // What was acknowledged before is stored before.
            let end = self.parts.log.state().end;
            let until = Instant::now() + PATIENCE;
            while self.parts.health.position() < end {
                let position = self.parts.health.position();
                if Instant::now() >= until || self.parts.log.state().leaves(position) {
                    let bytes = end.saturating_sub(position);
                    return errand.refuse(StoreError::Behind { bytes });
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let (database, documents) = (&self.parts.database, &self.parts.documents);
        errand.run(database, documents, self.parts.clock.now_us());
    }

    fn failed(&self, error: &StoreError) {
        if matches!(error, StoreError::NotOpen) && self.parts.log.state().closed {
            // At a stop.
            return;
        }
        reopen_after(&self.parts.database, error);
        let reason = error.to_string();
        self.parts.standing.set(|standing| {
            if standing.failing.is_none() {
                tracing::error!(%error, "segments cannot be closed or expired; it is tried again");
            }
            standing.failing = Some(reason);
        });
    }

    /// One thing at a time; `true` when there may be more to do at once.
    fn look(&mut self) -> Result<bool, StoreError> {
        // Before anything is closed: what came of the same sessions since stays hot, where it is not hidden. Where it
        // fails, all else goes on: what is hot would grow without end.
        let forgotten = self.forget();
        let more = self.close()?;
        if more || self.expired.is_none_or(|at| at.elapsed() >= EXPIRE) {
            self.expired = Some(Instant::now());
            self.expire()?;
        }
        forgotten?;
        self.parts.standing.set(|standing| {
            if standing.failing.take().is_some() {
                tracing::info!("segments can be closed and expired again");
            }
        });
        self.merge();
        self.sweep();
        Ok(more)
    }

    /// Has segments merged, one after the other.
    fn merge(&mut self) {
        match self.merge_next() {
            // At a stop.
            Ok(()) | Err(StoreError::NotOpen) => {}
            Err(error) => {
                reopen_after(&self.parts.database, &error);
                let position = self.unmerged;
                tracing::warn!(%error, position, "segments cannot be merged; those behind are tried in ten minutes, and these again when there are none");
                self.merge_at = Instant::now() + MERGE_AGAIN;
            }
        }
    }

    fn merge_next(&mut self) -> Result<(), StoreError> {
        let (database, retention) = (&self.parts.database, &self.parts.retention);
        let reading = database.read()?;
        let (connection, folder) = (&reading.connection, &database.folder);
        if let Some(merging) = self.merging.take_if(|it| it.is_finished()) {
            let end = merging.end;
            let (merged, took) = merging.join();
            self.merge_at = Instant::now() + took;
            let merged = merged.and_then(|it| it.commit(connection, folder));
            if merged.is_err() {
                // Those behind come first the next time.
                self.unmerged = end;
            }
            if let Some(gone) = merged? {
                database.retired.retire(gone);
                manifest::write_outside(connection, folder)?;
            }
        }
        if self.merging.is_none() && self.merge_at <= Instant::now() {
            let since = rollup::parts_since(connection)?;
            let segments = manifest::list(connection)?;
            let merge = Merge::due(&segments, folder, retention, (self.unmerged, since));
            if merge.is_none() && self.unmerged > 0 {
                self.unmerged = 0;
                self.merge_at = Instant::now() + MERGE_AGAIN;
            }
            self.merging = merge.map(|it| Merging::start(database, it)).transpose()?;
        }
        Ok(())
    }

    /// Where nothing may be written meanwhile.
    fn stop_merging(&mut self) {
        if let Some(merging) = self.merging.take() {
            merging.stop(&self.parts.database.folder);
        }
    }

    fn close(&self) -> Result<bool, StoreError> {
        let (database, retention) = (&self.parts.database, &self.parts.retention);
        let reading = database.read()?;
        let now_us = self.parts.clock.now_us();
        let when = Due {
            records: retention.segment_records,
            before_us: now_us.saturating_sub(micros(retention.segment_age)),
        };
        let Some(end) = due(&reading.connection, &when)? else {
            return Ok(false);
        };
        let began = Instant::now();
        let (connection, samples) = (&reading.connection, &retention.samples);
        // Nobody waits for what fails.
        let works = self.parts.standing.get().failing.is_none();
        let closing = works.then(|| self.parts.health.closing());
        let segment = close(connection, database, end, samples, &mut |_| {})?;
        drop(closing);
        manifest::write_outside(&reading.connection, &database.folder)?;
        drop(reading);
        free(database);
        tracing::info!(
            records = segment.records,
            sampled_out = segment.sampled_out,
            bytes = segment.bytes,
            seconds = began.elapsed().as_secs_f64(),
            position = end,
            "closed a segment"
        );
        Ok(true)
    }

    fn forget(&mut self) -> Result<(), StoreError> {
        if self.merging.is_some() && forget::waiting(&self.parts.database.read()?.connection)? > 0 {
            // Its files hold them too.
            self.stop_merging();
        }
        let forgotten = forget::sweep(&self.parts.database)?;
        let reading = self.parts.database.read()?;
        if forgotten {
            manifest::write_outside(&reading.connection, &self.parts.database.folder)?;
        }
        let log = self.parts.log.state();
        if forget::tell(&reading.connection, &log, self.parts.clock.now_us())? {
            self.parts.log.rotate();
        }
        Ok(())
    }

    fn expire(&self) -> Result<(), StoreError> {
        let (database, retention) = (&self.parts.database, &self.parts.retention);
        let reading = database.read()?;
        let (connection, folder) = (&reading.connection, &database.folder);
        let now_us = self.parts.clock.now_us();
        let mut expired = Expired::default();
        let aged = by_age(connection, folder, retention, now_us, &mut expired);
        let aged_bytes: u64 = expired.files.iter().map(|it| size(it)).sum();
        let used = disk_use(&self.parts.data).saturating_sub(aged_bytes);
        if !expired.files.is_empty() {
            forget_values(database, connection)?;
        }
        let trimmed = match &self.merging {
            // What that needs for a while is no reason to let anything go.
            Some(_) => aged,
            None => {
                aged.and_then(|()| by_budget(connection, folder, retention, used, &mut expired))
            }
        };
        // Also what was done before a failure.
        if !expired.files.is_empty() {
            manifest::write_outside(connection, folder)?;
            database.retired.retire(std::mem::take(&mut expired.files));
        }
        {
            let _turn = folder.turn();
            desk::expire(connection)?;
        }
        let segments = manifest::list(connection)?;
        let forgetting = forget::pending(connection)?;
        let missing = manifest::missing(&segments, folder).len() as u64;
        drop(reading);
        self.sweep();
        let disk_bytes = disk_use(&self.parts.data);
        let now = figures(&segments, retention, disk_bytes, now_us);
        self.parts.standing.set(|standing| {
            if now.alarm && !standing.alarm {
                tracing::warn!(
                    achieved_days = now.achieved_days,
                    retention_days = now.retention_days,
                    "the disk budget is too small for the time that records are to be kept"
                );
            }
            let failing = standing.failing.take();
            *standing = Standing {
                failing,
                missing,
                forgetting,
                ..now
            };
        });
        trimmed
    }

    fn sweep(&self) {
        for (path, error) in self.parts.database.retired.sweep() {
            tracing::warn!(%error, path = %path.display(), "cannot delete a file; the next start tries again");
        }
    }
}

/// Of a session of which nothing else is left, no value stays, though a segment left it hot.
fn forget_values(database: &Database, connection: &Connection) -> Result<(), StoreError> {
    let _turn = database.folder.turn();
    connection.execute_batch(
        "DELETE FROM hot_param_values WHERE session NOT IN (
            SELECT session FROM session_sums UNION ALL SELECT session FROM hot_visit_parts)",
    )?;
    database.relied().forget();
    Ok(())
}

/// What left the hot file is free only after a checkpoint: without one the file grows. Where it fails, the next
/// segment tries again.
fn free(database: &Database) {
    if let Err(error) = database.checkpoint() {
        tracing::warn!(%error, "no checkpoint after a segment; the next one tries again");
    }
}

fn size(path: &std::path::Path) -> u64 {
    path.metadata().map_or(0, |it| it.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::restore::Restored;

    #[test]
    fn sums_that_fail_are_told_until_they_succeed() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let writing = database.read().unwrap();
        let writer = &writing.connection;
        let part = "INSERT INTO hot_visit_parts BY NAME SELECT 7 AS position,
                unhex(lpad('1', 32, '0')) AS session, make_timestamp(0) AS visit_start,
                'shop' AS application, 'k' AS key, make_timestamp(0) AS first,
                make_timestamp(0) AS last, 1 AS requests, 0 AS errors_4xx, 0 AS errors_5xx,
                0 AS request_bytes, 0 AS response_bytes, 0 AS duration_us, ['10.0.0.1'] AS ips,
                ['ua'] AS user_agents, false AS more, 0 AS ordinal, make_timestamp(0) AS arrived,
                ['p'] AS policy_versions;
            UPDATE log_position SET position = 7";
        writer.execute_batch(part).unwrap();
        let health = Health::at(&Restored {
            position: 7,
            ..Restored::default()
        });
        let hold = "BEGIN TRANSACTION; UPDATE folded SET position = 1";
        writer.execute_batch(hold).unwrap();
        assert_eq!(sum(&database, &health), RETRY);
        assert!(health.sums_failing().is_some() && health.summed() == 0);
        writer.execute_batch("ROLLBACK").unwrap();
        assert!(sum(&database, &health) < RETRY);
        assert_eq!((health.sums_failing(), health.summed()), (None, 7));
    }
}
