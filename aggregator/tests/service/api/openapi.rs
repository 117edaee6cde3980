use std::path::Path;

use serde_json::Value;

use crate::common::Setup;

/// `UPDATE_EXPECT=1` writes the file instead.
#[tokio::test]
async fn the_document_is_the_one_checked_in() {
    let (service, _folder) = Setup::default().temporary();
    let served = service.get("/openapi.json").await.json();
    service.close();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let text = serde_json::to_string_pretty(&served).unwrap() + "\n";
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == text,
        "docs/openapi.json is stale: run the tests with UPDATE_EXPECT=1"
    );
    assert_eq!(served["openapi"], "3.1.0");
}

#[tokio::test]
async fn every_operation_has_an_id_of_its_own_and_says_how_it_fails() {
    let (service, _folder) = Setup::default().temporary();
    let document = service.get("/openapi.json").await.json();
    service.close();
    let mut ids = std::collections::BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{method} {path}: {id} is taken");
            let problems = operation["responses"].as_object().unwrap().iter();
            for (status, response) in problems.filter(|(status, _)| status.as_str() >= "400") {
                let content = response["content"].as_object().unwrap();
                assert!(!content.is_empty(), "{method} {path} {status}");
            }
            assert!(operation["responses"]["400"].is_object(), "{method} {path}");
        }
    }
    assert!(ids.len() > 30, "{}", ids.len());
}

#[tokio::test]
async fn every_parameter_described_is_understood() {
    let (service, _folder) = Setup::default().temporary();
    let document = service.get("/openapi.json").await.json();
    let mut parameters = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(described) = operations["get"]["parameters"].as_array() else {
            continue;
        };
        for parameter in described
            .iter()
            .filter(|parameter| parameter["in"] == "query")
        {
            let name = parameter["name"].as_str().unwrap();
            let path = path.replace("{id}", &"0".repeat(32));
            let answer = service.get(&format!("{path}?{name}=1")).await;
            let problem: Value = serde_json::from_str(&answer.text).unwrap();
            assert_ne!(
                problem["type"], "urn:throughline:problem:unknown-parameter",
                "{path} {name}"
            );
            parameters += 1;
        }
    }
    assert!(parameters > 10, "{parameters}");
    service.close();
}
