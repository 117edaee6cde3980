//! record → batch: what waits for the aggregator, bounded, and tried again until it has it.

use std::collections::VecDeque;

use crate::wire::Ledger;

/// Most calls under way at once; one while the aggregator does not answer.
const IN_FLIGHT_MAX: usize = 4;
const BACKOFF_MS_MIN: u64 = 200;
const BACKOFF_MS_MAX: u64 = 30_000;
const BACKOFF_US_MAX: i64 = 30_000_000;

/// Records of one worker that the aggregator has not acknowledged.
#[derive(Debug)]
pub(super) struct Outbox {
    /// Lines of the batch that is being filled.
    pub(super) lines: Vec<u8>,
    pub(super) records: u32,
    opened_us: i64,
    waiting: VecDeque<Batch>,
    waiting_bytes: usize,
    next_sequence: u64,
    failures: u32,
    retry_at_us: i64,
    pub(super) ledger: Ledger,
}

/// A closed batch: its bytes never change, however often it is sent.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) body: Vec<u8>,
    sequence: u64,
    records: u32,
    in_flight: Option<InFlight>,
}

#[derive(Debug)]
struct InFlight {
    token: u32,
    deadline_us: i64,
}

/// What a call's answer means for its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// On disk.
    Acknowledged,
    /// Refused for good.
    Rejected,
    /// Try again, not before this many seconds if it says so.
    Failed { retry_after_s: Option<u64> },
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            lines: Vec::new(),
            records: 0,
            opened_us: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            next_sequence: 0,
            failures: 0,
            retry_at_us: 0,
            ledger: Ledger::default(),
        }
    }

    /// Whether a further record fits.
    pub(super) fn has_room(&self, buffer_bytes: usize) -> bool {
        self.waiting_bytes.saturating_add(self.lines.len()) < buffer_bytes
    }

    /// Counts the line that was just appended.
    pub(super) fn added(&mut self, now_us: i64) {
        if self.records == 0 {
            self.opened_us = now_us;
        }
        self.records = self.records.saturating_add(1);
    }

    /// Whether the open batch has waited or grown enough.
    pub(super) fn is_ripe(&self, now_us: i64, batch_bytes: usize, batch_ms: u32) -> bool {
        self.records > 0
            && (self.lines.len() >= batch_bytes
                || now_us.saturating_sub(self.opened_us) >= i64::from(batch_ms) * 1_000
                // The clock went back.
                || now_us < self.opened_us)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records == 0 && self.waiting.is_empty()
    }

    /// The sequence that the next closed batch has.
    pub(super) fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Closes the open batch under this header line.
    pub(super) fn close(&mut self, header_line: &[u8]) {
        let mut body = Vec::with_capacity(header_line.len().saturating_add(self.lines.len()));
        body.extend_from_slice(header_line);
        body.append(&mut self.lines);
        self.waiting_bytes = self.waiting_bytes.saturating_add(body.len());
        self.waiting.push_back(Batch {
            body,
            sequence: self.next_sequence,
            records: self.records,
            in_flight: None,
        });
        self.records = 0;
        self.next_sequence = self.next_sequence.saturating_add(1);
    }

    /// The batch that is under way under this token.
    pub(super) fn sequence_of(&self, token: u32) -> Option<u64> {
        let has_token = |batch: &&Batch| {
            batch
                .in_flight
                .as_ref()
                .is_some_and(|call| call.token == token)
        };
        self.waiting
            .iter()
            .find(has_token)
            .map(|batch| batch.sequence)
    }

    /// Whether the aggregator may be called at all now.
    pub(super) fn may_call(&self, now_us: i64) -> bool {
        let under_way = self
            .waiting
            .iter()
            .filter(|batch| batch.in_flight.is_some())
            .count();
        let limit = if self.failures == 0 { IN_FLIGHT_MAX } else { 1 };
        is_over(self.retry_at_us, now_us, BACKOFF_US_MAX) && under_way < limit
    }

    /// The oldest batch that waits to be sent.
    pub(super) fn due(&self) -> Option<&Batch> {
        self.waiting.iter().find(|batch| batch.in_flight.is_none())
    }

    /// The due batch is under way under this token.
    pub(super) fn sent(&mut self, token: u32, deadline_us: i64) {
        if let Some(batch) = self
            .waiting
            .iter_mut()
            .find(|batch| batch.in_flight.is_none())
        {
            batch.in_flight = Some(InFlight { token, deadline_us });
        }
    }

    /// Settles the batch under this token; how many records that concerned, `None` for a token
    /// that is not under way (a heartbeat's, or one that was given up).
    pub(super) fn answered(&mut self, token: u32, answer: Answer) -> Option<u32> {
        let position = self.waiting.iter().position(|batch| {
            batch
                .in_flight
                .as_ref()
                .is_some_and(|in_flight| in_flight.token == token)
        })?;
        let batch = self.waiting.get_mut(position)?;
        let records = batch.records;
        match answer {
            Answer::Failed { .. } => batch.in_flight = None,
            Answer::Acknowledged | Answer::Rejected => {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(batch.body.len());
                self.waiting.remove(position);
                let count = u64::from(records);
                if answer == Answer::Acknowledged {
                    self.ledger.acknowledged = self.ledger.acknowledged.saturating_add(count);
                } else {
                    let rejected = &mut self.ledger.dropped.rejected;
                    *rejected = rejected.saturating_add(count);
                }
            }
        }
        Some(records)
    }

    /// Gives calls up whose answer never came; their batches are sent again. No call is given
    /// more than `limit_us`.
    pub(super) fn expire(&mut self, now_us: i64, limit_us: i64) -> usize {
        let mut expired = 0;
        for batch in &mut self.waiting {
            if batch
                .in_flight
                .as_ref()
                .is_some_and(|call| is_over(call.deadline_us, now_us, limit_us))
            {
                batch.in_flight = None;
                expired += 1;
            }
        }
        expired
    }

    /// No call that is under way will be answered: their batches are sent again.
    pub(super) fn forget_calls(&mut self) {
        for batch in &mut self.waiting {
            batch.in_flight = None;
        }
    }

    /// The aggregator answers again.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.retry_at_us = 0;
    }

    /// Waits longer after each failure, up to 30 s, with jitter so that workers spread out.
    pub(super) fn failed(&mut self, now_us: i64, retry_after_s: Option<u64>, random: u64) {
        if !is_over(self.retry_at_us, now_us, BACKOFF_US_MAX) {
            // Calls that were under way together fail together: one failure.
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let doubled = BACKOFF_MS_MIN << self.failures.saturating_sub(1).min(10);
        let asked = retry_after_s.unwrap_or(0).saturating_mul(1_000);
        let base = doubled.max(asked).min(BACKOFF_MS_MAX);
        let jitter = random % (base / 2).max(1);
        let wait_us = (base / 2 + jitter)
            .max(asked.min(BACKOFF_MS_MAX))
            .saturating_mul(1_000);
        self.retry_at_us = now_us.saturating_add_unsigned(wait_us);
    }
}

/// Whether a moment has come. One that is further away than it can have been set means that the
/// clock went back.
fn is_over(moment_us: i64, now_us: i64, limit_us: i64) -> bool {
    now_us >= moment_us || moment_us.saturating_sub(now_us) > limit_us
}
