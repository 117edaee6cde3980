//! The one thread that writes DuckDB.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use duckdb::Connection;

use super::commit::{Extras, commit, write_envoys};
use super::database::{Database, StoreError};
use super::restore::{self, Restored};
use super::segments::hot_records;
use super::sightings::Sightings;
use super::step::{State, Step};
use super::verdicts;
use crate::endpoints::{Documents, Endpoints};
use crate::envoy_admin::Envoys;
use crate::ledger::Books;
use crate::log::{Gap, Log, Next, Tail};
use crate::metrics::Metrics;
use crate::sessions::{Rules, Tracker};
use crate::verdicts::Outbox;

/// A transaction is written at the latest this long after its first batch was read.
const STEP_TIME: Duration = Duration::from_millis(200);
/// Between two tries after a failure.
const RETRY: Duration = Duration::from_millis(500);
/// Tries to write the last transaction while shutting down; the log keeps it anyway.
const LAST_TRIES: u32 = 4;
/// How long the end of the process waits for detection's last verdicts.
const LAST_VERDICTS: Duration = Duration::from_secs(60);
/// So many times the records of a segment may be hot before storing waits for the segment that is being closed.
const HOT_SEGMENTS: u64 = 3;
/// Between two looks at whether there is room again.
const LOOK: Duration = Duration::from_millis(50);
/// Unreadable parts of the log that are listed.
const GAPS_MAX: usize = 1000;

/// How the store stands.
#[derive(Debug, Default)]
pub struct Health {
    position: AtomicU64,
    summed: AtomicU64,
    records: AtomicU64,
    loaded: AtomicBool,
    caught_up: AtomicBool,
    /// A segment is being closed.
    closing: AtomicBool,
    /// Storing waits for that.
    waiting: AtomicBool,
    failing: Mutex<Option<String>>,
    sums_failing: Mutex<Option<String>>,
    gaps: Mutex<Vec<Gap>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Health {
    /// How it stands at the start.
    #[must_use]
    pub fn at(restored: &Restored) -> Self {
        let health = Self::default();
        health.reach(restored.position, restored.ordinal);
        health.sum(restored.summed);
        *lock(&health.gaps) = restored.gaps.iter().take(GAPS_MAX).cloned().collect();
        health
    }

    /// Position up to which the log has been stored.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    /// Position up to which sessions have been summed: what lists see.
    #[must_use]
    pub fn summed(&self) -> u64 {
        self.summed.load(Ordering::Acquire)
    }

    /// Number of records ever stored.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Acquire)
    }

    /// Whether the open visits were read back after the start.
    #[must_use]
    pub fn loaded(&self) -> bool {
        self.loaded.load(Ordering::Acquire)
    }

    /// Whether everything is stored that the log held at the start.
    #[must_use]
    pub fn caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Acquire)
    }

    /// Whether storing waits now and then, because segments are closed more slowly than they fill.
    #[must_use]
    pub fn waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire)
    }

    /// For as long as the result lives, a segment is being closed.
    pub(super) fn closing(&self) -> Closing<'_> {
        self.closing.store(true, Ordering::Release);
        Closing(&self.closing)
    }

    /// Why the last transaction failed; `None` when it did not.
    #[must_use]
    pub fn failing(&self) -> Option<String> {
        lock(&self.failing).clone()
    }

    /// Why sessions could not be summed the last time; `None` when they could.
    #[must_use]
    pub fn sums_failing(&self) -> Option<String> {
        lock(&self.sums_failing).clone()
    }

    /// Parts of the log that could not be read, the first 1,000.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        lock(&self.gaps).clone()
    }

    fn fail(&self, error: &StoreError) {
        let mut failing = lock(&self.failing);
        if failing.is_none() {
            tracing::error!(%error, "the database cannot be written; the log keeps what arrives");
        }
        *failing = Some(error.to_string());
    }

    fn recover(&self) {
        if lock(&self.failing).take().is_some() {
            tracing::info!("the database can be written again");
        }
    }

    pub(super) fn sum(&self, position: u64) {
        self.summed.store(position, Ordering::Release);
        if lock(&self.sums_failing).take().is_some() {
            tracing::info!("sessions can be summed again");
        }
    }

    pub(super) fn fail_to_sum(&self, error: &StoreError) {
        let mut failing = lock(&self.sums_failing);
        if failing.is_none() {
            tracing::error!(%error, "sessions cannot be summed; lists stand still until they can");
        }
        *failing = Some(error.to_string());
    }

    fn reach(&self, position: u64, records: u64) {
        self.position.store(position, Ordering::Release);
        self.records.store(records, Ordering::Release);
    }
}

/// A segment is being closed.
pub(super) struct Closing<'a>(&'a AtomicBool);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// What the store works with.
#[derive(Clone)]
pub struct StoreParts {
    /// The database.
    pub database: Arc<Database>,
    /// Where batches come from.
    pub log: Arc<dyn Log>,
    /// The ledger it keeps.
    pub books: Arc<Books>,
    /// Readings of Envoys, which it keeps too.
    pub envoys: Arc<Envoys>,
    /// Verdicts, which it keeps too.
    pub outbox: Arc<Outbox>,
    /// What the endpoints of applications are called.
    pub documents: Arc<Documents>,
    /// When a visit ends.
    pub rules: Rules,
    /// Records after which a stretch of the log is closed.
    pub segment_records: u64,
    /// How it stands.
    pub health: Arc<Health>,
    /// Figures.
    pub metrics: Arc<Metrics>,
}

/// The running store.
pub struct Store {
    thread: JoinHandle<bool>,
}

impl Store {
    /// Reads what a restart needs.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn restore(database: &Database) -> Result<Restored, StoreError> {
        let restored = restore::read(&database.read()?.connection)?;
        // Before anybody closes a segment.
        database.relied().begin(restored.position);
        Ok(restored)
    }

    /// Starts the thread, which goes on where `restored` ends.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(parts: StoreParts, restored: Restored) -> io::Result<Self> {
        let state = State {
            position: restored.position,
            ordinal: restored.ordinal,
            tracker: Tracker::new(parts.rules),
            windows: restored.windows,
            finds: restored.finds,
            sightings: Sightings::new(parts.database.relied()),
            endpoints: Endpoints::restore(restored.templates).with(Arc::clone(&parts.documents)),
        };
        let writer = Writer {
            parts,
            state,
            last_tries: 0,
        };
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run())?;
        Ok(Self { thread })
    }

    /// Waits until everything in the closed log is stored, or most of it is left to the next start; `false` when the
    /// database could not be written, and the log keeps the rest.
    #[must_use]
    pub fn join(self) -> bool {
        self.thread.join().unwrap_or_else(|_| {
            tracing::error!("the store's thread panicked");
            false
        })
    }
}

/// After an error while it wrote its file, DuckDB refuses all work until it is reopened.
pub(super) fn is_fatal(error: &StoreError) -> bool {
    let text = error.to_string();
    ["invalidated", "FATAL", "Reopen"]
        .iter()
        .any(|sign| text.contains(sign))
}

/// Opens the file again where nobody should go on with it after `error`. Where memory did not suffice for a commit,
/// a column of a table may have more rows than the others (DuckDB 1.5.5): the next checkpoint finds that, readers do
/// not.
pub(super) fn reopen_after(database: &Database, error: &StoreError) {
    let unsound = "Failed to commit: could not allocate";
    if (is_fatal(error) || error.to_string().contains(unsound))
        && let Err(error) = database.reopen()
    {
        tracing::debug!(%error, "the database cannot be opened yet");
    }
}

struct Writer {
    parts: StoreParts,
    state: State,
    /// Failures since the log was closed.
    last_tries: u32,
}

impl Writer {
    fn run(mut self) -> bool {
        // Whatever happens, nobody waits for room that will not come.
        let outbox = Arc::clone(&self.parts.outbox);
        let stored = self.follow();
        outbox.abandon();
        stored
    }

    /// `false` when given up.
    fn follow(&mut self) -> bool {
        let goal = self.parts.log.state().end;
        if !self.load() {
            return false;
        }
        let log = Arc::clone(&self.parts.log);
        let mut tail = log.tail(self.state.position);
        loop {
            if !self.parts.health.caught_up() && self.state.position >= goal {
                self.parts.health.caught_up.store(true, Ordering::Release);
                tracing::info!(
                    position = self.state.position,
                    "everything in the log is stored"
                );
            }
            if !self.wait_for_room() {
                return false;
            }
            let (mut step, closed) = self.gather(tail.as_mut());
            if step.began().is_some() && !self.write(&mut step) {
                return false;
            }
            if step.began().is_none() {
                self.keep_readings();
            }
            if !self.keep_verdicts() {
                return false;
            }
            if closed || self.leaves_the_rest() {
                if !self.keep_last_verdicts() {
                    return false;
                }
                self.checkpoint();
                return true;
            }
            if self.gave_up() {
                return false;
            }
        }
    }

    /// Whether too much is left to be stored before the end of the process: it stays in the log.
    fn leaves_the_rest(&self) -> bool {
        let log = self.parts.log.state();
        let leaves = log.leaves(self.state.position);
        if leaves {
            let bytes = log.end.saturating_sub(self.state.position);
            tracing::info!(bytes, "the log keeps what is left for the next start");
        }
        leaves
    }

    /// Reads the open visits back; nothing can be stored before. `false` when given up.
    fn load(&mut self) -> bool {
        let began = Instant::now();
        let tracker = loop {
            let rules = self.parts.rules;
            match self.with(|connection| restore::tracker(connection, rules)) {
                Ok(tracker) => break tracker,
                Err(error) => self.failed(&error),
            }
            if self.gave_up() {
                return false;
            }
        };
        self.parts.health.recover();
        let visits = tracker.open();
        self.state.tracker = tracker;
        self.parts.metrics.open_visits.set(visits as u64);
        self.parts.health.loaded.store(true, Ordering::Release);
        let seconds = began.elapsed().as_secs_f64();
        tracing::info!(
            visits,
            seconds,
            records = self.state.ordinal,
            "read the open visits back"
        );
        true
    }

    /// Whether it failed too often while shutting down: what is not stored stays in the log.
    fn gave_up(&self) -> bool {
        let gave_up = self.last_tries >= LAST_TRIES;
        if gave_up {
            tracing::warn!("not everything could be stored; the log keeps it for the next start");
        }
        gave_up
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let writing = self.parts.database.write()?;
        work(writing.connection()?)
    }

    fn failed(&mut self, error: &StoreError) {
        self.last_tries += u32::from(self.parts.log.state().closed);
        self.parts.health.fail(error);
        reopen_after(&self.parts.database, error);
        std::thread::sleep(RETRY);
    }

    /// Where segments are closed more slowly than they fill, what is hot would grow without end, and the time of every
    /// answer with it: the log holds the rest until it is full itself. `false` when given up.
    fn wait_for_room(&mut self) -> bool {
        let health = Arc::clone(&self.parts.health);
        let closing = || health.closing.load(Ordering::Acquire);
        if !closing() && !health.waiting() {
            return true;
        }
        while self.is_crowded() {
            if !closing() {
                // Between two segments.
                return true;
            }
            if !health.waiting.swap(true, Ordering::AcqRel) {
                tracing::warn!(
                    "segments are closed more slowly than they fill; storing waits for them"
                );
            }
            if !self.keep_verdicts() {
                return false;
            }
            std::thread::sleep(LOOK);
            self.parts.metrics.store_waited.inc_by(LOOK.as_secs_f64());
        }
        if health.waiting.swap(false, Ordering::AcqRel) {
            tracing::info!("storing does not wait for segments any more");
        }
        true
    }

    /// Whether there is something to be stored, and too much is hot for it. Whoever cannot count cannot write either,
    /// and says so then.
    fn is_crowded(&self) -> bool {
        let log = self.parts.log.state();
        if log.closed || log.end <= self.state.position {
            return false;
        }
        let most = self.parts.segment_records.saturating_mul(HOT_SEGMENTS);
        self.with(hot_records).is_ok_and(|it| it >= most)
    }

    /// The next step, and whether the log ends with it.
    fn gather(&mut self, tail: &mut dyn Tail) -> (Step, bool) {
        let mut step = Step::default();
        while !step.is_full() {
            let patience = match step.began() {
                Some(began) => STEP_TIME.saturating_sub(began.elapsed()),
                None => STEP_TIME,
            };
            if step.began().is_some() && patience.is_zero() {
                break;
            }
            match tail.next(patience) {
                Ok(Next::Item(item)) => step.take(item, &mut self.state, &self.parts.books),
                Ok(Next::Nothing) => break,
                Ok(Next::Closed) => return (step, true),
                Err(error) => {
                    self.failed(&StoreError::Log(error));
                    break;
                }
            }
        }
        (step, false)
    }

    /// Writes `step`, however often it takes; `false` when given up.
    fn write(&mut self, step: &mut Step) -> bool {
        let (gone, forgotten) = self.parts.books.overflow(&step.workers);
        // Once: what is asked for is not given again when the first try fails.
        let envoys = self.parts.envoys.unsaved();
        loop {
            let began = Instant::now();
            let extras = Extras {
                gone: &gone,
                forgotten,
                envoys: &envoys,
            };
            let outcome = self.with(|connection| commit(connection, step, &self.state, &extras));
            match outcome {
                Ok(()) => {
                    self.parts
                        .metrics
                        .commit_seconds
                        .observe(began.elapsed().as_secs_f64());
                    break;
                }
                Err(error) => self.failed(&error),
            }
            if self.gave_up() {
                return false;
            }
        }
        self.parts.books.publish(&step.workers, &gone, forgotten);
        self.committed(step);
        true
    }

    fn committed(&mut self, step: &Step) {
        self.state.endpoints.kept();
        let (health, metrics) = (&self.parts.health, &self.parts.metrics);
        health.recover();
        health.reach(self.state.position, self.state.ordinal);
        let mut gaps = lock(&health.gaps);
        let room = GAPS_MAX.saturating_sub(gaps.len());
        gaps.extend(step.gaps.iter().take(room).cloned());
        drop(gaps);
        metrics.stored.inc_by(step.records.rows() as u64);
        metrics.quarantined.inc_by(step.quarantine.len() as u64);
        let tracker = &self.state.tracker;
        metrics.open_visits.set(tracker.open() as u64);
        metrics.visits_closed_early.set(tracker.closed_early());
        self.parts.log.commit(self.state.position);
    }

    /// Stores what detection said; `false` when given up.
    fn keep_verdicts(&mut self) -> bool {
        while let Some(package) = self.parts.outbox.peek() {
            let outcome = self.with(|connection| verdicts::commit(connection, &package));
            match outcome {
                Ok(()) => {
                    self.parts.health.recover();
                    self.parts.outbox.done(package.position);
                }
                Err(error) => self.failed(&error),
            }
            if self.gave_up() {
                return false;
            }
        }
        true
    }

    /// Stores what detection says of the closed log's last records; `false` when given up.
    fn keep_last_verdicts(&mut self) -> bool {
        let until = Instant::now() + LAST_VERDICTS;
        while !self.parts.outbox.wait(RETRY) && Instant::now() < until {
            if !self.keep_verdicts() {
                return false;
            }
        }
        self.keep_verdicts()
    }

    /// While no batches come, the readings of Envoys are kept all the same: best effort.
    fn keep_readings(&mut self) {
        let readings = self.parts.envoys.unsaved();
        if readings.is_empty() {
            return;
        }
        if let Err(error) = self.with(|connection| write_envoys(connection, &readings)) {
            tracing::debug!(%error, "readings of Envoys were not kept");
        }
    }

    /// Folds DuckDB's own log into its file, so that the next start need not.
    fn checkpoint(&mut self) {
        match self.parts.database.checkpoint() {
            Ok(()) => tracing::info!(position = self.state.position, "the database is closed"),
            Err(error) => tracing::warn!(%error, "no checkpoint; the next start takes longer"),
        }
        self.parts.database.close();
    }
}
