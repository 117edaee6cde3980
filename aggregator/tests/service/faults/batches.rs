//! Batches that no filter sends, against the real process.

use http::StatusCode;

use crate::common::{Batch, Program, line, load};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_batches_leave_the_books_right() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), &[]);
    let client = &program.client;
    let good = load::batch(0, 0);
    let (status, _) = client.post(good.clone()).await.unwrap();
    assert_eq!(status, StatusCode::OK);
    for (what, body, expected) in [
        (
            "50 MB",
            Batch::new(1).raw(&vec![b'x'; 50_000_000]).body(),
            Some(StatusCode::PAYLOAD_TOO_LARGE),
        ),
        (
            "no lines",
            Batch::new(1).seen(load::RECORDS).body(),
            Some(StatusCode::OK),
        ),
        (
            "another version",
            Batch::new(2)
                .with("/throughline", 2)
                .record(line(1, 0))
                .body(),
            Some(StatusCode::BAD_REQUEST),
        ),
        ("nothing", Vec::new(), Some(StatusCode::BAD_REQUEST)),
    ] {
        // Where the connection is closed before 50 MB are written, there may be no answer.
        let answer = client.post(body).await;
        let status = answer.map(|(status, _)| status);
        assert!(
            status == expected || (what == "50 MB" && status.is_none()),
            "{what}: {status:?}"
        );
    }
    for _ in 0..100 {
        let (status, reply) = client.post(good.clone()).await.unwrap();
        assert_eq!(
            (status, &reply["duplicate"]),
            (StatusCode::OK, &true.into())
        );
    }
    load::balanced(&program, load::RECORDS).await;
}
