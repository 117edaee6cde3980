//! See README.md.

use demo::Stack;
use http::StatusCode;
use serde_json::{Value, json};
use throughline_tests::{
    Round, Slot, all_run, assert_vm_alive, play, put, sessions_since, settled,
};

/// About 650 clients with 2,000 addresses and user agents between them, each playing one story.
const ROUND: Round = Round {
    seed: 11,
    scale: 6.0,
    seconds: 30,
    time_scale: 20.0,
};
const SHARE: f64 = 0.1;
/// Which clients are in the sample. Another one moves the prediction, most often within its interval.
const SECRET: &str = "a tenth of the clients, drawn once and for all";
/// How far the prediction may be from what the activated policy makes.
const ERROR_MAX: f64 = 0.1;

/// The demo's policy with other rules.
fn policy(keys: &Value) -> Value {
    json!({
        "applications": [{"name": "shop", "hosts": ["shop.example"]}],
        "keys": keys,
        "builtin_off": ["*"]
    })
}

async fn try_it(stack: &Stack, name: &str, policy: &Value) {
    let candidate = json!({"policy": policy, "clients_share": SHARE, "minutes": 60});
    let path = format!("/v1/policy/candidates/{name}");
    let (status, answer) = put(stack, &path, "*", &candidate).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

async fn comparison(stack: &Stack, name: &str) -> Value {
    let path = format!("/v1/policy/candidates/{name}/comparison");
    stack.api.json(&path).await.unwrap()
}

/// All of the sample is judged under both groupings, and says what becomes of today's bots.
async fn verdicts_are_compared(stack: &Stack, comparison: &Value) {
    let path = "/v1/policy/candidates/without-cookie/verdicts";
    let found: Value = stack.api.json(path).await.unwrap();
    for (field, of) in [("requests_judged", "requests"), ("clients", "clients")] {
        assert_eq!(found[field], comparison[of], "{field}: {found:#}");
    }
    let all = &found["changes"][0]["clients"];
    let today = all["lost"].as_u64().unwrap() + all["kept"].as_u64().unwrap();
    assert!(today > 0, "no bots in the sample: {found:#}");
    assert_eq!(found["newly_caught"]["clients"], all["gained"], "{found:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenth_of_the_clients_tells_what_the_activated_policy_makes() {
    let _slot = Slot::take().await;
    let stack = Stack::builder().secret(SECRET).start().await.unwrap();
    let token = json!({"name": "login_token", "from": {"bearer": {}}});
    let without_cookie = policy(&json!([token]));
    try_it(&stack, "without-cookie", &without_cookie).await;
    let set = json!({"name": "set", "from": {"response": {"cookie": "sid"}}, "namespace": "sid"});
    let sent = json!({"name": "sid", "from": {"cookie": "sid"}, "namespace": "sid"});
    try_it(&stack, "set-cookie", &policy(&json!([sent, set, token]))).await;
    let tried = play(&stack, ROUND).await;
    settled(&stack).await;
    let found = comparison(&stack, "without-cookie").await;
    let unsure = comparison(&stack, "set-cookie").await;
    verdicts_are_compared(&stack, &found).await;

    let (status, answer) = put(&stack, "/v1/policy", "*", &without_cookie).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    all_run(&stack, answer["policy_version"].as_str().unwrap()).await;
    let played = play(&stack, ROUND).await;
    settled(&stack).await;
    let made = sessions_since(&stack, answer["time"].as_str().unwrap()).await as f64;
    // A round ends by the clock: on a busy machine one has less of the same stories than the other.
    // More requests make more sessions, at most in proportion: as many requests as were tried
    // would have made so many.
    let part = played.answered as f64 / tried.answered as f64;
    assert!((0.7..1.4).contains(&part), "{tried:?}, then {played:?}");
    let (made_low, made_high) = (made.min(made / part), made.max(made / part));

    let figure = |of: &Value, name: &str| of[name].as_f64().unwrap();
    let (today, predicted) = (
        figure(&found, "sessions_actual"),
        figure(&found, "sessions_predicted"),
    );
    let line = format!(
        "{today} today, {predicted} predicted, {made} made of {part:.3} times the requests: {found:#}"
    );
    println!("{}", line.lines().next().unwrap_or_default());
    let is_within = |figure: f64, error: f64| {
        ((1.0 - error) * made_low..=(1.0 + error) * made_high).contains(&figure)
    };
    assert!(
        !is_within(today, 2.0 * ERROR_MAX),
        "nothing to predict: {line}"
    );
    assert!(is_within(predicted, ERROR_MAX), "{line}");
    let (low, high) = (
        figure(&found, "sessions_predicted_low"),
        figure(&found, "sessions_predicted_high"),
    );
    assert!(
        low <= made_high && made_low <= high,
        "not within its interval: {line}"
    );
    let width = |of: &Value| {
        let (low, high) = ("sessions_predicted_low", "sessions_predicted_high");
        (figure(of, high) - figure(of, low)) / figure(of, "sessions_predicted")
    };
    // A few bots without cookies would get a new session with every answer: a tenth of the clients
    // cannot tell how many that are, and the interval says so.
    assert!(
        width(&found) < 0.3 && width(&unsure) > 0.5,
        "{line} {unsure:#}"
    );
    assert_vm_alive(&stack);
}
