//! batch → rows: what one transaction will write, built item by item from the log.

use std::collections::BTreeMap;
use std::time::Instant;

use sha2::{Digest as _, Sha256};
use throughline_session::wire::{BatchHeader, Record, RecordId};

use super::columns::{Context, Finds, ParamValues, Records, Trials};
use super::sightings::Sightings;
use crate::endpoints::Endpoints;
use crate::ingest::{header, line};
use crate::ledger::{Books, WorkerBook};
use crate::log::{Entry, Gap, Item, Windows, WorkerKey};
use crate::sessions::{Exchange, Links, Parts, Tracker, VisitKey};
use crate::verdicts::Ruling;

/// A transaction is closed when it has this many rows, or its batches this many bytes.
const ROWS: usize = 20_000;
const BYTES: usize = 32 << 20;
/// Or it concerns this many workers: new ones are rows of their own, which DuckDB keeps in memory
/// until the end (3,000 in one transaction took more than 1 GiB).
const WORKERS: usize = 250;

/// Records of the key finder that are kept per day (UTC) of arrival: a bound on what it may take.
pub(super) const FINDS_MAX: u64 = 50_000;
pub(super) const DAY_US: i64 = 86_400_000_000;
/// Trials of one record: as many as there may be candidates.
const TRIALS_MAX: usize = 4;

/// What is carried from one transaction to the next.
pub(super) struct State {
    /// Position after the last item taken.
    pub(super) position: u64,
    /// Number of records ever stored.
    pub(super) ordinal: u64,
    pub(super) tracker: Tracker,
    pub(super) windows: Windows,
    /// Day (UTC) of the key finder's last record, and how many were kept on it.
    pub(super) finds: (i64, u64),
    /// Values of parameters that are written down.
    pub(super) sightings: Sightings,
    /// What was learnt of paths.
    pub(super) endpoints: Endpoints,
}

/// A line that could not be understood.
#[derive(Debug)]
pub(super) struct Quarantined {
    pub(super) position: u64,
    pub(super) id: RecordId,
    pub(super) arrived_us: i64,
    pub(super) reason: String,
    pub(super) line: String,
    pub(super) line_bytes: usize,
}

/// One transaction in the making.
#[derive(Default)]
pub(super) struct Step {
    pub(super) records: Records,
    pub(super) parts: Parts,
    pub(super) links: Links,
    pub(super) values: ParamValues,
    pub(super) trials: Trials,
    pub(super) finds: Finds,
    pub(super) quarantine: Vec<Quarantined>,
    pub(super) workers: BTreeMap<WorkerKey, WorkerBook>,
    pub(super) gaps: Vec<Gap>,
    /// What people decided: position, arrival, ruling.
    pub(super) rulings: Vec<(u64, i64, Ruling)>,
    bytes: usize,
    began: Option<Instant>,
}

impl Step {
    /// When the first item was taken.
    pub(super) fn began(&self) -> Option<Instant> {
        self.began
    }

    /// Whether it should be written now.
    pub(super) fn is_full(&self) -> bool {
        self.records.rows() >= ROWS
            || self.quarantine.len() >= ROWS
            || self.workers.len() >= WORKERS
            || self.bytes >= BYTES
    }

    /// Takes the next item of the log.
    pub(super) fn take(&mut self, item: Item, state: &mut State, books: &Books) {
        if self.began.is_none() {
            self.began = Some(Instant::now());
            state.sightings.begin(state.position);
        }
        state.position = item.end();
        match item {
            Item::Batch(entry) => self.take_batch(&entry, state, books),
            Item::Gap(gap) => self.gaps.push(gap),
        }
    }

    fn take_batch(&mut self, entry: &Entry, state: &mut State, books: &Books) {
        self.bytes += entry.body.len();
        if let Some(ruling) = Ruling::read(&entry.body) {
            if let Ruling::Profiles(profiles) = &ruling {
                state.tracker.follow(&profiles.visits, entry.arrived_us);
            }
            self.rulings
                .push((entry.position, entry.arrived_us, ruling));
            return;
        }
        let header = match header::read(&entry.body) {
            Ok(header) => header,
            Err(error) => {
                // Ingest accepts no such batch; another version of this program may have.
                tracing::error!(%error, position = entry.position, "a batch in the log is unreadable");
                let segment = "(unreadable batch)".to_owned();
                self.gaps.push(Gap {
                    segment,
                    position: entry.position,
                    end: entry.end,
                });
                return;
            }
        };
        let worker = WorkerKey {
            boot: header.boot,
            worker: header.worker,
        };
        let book = self
            .workers
            .entry(worker)
            .or_insert_with(|| books.page(worker).unwrap_or_default());
        book.hear(&header, entry.arrived_us);
        let Some(sequence) = header.sequence else {
            state.windows.touch(worker, entry.arrived_us);
            return;
        };
        state.windows.insert(worker, sequence, entry.arrived_us);
        let id = RecordId {
            boot: header.boot,
            worker: header.worker,
            sequence,
            index: 0,
        };
        let (stored, quarantined) = self.take_lines(entry, &header, id, state);
        if let Some(book) = self.workers.get_mut(&worker) {
            book.stored = book.stored.saturating_add(stored);
            book.quarantined = book.quarantined.saturating_add(quarantined);
        }
    }

    fn take_lines(
        &mut self,
        entry: &Entry,
        header: &BatchHeader<'_>,
        batch: RecordId,
        state: &mut State,
    ) -> (u64, u64) {
        let (mut stored, mut quarantined) = (0, 0);
        for (index, line, read) in line::read_all(&entry.body, header.closed_us) {
            let id = RecordId { index, ..batch };
            match read {
                Ok(record) => {
                    let ordinal = state.ordinal;
                    let (session, start_us) = (record.session, record.start_us);
                    let visit_start_us = state.tracker.assign(
                        session,
                        &record.application,
                        start_us,
                        ordinal,
                        entry.arrived_us,
                    );
                    state.ordinal += 1;
                    let visit = VisitKey {
                        session,
                        start_us: visit_start_us,
                    };
                    let arrived_us = entry.arrived_us;
                    self.parts.add(
                        visit,
                        &Exchange {
                            record: &record,
                            policy_version: &header.policy_version,
                            ordinal,
                            arrived_us,
                        },
                    );
                    let endpoint = state.endpoints.of(&record);
                    let context = Context {
                        position: entry.position,
                        header,
                        id,
                        visit_start_us,
                        endpoint: &endpoint,
                    };
                    self.records.push(&record, &context);
                    self.take_identity(&record, (entry.position, index), entry.arrived_us, state);
                    stored += 1;
                }
                Err(reason) => {
                    self.quarantine.push(Quarantined {
                        position: entry.position,
                        id,
                        arrived_us: entry.arrived_us,
                        reason,
                        line: line::keep(line),
                        line_bytes: line.len(),
                    });
                    quarantined += 1;
                }
            }
        }
        (stored, quarantined)
    }

    /// What a record says about sessions that belong together, and about other ways to make them.
    fn take_identity(
        &mut self,
        record: &Record<'_>,
        place: (u64, u32),
        arrived_us: i64,
        state: &mut State,
    ) {
        self.links.add(record, |session| state.tracker.has(session));
        for param in state.sightings.news(record.session, &record.params) {
            self.values.push(state.position, record.session, param);
        }
        if record.trials.is_empty() && record.finder.is_empty() {
            return;
        }
        let client = client(record);
        for trial in record.trials.iter().take(TRIALS_MAX) {
            self.trials.push(place, record, client, trial);
        }
        if record.finder.is_empty() {
            return;
        }
        let day = arrived_us.div_euclid(DAY_US);
        if state.finds.0 != day {
            state.finds = (day, 0);
        }
        if state.finds.1 < FINDS_MAX {
            state.finds.1 += 1;
            self.finds.push(place.0, arrived_us, record, client);
        }
    }
}

/// Tells clients apart as the filter's samples do: by address and user agent.
fn client(record: &Record<'_>) -> u64 {
    let mut hash = Sha256::new();
    let ip = record.client_ip.as_deref().unwrap_or_default();
    hash.update((ip.len() as u64).to_be_bytes());
    hash.update(ip);
    hash.update(record.user_agent.as_deref().unwrap_or_default());
    let hash: [u8; 32] = hash.finalize().into();
    hash.first_chunk()
        .map_or(0, |start| u64::from_be_bytes(*start))
}
