//! From the sampled clients' sessions to everybody's: how many a candidate would make.
//!
//! All of today's sessions are counted, not estimated; only what becomes of one on average is taken
//! from the sample (a ratio estimate). How far clients differ from that average makes the interval.

use duckdb::{Connection, params};

use crate::store::StoreError;

/// With fewer clients, their differences say nothing about everybody's.
const CLIENTS_MIN: u64 = 20;
/// Standard errors on each side.
const WIDTH: f64 = 2.0;

/// What is known of the sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Share of the clients, above 0 and at most 1.
    pub(super) share: f64,
    pub(super) clients: u64,
    /// Sessions of these today.
    pub(super) now: u64,
    /// Sessions of these with the candidate.
    pub(super) then: u64,
}

/// Sessions of all clients with the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prediction {
    pub(super) sessions: u64,
    /// From, to; `None` with too few clients.
    pub(super) interval: Option<(u64, u64)>,
}

/// What the sample says about all `actual` sessions of today; `None` without any.
pub(super) fn predict(
    connection: &Connection,
    candidate: &str,
    sample: Sample,
    actual: u64,
) -> Result<Option<Prediction>, StoreError> {
    if sample.now == 0 {
        return Ok(None);
    }
    let ratio = as_float(sample.then) / as_float(sample.now);
    // A session of several clients is divided between them, so that the sums are the sessions.
    let sql = "WITH pairs AS (
            SELECT DISTINCT client, session, trial_session FROM trials WHERE candidate = ?
         ),
         shares AS (
            SELECT client, 1 / count(*) OVER (PARTITION BY session) AS now, 0 AS later
            FROM (SELECT DISTINCT client, session FROM pairs)
            UNION ALL
            SELECT client, 0, 1 / count(*) OVER (PARTITION BY trial_session)
            FROM (SELECT DISTINCT client, trial_session FROM pairs)
         ),
         each AS (SELECT sum(now) AS now, sum(later) AS later FROM shares GROUP BY client)
         SELECT coalesce(sum(pow(later - ? * now, 2)), 0)::DOUBLE FROM each";
    let squares = connection.query_row(sql, params![candidate, ratio], |row| row.get(0))?;
    Ok(Some(estimate(sample, actual, squares)))
}

/// `squares`: over the sampled clients, the sum of (its sessions then − ratio × its sessions now)².
fn estimate(sample: Sample, actual: u64, squares: f64) -> Prediction {
    let scale = as_float(actual) / as_float(sample.now);
    let sessions = scale * as_float(sample.then);
    let clients = as_float(sample.clients);
    let unseen = (1.0 - sample.share).max(0.0);
    let error = scale * (unseen * squares * clients / (clients - 1.0)).sqrt();
    let interval = (sample.clients >= CLIENTS_MIN).then(|| {
        // The sample's own sessions would be there in any case.
        let low = rounded(sessions - WIDTH * error).max(sample.then);
        (low, rounded(sessions + WIDTH * error))
    });
    Prediction {
        sessions: rounded(sessions),
        interval,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) fn as_float(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count, estimated; `as` takes what is below 0 for 0"
)]
pub(super) fn rounded(count: f64) -> u64 {
    count.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random and are the same each time.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (self.0 >> 33) % limit
        }
    }

    /// 2,000 clients, each with its own sessions today and then, the same ones for every sample.
    fn everybody() -> Vec<(u64, u64)> {
        let mut random = Random(3);
        let client = |_| {
            let now = 1 + random.below(4);
            (now, 1 + random.below(now + 2))
        };
        (0..2_000).map(client).collect()
    }

    #[test]
    fn a_tenth_of_the_clients_tells_of_all() {
        let all = everybody();
        let sum = |pick: fn(&(u64, u64)) -> u64| all.iter().map(pick).sum::<u64>();
        let (actual, truth) = (sum(|it| it.0), sum(|it| it.1));
        let (mut near, mut covered) = (0, 0);
        for seed in 0..200 {
            let mut random = Random(1_000 + seed * 7_919);
            let drawn: Vec<_> = all.iter().filter(|_| random.below(10) == 0).collect();
            let now = drawn.iter().map(|it| it.0).sum();
            let then = drawn.iter().map(|it| it.1).sum();
            let ratio = as_float(then) / as_float(now);
            let square = |it: &&(u64, u64)| (as_float(it.1) - ratio * as_float(it.0)).powi(2);
            let sample = Sample {
                share: 0.1,
                clients: drawn.len() as u64,
                now,
                then,
            };
            let found = estimate(sample, actual, drawn.iter().map(square).sum());
            let (low, high) = found.interval.unwrap();
            near += u64::from(found.sessions.abs_diff(truth) * 10 <= truth);
            covered += u64::from((low..=high).contains(&truth));
        }
        // Two standard errors hold in 19 of 20 cases.
        assert!(
            near >= 195 && (180..=199).contains(&covered),
            "{near} {covered}"
        );
    }

    #[test]
    fn says_what_it_cannot_know() {
        let sample = |share, clients, then| Sample {
            share,
            clients,
            now: 10,
            then,
        };
        let interval = |sample, squares| estimate(sample, 100, squares).interval;
        // Too few, or one: no interval rather than a wrong one.
        assert_eq!(interval(sample(0.1, 19, 5), 4.0), None);
        assert_eq!(interval(sample(0.1, 1, 5), 0.0), None);
        // Everybody was asked.
        assert_eq!(interval(sample(1.0, 50, 10), 4.0), Some((100, 100)));
        // One client of many sessions makes it wide, and never less than what was seen.
        assert_eq!(interval(sample(0.1, 50, 40), 900.0), Some((40, 975)));
    }
}
