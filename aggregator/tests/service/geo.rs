//! Countries: a database in MaxMind's format, made here, and what the service does with it.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Batch, Setup, TestService, line, session_id, until};

/// A value of the format's data section.
enum Data {
    Text(&'static str),
    Short(u16),
    Word(u32),
    Long(u64),
    List(Vec<Data>),
    Map(Vec<(&'static str, Data)>),
}

impl Data {
    fn write(&self, to: &mut Vec<u8>) {
        let small = |size: usize| u8::try_from(size).unwrap();
        match self {
            Self::Text(text) => {
                to.push(2 << 5 | small(text.len()));
                to.extend(text.as_bytes());
            }
            Self::Short(number) => {
                to.push(5 << 5 | 2);
                to.extend(number.to_be_bytes());
            }
            Self::Word(number) => {
                to.push(6 << 5 | 4);
                to.extend(number.to_be_bytes());
            }
            Self::Long(number) => {
                // Types from 8 on stand in a byte of their own, less 7.
                to.extend([8, 9 - 7]);
                to.extend(number.to_be_bytes());
            }
            Self::List(items) => {
                to.extend([small(items.len()), 11 - 7]);
                items.iter().for_each(|item| item.write(to));
            }
            Self::Map(entries) => {
                to.push(7 << 5 | small(entries.len()));
                for (name, value) in entries {
                    Self::Text(name).write(to);
                    value.write(to);
                }
            }
        }
    }
}

/// A database of IPv4 addresses by their first two bytes.
fn database(networks: &[([u8; 2], Data)]) -> Vec<u8> {
    let mut data = Vec::new();
    // Nodes of a binary tree, by bits; what is larger than the number of nodes is data.
    let mut nodes: Vec<[Option<Result<usize, usize>>; 2]> = vec![[None, None]];
    for (prefix, value) in networks {
        let bits = u16::from_be_bytes(*prefix);
        let mut at = 0;
        for depth in 0..16 {
            let side = usize::from(bits >> (15 - depth) & 1);
            if depth == 15 {
                nodes[at][side] = Some(Err(data.len()));
                break;
            }
            at = match nodes[at][side] {
                Some(Ok(next)) => next,
                _ => {
                    nodes.push([None, None]);
                    nodes[at][side] = Some(Ok(nodes.len() - 1));
                    nodes.len() - 1
                }
            };
        }
        value.write(&mut data);
    }
    let count = nodes.len();
    let mut file = Vec::new();
    for side in nodes.iter().flatten() {
        let pointer = match side {
            None => count,
            Some(Ok(node)) => *node,
            Some(Err(offset)) => count + 16 + offset,
        };
        file.extend(&u32::try_from(pointer).unwrap().to_be_bytes()[1..]);
    }
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    let about = Data::Map(vec![
        ("node_count", Data::Word(u32::try_from(count).unwrap())),
        ("record_size", Data::Short(24)),
        ("ip_version", Data::Short(4)),
        ("database_type", Data::Text("Test-Country")),
        ("languages", Data::List(vec![Data::Text("en")])),
        ("binary_format_major_version", Data::Short(2)),
        ("binary_format_minor_version", Data::Short(0)),
        ("build_epoch", Data::Long(1_767_225_600)),
        (
            "description",
            Data::Map(vec![("en", Data::Text("made for a test"))]),
        ),
    ]);
    about.write(&mut file);
    file
}

fn country(code: &'static str) -> Data {
    let code = Data::Map(vec![("iso_code", Data::Text(code))]);
    Data::Map(vec![
        ("country", code),
        ("autonomous_system_number", Data::Word(64_500)),
    ])
}

/// A service that knows that 203.0.… is in Germany and 198.51.… in Brazil.
fn service() -> (TestService, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countries.mmdb");
    let networks = [([203, 0], country("DE")), ([198, 51], country("BR"))];
    std::fs::write(&file, database(&networks)).unwrap();
    let flags = ["--geo", file.to_str().unwrap()];
    (Setup::flags(&flags).open(folder.path()).unwrap(), folder)
}

/// A login that fails, from an address.
fn failure(session: u64, start_ms: i64, ip: &str) -> Value {
    let mut login = line(session, start_ms);
    login["method"] = "POST".into();
    login["path"] = "/api/login".into();
    login["status"] = 401.into();
    login["upstream_us"] = 900.into();
    login["client_ip"] = ip.into();
    login
}

/// Twelve failed logins each: from Germany, from Brazil, and from where nobody knows.
fn traffic() -> Vec<Value> {
    let from = ["203.0.113.7", "198.51.100.7", "192.0.2.7"];
    let at = |n: i64| (1..).zip(from).map(move |(session, ip)| (session, n, ip));
    let all = (0..12).flat_map(at);
    all.map(|(session, n, ip)| failure(session, n * 900, ip))
        .collect()
}

async fn sessions(service: &TestService, q: &str) -> Vec<String> {
    let answer = service.get(&format!("/v1/sessions?q={q}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let items = answer.json()["items"].as_array().cloned().unwrap();
    let mut found: Vec<_> = items
        .iter()
        .map(|it| it["session"].as_str().unwrap().to_owned())
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn sessions_have_countries_and_are_found_by_them() {
    let (service, _folder) = service();
    let mut traveller = failure(1, 20_000, "198.51.100.9");
    traveller["status"] = 200.into();
    service
        .send(Batch::new(1).records(traffic()).record(traveller))
        .await;
    service.stored().await;
    for (session, countries) in [
        (1, json!(["BR", "DE"])),
        (2, json!(["BR"])),
        (3, Value::Null),
    ] {
        let page = service
            .get(&format!("/v1/sessions?q=session:{}", session_id(session)))
            .await
            .json();
        assert_eq!(page["items"][0]["countries"], countries, "{session}");
    }
    for (q, expected) in [
        ("country:DE", vec![1]),
        ("country:br", vec![1, 2]),
        ("-country:DE", vec![2, 3]),
        ("country:FR", vec![]),
        ("country:DE,BR", vec![1, 2]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(session_id).collect();
        assert_eq!(sessions(&service, q).await, expected, "{q}");
    }
    let facet = service.get("/v1/sessions/facets?field=country").await;
    assert_eq!(facet.status, StatusCode::OK, "{}", facet.text);
    assert!(
        facet.text.contains("\"DE\"") && facet.text.contains("\"BR\""),
        "{}",
        facet.text
    );
    service.close();
}

#[tokio::test]
async fn an_exception_by_country_suppresses_the_verdict() {
    let (service, _folder) = service();
    let policy = json!({"detection": [{"exceptions": [{"country": "DE", "note": "ours"}]}]});
    until("caught up", async || {
        service.get("/v1/status").await.json()["detection"]["caught_up"] == true
    })
    .await;
    let headers = [("if-match", "*")];
    let answer = service
        .change(Method::PUT, "/v1/policy", &headers, policy.to_string())
        .await;
    assert!(answer.status.is_success(), "{}", answer.text);
    service.send(Batch::new(1).records(traffic())).await;
    service.judged().await;
    let found = service.get("/v1/verdicts?subject_kind=session").await.text;
    for (session, expected) in [(1, false), (2, true), (3, true)] {
        assert_eq!(
            found.contains(&session_id(session)),
            expected,
            "{session}: {found}"
        );
    }
    service.close();
}

#[tokio::test]
async fn a_file_that_is_none_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("countries.mmdb");
    std::fs::write(&file, b"no database").unwrap();
    let flags = ["--geo", file.to_str().unwrap()];
    let refused = Setup::flags(&flags).open(folder.path()).err().unwrap();
    let said = format!("{refused:#}");
    assert!(
        said.contains("--geo") && said.contains("countries.mmdb"),
        "{said}"
    );
}
