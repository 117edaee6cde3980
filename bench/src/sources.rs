//! What each place costs: a policy with one key rule against the policy without, over the same
//! requests and in the same round.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::Context as _;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::envoy::{Envoy, Filter};
use crate::filter::{Built, CONNECTIONS};
use crate::load::{self, Shape};
use crate::report::median;

const JSON: &str = r#"{"user":{"id":"u-1024","name":"Ann"},"items":[{"sku":"p-1","count":2},{"sku":"p-7","count":1}],"address":{"street":"Main Street 1","city":"Utrecht","country":"NL"},"note":"please ring twice","total":5990}"#;
const GRAPHQL: &str = r#"{"operationName":"Cart","query":"query Cart($user: ID!) { cart(user: $user) { items { sku count price } total } }","variables":{"user":"u-1024"}}"#;
const FORM: &str = "name=Ann&mail=ann%40shop.example&street=Main+Street+1&city=Utrecht&country=NL";
const FORM_TYPE: &str = "application/x-www-form-urlencoded";
/// Claims of a usual size: subject, issuer, audience, times, scope.
const TOKEN: &str = "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1LTEwMjQiLCJpc3MiOiJodHRwczovL2lkLnNob3AuZXhhbXBsZSIsImF1ZCI6InNob3AiLCJpYXQiOjE3NjM5NDI0MDAsImV4cCI6MTc2Mzk0NjAwMCwic2NvcGUiOiJjYXJ0IG9yZGVycyJ9.c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4";

/// Requests that places are looked for in; the first is the one of the main benchmark.
static SHAPES: LazyLock<[Shape; 8]> = LazyLock::new(|| {
    let post = |name, path, headers, body| Shape {
        name,
        method: Method::POST,
        path,
        headers,
        body,
    };
    let json = &[("content-type", "application/json")];
    [
        Shape::PLAIN,
        Shape {
            name: "jwt",
            headers: &[("authorization", TOKEN)],
            ..Shape::PLAIN
        },
        Shape {
            name: "login",
            path: "/api/login/",
            ..Shape::PLAIN
        },
        post("json", "/api/orders/", json, JSON.into()),
        post(
            "json_gzip",
            "/api/orders/",
            &[
                ("content-type", "application/json"),
                ("content-encoding", "gzip"),
            ],
            gzip(JSON),
        ),
        post("graphql", "/graphql/", json, GRAPHQL.into()),
        post(
            "form",
            "/api/contact/",
            &[("content-type", FORM_TYPE)],
            FORM.into(),
        ),
        post(
            "grpc",
            "/shop.Cart/Add",
            &[("content-type", "application/grpc")],
            Bytes::from_static(&[0; 5]),
        ),
    ]
});

/// Name of the figure, the request, and the rule's place, with limits where it has any.
const RULES: [(&str, &str, &str); 22] = [
    ("header", "plain", r#""from":{"header":"x-device"}"#),
    ("cookie", "plain", r#""from":{"cookie":"theme"}"#),
    ("query", "plain", r#""from":{"query":"sort"}"#),
    ("path", "plain", r#""from":{"path":"/api/products/{id}"}"#),
    ("path_segment", "plain", r#""from":{"path_segment":2}"#),
    ("host", "plain", r#""from":{"host":{}}"#),
    ("method", "plain", r#""from":{"method":{}}"#),
    (
        "fingerprint",
        "plain",
        r#""from":{"fingerprint":{"header":"x-device","trusted":true}}"#,
    ),
    ("tls", "plain", r#""from":{"tls":"sni"}"#),
    (
        "regex",
        "plain",
        r#""from":{"header":"x-device","decode":[{"regex":"^([0-9a-f]{8})"}]}"#,
    ),
    (
        "jwt",
        "jwt",
        r#""from":{"jwt":{"claim":"sub","in":{"bearer":{}}}}"#,
    ),
    ("json", "json", r#""from":{"json":"/user/id"}"#),
    (
        "json_other_path",
        "json",
        r#""from":{"json":"/user/id"},"path_prefixes":["/elsewhere"]"#,
    ),
    ("json_other_type", "form", r#""from":{"json":"/user/id"}"#),
    ("json_gzip", "json_gzip", r#""from":{"json":"/user/id"}"#),
    ("form", "form", r#""from":{"form":"mail"}"#),
    (
        "graphql_operation",
        "graphql",
        r#""from":{"graphql":{"operation":{}}}"#,
    ),
    (
        "graphql_variable",
        "graphql",
        r#""from":{"graphql":{"variable":"/user"}}"#,
    ),
    ("grpc", "grpc", r#""from":{"grpc":"service"}"#),
    (
        "response_header",
        "login",
        r#""from":{"response":{"header":"content-type"}}"#,
    ),
    (
        "response_cookie",
        "login",
        r#""from":{"response":{"cookie":"shop"}}"#,
    ),
    (
        "response_json",
        "login",
        r#""from":{"response":{"json":"/token"}}"#,
    ),
];

/// What one Envoy used per request, µs, of each round.
type Figures = Vec<f64>;

/// One place's figures.
pub(crate) struct Cost {
    pub(crate) name: &'static str,
    pub(crate) shape: &'static str,
    empty: Figures,
    default: Figures,
    with_rule: Figures,
}

impl Cost {
    /// Over the policy without the rule, µs per request.
    pub(crate) fn added_us(&self) -> f64 {
        paired(&self.with_rule, &self.default, |with, without| {
            with - without
        })
    }

    /// The filter's own share with the rule, as a multiple of that share without it; an empty
    /// filter is the zero.
    pub(crate) fn times_default(&self) -> f64 {
        let own = |figures: &Figures| paired(figures, &self.empty, |own, empty| own - empty);
        own(&self.with_rule) / own(&self.default)
    }

    /// All of Envoy with the rule, as a multiple of Envoy with an empty filter.
    pub(crate) fn times_empty(&self) -> f64 {
        paired(&self.with_rule, &self.empty, |own, empty| own / empty)
    }

    fn default_times_empty(&self) -> f64 {
        paired(&self.default, &self.empty, |own, empty| own / empty)
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "request": self.shape, "added_us": self.added_us(),
            "default_over_empty": self.default_times_empty(), "over_empty": self.times_empty(),
            "over_default_share": self.times_default(),
            "cpu_us": {"empty": self.empty, "default": self.default, "with_rule": self.with_rule},
        })
    }
}

/// The median over the rounds.
fn paired(one: &Figures, other: &Figures, compare: impl Fn(f64, f64) -> f64) -> f64 {
    let compared: Figures = one
        .iter()
        .zip(other)
        .map(|(one, other)| compare(*one, *other))
        .collect();
    median(&compared)
}

/// Measures every rule, `requests` requests per round.
pub(crate) async fn run(
    built: &Built,
    requests: u32,
    rounds: u32,
    aggregator: SocketAddr,
    folder: &Path,
) -> anyhow::Result<Vec<Cost>> {
    let ours = |policy: &str| Filter {
        file: built.ours.clone(),
        configuration: format!(
            r#"{{"aggregator":{{"cluster":"throughline"}},"policy":{{{policy}}}}}"#
        ),
    };
    let empty = Filter {
        file: built.empty.clone(),
        configuration: String::new(),
    };
    let empty = Envoy::start("empty", Some(&empty), aggregator, folder).await?;
    let default = Envoy::start("default", Some(&ours("")), aggregator, folder).await?;
    let mut costs = Vec::new();
    for (name, shape, rule) in RULES {
        let policy = format!(r#""keys":[{{"name":"rule",{rule}}}]"#);
        let envoy = Envoy::start(name, Some(&ours(&policy)), aggregator, folder).await?;
        measure(&envoy, shape_of(shape)?, requests).await?;
        let cost = Cost {
            name,
            shape,
            empty: Vec::new(),
            default: Vec::new(),
            with_rule: Vec::new(),
        };
        costs.push((cost, envoy));
    }
    for _ in 0..rounds {
        for shape in SHAPES.iter() {
            let floor = measure(&empty, shape, requests).await?;
            for (cost, envoy) in costs
                .iter_mut()
                .filter(|(cost, _)| cost.shape == shape.name)
            {
                cost.empty.push(floor);
                // Right before the rule: what the machine does to one it does to the other.
                cost.default.push(measure(&default, shape, requests).await?);
                cost.with_rule.push(measure(envoy, shape, requests).await?);
            }
        }
    }
    Ok(costs.into_iter().map(|(cost, _)| cost).collect())
}

/// Envoy's CPU per request, µs.
pub(crate) async fn measure(
    envoy: &Envoy,
    shape: &'static Shape,
    requests: u32,
) -> anyhow::Result<f64> {
    let before = envoy.cpu_us()?;
    load::send(envoy.ingress, shape, requests, CONNECTIONS).await?;
    let used = u32::try_from(envoy.cpu_us()?.saturating_sub(before))?;
    Ok(f64::from(used) / f64::from(requests))
}

fn shape_of(name: &str) -> anyhow::Result<&'static Shape> {
    let shape = SHAPES.iter().find(|shape| shape.name == name);
    shape.with_context(|| format!("no request named {name}"))
}

fn gzip(text: &str) -> Bytes {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let written = encoder.write_all(text.as_bytes());
    // Writing into memory does not fail.
    written
        .and_then(|()| encoder.finish())
        .unwrap_or_default()
        .into()
}
