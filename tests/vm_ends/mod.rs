//! See README.md.

use demo::Stack;
use http::Request;
use throughline_tests::{PLUGIN, Slot, Upstream, books, exchange, get, records, settled};

const BEFORE: u64 = 30;
const AFTER: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn traffic_goes_on_and_the_gap_shows_as_bypassed() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let builder = Stack::builder().upstream(upstream.address).plugin(PLUGIN);
    let stack = builder
        .filter("throughline-test-abort.wasm")
        .start()
        .await
        .unwrap();

    for number in 0..BEFORE {
        let answer = get(stack.ingress, "/before", &format!("before-{number}")).await;
        assert_eq!(answer.status, 200);
    }
    settled(&stack).await;

    let abort = Request::get("/abort").header("host", "shop.example");
    let abort = abort
        .header("x-throughline-test-abort", "1")
        .body(Default::default())
        .unwrap();
    let answer = exchange(stack.ingress, abort).await;
    assert_eq!(answer.status, 200);
    let log = stack.envoy.read_log().unwrap();
    assert!(
        log.contains("VM failed") || log.contains("panicked"),
        "no VM ended:\n{log}"
    );

    for number in 0..AFTER {
        let answer = get(stack.ingress, "/after", &format!("after-{number}")).await;
        assert_eq!(answer.status, 200);
    }
    let all = BEFORE + 1 + AFTER;
    // The request that ended the VM was not seen to its end either.
    let status = books(&stack, "the gap shows", |status| {
        status.handled() == Some(all) && status.totals.bypassed == AFTER + 1
    })
    .await;
    assert_eq!(stack.access_log().unwrap().len() as u64, all);
    assert_eq!(status.totals.stored, BEFORE);
    assert_eq!(records(&stack).await.0.len() as u64, BEFORE);
}
