//! Detectors that only show a machine, one file each: what they vote for, what they measure and let
//! pass, and when they have not enough evidence to judge. Alone they make no verdict, so they are
//! asked directly.
#![expect(clippy::expect_used, reason = "helpers of tests, outside of `#[test]`")]

mod fingerprints;
mod outdated_browser;
mod request_uniqueness;
mod response_time_anomaly;
mod session_rotation;
mod unusual_sequence;
mod wide_scope;

#[expect(dead_code, reason = "each test binary uses its part of the stories")]
#[path = "../story/mod.rs"]
mod story;

use story::{Client, honest, merged};
use throughline_detection::detectors::Judgement;
use throughline_detection::{Detection, LogPosition, Settings};

/// A client that nobody else is.
const ID: u64 = 640_001;
/// Late enough for the application to be known.
const LATE: f64 = 36_000.0;

/// What a detector says.
#[derive(Debug, PartialEq, Eq)]
enum Says {
    /// Not enough evidence to judge.
    NotEnough,
    /// Measured, and within the limit.
    Within,
    /// Past the limit.
    Vote,
}

/// What a detector says of the latest session of the last client, after all came by.
fn says(detector: &str, mut others: Vec<Client>, client: Client) -> Says {
    let session = client.sent.last().expect("it sends something").session;
    others.push(client);
    let mut detection = Detection::new(Settings::default());
    for (offset, (_, exchange)) in (1..).zip(merged(&others)) {
        detection.observe_exchange(exchange, LogPosition { offset, index: 0 });
    }
    let judgements = detection.judgements(&session);
    let (about, judgement) = judgements
        .into_iter()
        .find(|(about, _)| about.name == detector)
        .expect("a detector of this name");
    match judgement {
        Judgement::NotEnough => Says::NotEnough,
        Judgement::Measured(finding) if finding.is_vote(about) => Says::Vote,
        Judgement::Measured(_) => Says::Within,
    }
}

/// People over nine hours: enough for a baseline.
fn people() -> Vec<Client> {
    (0..300)
        .map(|at| {
            let start = f64::from(u32::try_from(at).unwrap_or(0)) * 110.0;
            honest::person(at * 64 + 1, 5, start)
        })
        .collect()
}

/// Asks for paths in turn, every two seconds.
fn asks(mut client: Client, count: usize, path: impl Fn(usize) -> String) -> Client {
    for number in 0..count {
        client.wait(2.0);
        client.send("GET", &path(number), 200, false);
    }
    client
}
