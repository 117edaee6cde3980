//! Plays actors against a real shop: in memory on a paused clock for their stories, over
//! loopback for the counts.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;
use shop::{Config, Shop};
use tokio::net::TcpListener;
use traffic::actors::{self, Class};
use traffic::{Cast, Dial, Plan, Stream, Tally, Tcp, Truth, Turnover, run};

/// Connections to a shop in this process.
struct InMemory(Arc<Shop>);

impl Dial for InMemory {
    fn dial(&self) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        tokio::spawn(shop::serve_stream(far, Arc::clone(&self.0)));
        let near: Box<dyn Stream> = Box::new(near);
        Box::pin(async move { Ok(near) })
    }
}

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Played {
    tally: Tally,
    requests: Vec<Value>,
    clients: Vec<Value>,
}

fn plan(cast: Cast, seed: u64, seconds: u64, time_scale: f64) -> Plan {
    Plan {
        seed,
        duration: Duration::from_secs(seconds),
        time_scale,
        host: "shop.example".to_owned(),
        cast,
        turnover: Turnover::Replaced,
        requests_max: 20_000,
        clients_max: 1_000,
        epoch_us: 1_700_000_000_000_000,
    }
}

async fn play(plan: Plan, dial: Arc<dyn Dial>) -> Played {
    let paper = Paper::default();
    let (tally, truth) = run(plan, dial, Truth::new(Box::new(paper.clone()))).await;
    truth.expect("everybody has left").finish().unwrap();
    let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let (requests, clients) = lines.partition(|line| line["type"] == "request");
    Played {
        tally,
        requests,
        clients,
    }
}

/// Ten minutes of story in no time.
fn rehearse(cast: &str, seed: u64) -> Played {
    rehearse_with(cast, seed, Config::default())
}

fn rehearse_with(cast: &str, seed: u64, config: Config) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    let plan = plan(Cast::parse(cast).unwrap(), seed, 600, 1.0);
    let dial = Arc::new(InMemory(Arc::new(Shop::new(config))));
    runtime.unwrap().block_on(play(plan, dial))
}

impl Played {
    fn of(&self, method: &str, prefix: &str) -> Vec<&Value> {
        let fits = |line: &&Value| {
            line["method"] == method && line["path"].as_str().unwrap().starts_with(prefix)
        };
        self.requests.iter().filter(fits).collect()
    }
    fn distinct(&self, method: &str, prefix: &str) -> usize {
        let lines = self.of(method, prefix);
        lines
            .iter()
            .map(|line| line["path"].as_str().unwrap())
            .collect::<BTreeSet<_>>()
            .len()
    }
    fn values(&self, field: &str) -> BTreeSet<String> {
        self.requests
            .iter()
            .map(|line| line[field].to_string())
            .collect()
    }
}

/// In percent.
fn share(lines: &[&Value], status: u64) -> usize {
    let hits = lines.iter().filter(|line| line["status"] == status).count();
    100 * hits / lines.len().max(1)
}

/// Whether an honest client's requests are what they should be.
fn honest(actor: &str, played: &Played) -> bool {
    let logins = played.of("POST", "/api/login");
    let files = played.of("GET", "/assets/").len();
    let products = played.distinct("GET", "/api/products/");
    match actor {
        "browser_shopper" => {
            let files = played.of("GET", "/assets/");
            files.len() >= 10
                && files.iter().any(|line| line["status"] == 304)
                && !played.of("POST", "/api/checkout").is_empty()
        }
        "returning_user" => {
            let client = &played.clients[0];
            client["ips"].as_array().unwrap().len() == 2
                && client["accounts"].as_array().unwrap().len() == 1
        }
        "window_shopper" => files > 0 && logins.is_empty(),
        "forgetful_user" => {
            logins.iter().any(|line| line["status"] == 401)
                && logins.iter().any(|line| line["status"] == 200)
        }
        "mobile_app_user" => files == 0 && !played.of("POST", "/graphql").is_empty(),
        "sdk_sync" => logins.len() <= 8 && played.of("GET", "/api/stock/").len() > 40,
        "app_polling" => played.of("GET", "/api/orders").len() > 20 && products == 0,
        "health_checker" => share(&played.of("GET", "/healthz"), 200) == 100,
        "webhook_sender" => share(&played.of("POST", "/webhooks/payment"), 202) > 90,
        "search_crawler" => {
            played.requests[0]["path"] == "/robots.txt" && played.distinct("GET", "/product/") > 50
        }
        "monitoring" => played.values("path").len() <= 10 && played.values("ip").len() >= 2,
        _ => false,
    }
}

/// Whether a bot's requests are what they should be.
fn hostile(actor: &str, played: &Played) -> bool {
    let logins = played.of("POST", "/api/login");
    let files = played.of("GET", "/assets/").len();
    let orders = played.distinct("GET", "/api/orders/");
    let products = played.distinct("GET", "/api/products/");
    match actor {
        "scraper" => products > 300,
        "account_scraper" => {
            products > 200
                && played.values("ip").len() > 30
                && played
                    .clients
                    .iter()
                    .all(|client| client["accounts"].as_array().unwrap().len() == 1)
        }
        "credential_stuffer" => logins.len() > 150 && share(&logins, 401) >= 80,
        "slow_stuffer" => {
            let most = played
                .clients
                .iter()
                .map(|client| client["ips"].as_array().unwrap().len())
                .max();
            logins.len() > 80 && share(&logins, 401) >= 80 && most >= Some(40)
        }
        "account_takeover" => {
            share(&logins, 401) >= 80
                && logins.iter().any(|line| line["status"] == 200)
                && !played.of("PUT", "/api/me").is_empty()
        }
        "order_enumerator" => orders >= 200 && share(&played.of("GET", "/api/orders/"), 403) >= 80,
        "email_enumerator" => share(&played.of("POST", "/api/password-reset"), 404) >= 40,
        "path_scanner" => {
            let hits = played
                .requests
                .iter()
                .filter(|line| line["status"] == 200)
                .count();
            hits * 20 < played.requests.len() && played.values("path").len() > 60
        }
        "checkout_abuser" => {
            !played.of("POST", "/api/coupons/apply").is_empty()
                && share(&played.of("POST", "/api/checkout"), 402) >= 40
        }
        "headless_browser" => files > 0 && products > 80,
        "rotating_enumerator" => {
            let clients = played.clients.len();
            orders >= 40 && played.values("session_hint").len() > 4 * clients
        }
        "relogin_scraper" => files > 0 && logins.len() > 3 && products > 15,
        "patient_stuffer" => (2..=8).contains(&logins.len()) && share(&logins, 401) >= 70,
        "human_scraper" => files > 0 && products > 100 && logins.is_empty(),
        _ => false,
    }
}

#[test]
fn every_actor_shows_its_signature() {
    for actor in actors::ALL {
        let played = rehearse(&format!("{}=2", actor.name), 7);
        assert_eq!(played.tally.failed, 0, "{}", actor.name);
        let fits = match actor.class {
            Class::Bot => hostile(actor.name, &played),
            Class::Person | Class::Machine => honest(actor.name, &played),
        };
        assert!(
            fits,
            "{} does not play its part: {:?}",
            actor.name, played.tally
        );
    }
}

#[test]
fn a_seed_is_a_plan() {
    for actor in actors::ALL {
        let steps = |seed| {
            let played = rehearse(&format!("{}=1", actor.name), seed);
            let mut steps: Vec<_> = played
                .requests
                .iter()
                .map(|line| {
                    let seq = line["seq"].as_u64().unwrap();
                    (
                        line["client"].to_string(),
                        seq,
                        line["request_id"].to_string(),
                        line["path"].to_string(),
                    )
                })
                .collect();
            steps.sort();
            steps
        };
        let first = steps(3);
        assert_eq!(first, steps(3), "{}", actor.name);
        assert_ne!(first, steps(4), "{}", actor.name);
    }
}

#[test]
fn company_does_not_change_a_plan() {
    let ids = |cast| -> BTreeMap<u64, String> {
        let played = rehearse(cast, 5);
        let shopper = played
            .requests
            .iter()
            .filter(|line| line["client"] == "window_shopper-0");
        shopper
            .map(|line| {
                (
                    line["seq"].as_u64().unwrap(),
                    format!("{} {}", line["request_id"], line["path"]),
                )
            })
            .collect()
    };
    assert_eq!(
        ids("window_shopper=1"),
        ids("credential_stuffer=2,window_shopper=1,scraper=1")
    );
}

#[test]
fn tokens_that_expire_are_renewed() {
    let config = Config {
        token_lifetime: Duration::from_secs(60),
        fault_every: 0,
        ..Config::default()
    };
    let played = rehearse_with("sdk_sync=2,app_polling=2", 7, config);
    assert!(played.of("POST", "/api/token/refresh").len() > 8);
    let refused = played
        .requests
        .iter()
        .filter(|line| line["status"] == 401)
        .count();
    // The curtain may fall between a refusal and the renewal.
    assert!(refused <= played.of("POST", "/api/token/refresh").len() + played.clients.len());
}

#[test]
fn one_place_can_hold_many() {
    let played = rehearse(
        "window_shopper=5@203.0.113.7,credential_stuffer=1@203.0.113.7",
        7,
    );
    assert_eq!(played.values("ip").len(), 1);
}

#[test]
fn a_name_is_given_once() {
    let played = rehearse("window_shopper=2,window_shopper=3@203.0.113.7", 7);
    let names: BTreeSet<_> = played
        .clients
        .iter()
        .map(|client| client["client"].to_string())
        .collect();
    assert!(names.len() >= 5);
    assert_eq!(names.len(), played.clients.len());
}

#[test]
fn request_ids_and_hints_tell_nothing() {
    let played = rehearse("browser_shopper=2,health_checker=1,scraper=1", 7);
    let ids = played.values("request_id");
    assert_eq!(ids.len(), played.requests.len());
    assert!(
        ids.iter()
            .all(|id| id.len() == 38 && id.as_bytes()[15] == b'4')
    );
    let hints = played.values("session_hint");
    assert!(
        hints.iter().any(|hint| hint.contains("sid:"))
            && hints.iter().any(|hint| hint.contains("bearer:"))
    );
}

/// Real connections, all actors at once, a limit that is reached: the truth has a line for every
/// request, and a shop that is not there is counted as failure.
#[tokio::test]
async fn every_request_is_in_the_truth() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let shop = Arc::new(Shop::new(Config::default()));
    tokio::spawn(shop::serve(listener, shop, std::future::pending()));
    let mut plan = plan(Cast::everybody(0.0), 7, 2, 60.0);
    plan.requests_max = 900;
    let played = play(plan.clone(), Arc::new(Tcp { address })).await;
    check_counts(&played);
    assert_eq!(played.tally.failed, 0);
    let classes = played.values("class");
    assert_eq!(
        classes.len(),
        [Class::Person, Class::Machine, Class::Bot].len()
    );

    plan.requests_max = 50;
    let nobody = Arc::new(Tcp {
        address: "127.0.0.1:1".to_owned(),
    });
    let played = play(plan, nobody).await;
    check_counts(&played);
    assert_eq!((played.tally.requests, played.tally.answered), (50, 0));
}

fn check_counts(played: &Played) {
    let tally = played.tally;
    assert!(tally.requests > 0);
    assert_eq!(tally.requests, tally.answered + tally.failed);
    assert_eq!(
        tally.requests,
        u64::try_from(played.requests.len()).unwrap()
    );
    assert_eq!(tally.clients, u64::try_from(played.clients.len()).unwrap());
    let sent: u64 = played
        .clients
        .iter()
        .map(|client| client["requests"].as_u64().unwrap())
        .sum();
    assert_eq!(tally.requests, sent);
    let silent = played
        .requests
        .iter()
        .filter(|line| line["status"] == 0)
        .count();
    assert_eq!(tally.failed, u64::try_from(silent).unwrap());
}
