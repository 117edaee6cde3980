//! See README.md.

use std::sync::Mutex;

use demo::Stack;
use demo::story::{self, Evidence, Story, Told};
use serde_json::Value;
use throughline_tests::{Slot, assert_vm_alive, settled};

/// Half a minute: enough for everybody to come and for the one to be found.
const STORY: Story = Story {
    seed: 7,
    seconds: 30,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_story_says_is_true() {
    let _slot = Slot::take().await;
    let stack = Stack::builder().workers(2).start().await.unwrap();
    let lines = Mutex::new(Vec::new());
    let say = |line: &str| {
        lines.lock().unwrap().push(line.to_owned());
        Ok(())
    };
    let told = story::tell(&stack, STORY, &say).await.unwrap();
    let text = lines.into_inner().unwrap().join("\n");

    the_key_tells_them_apart(&told, &text);
    let evidence = told.evidence.as_ref().unwrap();
    the_records_show_it(&stack, evidence).await;
    every_scene_is_told_in_order(&told, &text);

    let status = settled(&stack).await;
    let totals = status.totals;
    assert!(totals.balanced, "{status:?}");
    let gone = (
        totals.dropped,
        totals.lost,
        totals.bypassed,
        totals.quarantined,
    );
    assert_eq!((gone, status.missing()), ((0, 0, 0, 0), Some(0)));
    assert_vm_alive(&stack);
    stack.stop().await.unwrap();
}

fn the_key_tells_them_apart(told: &Told, text: &str) {
    let (before, after) = (&told.before, &told.after);
    assert_eq!(before.sessions, 1, "{text}");
    let by_truth = told.compared.by_address.here;
    let came = (by_truth.caught + by_truth.missed + by_truth.honest) as u64;
    // The truth counts until the change, the candidate until a moment before.
    assert!(
        before.clients > 100 && before.clients <= came + came / 10,
        "{came} came by the truth: {text}"
    );
    // Who left, or has not been back, is not in it.
    assert!(after.sessions > before.clients / 2, "{text}");
    assert!(after.held >= 1, "{text}");

    let by_key = told.compared.by_key.here;
    assert!(
        by_key.honest > 100 && by_key.caught >= 1,
        "{by_key:?}: {text}"
    );
    // Seldom none: see README.md.
    assert!(
        by_key.falsely * 50 <= by_key.honest,
        "honest clients hit: {text}"
    );
}

/// The records that the evidence names can be looked up, and are failed logins of that session.
async fn the_records_show_it(stack: &Stack, evidence: &Evidence) {
    assert!(
        evidence.failures >= 8 && evidence.users >= 4,
        "{evidence:?}"
    );
    assert!(!evidence.logins.is_empty(), "{evidence:?}");
    let path = format!("/v1/sessions/{}/requests?limit=500", evidence.session);
    let requests: Vec<Value> = stack.api.every(&path).await.unwrap();
    for login in &evidence.logins {
        let mut found = requests.iter();
        let found = found.find(|it| it["record_id"] == *login.record).unwrap();
        assert_eq!(
            (&found["path"], &found["status"]),
            (&"/api/login".into(), &401.into())
        );
    }
}

fn every_scene_is_told_in_order(told: &Told, text: &str) {
    let clients = told.before.clients;
    let scenes = [
        "unrecorded 0".to_owned(),
        format!(
            "by address: {}: {clients} clients in one session",
            story::ADDRESS
        ),
        "one key rule is put in place while Envoy runs".to_owned(),
        format!(
            "by the key: {}: {} sessions",
            story::ADDRESS,
            told.after.sessions
        ),
        "the evidence: ".to_owned(),
        "the truth about this minute".to_owned(),
    ];
    let mut rest = text;
    for scene in scenes {
        let found = rest.split_once(&scene);
        assert!(found.is_some(), "no `{scene}`: {text}");
        rest = found.map_or("", |(_, after)| after);
    }
}
