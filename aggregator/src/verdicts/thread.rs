//! The thread that reads the log for detection.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use throughline_detection::Settings;
use throughline_detection::model::Model;

use super::{ApplicationStatus, Judge, Outbox, Snapshot, SnapshotError, Status};
use crate::crawlers::Inquiries;
use crate::geo::Geo;
use crate::log::{Gap, Item, Log, Next};
use crate::metrics::Metrics;
use crate::store::{Database, Health, Replayed};

/// How long the thread waits for a batch before it looks around.
const PATIENCE: Duration = Duration::from_millis(200);
/// Between two looks at what is in memory.
const LOOK: Duration = Duration::from_millis(500);
/// A snapshot may take this part of the time: a large state is written more rarely.
const SNAPSHOT_SHARE: u32 = 20;
/// How long the end of the process waits for the store to take the last verdicts.
const LAST_TIME: Duration = Duration::from_secs(20);
/// Records of the store that a state built anew learns from, the latest ones.
const REBUILD_RECORDS: u64 = 2_000_000;

/// What detection works with.
#[derive(Clone)]
pub struct DetectionParts {
    /// Where records come from.
    pub log: Arc<dyn Log>,
    /// Where records come from that the log has no more.
    pub database: Arc<Database>,
    /// How the store stands.
    pub health: Arc<Health>,
    /// Where verdicts go.
    pub outbox: Arc<Outbox>,
    /// How detection stands.
    pub status: Arc<Status>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// Where the state is kept.
    pub snapshot: Snapshot,
    /// Shortest time between two snapshots.
    pub snapshot_time: Duration,
    /// Limits of what is remembered.
    pub settings: Settings,
    /// What is asked beside the detectors.
    pub model: Option<Arc<Model>>,
    /// What knows where addresses are.
    pub geo: Option<Arc<Geo>>,
    /// Where it is asked whether crawlers are who they say.
    pub inquiries: Option<Arc<Inquiries>>,
}

/// The running thread.
pub struct Detecting {
    thread: JoinHandle<()>,
}

/// Whatever happens to the thread, nobody waits for it for ever.
struct CloseOnDrop(Arc<Outbox>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Detecting {
    /// Starts the thread, and has the log keep what it will read.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(parts: DetectionParts) -> io::Result<Self> {
        parts.log.keep(parts.snapshot.position().unwrap_or(0));
        let thread = std::thread::Builder::new()
            .name("detection".into())
            .spawn(move || {
                let _close = CloseOnDrop(Arc::clone(&parts.outbox));
                let goal = parts.log.state().end;
                let mut judge = begin(&parts);
                if let Some(geo) = &parts.geo {
                    judge.locate(Arc::clone(geo));
                }
                if let Some(inquiries) = &parts.inquiries {
                    judge.inquire(Arc::clone(inquiries));
                }
                if let Some(model) = &parts.model {
                    judge.ask(Arc::clone(model));
                }
                Thread {
                    parts,
                    judge,
                    goal,
                    looked: None,
                    saved: Instant::now(),
                    saved_to: None,
                    pause: Duration::ZERO,
                    written: None,
                }
                .run();
            })?;
        Ok(Self { thread })
    }

    /// Waits until everything in the closed log was judged, as far as it is not too much.
    pub fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("detection's thread panicked");
        }
    }
}

/// The state of the last run, or one that begins anew.
fn begin(parts: &DetectionParts) -> Judge {
    let began = Instant::now();
    let loaded = parts.snapshot.load().and_then(|judge| {
        let fits = judge.remembers(&parts.settings);
        if fits {
            Ok(judge)
        } else {
            Err(SnapshotError::OtherLimits)
        }
    });
    let reason = match loaded {
        Ok(judge) => {
            tracing::info!(
                position = judge.position(),
                sessions = judge.counts().sessions,
                seconds = began.elapsed().as_secs_f64(),
                "read the state of detection back"
            );
            return judge;
        }
        Err(SnapshotError::None) if parts.log.state().end == 0 => None,
        Err(error) => Some(error.to_string()),
    };
    let start = reason.as_ref().map_or(0, |_| {
        let reading = parts.database.read();
        let start = reading.and_then(|it| Replayed::start(&it.connection, REBUILD_RECORDS));
        start.unwrap_or_else(|error| {
            tracing::error!(%error, "detection begins without what is stored");
            parts.health.position()
        })
    });
    if let Some(reason) = &reason {
        tracing::warn!(
            reason,
            position = start,
            "no snapshot of detection: its state is built anew from what is stored"
        );
    }
    parts.status.set(|status| status.rebuilt = reason);
    let settings = Settings {
        seed: parts.snapshot.seed().unwrap_or_else(|error| {
            tracing::error!(%error, "detection's key cannot be kept: it is another after a restart");
            parts.settings.seed
        }),
        ..parts.settings.clone()
    };
    Judge::new(settings, start)
}

struct Thread {
    parts: DetectionParts,
    judge: Judge,
    /// Where the log ended at the start.
    goal: u64,
    looked: Option<Instant>,
    saved: Instant,
    /// The log position of the last snapshot of this run.
    saved_to: Option<u64>,
    pause: Duration,
    written: Option<Written>,
}

/// A snapshot that is not in its place yet.
struct Written {
    position: u64,
    bytes: u64,
    ms: u64,
}

impl Thread {
    fn run(mut self) {
        let log = Arc::clone(&self.parts.log);
        let mut tail = log.tail(self.judge.position());
        loop {
            match tail.next(PATIENCE) {
                Ok(Next::Item(Item::Batch(entry))) => {
                    let live = entry.position >= self.goal;
                    let (events, records) = self.judge.take(&entry);
                    self.say(entry.end, events);
                    let position = self.judge.position();
                    self.parts.status.set(|status| {
                        status.position = position;
                        status.arrived_us = entry.arrived_us;
                        status.records += if live { records } else { 0 };
                    });
                    self.parts.metrics.judged.inc_by(records);
                }
                Ok(Next::Item(Item::Gap(gap))) => self.fill(&gap),
                Ok(Next::Nothing) => self.publish(),
                Ok(Next::Closed) => break,
                Err(error) => {
                    tracing::warn!(%error, "detection cannot read the log; it tries again");
                    std::thread::sleep(PATIENCE);
                }
            }
            self.look();
            if self.gives_up() {
                tracing::info!("detection goes on with the rest of the log at the next start");
                break;
            }
        }
        self.save();
        self.publish();
        self.parts.outbox.close();
        self.adopt(LAST_TIME);
    }

    fn say(&self, end: u64, events: Vec<super::Event>) {
        if events.is_empty() {
            return;
        }
        self.parts.status.set(|status| {
            for event in &events {
                *status.verdicts.entry(event.bot_type.clone()).or_default() += 1;
            }
        });
        for event in &events {
            self.parts.metrics.verdict(&event.bot_type, event.flagged);
            tracing::debug!(
                verdict = event.id,
                bot_type = event.bot_type,
                confidence = event.confidence,
                "verdict"
            );
        }
        self.parts.outbox.push(end, events);
    }

    /// What the log has no more, the store has, in the same order.
    fn fill(&mut self, gap: &Gap) {
        let end = gap.end.min(self.parts.health.position());
        while self.judge.position() < end && !self.gives_up() {
            let from = self.judge.position();
            let read = self.parts.database.read();
            let read = read.and_then(|it| Replayed::read(&it.connection, from, end));
            let replayed = match read {
                Ok(replayed) => replayed,
                Err(error) => {
                    tracing::error!(%error, from, end, "detection leaves out what is stored here");
                    break;
                }
            };
            let mut events = Vec::new();
            let records = replayed.apply(&mut self.judge, &mut events);
            self.judge.reach(replayed.end);
            self.say(replayed.end, events);
            self.parts.metrics.judged.inc_by(records);
            self.look();
        }
        if !self.gives_up() {
            self.judge.reach(gap.end);
        }
    }

    fn gives_up(&self) -> bool {
        self.parts.log.state().leaves(self.judge.position())
    }

    fn look(&mut self) {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK) && self.caught_up_is_told() {
            return;
        }
        self.looked = Some(Instant::now());
        self.publish();
        self.adopt(Duration::ZERO);
        // Nothing changes but with what arrives.
        if self.written.is_none()
            && self.saved_to != Some(self.judge.position())
            && self.saved.elapsed() >= self.pause.max(self.parts.snapshot_time)
        {
            self.save();
        }
    }

    fn caught_up_is_told(&self) -> bool {
        self.judge.position() < self.goal || self.parts.status.get().caught_up
    }

    fn publish(&self) {
        let counts = self.judge.counts();
        let (sessions, evicted) = (counts.sessions as u64, counts.sessions_evicted);
        let sources = (counts.addresses + counts.subnets) as u64;
        let applications = self.judge.applications().map(|(name, ready)| {
            let state = if ready { "ready" } else { "learning" };
            ApplicationStatus {
                application: name.to_owned(),
                state,
            }
        });
        let applications: Vec<_> = applications.collect();
        self.parts.status.set(|status| {
            status.position = self.judge.position();
            status.told = self.judge.position();
            status.caught_up |= self.judge.position() >= self.goal;
            (status.sessions, status.sources, status.evicted) = (sessions, sources, evicted);
            status.suppressed = self.judge.suppressed();
            status.applications = applications;
            status.policy_version = self.judge.policy_version().map(str::to_owned);
        });
        let metrics = &self.parts.metrics;
        metrics.detection_sessions.set(sessions);
        metrics.detection_evicted.set(evicted);
    }

    /// Writes the state; it takes the place of the one before when its verdicts are stored.
    fn save(&mut self) {
        let began = Instant::now();
        let position = self.judge.position();
        let written = self.parts.snapshot.write(&self.judge);
        let took = began.elapsed();
        self.saved = Instant::now();
        self.pause = took * SNAPSHOT_SHARE;
        match written {
            Ok(bytes) => {
                let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                self.saved_to = Some(position);
                self.written = Some(Written {
                    position,
                    bytes,
                    ms,
                });
            }
            Err(error) => self.unsaved(&error),
        }
    }

    fn adopt(&mut self, patience: Duration) {
        let stored = |it: &Written| self.parts.outbox.stored_to(it.position, patience);
        let Some(written) = self.written.take_if(|it| stored(it)) else {
            return;
        };
        if let Err(error) = self.parts.snapshot.adopt() {
            self.saved_to = None;
            return self.unsaved(&error);
        }
        self.parts.log.keep(written.position);
        self.parts.metrics.snapshot_bytes.set(written.bytes);
        self.parts.status.set(|status| {
            status.snapshot = Some((written.position, written.bytes, written.ms));
            status.failing = None;
        });
    }

    fn unsaved(&self, error: &io::Error) {
        let reason = error.to_string();
        self.parts.status.set(|status| {
            if status.failing.is_none() {
                tracing::error!(%error, "no snapshot of detection can be written; the log is kept for it");
            }
            status.failing = Some(reason);
        });
    }
}
