//! See README.md.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use demo::{AccessLine, Stack};
use serde_json::Value;
use throughline_tests::{
    Client, Key, Load, PLUGIN, Protocol, Slot, Upstream, assert_vm_alive, records, settled,
};

const WORKERS: u32 = 4;
const REQUESTS: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_stored_once_under_its_session() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let builder = Stack::builder()
        .workers(WORKERS)
        .upstream(upstream.address)
        .plugin(PLUGIN);
    let stack = builder.start().await.unwrap();

    let sent = Load::start(stack.ingress, clients()).finish().await;
    assert_eq!(sent.len() as u64, clients().len() as u64 * REQUESTS);
    assert!(
        sent.iter()
            .all(|sent| sent.status.is_some_and(|status| status.is_success()))
    );

    let status = settled(&stack).await;
    let stored = records(&stack).await;
    let by_id = stored.by_request_id();
    assert_eq!(stored.0.len(), sent.len());

    let mut sessions: BTreeMap<&Key, BTreeSet<&str>> = BTreeMap::new();
    for sent in &sent {
        let record = by_id[&*sent.request_id];
        assert_eq!(record["key"], sent.key.rule(), "{record}");
        sessions
            .entry(&sent.key)
            .or_default()
            .insert(record["session"].as_str().unwrap());
    }
    assert!(sessions.values().all(|ids| ids.len() == 1), "{sessions:#?}");
    let ids: BTreeSet<_> = sessions.values().flatten().collect();
    assert_eq!(
        ids.len(),
        sessions.len(),
        "two keys share a session: {sessions:#?}"
    );

    let log = stack.access_log().unwrap();
    assert_eq!(log.len(), stored.0.len());
    let by_id: HashMap<&str, &Value> = by_id;
    for line in &log {
        let record = by_id[line.request_id.as_deref().unwrap()];
        assert_same(line, record);
    }

    assert_eq!(status.busy_workers(), WORKERS as usize);
    assert_eq!(status.handled(), Some(log.len() as u64));
    assert_eq!(status.totals.bypassed, 0);
    assert_eq!(status.totals.seen, log.len() as u64);
    assert_eq!(
        (
            status.totals.quarantined,
            status.totals.dropped,
            status.totals.lost
        ),
        (0, 0, 0),
        "{status:?}"
    );
    assert!(status.totals.balanced);
    assert_vm_alive(&stack);
}

/// The filter's record and Envoy's own line are about the same exchange.
fn assert_same(line: &AccessLine, record: &Value) {
    let context = format!("{line:?}\n{record}");
    assert_eq!(
        record["method"].as_str(),
        line.method.as_deref(),
        "{context}"
    );
    assert_eq!(record["path"].as_str(), line.path.as_deref(), "{context}");
    assert_eq!(
        record["protocol"].as_str(),
        line.protocol.as_deref(),
        "{context}"
    );
    assert_eq!(
        record["client_ip"].as_str(),
        line.client_ip.as_deref(),
        "{context}"
    );
    assert_eq!(record["status"], line.status, "{context}");
    assert_eq!(
        record["flags"].as_str().unwrap_or_default(),
        line.flag_letters(),
        "{context}"
    );
    assert_eq!(record["request_bytes"], line.request_bytes, "{context}");
    assert_eq!(record["response_bytes"], line.response_bytes, "{context}");
}

fn clients() -> Vec<Client> {
    let mut clients = Vec::new();
    for number in 0..5 {
        // The same value in different places must not meet.
        let value = || format!("value-{number}");
        let address = Key::Address(format!("203.0.113.{number}"), value());
        for key in [
            Key::Bearer(value()),
            Key::Cookie(value()),
            Key::Header(value()),
            Key::Query(value()),
            address,
        ] {
            for (protocol, short) in [(Protocol::Http1, "h1"), (Protocol::Http2, "h2")] {
                let name = format!("{}-{number}-{short}", key.rule());
                let (key, path) = (key.clone(), "/bytes/321");
                clients.push(Client {
                    name,
                    key,
                    protocol,
                    path,
                    requests: REQUESTS,
                });
            }
        }
    }
    clients
}
