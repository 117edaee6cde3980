//! See README.md.

use demo::{Stack, eventually};
use http::Request;
use throughline_tests::{
    PLUGIN, Slot, TIME_MAX, Upstream, assert_vm_alive, books, exchange, get, records, settled,
    vm_end,
};

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
    assert_vm_alive(&stack);

    let ingress = stack.ingress;
    let under_way = tokio::spawn(async move { get(ingress, "/late/500", "under-way").await });
    eventually("a request is under way", TIME_MAX, async || {
        let path = "/stats?filter=%5Ehttp.ingress.downstream_rq_active%24";
        let (_, stats) = stack.admin.get(path).await.unwrap();
        stats.ends_with(b": 1\n").then_some(())
    })
    .await
    .unwrap();
    let abort = Request::get("/abort").header("host", "shop.example");
    let abort = abort
        .header("x-throughline-test-abort", "1")
        .body(Default::default())
        .unwrap();
    assert_eq!(exchange(ingress, abort).await.status, 200);
    assert_ne!(vm_end(&stack), None, "no VM ended");
    assert_eq!(under_way.await.unwrap().status, 200);

    for number in 0..AFTER {
        let answer = get(ingress, "/after", &format!("after-{number}")).await;
        assert_eq!(answer.status, 200);
    }
    // The VM ended before it saw the end of these two.
    let bypassed = AFTER + 2;
    let status = books(&stack, "the gap shows", |status| {
        status.handled() == Some(BEFORE + bypassed) && status.totals.bypassed == bypassed
    })
    .await;
    assert_eq!(stack.access_log().unwrap().len() as u64, BEFORE + bypassed);
    assert_eq!(status.totals.stored, BEFORE);
    assert_eq!(records(&stack).await.0.len() as u64, BEFORE);
}
