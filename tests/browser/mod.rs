//! See README.md.

use std::process::Stdio;
use std::time::Duration;

use demo::{Stack, binary, repository};
use throughline_tests::Slot;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const FIRST_SEED: usize = 7;
/// Many people behind one address, and one who tries stolen passwords.
const CROWD: &str = "browser_shopper=30@203.0.113.7,credential_stuffer=1@203.0.113.7";
/// Enough for every actor to show what it is.
const TRAFFIC_SECONDS: &str = "10";
/// All stories, on a machine that compiles something else.
const STORIES_TIME_MAX: Duration = Duration::from_secs(600);
/// The benchmark fills the store first.
const BENCH_TIME_MAX: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn stories_in_chromium() {
    build_ui().await;
    let _slot = Slot::take().await;
    let stack = Stack::builder().workers(2).start().await.unwrap();
    stack.fit_policy().await.unwrap();
    let mut stories = stories(&stack);
    let mut lines = BufReader::new(stories.stdout.take().unwrap()).lines();
    let mut rounds = Vec::new();
    let told = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            eprintln!("{line}");
            // A page is open that waits for it.
            let cast = match &*line {
                "stories: send traffic" => "everybody",
                "stories: send a crowd" => CROWD,
                _ => continue,
            };
            rounds.push(play(&stack, FIRST_SEED + rounds.len(), cast));
        }
        stories.wait().await.unwrap()
    };
    let limit = match std::env::var_os("BENCH_UI") {
        Some(_) => BENCH_TIME_MAX,
        None => STORIES_TIME_MAX,
    };
    let ended = tokio::time::timeout(limit, told).await;
    assert!(ended.unwrap().success(), "a story failed, see above");
    assert!(!rounds.is_empty(), "no story asked for traffic");
    stack.stop().await.unwrap();
}

/// Takes no time where nothing changed.
async fn build_ui() {
    let script = repository().join("scripts/build-ui");
    let built = Command::new(script).stdout(Stdio::null()).status().await;
    assert!(built.unwrap().success(), "scripts/build-ui failed");
}

fn stories(stack: &Stack) -> Child {
    Command::new("node")
        .arg(repository().join("ui/stories/run.mjs"))
        .env("BASE", stack.api.base())
        .env("ADMIN_TOKEN", &stack.admin_token)
        .env("INGEST_TOKEN", &stack.token)
        .env("THROUGHLINE", binary("throughline").unwrap())
        .env("FOLDER", stack.folder())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn play(stack: &Stack, seed: usize, cast: &str) -> Child {
    let target = format!("http://{}", stack.ingress);
    Command::new(binary("traffic").unwrap())
        .args(["--target", &target, "--host", "shop.example"])
        .args(["--seed", &seed.to_string(), "--seconds", TRAFFIC_SECONDS])
        .args(["--cast", cast])
        .arg("--truth")
        .arg(stack.folder().join(format!("truth-{seed}.ndjson")))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}
