//! The same log gives the same store, whatever happens in between.

use proptest::prelude::*;
use serde_json::json;
use throughline::clock::Clock as _;

use crate::common::{Batch, Setup, line};

const VISITS: &str = "SELECT coalesce(string_agg(text, ' ' ORDER BY text), '') FROM (
    SELECT concat_ws('/', session, visit_start, first, last, requests, response_bytes) AS text
    FROM visits)";
const RECORDS: &str =
    "SELECT coalesce(string_agg(record_id || visit_start, ' ' ORDER BY position, idx), '')
    FROM requests";

/// A batch: its records as (session, second), the seconds that have passed since the one before,
/// and what a policy that comes first says of visits: idle timeout and longest visit, seconds.
type Sent = (Vec<(u64, i64)>, i64, Option<(u64, u64)>);

/// Sends the batches, restarting before those in `restarts`; returns what is stored.
async fn run(batches: &[Sent], restarts: &[usize]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let flags = [
            "--idle-timeout",
            "1m",
            "--longest-visit",
            "5m",
            "--max-open-visits",
            "3",
        ];
        Setup::flags(&flags).open(folder.path()).unwrap()
    };
    let mut service = open();
    let mut now_us = service.clock.now_us();
    for (sequence, (records, passed_s, visits)) in (0..).zip(batches) {
        if restarts.contains(&usize::try_from(sequence).unwrap()) {
            service.close();
            service = open();
        }
        now_us += passed_s * 1_000_000;
        service.clock.advance(now_us - service.clock.now_us());
        if let Some((idle_s, more_s)) = visits {
            let longest_s = idle_s + more_s;
            let visits = json!({"idle": format!("{idle_s}s"), "longest": format!("{longest_s}s")});
            service.put_policy(&json!({"visits": visits})).await;
        }
        let lines = records
            .iter()
            .map(|(session, second)| line(*session, second * 1000));
        service.send(Batch::new(sequence).records(lines)).await;
    }
    service.stored().await;
    let stored = (service.sql(VISITS), service.sql(RECORDS));
    service.close();
    stored
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn restarts_change_nothing(
        batches in proptest::collection::vec(
            (
                proptest::collection::vec((0_u64..3, 0_i64..500), 2..8),
                0_i64..200,
                proptest::option::weighted(0.4, (1_u64..120, 0_u64..300)),
            ),
            2..8),
        restarts in proptest::collection::vec(0_usize..8, 1..4),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (plain, restarted) = runtime.block_on(async {
            (run(&batches, &[]).await, run(&batches, &restarts).await)
        });
        prop_assert_eq!(plain, restarted);
    }
}

#[tokio::test]
async fn duplicates_are_recognised_after_a_clean_restart() {
    let folder = tempfile::tempdir().unwrap();
    let batch = || Batch::new(5).record(line(1, 0)).seen(1);
    let service = Setup::default().open(folder.path()).unwrap();
    service.send(batch()).await;
    service.close();
    let service = Setup::default().open(folder.path()).unwrap();
    assert_eq!(service.send(batch()).await["duplicate"], true);
    assert_eq!(
        service.send(Batch::new(4).record(line(1, 0)).seen(2)).await["duplicate"],
        false
    );
    service.stored().await;
    assert_eq!(service.sql::<i64>("SELECT count(*) FROM records"), 2);
    let status = service.get("/v1/status").await.json();
    assert_eq!(status["totals"]["stored"], 2);
    assert_eq!(status["totals"]["pending"], 0);
    service.close();
}

#[tokio::test]
async fn a_visit_goes_on_after_a_restart() {
    let batches = [
        (vec![(1, 0), (2, 0)], 0, None),
        (vec![(1, 50)], 0, None),
        (vec![(1, 100), (2, 100)], 0, None),
    ];
    let (visits, _) = run(&batches, &[1, 2]).await;
    assert_eq!(
        visits.split_whitespace().count(),
        3 * 4,
        "dates have a space: {visits}"
    );
}
