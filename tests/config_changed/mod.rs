//! See README.md.

use demo::{Stack, eventually};
use serde_json::{Value, json};
use throughline_tests::{Slot, TIME_MAX, Upstream, assert_vm_alive, get, records, settled};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const OPEN: usize = 5;

fn plugin(version: &str) -> String {
    let policy = json!({"version": version, "keys": []});
    json!({"aggregator": {"cluster": "throughline"}, "policy": policy}).to_string()
}

/// Takes the listener out of Envoy's configuration and into a file of its own.
async fn serve_listener_from_a_file(stack: &mut Stack) -> Value {
    let file = stack.folder().join("envoy.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut bootstrap: Value = serde_yaml_ng::from_str(&text).unwrap();
    let statics = bootstrap["static_resources"].as_object_mut().unwrap();
    let mut listener = statics.remove("listeners").unwrap()[0].take();
    listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    let lds = stack.folder().join("lds.json");
    bootstrap["dynamic_resources"] = json!({"lds_config": {"path_config_source": {"path": lds}}});
    std::fs::write(&file, bootstrap.to_string()).unwrap();
    put_listener(stack, &listener);
    stack.envoy.terminate(TIME_MAX).await.unwrap();
    stack.envoy.start().unwrap();
    stack.envoy_ready().await.unwrap();
    listener
}

/// Moves a new file into place: Envoy looks for nothing else.
fn put_listener(stack: &Stack, listener: &Value) {
    let new = stack.folder().join("lds.new.json");
    std::fs::write(&new, json!({"resources": [listener]}).to_string()).unwrap();
    std::fs::rename(new, stack.folder().join("lds.json")).unwrap();
}

/// A request whose body never comes to its end.
async fn open_request(stack: &Stack) -> TcpStream {
    let mut stream = TcpStream::connect(stack.ingress).await.unwrap();
    let head = b"POST /open HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 9\r\n\r\nx";
    stream.write_all(head).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_old_one_held_is_sent_by_the_new_one() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let builder = Stack::builder().upstream(upstream.address);
    let builder = builder.envoy_arguments(["--drain-time-s", "1", "--drain-strategy", "immediate"]);
    let mut stack = builder.plugin(plugin("old")).start().await.unwrap();
    let mut listener = serve_listener_from_a_file(&mut stack).await;

    assert_eq!(get(stack.ingress, "/x", "before").await.status, 200);
    let mut streams = Vec::new();
    for _ in 0..OPEN {
        streams.push(open_request(&stack).await);
    }
    let counted = async || (stack.envoy_requests().await.ok()? > OPEN as u64).then_some(());
    eventually("the requests are open", TIME_MAX, counted)
        .await
        .unwrap();
    let manager = "/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config";
    let config = listener.pointer_mut(&format!("{manager}/config/configuration/value"));
    *config.unwrap() = json!(plugin("new"));
    put_listener(&stack, &listener);
    eventually("the new configuration works", TIME_MAX, async || {
        assert_eq!(get(stack.ingress, "/x", "").await.status, 200);
        let status: Value = stack.api.json("/v1/status").await.ok()?;
        let mut workers = status["workers"].as_array()?.iter();
        workers
            .any(|it| it["policy_version"] == "new")
            .then_some(())
    })
    .await
    .unwrap();

    let status = settled(&stack).await;
    assert!(status.totals.balanced, "{status:?}");
    let totals = &status.totals;
    assert_eq!((totals.dropped, totals.lost, totals.bypassed), (0, 0, 0));
    let records = records(&stack).await;
    let mut cut = records.0.iter().filter(|it| it["path"] == "/open");
    assert_eq!(cut.clone().count(), OPEN);
    assert!(cut.all(|it| it["policy_version"] == "old"));
    assert_vm_alive(&stack);
}
