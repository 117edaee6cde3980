use http::StatusCode;
use serde_json::json;

use crate::common::{Batch, Fault, FaultyDisk, Setup, until};

#[tokio::test]
async fn healthy_and_ready() {
    let (service, _folder) = Setup::default().temporary();
    assert_eq!(
        service.get("/healthz").await.json(),
        json!({"ready": true, "reasons": []})
    );
    until("ready", async || {
        service.get("/readyz").await.status == StatusCode::OK
    })
    .await;
    assert_eq!(
        service.get("/readyz").await.json(),
        json!({"ready": true, "reasons": []})
    );
    service.close();
}

#[tokio::test]
async fn says_why_it_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, fault) = FaultyDisk::new(folder.path().join("log"));
    let setup = Setup {
        disk: Some(Box::new(disk)),
        ..Setup::default()
    };
    let service = setup.open(folder.path()).unwrap();
    until("ready", async || {
        service.get("/readyz").await.status == StatusCode::OK
    })
    .await;
    fault(Fault::Sync);
    assert_eq!(
        service.post(Batch::new(0).body()).await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let answer = service.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer.json()["reasons"],
        json!(["the log cannot be written: no storage space"])
    );
    fault(Fault::None);
    service.send(Batch::new(0)).await;
    assert_eq!(service.get("/readyz").await.status, StatusCode::OK);
    service.app().close();
    assert_eq!(
        service.get("/readyz").await.json()["reasons"],
        json!(["shutting down"])
    );
    service.close();
}
