use std::io::Write as _;

use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::json;

use crate::common::{Answer, Batch, INGEST_TOKEN, Setup, TestService, line};

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zstd(body: &[u8]) -> Vec<u8> {
    let mut packed = vec![0; zstd_safe::compress_bound(body.len())];
    let len = zstd_safe::compress(&mut packed[..], body, 3).unwrap();
    packed.truncate(len);
    packed
}

async fn post_packed(service: &TestService, encoding: &str, body: Vec<u8>) -> Answer {
    let request = Request::post("/v1/ingest")
        .header("authorization", format!("Bearer {INGEST_TOKEN}"))
        .header("content-encoding", encoding)
        .body(Full::from(body));
    service.ask(request.unwrap()).await
}

#[tokio::test]
async fn acknowledges_batches_and_heartbeats() {
    let (service, _folder) = Setup::default().temporary();
    let batch = Batch::new(7).record(line(1, 0)).seen(1);
    let reply = service.send(batch.clone()).await;
    assert_eq!(reply, json!({"acknowledged": 7, "duplicate": false}));
    let reply = service.send(batch).await;
    assert_eq!(reply, json!({"acknowledged": 7, "duplicate": true}));
    assert_eq!(
        service.send(Batch::heartbeat()).await,
        json!({"duplicate": false})
    );
    service.stored().await;
    assert_eq!(service.sql::<i64>("SELECT count(*) FROM records"), 1);
    service.close();
}

#[tokio::test]
async fn a_batch_sent_a_hundred_times_is_stored_once() {
    let (service, _folder) = Setup::default().temporary();
    let batch = Batch::new(0)
        .records((0..5).map(|n| line(n, 0)))
        .seen(5)
        .body();
    let sent = (0..100).map(|_| service.post(batch.clone()));
    let answers = futures_util::future::join_all(sent).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
    let first = answers
        .iter()
        .filter(|answer| answer.json()["duplicate"] == false)
        .count();
    assert_eq!(first, 1);
    service.stored().await;
    assert_eq!(service.sql::<i64>("SELECT count(*) FROM records"), 5);
    assert_eq!(
        service.get("/v1/status").await.json()["totals"]["balanced"],
        true
    );
    service.close();
}

#[tokio::test]
async fn refuses_what_is_no_batch() {
    let (service, _folder) = Setup::flags(&["--max-batch-bytes", "16KiB"]).temporary();
    let good = Batch::new(0).record(line(1, 0));
    let no_sequence = {
        let mut batch = good.clone();
        batch.header.as_object_mut().unwrap().remove("sequence");
        batch
    };
    for (body, expected) in [
        (Vec::new(), (400, "bad-batch", "empty")),
        (
            b"\xff\xfe".to_vec(),
            (400, "bad-batch", "not UTF-8: the byte at column 1"),
        ),
        (
            b"{}\n".to_vec(),
            (400, "bad-batch", "line 1, column 2: missing field"),
        ),
        (
            good.clone().with("/throughline", 2).body(),
            (400, "unsupported-version", "version 2"),
        ),
        (
            good.clone().with("/records", 2).body(),
            (400, "bad-batch", "announces 2 records, and 1"),
        ),
        (
            good.clone().with("/boot", "xyz").body(),
            (400, "bad-batch", "16 lower-case hex digits"),
        ),
        (
            good.clone().with("/colour", 1).body(),
            (400, "bad-batch", "unknown field `colour`"),
        ),
        (no_sequence.body(), (400, "bad-batch", "no `sequence`")),
        (
            good.clone().raw(&[b'x'; 16 << 10]).body(),
            (413, "too-large", "at most 16384 bytes"),
        ),
    ] {
        let answer = service.post(body).await;
        let problem = answer.json();
        let (status, kind, detail) = expected;
        assert_eq!(answer.status.as_u16(), status, "{problem}");
        assert_eq!(problem["type"], format!("urn:throughline:problem:{kind}"));
        assert!(
            problem["detail"].as_str().unwrap().contains(detail),
            "{problem}"
        );
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    service.send(good).await;
    service.stored().await;
    assert_eq!(
        service.sql::<i64>("SELECT count(*) FROM records"),
        1,
        "none of them left a trace"
    );
    service.close();
}

#[tokio::test]
async fn packed_batches_are_the_batches_that_they_unpack_to() {
    let (service, _folder) = Setup::default().temporary();
    let batch = |sequence| {
        let lines = (0..5).map(|n| line(n, 0));
        Batch::new(sequence).records(lines).seen(sequence * 5 + 5)
    };
    for (sequence, encoding, pack) in [(0, "gzip", gzip as fn(&[u8]) -> Vec<u8>), (1, "zstd", zstd)]
    {
        let body = batch(sequence).body();
        let answer = post_packed(&service, encoding, pack(&body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.json()["duplicate"], false);
        // The same batch, in two members, and as it is: it was taken.
        let (head, tail) = body.split_at(100);
        let answer = post_packed(&service, encoding, [pack(head), pack(tail)].concat()).await;
        assert_eq!(answer.json()["duplicate"], true, "{}", answer.text);
        assert_eq!(service.send(batch(sequence)).await["duplicate"], true);
    }
    service.stored().await;
    assert_eq!(service.sql::<i64>("SELECT count(*) FROM records"), 10);
    assert_eq!(service.app().budget.used(), 0);
    let status = service.get("/v1/status").await.json();
    assert_eq!(status["totals"]["balanced"], true, "{status}");
    service.close();
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_refused_and_counted() {
    let (service, _folder) = Setup::flags(&["--max-batch-bytes", "64KiB"]).temporary();
    let zeroes = vec![b' '; 10 << 20];
    for (encoding, body, expected) in [
        ("gzip", gzip(&zeroes), (413, "unpacks-too-large")),
        ("zstd", zstd(&zeroes), (413, "unpacks-too-large")),
        ("gzip", Batch::new(0).body(), (400, "bad-encoding")),
        ("zstd", gzip(&Batch::new(0).body()), (400, "bad-encoding")),
        ("zstd", Vec::new(), (400, "bad-encoding")),
        ("br", Batch::new(0).body(), (415, "unsupported-encoding")),
        ("gzip, gzip", gzip(b""), (415, "unsupported-encoding")),
    ] {
        let answer = post_packed(&service, encoding, body).await;
        let problem = answer.json();
        let (status, kind) = expected;
        assert_eq!(answer.status.as_u16(), status, "{problem}");
        assert_eq!(problem["type"], format!("urn:throughline:problem:{kind}"));
        assert!(problem["remedy"].is_string(), "{problem}");
        if status == 415 {
            assert_eq!(answer.header("accept-encoding"), "gzip, zstd, identity");
        }
    }
    assert_eq!(service.app().budget.used(), 0, "nothing is kept of them");
    let metrics = service.get("/metrics").await.text;
    for (kind, times) in [
        ("unpacks-too-large", 2),
        ("bad-encoding", 3),
        ("unsupported-encoding", 2),
    ] {
        let counted = format!("throughline_ingest_rejected_total{{reason=\"{kind}\"}} {times}");
        assert!(metrics.contains(&counted), "{metrics}");
    }
    service.send(Batch::new(0).record(line(1, 0))).await;
    service.close();
}

#[tokio::test]
async fn needs_the_right_token() {
    let (service, _folder) = Setup::default().temporary();
    let body = Batch::new(0).body();
    let bearer = format!("Bearer {INGEST_TOKEN}");
    for (name, value, expected) in [
        ("authorization", "Bearer wrong-token-of-a-length", 401),
        ("x-nothing", "", 401),
        ("content-encoding", "identity", 200),
    ] {
        let mut request = Request::post("/v1/ingest").header(name, value);
        if name == "content-encoding" {
            request = request.header("authorization", &bearer);
        }
        let answer = service
            .ask(request.body(Full::from(body.clone())).unwrap())
            .await;
        assert_eq!(answer.status.as_u16(), expected, "{name}: {value}");
        if expected == 401 {
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    service.close();
}

#[tokio::test]
async fn bodies_without_room_are_sent_away_for_a_while() {
    let flags = ["--max-batch-bytes", "4KiB", "--max-queue-bytes", "4KiB"];
    let (service, _folder) = Setup::flags(&flags).temporary();
    let mut taken = service.app().budget.room();
    assert!(taken.grow(4000));
    let answer = service.post(Batch::new(0).record(line(1, 0)).body()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.json()["type"], "urn:throughline:problem:queue-full");
    drop(taken);
    service.send(Batch::new(0).record(line(1, 0))).await;
    service.close();
}
