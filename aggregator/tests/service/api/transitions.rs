use http::StatusCode;
use serde_json::Value;

use crate::common::{Setup, shop};

#[tokio::test]
async fn shows_where_visits_go() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    for (name, query) in [
        ("all", ""),
        ("two_nodes", "?nodes=2&edges=3&files=true"),
        ("of_bots", "?q=has:verdict"),
    ] {
        let answer = service.get(&format!("/v1/transitions{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text);
        insta::assert_json_snapshot!(name, answer.json());
    }
    service.close();
}

#[tokio::test]
async fn what_goes_in_comes_out() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    for query in ["", "?nodes=1", "?nodes=4&files=true", "?q=status:5xx"] {
        let graph = service.get(&format!("/v1/transitions{query}")).await.json();
        let edges = graph["edges"].as_array().unwrap();
        let sum = |side: &str, name: &Value| -> u64 {
            let these = edges.iter().filter(|edge| edge[side] == *name);
            these.map(|edge| edge["count"].as_u64().unwrap()).sum()
        };
        for node in graph["nodes"].as_array().unwrap() {
            let name = &node["endpoint"];
            assert_eq!(sum("to", name), node["requests"], "{query} {name}");
            assert_eq!(sum("from", name), node["requests"], "{query} {name}");
        }
        assert_eq!(sum("from", &"(entry)".into()), graph["visits"], "{query}");
        assert_eq!(sum("to", &"(exit)".into()), graph["visits"], "{query}");
    }
    service.close();
}

#[tokio::test]
async fn limits_are_named() {
    let (service, _folder) = Setup::default().temporary();
    for (query, parameter) in [
        ("nodes=0", "nodes"),
        ("nodes=201", "nodes"),
        ("edges=1001", "edges"),
        ("files=perhaps", "files"),
    ] {
        let answer = service.get(&format!("/v1/transitions?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.json()["parameter"], parameter);
    }
    service.close();
}
