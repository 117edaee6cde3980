use http::StatusCode;
use serde_json::Value;

use crate::common::{Setup, shop};

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

/// Each value's term selects the sessions that the value counts, for every field.
#[tokio::test]
async fn the_term_of_a_value_selects_its_sessions() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    let mut checked = 0;
    for field in throughline::filters::FIELDS {
        let name = match field.name {
            "id" => continue,
            "param" => "param.user",
            name => name,
        };
        let facets = service
            .get(&format!("/v1/sessions/facets?field={name}"))
            .await;
        let facets = facets.json();
        for value in facets["values"]
            .as_array()
            .unwrap_or_else(|| panic!("{name}: {facets}"))
        {
            let term = value["term"].as_str().unwrap();
            let q: String = form_urlencoded::byte_serialize(term.as_bytes()).collect();
            let page = service.get(&format!("/v1/sessions?q={q}")).await.json();
            let found = page["items"].as_array().map(Vec::len);
            assert_eq!(value["sessions"], Value::from(found), "{term}: {page}");
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked}");
    service.close();
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
