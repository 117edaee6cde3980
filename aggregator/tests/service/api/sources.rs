use http::StatusCode;

use crate::common::{Batch, Setup, line, shop};

#[tokio::test]
async fn lists_and_shows_sources() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    let mut six = line(6, 0);
    six["client_ip"] = "2001:db8::7".into();
    service.send(Batch::new(50).record(six)).await;
    service.stored().await;
    for (name, path) in [
        ("addresses", "?sort=errors&limit=2"),
        ("networks", "?by=network"),
        ("one", "/10.0.0.4"),
        ("network", "/10.0.0.0%2F30?q=status:2xx"),
        ("six", "/2001:db8::%2F32"),
    ] {
        let answer = service.get(&format!("/v1/sources{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text);
        insta::assert_json_snapshot!(name, answer.json());
    }
    for (path, status) in [
        ("/10.9.9.9", StatusCode::NOT_FOUND),
        ("/here", StatusCode::BAD_REQUEST),
        ("?by=country", StatusCode::BAD_REQUEST),
        ("?sort=name", StatusCode::BAD_REQUEST),
    ] {
        let answer = service.get(&format!("/v1/sources{path}")).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
    service.close();
}

/// The networks of a list select what they list.
#[tokio::test]
async fn the_term_of_a_network_selects_its_sessions() {
    let (service, _folder) = Setup::default().temporary();
    let addresses = [
        "10.0.0.1",
        "10.0.0.200",
        "10.0.1.1",
        "2001:db8::7",
        "2001:db8:0:1::9",
        "::1",
    ];
    let records = (1..).zip(addresses).map(|(session, address)| {
        let mut it = line(session, 0);
        it["client_ip"] = address.into();
        it
    });
    service.send(Batch::new(0).records(records)).await;
    service.stored().await;
    let list = service.get("/v1/sources?by=network").await.json();
    assert_eq!(list["count"], 5, "{list}");
    for item in list["items"].as_array().unwrap() {
        let term = item["term"].as_str().unwrap();
        let page = service.get(&format!("/v1/sessions?q={term}")).await.json();
        let found = page["items"]
            .as_array()
            .unwrap_or_else(|| panic!("{term}: {page}"));
        assert_eq!(item["sessions"], found.len(), "{term}");
    }
    service.close();
}
