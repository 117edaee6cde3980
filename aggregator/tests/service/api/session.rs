use crate::common::{Batch, Setup, line, session_id};

const MINUTE_MS: i64 = 60_000;

#[tokio::test]
async fn a_session_is_split_into_visits() {
    let (service, _folder) = Setup::flags(&["--idle-timeout", "10m"]).temporary();
    let mut failed = line(1, 30 * MINUTE_MS);
    failed["status"] = 503.into();
    failed["client_ip"] = "10.0.0.2".into();
    let mut refused = line(1, 31 * MINUTE_MS);
    refused["status"] = 404.into();
    refused["user_agent"] = "curl/8".into();
    service
        .send(
            Batch::new(0)
                .record(line(1, 0))
                .record(line(1, 9 * MINUTE_MS)),
        )
        .await;
    service
        .send(
            Batch::new(1)
                .record(failed)
                .record(refused)
                .record(line(2, 0)),
        )
        .await;
    service.stored().await;
    let answer = service
        .get(&format!("/v1/sessions/{}", session_id(1)))
        .await;
    insta::assert_json_snapshot!(answer.json());
    let answer = service
        .get(&format!("/v1/sessions/{}", session_id(3)))
        .await;
    assert_eq!(answer.status.as_u16(), 404);
    insta::assert_json_snapshot!("unknown_session", answer.json());
    service.close();
}
