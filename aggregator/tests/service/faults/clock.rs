//! Clocks that are set, forward and back.

use crate::common::{Batch, START_US, Setup, line};

const YEAR_US: i64 = 365 * 86_400 * 1_000_000;

#[tokio::test]
async fn a_clock_that_jumps_loses_nothing() {
    let (service, _folder) = Setup::default().temporary();
    let mut seen = 0;
    // Ours: a year ahead, two back, and right again.
    for (sequence, jump) in (0..).zip([0, YEAR_US, -2 * YEAR_US, YEAR_US]) {
        service.clock.advance(jump);
        seen += 2;
        let batch = Batch::new(sequence).record(line(1, 0)).record(line(2, 1));
        service.send(batch.seen(seen)).await;
        service.stored().await;
        let totals = service.get("/v1/status").await.json()["totals"].clone();
        assert_eq!(totals["stored"], seen, "{jump}: {totals}");
        assert_eq!(totals["balanced"], true, "{jump}: {totals}");
        assert_eq!(
            (&totals["pending"], &totals["lost"]),
            (&0.into(), &0.into()),
            "{totals}"
        );
    }
    // The sender's: batches closed at times that do not grow; a record from beyond its own batch is
    // no record.
    for (sequence, closed_us) in [(4, START_US + YEAR_US), (5, 0), (6, START_US)] {
        seen += 1;
        let batch = Batch::new(sequence).record(line(1, 0)).seen(seen);
        service.send(batch.with("/closed_us", closed_us)).await;
    }
    service.stored().await;
    let totals = service.get("/v1/status").await.json()["totals"].clone();
    assert_eq!(
        (&totals["stored"], &totals["quarantined"]),
        (&10.into(), &1.into())
    );
    assert_eq!(
        (&totals["pending"], &totals["balanced"]),
        (&0.into(), &true.into())
    );
    service.close();
}
