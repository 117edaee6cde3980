//! `throughline sessions`, `show`, `tail`, `bots`, `endpoints` and `sql`, asked of the real service.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::common::{Batch, Program, line, session_id, until};

/// Runs `throughline …` against the service at `url`.
fn ask(url: &str, arguments: &[&str]) -> (bool, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(url, arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.success(), text(stdout), text(stderr))
}

fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throughline"));
    command
        .args(arguments)
        .env("THROUGHLINE_URL", url)
        .env_remove("THROUGHLINE_TOKEN");
    command
}

async fn started(folder: &Path) -> Program {
    let program = Program::start(folder, &[]);
    let mut failed = line(2, 1000);
    failed["status"] = 500.into();
    failed["path"] = "/api/orders".into();
    failed["params"] =
        json!([{"name": "user", "kind": "user", "value": "ann", "forgeable": false}]);
    let records = [line(1, 0), failed, line(1, 2000)];
    program
        .client
        .post(Batch::new(1).seen(3).records(records).body())
        .await;
    program.stored(3).await;
    program
}

#[tokio::test]
async fn tables_for_people_and_json_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path()).await;
    let url = program.client.url();
    let id = session_id(2);
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["sessions"],
            &["last", "requests", "2026-01-01 00:00:02", &id, "ann"],
        ),
        (&["sessions", "errors>=1"], &[&id]),
        (&["sessions", "errors>=7"], &["No session matches."]),
        (
            &["show", &id],
            &[
                "application  shop",
                "user         ann",
                "/api/orders",
                "500",
            ],
        ),
        (&["bots"], &["Nobody is held for a bot."]),
        (
            &["endpoints"],
            &["application", "GET /api/products", "0.0 %"],
        ),
        (
            &[
                "sql",
                "SELECT path, count(*) AS n FROM requests GROUP BY 1 ORDER BY 2",
            ],
            &[
                "path           n",
                "/api/orders    1",
                "/api/products  2",
                "(2 rows)",
            ],
        ),
    ];
    for (arguments, expected) in cases {
        let (succeeded, out, err) = ask(url, arguments);
        assert!(succeeded, "{arguments:?}: {err}");
        for words in *expected {
            assert!(out.contains(words), "{arguments:?} without {words}:\n{out}");
        }
        let (_, out, _) = ask(url, &[*arguments, &["--json"]].concat());
        let answer: Result<Value, _> = serde_json::from_str(&out);
        assert!(answer.is_ok(), "{arguments:?}: {out}");
    }
    let (_, out, _) = ask(url, &["sessions", "errors>=1", "--json"]);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn tail_shows_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path()).await;
    let arguments = ["tail", "status:5xx", "--kinds", "requests", "--count", "1"];
    let child = command(program.client.url(), &arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let done = std::sync::Arc::clone(&told);
    let waiting = std::thread::spawn(move || {
        let output = child.wait_with_output();
        done.store(true, std::sync::atomic::Ordering::Release);
        output.unwrap()
    });
    let mut sequence = 1;
    // It sees what comes after it has begun: until then, again.
    until("it has seen one", async || {
        sequence += 1;
        let mut failed = line(7, 0);
        failed["status"] = 503.into();
        let batch = Batch::new(sequence).seen(2 + sequence).record(failed);
        program.client.post(batch.body()).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        told.load(std::sync::atomic::Ordering::Acquire)
    })
    .await;
    let output = waiting.join().unwrap();
    assert!(output.status.success());
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(
        out.contains("503") && out.contains("GET shop.example/api/products"),
        "{out}"
    );
}

#[tokio::test]
async fn what_goes_wrong_is_said_with_what_helps() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path()).await;
    let url = program.client.url();
    for (url, arguments, expected) in [
        (
            url,
            &["sessions", "colour:red"][..],
            "there is no field `colour`",
        ),
        (url, &["sessions", "--limit", "0"], "between 1 and 500"),
        (url, &["show", "xyz"], "32 lower-case hex digits"),
        (
            url,
            &["show", &session_id(77)],
            "nothing is stored of session",
        ),
        (url, &["sql", "DROP VIEW requests"], "only a SELECT"),
        (
            url,
            &["tail", "--kinds", "x"],
            "name requests, sessions or verdicts",
        ),
        (
            "http://127.0.0.1:1",
            &["sessions"],
            "is `throughline serve` running there?",
        ),
        ("https://127.0.0.1:1", &["sessions"], "https is not spoken"),
        ("nowhere", &["sessions"], "expected an address such as"),
    ] {
        let (succeeded, out, err) = ask(url, arguments);
        assert!(!succeeded && out.is_empty(), "{arguments:?}: {out}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
}

#[test]
fn the_page_names_every_command_and_flag() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    for name in [
        "sessions",
        "show",
        "tail",
        "bots",
        "endpoints",
        "sql",
        "token create",
        "token list",
        "token revoke",
    ] {
        let arguments: Vec<_> = name.split(' ').chain(["--help"]).collect();
        let (succeeded, help, _) = ask("", &arguments);
        assert!(
            succeeded && page.contains(&format!("throughline {name}")),
            "{name}"
        );
        for word in help
            .split_whitespace()
            .filter(|word| word.starts_with("--"))
        {
            let flag: String = word
                .chars()
                .take_while(|it| it.is_ascii_alphanumeric() || *it == '-')
                .collect();
            assert!(
                page.contains(&format!("`{flag}`")),
                "{name}: `{flag}` is not in docs/cli.md"
            );
        }
    }
}
