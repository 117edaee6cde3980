use http::StatusCode;
use serde_json::{Value, json};

use crate::common::{Batch, Setup, TestService, line, shop};

#[tokio::test]
async fn counts_sessions_and_requests_by_value() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    for (name, path) in [
        ("status", "field=status"),
        ("endpoint", "field=endpoint&limit=3&q=app:shop"),
        ("user", "field=user"),
        ("requests", "field=requests&q=-verdict:account_takeover"),
        ("has", "field=has"),
        ("nothing", "field=param.plan&q=path:/nowhere"),
    ] {
        let answer = service.get(&format!("/v1/sessions/facets?{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text);
        insta::assert_json_snapshot!(name, answer.json());
    }
    service.close();
}

/// Each value's term, added to the filter, selects the sessions that the value counts: for every field,
/// under filters of sessions and of requests.
#[tokio::test]
async fn the_term_of_a_value_selects_its_sessions() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    odd(&service).await;
    let mut checked = 0;
    for field in throughline::filters::FIELDS {
        for q in [
            "",
            "status:4xx",
            "method:POST path:/*",
            "requests>=4",
            "-status:200",
        ] {
            checked += check_terms(&service, field.name, q).await;
        }
    }
    assert!(checked > 200, "{checked}");
    service.close();
}

/// Methods in small letters, several flags at once, texts that are empty.
async fn odd(service: &TestService) {
    let record = |session, start, change: serde_json::Value| {
        let mut record = line(session, start);
        for (name, value) in change.as_object().unwrap() {
            record[name] = value.clone();
        }
        record
    };
    let records = vec![
        record(901, 1, json!({"method": "get", "flags": 1 << 5 | 1 << 15})),
        record(
            901,
            2,
            json!({"method": "get", "flags": 1 << 5, "host": ""}),
        ),
        record(
            902,
            3,
            json!({"method": "GET", "flags": 1 << 15, "content_type": ""}),
        ),
        record(
            903,
            4,
            json!({"method": "POST", "status": 404, "referer_host": ""}),
        ),
        record(903, 5, json!({"method": "pOsT", "status": 200})),
    ];
    service.send(Batch::new(500).records(records)).await;
    service.stored().await;
}

async fn ask(service: &TestService, path: &str, q: &str) -> Value {
    let q: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
    service.get(&format!("{path}q={q}")).await.json()
}

async fn check_terms(service: &TestService, field: &str, q: &str) -> usize {
    let name = match field {
        "id" => return 0,
        "param" => "param.user",
        name => name,
    };
    let facets = ask(service, &format!("/v1/sessions/facets?field={name}&"), q).await;
    let values = facets["values"].as_array();
    let values = values.unwrap_or_else(|| panic!("{name}: {facets}"));
    for value in values {
        let term = value["term"].as_str().unwrap();
        let page = ask(service, "/v1/sessions?limit=500&", &format!("{q} {term}")).await;
        let found = page["items"].as_array().map_or(0, Vec::len) as u64;
        if name == "ua" {
            // Its term is a part of a text: it selects those that have more in theirs too.
            assert!(value["sessions"].as_u64().unwrap() <= found, "{q} {term}");
            continue;
        }
        assert_eq!(value["sessions"], Value::from(found), "{q} {term}: {page}");
    }
    values.len()
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let (service, _folder) = Setup::default().temporary();
    for (query, parameter, told) in [
        ("", "field", "there is no field"),
        ("field=statsu", "field", "did you mean `status`?"),
        ("field=id", "field", "several fields"),
        ("field=status&limit=0", "limit", "between 1 and 500"),
        ("field=status&q=ap:shop", "q", "letter 1"),
    ] {
        let answer = service.get(&format!("/v1/sessions/facets?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        let problem = answer.json();
        assert_eq!(problem["parameter"], parameter, "{problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains(told),
            "{problem}"
        );
    }
    service.close();
}
