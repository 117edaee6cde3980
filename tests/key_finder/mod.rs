//! See README.md.

use std::collections::BTreeSet;

use demo::Stack;
use http::StatusCode;
use serde_json::{Value, json};
use throughline_tests::{Round, Slot, all_run, assert_vm_alive, play, put, settled};

const NO_RULES: &str = r#"{
    "aggregator": {"cluster": "throughline"},
    "policy": {
        "version": "no-rules",
        "applications": [{"name": "shop", "hosts": ["shop.example"]}],
        "builtin_off": ["*"]
    }
}"#;

const ROUND: Round = Round {
    seed: 5,
    scale: 1.0,
    seconds: 15,
    time_scale: 20.0,
};

#[tokio::test(flavor = "multi_thread")]
async fn ranks_the_session_cookie_and_the_login_token_first() {
    let _slot = Slot::take().await;
    let stack = Stack::builder().plugin(NO_RULES).start().await.unwrap();
    let sampling = json!({"clients_share": 1.0, "minutes": 60});
    let (status, answer) = put(&stack, "/v1/policy/finder", "*", &sampling).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    play(&stack, ROUND).await;
    settled(&stack).await;

    let found: Value = stack.api.json("/v1/policy/finder").await.unwrap();
    let proposals = found["keys"].as_array().unwrap();
    let places = |proposal: &Value| -> BTreeSet<String> {
        let evidence = proposal["evidence"].as_array().unwrap().iter();
        evidence
            .map(|it| it["place"].as_str().unwrap().to_owned())
            .collect()
    };
    let set = |places: &[&str]| places.iter().map(|it| (*it).to_owned()).collect();
    let best: BTreeSet<_> = proposals.iter().take(2).map(places).collect();
    let cookie: BTreeSet<String> = set(&["cookie:sid", "response.cookie:sid"]);
    let token: BTreeSet<String> = set(&["bearer", "response.json:/token"]);
    assert_eq!(best, BTreeSet::from([cookie, token]), "{found:#}");
    let users = found["users"].as_array().unwrap();
    let email = json!({"response": {"json": "/user/email"}});
    let user = users.iter().find(|it| it["parameter"]["from"] == email);
    let user = &user.unwrap_or_else(|| panic!("{users:#?}"))["parameter"];
    assert_eq!(
        (&user["kind"], &user["hash"]),
        (&json!("user"), &json!(true))
    );

    let keys: Vec<_> = proposals.iter().take(2).map(|it| &it["keys"]).collect();
    let keys = [
        keys[0].as_array().unwrap().as_slice(),
        keys[1].as_array().unwrap(),
    ]
    .concat();
    let applications = json!([{"name": "shop", "hosts": ["shop.example"]}]);
    let policy = json!({"applications": applications, "keys": keys, "parameters": [user]});
    let (status, answer) = put(&stack, "/v1/policy", "*", &policy).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    all_run(&stack, answer["policy_version"].as_str().unwrap()).await;
    play(&stack, ROUND).await;
    settled(&stack).await;
    // The rule that found a session first: mostly the response's.
    for key in [
        "cookie_sid,response_cookie_sid",
        "bearer,response_json_token",
    ] {
        let path = format!("/v1/sessions?q=key:{key}&limit=1");
        let sessions: Value = stack.api.json(&path).await.unwrap();
        assert_eq!(sessions["items"].as_array().unwrap().len(), 1, "{key}");
    }
    assert_vm_alive(&stack);
}
