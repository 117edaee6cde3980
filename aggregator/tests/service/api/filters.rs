//! Every term of the filter language, alone, excluded and in pairs, against a plain reading of
//! the same records.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde_json::{Value, json};

use crate::common::{Batch, Setup, TestService, line, session_id};

/// What a term says: of one request, or of a whole session.
enum Says {
    Request(fn(&Value) -> bool),
    Session(fn(&[Value]) -> bool),
}
use Says::{Request, Session};

fn any(records: &[Value], holds: impl Fn(&Value) -> bool) -> bool {
    records.iter().any(holds)
}

fn count(records: &[Value], holds: impl Fn(&Value) -> bool) -> usize {
    records.iter().filter(|it| holds(it)).count()
}

fn errors(record: &Value) -> bool {
    record["status"].as_u64() >= Some(400)
}

fn first<'a>(records: &'a [Value], field: &str) -> &'a str {
    records[0][field].as_str().unwrap()
}

fn param(records: &[Value], kind: &str, holds: impl Fn(&str, &str) -> bool) -> bool {
    let of = |record: &Value| record["params"].as_array().cloned().unwrap_or_default();
    records.iter().flat_map(of).any(|it| {
        let text = |field: &str| it[field].as_str().unwrap_or("plain").to_owned();
        (kind.is_empty() || text("kind") == kind) && holds(&text("name"), &text("value"))
    })
}

fn bytes(records: &[Value]) -> u64 {
    let both = |it: &Value| {
        it["response_bytes"].as_u64().unwrap() + it["request_bytes"].as_u64().unwrap_or(0)
    };
    records.iter().map(both).sum()
}

fn lasted_us(records: &[Value]) -> i64 {
    let starts = || records.iter().map(|it| it["start_us"].as_i64().unwrap());
    starts().max().unwrap() - starts().min().unwrap()
}

/// Envoy's `UF`, `URX` and `RL`.
const UPSTREAM_FAILURE: u64 = 1 << 5;
const RETRIES_EXHAUSTED: u64 = 1 << 15;
const RATE_LIMITED: u64 = 1 << 11;

fn flags(record: &Value) -> u64 {
    record["flags"].as_u64().unwrap_or(0)
}

const TERMS: &[(&str, Says)] = &[
    ("app:shop", Session(|it| first(it, "application") == "shop")),
    (
        "app:sh*,blog",
        Session(|it| first(it, "application") != "forum"),
    ),
    ("key:cookie", Session(|it| first(it, "key") == "cookie")),
    (
        "session:0000000000000000000000000000000",
        Session(|it| {
            first(it, "session").ends_with(|c: char| c.is_ascii_hexdigit())
                && first(it, "session").starts_with("0000000000000000000000000000000")
        }),
    ),
    (
        "user:u-1",
        Session(|it| param(it, "user", |_, value| value == "u-1")),
    ),
    (
        "user:u-1*",
        Session(|it| param(it, "user", |_, value| value.starts_with("u-1"))),
    ),
    (r#"user:"u-1*""#, Session(|_| false)),
    (
        "role:buyer",
        Session(|it| param(it, "role", |_, value| value == "buyer")),
    ),
    (
        "param.plan:gold,tin",
        Session(|it| {
            param(it, "", |name, value| {
                name == "plan" && ["gold", "tin"].contains(&value)
            })
        }),
    ),
    (
        "ip:10.1.0.3",
        Session(|it| any(it, |it| it["client_ip"] == "10.1.0.3")),
    ),
    (
        "ip:10.1.0.0/30",
        Session(|it| {
            any(it, |it| {
                ["10.1.0.1", "10.1.0.2", "10.1.0.3"]
                    .iter()
                    .any(|ip| it["client_ip"] == *ip)
            })
        }),
    ),
    (
        "ip:2001:db8::/32",
        Session(|it| any(it, |it| it["client_ip"] == "2001:db8::7")),
    ),
    ("ip:2001:db8:0:1::/64", Session(|_| false)),
    (
        "ua:FIREFOX",
        Session(|it| any(it, |it| it["user_agent"] == "Mozilla/5.0 Firefox/140")),
    ),
    ("requests>=4", Session(|it| it.len() >= 4)),
    ("requests:2..3", Session(|it| (2..=3).contains(&it.len()))),
    ("requests<3", Session(|it| it.len() < 3)),
    ("errors>1", Session(|it| count(it, errors) > 1)),
    (
        "errors_4xx:0",
        Session(|it| count(it, |it| it["status"].as_u64().unwrap() / 100 == 4) == 0),
    ),
    (
        "errors_5xx:1..",
        Session(|it| any(it, |it| it["status"].as_u64().unwrap() / 100 == 5)),
    ),
    ("bytes>=1KiB", Session(|it| bytes(it) >= 1024)),
    ("duration<=20s", Session(|it| lasted_us(it) <= 20_000_000)),
    ("has:error", Session(|it| any(it, errors))),
    ("has:user", Session(|it| param(it, "user", |_, _| true))),
    (
        "has:link",
        Session(|it| {
            any(it, |it| it.get("links").is_some()) || first(it, "session") == session_id(1)
        }),
    ),
    ("method:post", Request(|it| it["method"] == "POST")),
    ("method:get", Request(|it| it["method"] == "GET")),
    (r#"method:"get""#, Request(|it| it["method"] == "get")),
    (
        "host:shop.example",
        Request(|it| it["host"] == "shop.example"),
    ),
    (
        "path:/api/pro*",
        Request(|it| it["path"].as_str().unwrap().starts_with("/api/pro")),
    ),
    ("/login", Request(|it| it["path"] == "/login")),
    (
        "status:4xx",
        Request(|it| it["status"].as_u64().unwrap() / 100 == 4),
    ),
    (
        "status:200,500..503",
        Request(|it| [200, 500, 503].contains(&it["status"].as_u64().unwrap())),
    ),
    (
        "took>2ms",
        Request(|it| it["duration_us"].as_u64().unwrap() > 2000),
    ),
    ("endpoint:POST*", Request(|it| it["method"] == "POST")),
    (
        "ua_family:Firefox",
        Session(|it| any(it, |it| it["user_agent"] == "Mozilla/5.0 Firefox/140")),
    ),
    (
        "ua_family:cur*,Chrome",
        Session(|it| any(it, |it| it["user_agent"] == "curl/8.5")),
    ),
    ("capture:gateway", Request(|_| true)),
    ("policy:p2", Request(|_| false)),
    (
        "referer:shop.example",
        Request(|it| it["referer_host"] == "shop.example"),
    ),
    (
        "type:text/*",
        Request(|it| it["content_type"] == "text/html"),
    ),
    ("flag:uf", Request(|it| flags(it) & UPSTREAM_FAILURE != 0)),
    ("flag:UR", Request(|_| false)),
    (
        "flag:U*",
        Request(|it| flags(it) & (UPSTREAM_FAILURE | RETRIES_EXHAUSTED) != 0),
    ),
    ("request:r-7", Request(|it| it["request_id"] == "r-7")),
    (
        "trace:ab",
        Request(|it| {
            it["trace_id"]
                .as_str()
                .is_some_and(|id| id.starts_with("ab"))
        }),
    ),
    (
        "abababababababababababababababab",
        Session(|it| {
            any(it, |it| {
                it["trace_id"] == "abababababababababababababababab"
            })
        }),
    ),
];

/// Numbers that look random, always the same.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

fn record(draw: &mut Draw, number: u64) -> Value {
    let session = draw.below(24) + 1;
    let mut it = line(session, i64::try_from(number).unwrap() * 700);
    it["application"] = ["shop", "blog", "forum"][usize::try_from(session % 3).unwrap()].into();
    it["key"] = ["cookie", "bearer"][usize::try_from(session % 2).unwrap()].into();
    it["method"] = draw.of(&["GET", "POST", "get"]).into();
    it["host"] = draw.of(&["shop.example", "blog.example"]).into();
    it["path"] = draw
        .of(&["/login", "/api/products", "/api/orders", "/v2/api/products"])
        .into();
    it["status"] = draw.of(&[200, 200, 304, 401, 404, 500]).into();
    it["response_bytes"] = draw.below(600).into();
    it["duration_us"] = draw.below(4000).into();
    it["client_ip"] = draw
        .of(&[
            "10.1.0.1",
            "10.1.0.3",
            "10.1.0.4",
            "192.0.2.9",
            "2001:db8::7",
        ])
        .into();
    it["user_agent"] = draw.of(&["Mozilla/5.0 Firefox/140", "curl/8.5"]).into();
    it["request_id"] = format!("r-{number}").into();
    if !number.is_multiple_of(3) {
        let choose =
            |one: &'static str, other: &'static str| if number % 5 < 2 { one } else { other };
        it["referer_host"] = choose("shop.example", "search.example").into();
        it["content_type"] = choose("application/json", "text/html").into();
        it["flags"] = draw
            .of(&[
                UPSTREAM_FAILURE,
                RETRIES_EXHAUSTED,
                UPSTREAM_FAILURE | RETRIES_EXHAUSTED,
                RATE_LIMITED,
            ])
            .into();
    }
    if draw.below(4) == 0 {
        it["trace_id"] = draw.of(&["ab", "cd"]).repeat(16).into();
    }
    if draw.below(3) == 0 {
        let user = format!("{}u-{}", draw.of(&["", "", "old-"]), draw.below(13));
        it["params"] = json!([
            {"name": "user", "value": user, "kind": "user"},
            {"name": "role", "value": draw.of(&["buyer", "seller"]), "kind": "role"},
            {"name": "plan", "value": draw.of(&["gold", "tin", "lead"])},
        ]);
    }
    if session == 5 {
        it["links"] = json!([{"kind": "login", "session": session_id(1), "key": "cookie"}]);
    }
    it
}

async fn found(service: &TestService, q: &str) -> BTreeSet<String> {
    let q: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
    let page = service
        .get(&format!("/v1/sessions?limit=500&q={q}"))
        .await
        .json();
    let items = page["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{q}: {page}"));
    items
        .iter()
        .map(|it| it["session"].as_str().unwrap().to_owned())
        .collect()
}

/// The sessions that all of `terms` (negated or not) select.
fn expected(sessions: &BTreeMap<String, Vec<Value>>, terms: &[(usize, bool)]) -> BTreeSet<String> {
    let holds = |records: &[Value]| {
        let together: Vec<_> = terms.iter().filter(|(_, negated)| !negated).collect();
        let one_request = records.iter().any(|record| {
            together.iter().all(|(term, _)| match TERMS[*term].1 {
                Request(says) => says(record),
                Session(_) => true,
            })
        });
        let each = |(term, negated): &(usize, bool)| match (&TERMS[*term].1, negated) {
            (Session(says), negated) => says(records) != *negated,
            (Request(says), true) => !any(records, says),
            (Request(_), false) => true,
        };
        one_request && terms.iter().all(each)
    };
    let all = sessions.iter().filter(|(_, records)| holds(records));
    all.map(|(session, _)| session.clone()).collect()
}

#[tokio::test]
async fn each_term_alone_and_in_pairs_selects_what_a_plain_reading_does() {
    let (service, _folder) = Setup::default().temporary();
    let mut draw = Draw(7);
    let records: Vec<_> = (0..90).map(|number| record(&mut draw, number)).collect();
    let mut sessions: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for record in &records {
        let session = record["session"].as_str().unwrap().to_owned();
        sessions.entry(session).or_default().push(record.clone());
    }
    // Parts of a session come in several transactions.
    for (sequence, records) in (0..).zip(records.chunks(30)) {
        service
            .send(Batch::new(sequence).records(records.to_vec()))
            .await;
        service.stored().await;
    }
    let signs = [false, true];
    let mut cases: Vec<Vec<(usize, bool)>> = Vec::new();
    for term in 0..TERMS.len() {
        cases.extend(signs.map(|negated| vec![(term, negated)]));
    }
    for _ in 0..150 {
        let mut term = || usize::try_from(draw.below(TERMS.len() as u64)).unwrap();
        let (one, other) = (term(), term());
        cases.push(vec![(one, draw.of(&signs)), (other, draw.of(&signs))]);
    }
    let mut narrowed = 0;
    for terms in &cases {
        let text = |(term, negated): &(usize, bool)| {
            format!("{}{}", if *negated { "-" } else { "" }, TERMS[*term].0)
        };
        let q = terms.iter().map(text).collect::<Vec<_>>().join(" ");
        let expected = expected(&sessions, terms);
        narrowed += usize::from(!expected.is_empty() && expected.len() < sessions.len());
        assert_eq!(found(&service, &q).await, expected, "{q}");
    }
    assert!(
        narrowed > cases.len() / 2,
        "{narrowed} of {} say something",
        cases.len()
    );
    service.close();
}

#[tokio::test]
async fn a_filter_that_makes_no_sense_names_the_place_and_the_remedy() {
    let (service, _folder) = Setup::default().temporary();
    for (q, place, remedy) in [
        ("ap:shop", "letter 1", "did you mean `app`?"),
        ("app:shop statsu:4xx", "letter 10", "did you mean `status`?"),
        ("completely_else:1", "letter 1", "there are app, key"),
        ("param:gold", "letter 1", "param.NAME:value"),
        ("app.x:gold", "letter 1", "did you mean"),
        ("status:9xx", "letter 8", "`404`, `4xx`"),
        ("status:500..400", "letter 8", "`404`, `4xx`"),
        ("requests>many", "letter 10", "`50`"),
        ("requests>-1", "letter 10", "`50`"),
        ("user>5", "letter 6", "write `user:…`"),
        ("user:", "letter 6", "give a value"),
        ("duration<10", "letter 10", "`500ms`"),
        ("ip:10.0.0.0/33", "letter 4", "10.0.0.0/8"),
        ("ip:2001:db8::/33", "letter 4", "2001:db8::/32"),
        ("ip:localhost", "letter 4", "192.0.2.7"),
        ("session:xyz", "letter 9", "hex digits"),
        ("has:fun", "letter 5", "one of link"),
        ("firefox", "letter 1", "`user:firefox`"),
        (r#"user:"open"#, "letter 6", "close it"),
        ("last:24h from:2h", "letter 10", "leave one out"),
        ("-last:24h", "letter 1", "write `from:`"),
        ("from:1h to:2h", "letter 9", "let `from` be before `to`"),
        ("requests:+5", "letter 10", "`50`"),
        ("last:soon", "letter 1", "RFC 3339"),
        (&"ip:10.0.0.1 ".repeat(33), "letter 385", "join values"),
        (
            &format!("status:{}", "200,".repeat(65)),
            "letter 1",
            "range",
        ),
    ] {
        let encoded: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
        let answer = service.get(&format!("/v1/sessions?q={encoded}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{q}");
        let problem = answer.json();
        assert_eq!(
            problem["type"], "urn:throughline:problem:bad-filter",
            "{q}: {problem}"
        );
        assert_eq!(problem["parameter"], "q");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(place), "{q}: {detail}");
        let told = problem["remedy"].as_str().unwrap();
        assert!(told.contains(remedy), "{q}: {told}");
    }
    service.close();
}
