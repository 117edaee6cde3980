//! `throughline backtest` on what a service has stored.

use std::path::Path;
use std::process::{Command, Output};

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Batch, Setup, session_id, until};
use crate::verdicts::traffic;

fn backtest(data: &Path, policy: &Value, flags: &[&str]) -> Output {
    let file = data.join("tried.json");
    std::fs::write(&file, policy.to_string()).unwrap();
    Command::new(env!("CARGO_BIN_EXE_throughline"))
        .args(["backtest", "--data"])
        .arg(data)
        .arg("--policy")
        .arg(&file)
        .args(flags)
        .output()
        .unwrap()
}

#[tokio::test]
async fn tells_who_would_be_flagged_and_who_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let service = Setup::default().open(folder.path()).unwrap();
    until("caught up", async || {
        service.get("/v1/status").await.json()["detection"]["caught_up"] == true
    })
    .await;
    let leave_alone = |session: u64| {
        let network = format!("203.0.113.{session}");
        json!({"detection": [{"exceptions": [{"network": network}]}]})
    };
    let put = service
        .change(
            Method::PUT,
            "/v1/policy",
            &[("if-match", "*")],
            leave_alone(1).to_string(),
        )
        .await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let records = traffic();
    let count = records.len();
    for (sequence, some) in (0..).zip(records.chunks(9)) {
        let batch = Batch::new(sequence).records(some.iter().cloned());
        service.send(batch).await;
    }
    service.judged().await;

    let taken = backtest(folder.path(), &json!({}), &[]);
    let said = String::from_utf8(taken.stderr).unwrap();
    assert!(
        !taken.status.success() && said.contains("stop the service"),
        "{said}"
    );
    service.close();

    let done = backtest(folder.path(), &leave_alone(2), &["--json"]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{said}");
    let found: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(
        (&found["records"], &found["policy_version"]),
        (&json!(count), &json!("v1"))
    );
    let ids = |list: &str| -> Vec<String> {
        let all = found[list].as_array().unwrap().iter();
        let sessions = all.filter(|it| it["subject_kind"] == "session");
        sessions
            .map(|it| it["subject"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids("newly"), [session_id(1)]);
    assert_eq!(ids("no_longer"), [session_id(2)]);
    let same = backtest(folder.path(), &leave_alone(1), &[]);
    let text = String::from_utf8(same.stdout).unwrap();
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with(&format!(
            "backtest: records={count} policy=v1 newly=0 no_longer=0"
        )),
        "{text}"
    );
    let wrong = backtest(
        folder.path(),
        &json!({"detection": [{"off": ["scrapping"]}]}),
        &[],
    );
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(said.contains("did you mean `scraping`"), "{said}");
}
