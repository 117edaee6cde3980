//! Others who take what ingest needs: connections, and the database.

use std::time::{Duration, Instant};

use http::StatusCode;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::common::{Program, load};

const LORISES: usize = 1_000;

/// Both processes need a descriptor for each; what the system allows at most is enough.
fn allow_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, most).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_that_never_finish_their_head_keep_nobody_out() {
    allow_descriptors();
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), &[]);
    let address = program
        .client
        .url()
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let mut lorises = Vec::new();
    for _ in 0..LORISES {
        let mut loris = TcpStream::connect(&address).await.unwrap();
        loris
            .write_all(b"POST /v1/ingest HTTP/1.1\r\nhost: a\r\nx-a: ")
            .await
            .unwrap();
        lorises.push(loris);
    }
    for sequence in 0..20 {
        for loris in &mut lorises {
            // Whoever was too slow is sent away meanwhile.
            drop(loris.write_all(b"b").await);
        }
        let began = Instant::now();
        let (status, _) = program.client.post(load::batch(0, sequence)).await.unwrap();
        assert_eq!(status, StatusCode::OK);
        let took = began.elapsed();
        assert!(took < Duration::from_secs(10), "{sequence} waited {took:?}");
    }
    load::balanced(&program, 20 * load::RECORDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_with_a_long_query_does_not_stop_the_store() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), &["--query-timeout", "20s"]);
    for sequence in 0..10 {
        program.client.post(load::batch(0, sequence)).await.unwrap();
    }
    load::balanced(&program, 10 * load::RECORDS).await;
    // One in the process itself, one in its child for SQL: neither is over soon.
    let client = program.client.clone();
    let reader = tokio::spawn(async move {
        let sql = "SELECT count(*) FROM requests a, requests b, requests c, requests d, requests e";
        client.sql(sql).await
    });
    let mut sequence = 10;
    while sequence < 60 {
        let (status, _) = program.client.post(load::batch(0, sequence)).await.unwrap();
        assert_eq!(status, StatusCode::OK);
        sequence += 1;
    }
    load::balanced(&program, sequence * load::RECORDS).await;
    assert!(!reader.is_finished(), "the query was not long");
    reader.abort();
}
