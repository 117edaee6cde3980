//! Search engines that are who they say: asked of a DNS server on loopback, recorded, and not asked again.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::net::UdpSocket;

use crate::common::{Batch, Setup, TestService, line, session_id, until};

const CRAWLER: &str = "Mozilla/5.0 (compatible; TestSearchBot/1.0; +https://search.example/bot)";
const HONEST: &str = "203.0.113.1";
/// Its name leads elsewhere.
const LIAR: &str = "203.0.113.2";
const NAMELESS: &str = "203.0.113.3";
/// The server never answers.
const SILENT: &str = "203.0.113.4";
/// Its name leads back, but lies in a domain that is not the engine's.
const STRANGER: &str = "203.0.113.5";
/// Would be confirmed, but claims nothing.
const MODEST: &str = "203.0.113.6";

/// Names that were asked for.
type Asked = Arc<Mutex<BTreeSet<String>>>;

const A: u16 = 1;
const PTR: u16 = 12;

/// A name as it goes over the wire.
fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes
}

/// The answer to a question, which may be nothing; `None` where the server keeps silent.
fn answer(asked: &str, kind: u16) -> Option<Vec<u8>> {
    let reverse = |ip: &str| {
        let mut parts: Vec<_> = ip.split('.').collect();
        parts.reverse();
        asked == format!("{}.in-addr.arpa", parts.join("."))
    };
    Some(match (kind, asked) {
        (PTR, _) if reverse(SILENT) => return None,
        (PTR, _) if reverse(HONEST) => name("crawl-1.Search.example"),
        (PTR, _) if reverse(LIAR) => name("crawl-2.search.example"),
        (PTR, _) if reverse(STRANGER) => name("crawl.notsearch.example"),
        (PTR, _) if reverse(MODEST) => name("crawl-6.search.example"),
        (A, "crawl-1.search.example") => vec![203, 0, 113, 1],
        (A, "crawl-2.search.example") => vec![198, 51, 100, 99],
        (A, "crawl.notsearch.example") => vec![203, 0, 113, 5],
        (A, "crawl-6.search.example") => vec![203, 0, 113, 6],
        _ => Vec::new(),
    })
}

/// The name and kind of the one question of a message.
fn question(message: &[u8]) -> (String, u16) {
    let (mut at, mut labels) = (12, Vec::new());
    while message[at] != 0 {
        let end = at + 1 + usize::from(message[at]);
        labels.push(String::from_utf8(message[at + 1..end].to_vec()).unwrap());
        at = end;
    }
    let kind = u16::from_be_bytes([message[at + 1], message[at + 2]]);
    (labels.join("."), kind)
}

/// A DNS server on loopback.
async fn server() -> (SocketAddr, Asked) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let asked = Asked::default();
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
            let mut message = buffer[..len].to_vec();
            let (name, kind) = question(&message);
            let data = answer(&name, kind);
            seen.lock().unwrap().insert(name);
            let Some(data) = data else {
                continue;
            };
            // An answer; 'there is no such name' where it is empty.
            message[2..4].copy_from_slice(&[0x81, if data.is_empty() { 0x83 } else { 0x80 }]);
            if !data.is_empty() {
                message[7] = 1;
                // The question's name, of the kind that was asked for, for a minute.
                message.extend([0xc0, 12]);
                message.extend(kind.to_be_bytes());
                message.extend([0, 1, 0, 0, 0, 60]);
                message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
                message.extend(data);
            }
            socket.send_to(&message, from).await.unwrap();
        }
    });
    (address, asked)
}

/// Each from its address: `logins` failed ones, after `start_ms`.
fn failures(clients: &[(u64, &str)], user_agent: &str, logins: i64, start_ms: i64) -> Vec<Value> {
    let mut all = Vec::new();
    for n in 0..logins {
        for (session, ip) in clients {
            let mut login = line(*session, start_ms + n * 900);
            login["method"] = "POST".into();
            login["path"] = "/api/login".into();
            login["status"] = 401.into();
            login["upstream_us"] = 900.into();
            login["client_ip"] = (*ip).into();
            login["user_agent"] = user_agent.into();
            all.push(login);
        }
    }
    all
}

fn open(folder: &Path) -> TestService {
    Setup::default().open(folder).unwrap()
}

async fn flagged(service: &TestService, sessions: &[u64]) -> Vec<u64> {
    service.judged().await;
    let found = service.get("/v1/verdicts?subject_kind=session").await.text;
    let mut flagged = sessions.to_vec();
    flagged.retain(|it| found.contains(&session_id(*it)));
    flagged
}

#[tokio::test]
async fn only_an_address_whose_name_leads_back_is_a_search_engine() {
    let (address, asked) = server().await;
    let folder = tempfile::tempdir().unwrap();
    let mut service = open(folder.path());
    service.verify_crawlers(&[address]);
    let domains = ["search.example"];
    let crawler = json!({"name": "test", "user_agent": "testsearchbot", "domains": domains});
    let policy = json!({"detection": [{"crawlers": [crawler]}]});
    service.put_policy(&policy).await;
    let claiming: Vec<_> = (1..)
        .zip([HONEST, LIAR, NAMELESS, SILENT, STRANGER])
        .collect();
    let first = failures(&claiming, CRAWLER, 1, 0);
    let modest = failures(&[(6, MODEST)], "Mozilla/5.0", 1, 0);
    service
        .send(Batch::new(1).records(first).records(modest))
        .await;
    until("everything is looked up", async || {
        let metrics = service.get("/metrics").await.text;
        let count = |outcome: &str, count: u32| {
            let line = format!("crawler_lookups_total{{outcome=\"{outcome}\"}} {count}\n");
            metrics.contains(&line)
        };
        count("confirmed", 1) && count("refuted", 3) && count("silent", 1)
    })
    .await;
    let of_modest = "6.113.0.203.in-addr.arpa";
    assert!(!asked.lock().unwrap().contains(of_modest), "{asked:?}");
    let second = failures(&claiming, CRAWLER, 12, 60_000);
    let modest = failures(&[(6, MODEST)], "Mozilla/5.0", 12, 60_000);
    service
        .send(Batch::new(2).records(second).records(modest))
        .await;
    let all = [1, 2, 3, 4, 5, 6];
    assert_eq!(flagged(&service, &all).await, [2, 3, 4, 5, 6]);
    service.close();

    // Without its snapshot, and without a server: what was recorded is enough.
    let snapshot = folder.path().join("detection/snapshot");
    std::fs::remove_file(snapshot).unwrap();
    let service = open(folder.path());
    let third = failures(&[(7, HONEST), (8, LIAR)], CRAWLER, 12, 120_000);
    service.send(Batch::new(3).records(third)).await;
    assert_eq!(flagged(&service, &[1, 7, 8]).await, [8]);
    let confirmed = service.sql::<String>("SELECT address || ' ' || domain FROM crawlers");
    assert_eq!(confirmed, "203.0.113.1 search.example");
    service.close();
}

/// The resolver's own side: IPv6, and a server that is not there at all.
#[tokio::test]
async fn a_server_that_is_not_there_confirms_nobody() {
    use throughline::crawlers::{Answer, Names, Question};
    let (address, _asked) = server().await;
    let of = |ip: &str| Question {
        address: ip.parse::<IpAddr>().unwrap(),
        domains: Arc::new(["search.example".to_owned()]),
    };
    let names = Names::new(&[address]).unwrap();
    let confirmed = Answer::Confirmed("search.example".to_owned());
    assert_eq!(names.ask(&of(HONEST)).await, confirmed);
    assert_eq!(names.ask(&of("2001:db8::1")).await, Answer::Refuted);
    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let nobody = closed.local_addr().unwrap();
    drop(closed);
    let names = Names::new(&[nobody]).unwrap();
    assert_eq!(names.ask(&of(HONEST)).await, Answer::Silent);
}
