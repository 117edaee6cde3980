//! The ledger as `GET /v1/status` shows it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use throughline_session::wire::BootId;
use utoipa::ToSchema;

use super::{Forgotten, RefusedPolicy, Share, WorkerBook};
use crate::envoy_admin::Known;
use crate::import::CAPTURE_POINT;
use crate::log::WorkerKey;
use crate::time;

/// Whether a worker was heard of lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Heard of within the worker timeout.
    Live,
    /// Not heard of for longer: what it held is lost until it is heard of again.
    Vanished,
}

/// Exchanges after the last contact: their number is not known, and never taken for zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Unknown {
    /// The last contact.
    #[schema(format = DateTime)]
    pub since: String,
    /// How many there were at least, by Envoy's own counters; null where those are not known.
    pub at_least: Option<u64>,
}

/// Records that the filter gave up, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Dropped {
    /// All reasons together.
    pub total: u64,
    /// The filter's buffer was full.
    pub buffer_full: u64,
    /// The aggregator refused the batch for good.
    pub rejected: u64,
    /// The record could not be written.
    pub unwritable: u64,
}

/// One filter worker: `seen = stored + quarantined + dropped.total + pending + lost`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Worker {
    /// The run of its Envoy, 16 hex digits.
    pub boot: String,
    /// The filter instance within that run.
    pub worker: u32,
    /// Envoy's `node.id`.
    pub node: String,
    /// Where it sees exchanges.
    pub capture_point: String,
    /// Policy of its last batch.
    pub policy_version: String,
    /// Version of the filter.
    pub filter_version: String,
    /// Live or vanished.
    pub state: State,
    /// First contact.
    #[schema(format = DateTime)]
    pub first_contact: String,
    /// Last contact.
    #[schema(format = DateTime)]
    pub last_contact: String,
    /// Exchanges that ended.
    pub seen: u64,
    /// Records that the filter knows to be acknowledged.
    pub acknowledged: u64,
    /// Records in the database.
    pub stored: u64,
    /// Record lines in quarantine.
    pub quarantined: u64,
    /// Records given up by the filter, and not stored.
    pub dropped: Dropped,
    /// In the filter, on the way, or in the log and not yet in the database.
    pub pending: u64,
    /// What was pending when the worker vanished.
    pub lost: u64,
    /// Records that the filter gave up although they were stored: its reply got lost.
    pub recovered: u64,
    /// What came after the last contact of a vanished worker; null for a live one.
    pub unknown: Option<Unknown>,
    /// What its clock is behind ours, with the way here, milliseconds; null where it was not heard
    /// of since the start.
    pub clock_behind_ms: Option<i64>,
    /// How often each key rule and parameter found its value.
    pub shares: Vec<Share>,
    /// A live policy that it could not use; null where there is none.
    pub refused: Option<RefusedPolicy>,
}

/// One Envoy whose admin address is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Envoy {
    /// Its admin address.
    pub admin: String,
    /// Its `node.id`.
    pub node: String,
    /// Its version.
    pub version: String,
    /// The latest run of the filter in it, 16 hex digits.
    pub boot: Option<String>,
    /// All runs of the filter in it.
    pub boots: Vec<String>,
    /// Whether it answered when last asked.
    pub reachable: bool,
    /// Why it did not.
    pub error: Option<String>,
    /// It does not answer, or was replaced, and none of its workers is live.
    pub gone: bool,
    /// When the figures were read; null before the first time.
    #[schema(format = DateTime)]
    pub last_scrape: Option<String>,
    /// Requests that its listeners took.
    pub handled: u64,
    /// Those that have not ended.
    pub active: u64,
    /// What its filter saw, by the filter's own metric in Envoy.
    pub seen: Option<u64>,
    /// Requests that ended and that no filter saw: `handled - active - seen`.
    pub bypassed: u64,
    /// What it saw after the last contact with its workers; null unless it is gone.
    pub unknown: Option<Unknown>,
}

/// Vanished workers, and what is not known of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TotalUnknown {
    /// Vanished workers: each may have seen more after its last contact.
    pub workers: u64,
    /// How much more at least, where Envoy's own counters tell.
    pub at_least: u64,
}

/// All workers together: `seen = stored + quarantined + dropped + pending + lost`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Totals {
    /// Exchanges that ended.
    pub seen: u64,
    /// Records in the database.
    pub stored: u64,
    /// Record lines in quarantine.
    pub quarantined: u64,
    /// Records given up by filters.
    pub dropped: u64,
    /// Not yet in the database.
    pub pending: u64,
    /// What vanished workers had not delivered.
    pub lost: u64,
    /// What nobody can know.
    pub unknown: TotalUnknown,
    /// Requests that no filter saw, over the Envoys whose admin address is given.
    pub bypassed: u64,
    /// The equation holds for every worker, and none delivered more than it says it saw.
    pub balanced: bool,
}

/// Workers that are no longer kept one by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ForgottenWorkers {
    /// How many.
    pub workers: u64,
    /// Exchanges they had seen.
    pub seen: u64,
    /// Their records in the database.
    pub stored: u64,
    /// Their record lines in quarantine.
    pub quarantined: u64,
    /// Records they had given up.
    pub dropped: u64,
    /// What they had seen and nobody has.
    pub lost: u64,
}

/// The whole ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// All workers together.
    pub totals: Totals,
    /// Each worker.
    pub workers: Vec<Worker>,
    /// Workers that are no longer kept one by one; part of the totals.
    pub forgotten: ForgottenWorkers,
    /// Each Envoy whose admin address is given, and those that were there before.
    pub envoys: Vec<Envoy>,
}

/// The moment for which a report is made.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Now, microseconds since the Unix epoch.
    pub now_us: i64,
    /// Start of this process: silence before it says nothing about a worker.
    pub started_us: i64,
    /// Silence after which a worker counts as vanished, microseconds.
    pub timeout_us: i64,
}

impl Moment {
    fn vanished(&self, book: &WorkerBook) -> bool {
        // What lies further ahead was taken from a clock that has been set back since: it says
        // nothing. A live worker is heard of again within moments.
        let latest_us = self.now_us.saturating_add(self.timeout_us);
        let times = [book.last_contact_us, self.started_us].into_iter();
        let heard_us = times.filter(|at_us| *at_us <= latest_us).max();
        heard_us.is_none_or(|heard_us| self.now_us.saturating_sub(heard_us) > self.timeout_us)
    }
}

/// Adds everything up.
#[must_use]
pub fn report(
    books: &BTreeMap<WorkerKey, WorkerBook>,
    forgotten: Forgotten,
    known: &[Known],
    moment: Moment,
) -> Report {
    let envoys: Vec<Envoy> = known
        .iter()
        .map(|known| envoy(known, books, moment))
        .collect();
    let mut workers: Vec<Worker> = books
        .iter()
        .map(|(key, book)| worker(*key, book, moment))
        .collect();
    attribute(&mut workers, &envoys);
    let totals = totals(books, &workers, forgotten, &envoys);
    let forgotten = ForgottenWorkers {
        workers: forgotten.workers,
        seen: forgotten.seen,
        stored: forgotten.stored,
        quarantined: forgotten.quarantined,
        dropped: forgotten.dropped,
        lost: forgotten.lost(),
    };
    Report {
        totals,
        workers,
        forgotten,
        envoys,
    }
}

fn worker(key: WorkerKey, book: &WorkerBook, moment: Moment) -> Worker {
    let vanished = moment.vanished(book);
    let balance = book.balance(vanished);
    let last_contact = time::text(book.last_contact_us);
    Worker {
        boot: key.boot.to_string(),
        worker: key.worker,
        node: book.node.clone(),
        capture_point: book.capture_point.clone(),
        policy_version: book.policy_version.clone(),
        filter_version: book.filter_version.clone(),
        state: if vanished {
            State::Vanished
        } else {
            State::Live
        },
        first_contact: time::text(book.first_contact_us),
        seen: balance.seen,
        acknowledged: book.reported.acknowledged,
        stored: balance.stored,
        quarantined: balance.quarantined,
        dropped: Dropped {
            total: balance.dropped.total(),
            buffer_full: balance.dropped.buffer_full,
            rejected: balance.dropped.rejected,
            unwritable: balance.dropped.unwritable,
        },
        pending: balance.pending,
        lost: balance.lost,
        recovered: balance.recovered,
        // A log that was read has ended: nothing came after it.
        unknown: (vanished && book.capture_point != CAPTURE_POINT).then(|| Unknown {
            since: last_contact.clone(),
            at_least: None,
        }),
        last_contact,
        clock_behind_ms: book.behind.map(|(behind_us, _)| behind_us / 1000),
        shares: book.shares.clone(),
        refused: book.refused.clone(),
    }
}

fn envoy(known: &Known, books: &BTreeMap<WorkerKey, WorkerBook>, moment: Moment) -> Envoy {
    let reading = &known.reading;
    let own = |boot: &BootId| reading.boots.contains(boot);
    let workers: Vec<&WorkerBook> = books
        .iter()
        .filter(|(key, _)| own(&key.boot))
        .map(|(_, book)| book)
        .collect();
    let silent = workers.iter().all(|book| moment.vanished(book));
    let away = known.replaced || (known.asked && !known.reachable);
    let gone = away && silent && reading.scraped_us > 0;
    let heard_us = workers.iter().map(|book| book.last_contact_us).max();
    let unknown = gone.then(|| {
        let reported = workers.iter().map(|book| book.balance(true).seen);
        let reported = reported.fold(0, u64::saturating_add);
        Unknown {
            since: time::text(heard_us.unwrap_or(reading.scraped_us)),
            at_least: reading.seen.map(|seen| seen.saturating_sub(reported)),
        }
    });
    let latest = books
        .iter()
        .filter(|(key, _)| own(&key.boot))
        .max_by_key(|(_, book)| book.last_contact_us)
        .map(|(key, _)| key.boot);
    Envoy {
        admin: reading.admin.clone(),
        node: reading.node.clone(),
        version: reading.version.clone(),
        boot: latest
            .or(reading.boots.first().copied())
            .map(|boot| boot.to_string()),
        boots: reading.boots.iter().map(ToString::to_string).collect(),
        reachable: known.reachable,
        error: known.error.clone(),
        gone,
        last_scrape: (reading.scraped_us > 0).then(|| time::text(reading.scraped_us)),
        handled: reading.handled,
        active: reading.active,
        seen: reading.seen,
        bypassed: reading.bypassed(),
        unknown,
    }
}

/// Where an Envoy that is gone had one worker, what is unknown of it is that worker's.
fn attribute(workers: &mut [Worker], envoys: &[Envoy]) {
    for envoy in envoys {
        let Some(unknown) = &envoy.unknown else {
            continue;
        };
        let boots: BTreeSet<&String> = envoy.boots.iter().collect();
        let mut own = workers
            .iter_mut()
            .filter(|worker| boots.contains(&worker.boot));
        if let (Some(worker), None) = (own.next(), own.next())
            && let Some(mine) = &mut worker.unknown
        {
            mine.at_least = unknown.at_least;
        }
    }
}

fn totals(
    books: &BTreeMap<WorkerKey, WorkerBook>,
    workers: &[Worker],
    forgotten: Forgotten,
    envoys: &[Envoy],
) -> Totals {
    let sum = |figure: fn(&Worker) -> u64| workers.iter().map(figure).fold(0, u64::saturating_add);
    let mut totals = Totals {
        seen: sum(|it| it.seen).saturating_add(forgotten.seen),
        stored: sum(|it| it.stored).saturating_add(forgotten.stored),
        quarantined: sum(|it| it.quarantined).saturating_add(forgotten.quarantined),
        dropped: sum(|it| it.dropped.total).saturating_add(forgotten.dropped),
        pending: sum(|it| it.pending),
        lost: sum(|it| it.lost).saturating_add(forgotten.lost()),
        unknown: TotalUnknown {
            workers: sum(|it| u64::from(it.unknown.is_some())).saturating_add(forgotten.workers),
            at_least: envoys
                .iter()
                .filter_map(|envoy| envoy.unknown.as_ref()?.at_least)
                .fold(0, u64::saturating_add),
        },
        bypassed: envoys
            .iter()
            .map(|envoy| envoy.bypassed)
            .fold(0, u64::saturating_add),
        balanced: !books.values().any(WorkerBook::overdrawn),
    };
    let right = [
        totals.stored,
        totals.quarantined,
        totals.dropped,
        totals.pending,
        totals.lost,
    ];
    totals.balanced &= right.into_iter().fold(0, u64::saturating_add) == totals.seen;
    totals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envoy_admin::Reading;
    use throughline_session::hex::Hex;
    use throughline_session::wire::Ledger;

    const TIMEOUT_US: i64 = 15_000_000;

    fn moment(now_us: i64) -> Moment {
        Moment {
            now_us,
            started_us: 0,
            timeout_us: TIMEOUT_US,
        }
    }

    fn books() -> BTreeMap<WorkerKey, WorkerBook> {
        let reported = Ledger {
            seen: 10,
            acknowledged: 6,
            ..Ledger::default()
        };
        let book = WorkerBook {
            last_contact_us: 1_000_000,
            reported,
            stored: 7,
            ..Default::default()
        };
        BTreeMap::from([(
            WorkerKey {
                boot: Hex([1; 8]),
                worker: 0,
            },
            book,
        )])
    }

    fn known(reachable: bool) -> Known {
        let reading = Reading {
            boots: vec![Hex([1; 8])],
            scraped_us: 1_500_000,
            handled: 20,
            active: 1,
            seen: Some(14),
            ..Reading::default()
        };
        Known {
            reading,
            reachable,
            asked: true,
            replaced: false,
            error: None,
        }
    }

    #[test]
    fn a_live_worker_has_nothing_unknown() {
        let report = report(
            &books(),
            Forgotten::default(),
            &[known(true)],
            moment(2_000_000),
        );
        let worker = &report.workers[0];
        assert_eq!(
            (worker.state, worker.pending, worker.lost),
            (State::Live, 3, 0)
        );
        assert_eq!(worker.unknown, None);
        assert_eq!(
            (report.envoys[0].bypassed, report.envoys[0].gone),
            (5, false)
        );
        assert!(report.totals.balanced);
    }

    #[test]
    fn a_vanished_worker_has_lost_what_it_held_and_its_tail_is_unknown() {
        let later = moment(2_000_000 + TIMEOUT_US);
        let report = report(&books(), Forgotten::default(), &[known(false)], later);
        let worker = &report.workers[0];
        assert_eq!(
            (worker.state, worker.pending, worker.lost),
            (State::Vanished, 0, 3)
        );
        let unknown = Unknown {
            since: "1970-01-01T00:00:01.000000Z".into(),
            at_least: Some(4),
        };
        assert_eq!(worker.unknown.as_ref(), Some(&unknown));
        assert_eq!(report.envoys[0].unknown.as_ref(), Some(&unknown));
        assert_eq!(
            report.totals.unknown,
            TotalUnknown {
                workers: 1,
                at_least: 4
            }
        );
        assert!(report.totals.balanced);
    }

    #[test]
    fn without_the_admin_address_the_tail_is_null_not_zero() {
        let later = moment(2_000_000 + TIMEOUT_US);
        let report = report(&books(), Forgotten::default(), &[], later);
        assert_eq!(report.workers[0].unknown.as_ref().unwrap().at_least, None);
        assert_eq!(
            report.totals.unknown,
            TotalUnknown {
                workers: 1,
                at_least: 0
            }
        );
    }

    #[test]
    fn our_own_absence_is_no_silence() {
        let started = Moment {
            started_us: 2_000_000,
            ..moment(2_000_000 + TIMEOUT_US)
        };
        let report = report(&books(), Forgotten::default(), &[], started);
        assert_eq!(report.workers[0].state, State::Live);
    }

    #[test]
    fn a_contact_in_the_future_keeps_nobody_alive() {
        let now_us = 1_000_000_000;
        let check = |contact_us: i64, started_us: i64, expected: bool| {
            let mut books = books();
            books
                .values_mut()
                .for_each(|book| book.last_contact_us = contact_us);
            let moment = Moment {
                started_us,
                ..moment(now_us)
            };
            let vanished = books.values().all(|book| moment.vanished(book));
            assert_eq!(vanished, expected, "{contact_us} {started_us}");
        };
        check(now_us + TIMEOUT_US, 0, false);
        check(now_us + TIMEOUT_US + 1, 0, true);
        check(now_us + TIMEOUT_US + 1, now_us - TIMEOUT_US, false);
        check(now_us - TIMEOUT_US - 1, now_us + TIMEOUT_US + 1, true);
        check(now_us + 1_000_000_000, now_us + 1_000_000_000, true);
    }

    #[test]
    fn more_stored_than_seen_is_no_balance() {
        let mut books = books();
        books.values_mut().for_each(|book| book.stored = 11);
        let report = report(&books, Forgotten::default(), &[], moment(2_000_000));
        assert_eq!(report.totals.seen, 11);
        assert!(!report.totals.balanced);
    }
}
