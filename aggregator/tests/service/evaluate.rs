//! `throughline evaluate` on traffic that is made up here, and on a public log where that is there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

const PEOPLE: usize = 24;
const BOTS: usize = 16;

/// Somebody's requests: seconds since the start, path, referer.
fn visit(client: usize, bot: bool) -> Vec<(usize, String, String)> {
    let page = |n: usize| format!("/articles/{}", (client * 7 + n * 3) % 40);
    let mut requests = Vec::new();
    for n in 0..4 {
        if bot {
            for step in 0..3 {
                let at = (n * 3 + step) * 10;
                requests.push((at, page(n * 3 + step), "-".to_owned()));
            }
        } else {
            let at = n * 40 + (client * 13 + n * n * 17) % 37;
            let referer = format!("http://site.example{}", page(n));
            requests.push((at, page(n), "http://site.example/".to_owned()));
            requests.push((at + 1, "/style.css".to_owned(), referer.clone()));
            requests.push((at + 1, format!("/images/{n}.png"), referer));
        }
    }
    requests
}

/// Log, labels by line.
fn traffic() -> (String, String) {
    let mut lines = Vec::new();
    for client in 0..PEOPLE + BOTS {
        let bot = client >= PEOPLE;
        for (at, path, referer) in visit(client, bot) {
            let (second, version) = (client * 90 + at, 100 + client);
            let (hour, minute) = (10 + second / 3600, second / 60 % 60);
            let line = format!(
                "192.0.2.{client} - - [17/May/2025:{hour}:{minute:02}:{:02} +0000] \"GET {path} \
                 HTTP/1.1\" 200 {} \"{referer}\" \"Mozilla/5.0 (X11) AppleWebKit/537.36 \
                 Chrome/{version}.0 Safari/537.36\"\n",
                second % 60,
                500 + path.len(),
            );
            lines.push((second, line, bot));
        }
    }
    lines.sort();
    let log = lines.iter().map(|(_, line, _)| line.as_str()).collect();
    let label = |bot| if bot { "bot" } else { "human" };
    let labels = (1..)
        .zip(&lines)
        .map(|(number, (.., bot))| format!("{number}\t{}\tmade up\n", label(*bot)));
    (
        log,
        "line\tlabel\twhy\n".to_owned() + &labels.collect::<String>(),
    )
}

/// The same as record lines, with labels by session.
fn records() -> (String, String) {
    let mut lines = Vec::new();
    let mut labels = "session\tlabel\n".to_owned();
    for client in 0..PEOPLE + BOTS {
        let (bot, session) = (client >= PEOPLE, format!("{client:032x}"));
        labels += &format!("{session}\t{}\n", if bot { "bot" } else { "human" });
        for (at, path, _) in visit(client, bot) {
            let start_us = 1_747_476_000_000_000 + (client * 90 + at) * 1_000_000;
            let record = json!({
                "index": 0, "start_us": start_us, "application": "site", "method": "GET",
                "host": "site.example", "path": path, "status": 200, "upstream_us": 900,
                "client_ip": format!("192.0.2.{client}"), "user_agent": format!("Agent/{client}"),
                "key": "cookie", "request_session": session, "session": session,
            });
            lines.push((start_us, record.to_string() + "\n"));
        }
    }
    lines.sort();
    (lines.into_iter().map(|(_, line)| line).collect(), labels)
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let (log, labels) = traffic();
        folder.put("log", &log);
        folder.put("labels", &labels);
        let (records, sessions) = records();
        folder.put("records", &records);
        folder.put("sessions", &sessions);
        folder
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs it in the folder.
    fn run(&self, flags: &str) -> Output {
        evaluate(self.0.path(), flags)
    }

    /// The exit code and what it says on standard error.
    fn refused(&self, flags: &str) -> (Option<i32>, String) {
        let output = self.run(flags);
        assert!(output.stdout.is_empty(), "{flags}");
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }
}

fn evaluate(folder: &Path, flags: &str) -> Output {
    command(folder, "evaluate", flags)
}

fn command(folder: &Path, name: &str, flags: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_throughline"))
        .arg(name)
        .args(flags.split_whitespace())
        .current_dir(folder)
        .env("RUST_LOG", "off")
        .output()
        .unwrap()
}

fn document(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn row<'a>(document: &'a Value, ranked_by: &str, after: Option<u32>) -> &'a Value {
    let rows = document["rows"].as_array().unwrap();
    let found = rows
        .iter()
        .find(|row| row["ranked_by"] == ranked_by && row["after_requests"] == json!(after));
    found.unwrap_or_else(|| panic!("no row {ranked_by} {after:?}: {document:#}"))
}

#[test]
fn the_json_has_every_figure_with_its_interval() {
    let folder = Folder::new();
    let flags = "--log log --labels labels --hide user-agent,robots --folds ip --json";
    let found = document(&folder.run(flags));
    assert_eq!(
        found["protocol"],
        json!({
            "hide": ["user-agent", "robots"], "adapt": false, "folds": ["ip"],
            "trained_elsewhere": false, "requests_min": 3, "scored_after": [3, 5, 10],
            "resamplings": 300,
        })
    );
    assert_eq!(found["version"], 1);
    assert_eq!(
        found["sessions"],
        json!({
            "requests": (PEOPLE + BOTS) * 12, "sessions": PEOPLE + BOTS, "short": 0, "unknown": 0,
            "mixed": 0, "bots": BOTS, "people": PEOPLE,
        })
    );
    for ranked_by in ["everything_is_a_bot", "rules", "folds_ip"] {
        for after in [None, Some(3), Some(5), Some(10)] {
            let row = row(&found, ranked_by, after);
            assert_eq!(row["sessions"], json!(PEOPLE + BOTS));
            for name in ["auc", "f1", "recall_at_95_precision", "tpr_at_1_fpr"] {
                let of = |key: &str| row["figures"][name][key].as_f64().unwrap();
                let (low, value, high) = (of("low"), of("value"), of("high"));
                assert!(0.0 <= low && low <= high && high <= 1.0, "{row:#}");
                assert!((0.0..=1.0).contains(&value), "{row:#}");
            }
        }
    }
    assert_eq!(found["rows"].as_array().unwrap().len(), 12);
    let auc = |ranked_by| row(&found, ranked_by, None)["figures"]["auc"]["value"].as_f64();
    assert_eq!(auc("everything_is_a_bot"), Some(0.5));
    assert!(auc("folds_ip") > Some(0.95), "{found:#}");
}

#[test]
fn a_model_in_a_file_scores_and_explains_like_the_one_just_learnt() {
    let folder = Folder::new();
    let place = folder.0.path();
    let learnt = command(
        place,
        "train",
        "--log log --labels labels --adapt --out m.json",
    );
    let said = String::from_utf8_lossy(&learnt.stdout).into_owned();
    assert!(
        said.contains("40 sessions, 16 of bots: m.json"),
        "{learnt:?}"
    );

    let flags = "--records records --labels sessions --adapt --folds ip --json";
    let by_file = document(&folder.run(&format!("{flags} --model m.json")));
    let at_once = document(&folder.run(&format!("{flags} --train log --train-labels labels")));
    assert_eq!(by_file, at_once);
    let first = &by_file["reasons"][0];
    assert_eq!(
        (&first["bot"], &first["requests"]),
        (&json!(true), &json!(12))
    );
    assert_eq!(
        first["contributions"].as_array().unwrap().len(),
        4,
        "{first:#}"
    );

    let text = std::fs::read_to_string(place.join("m.json")).unwrap();
    for (form, why) in [
        (
            text.replace("model\":1,", "model\":7,"),
            "form 7, and this program reads form 1",
        ),
        (
            text.replace("volume.requests", "volume.moons"),
            "it reads volume.moons",
        ),
        ("{}".to_owned(), "no model: missing field"),
    ] {
        folder.put("other.json", &form);
        let (code, said) = folder.refused(&format!("{flags} --model other.json"));
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.contains(why) && said.contains("throughline train"),
            "{said}"
        );
    }
}

#[test]
fn records_by_session_are_scored_by_a_model_of_another_source() {
    let folder = Folder::new();
    let flags = "--records records --labels sessions --train log --train-labels labels --adapt \
                 --folds user-agent --json=report.json";
    let output = folder.run(flags);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("| model learnt elsewhere | 10 requests | 40 (16) |"),
        "{table}"
    );
    assert!(
        table.contains("| everything is a bot | end | 40 (16) | 0.500"),
        "{table}"
    );
    let text = std::fs::read_to_string(folder.0.path().join("report.json")).unwrap();
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["protocol"]["trained_elsewhere"], true);
    assert!(row(&found, "trained_elsewhere", Some(3))["figures"]["auc"]["low"].is_f64());
    let again = folder.run(flags);
    assert_eq!(again.stdout, table.as_bytes(), "the same twice");
}

#[test]
fn wrong_input_is_named_with_file_line_and_remedy() {
    let folder = Folder::new();
    let (log, labels) = traffic();
    let (lines, _) = records();
    folder.put("typo", &labels.replacen("\tbot", "\tbto", 1));
    folder.put("longer", &format!("{labels}481\tbot\n"));
    folder.put("other", &format!("{:032x}\tbot\n", 0xffff));
    folder.put("garbage", &log.replace("192.0.2.1 - - [", "192.0.2.1 ["));
    folder.put("cut", &lines.replacen("\"start_us\"", "\"start\"", 1));
    folder.put("gz", "\u{1f}");
    std::fs::write(folder.0.path().join("gz"), [0x1f, 0x8b, 8]).unwrap();
    folder.put("empty", "\n");
    for (flags, parts) in [
        (
            "--log log --labels typo",
            ["typo, line ", "`bto` is no label: write bot, human"],
        ),
        (
            "--log log --labels longer",
            ["longer, line 482: ", "the traffic ends at line 480"],
        ),
        (
            "--records records --labels other",
            ["other, line 1: ", "made for this file"],
        ),
        (
            "--log records --labels labels",
            ["records, line 1: ", "given with --records"],
        ),
        (
            "--log labels --labels labels",
            ["labels, line 1: ", "convert it"],
        ),
        (
            "--records log --labels labels",
            ["log, line 1, column ", "no record"],
        ),
        (
            "--records cut --labels sessions",
            ["cut, line 1, column ", "mend or remove"],
        ),
        (
            "--log gz --labels labels",
            ["gz is compressed", "unpack it"],
        ),
        ("--log empty --labels labels", ["empty is empty", ""]),
        ("--log absent --labels labels", ["cannot read absent", ""]),
        ("--labels labels", ["--log <FILE>", "Usage"]),
        (
            "--log log --labels labels --train log",
            ["--train-labels", "Usage"],
        ),
        (
            "--log log --labels labels --folds country",
            ["'country'", "ip, user-agent"],
        ),
    ] {
        let (code, said) = folder.refused(flags);
        assert_eq!(code, Some(2), "{flags}: {said}");
        assert!(
            parts.iter().all(|part| said.contains(part)),
            "{flags}: {said}"
        );
    }
}

#[test]
fn without_bots_there_is_nothing_to_measure() {
    let folder = Folder::new();
    let (_, labels) = traffic();
    folder.put("people", &labels.replace("\tbot\t", "\tunknown\t"));
    let (code, said) = folder.refused("--log log --labels people");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("log: 0 sessions of bots and 24 of people"),
        "{said}"
    );
    let (code, said) = folder.refused("--log log --labels labels --folds ip --json=no/such/folder");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cannot write no/such/folder"), "{said}");
}

#[test]
fn a_public_log_is_scored_by_its_protocol() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("SITE_DATA").map_or(beside, Into::into);
    if !folder.join("site-2015.log").exists() {
        println!("skipped: ../shared/data/site-2015.log is not beside the repository");
        return;
    }
    // Folds by one cut only: all of it is `make evaluate`, which takes longer.
    let flags = "--log site-2015.log --labels site-2015.labels.tsv --hide user-agent,robots \
                 --folds ip --json";
    let found = document(&evaluate(&folder, flags));
    let sessions = &found["sessions"];
    assert_eq!(
        (&sessions["bots"], &sessions["people"]),
        (&json!(234), &json!(655))
    );
    let value = |ranked_by, figure: &str| {
        row(&found, ranked_by, None)["figures"][figure]["value"]
            .as_f64()
            .unwrap()
    };
    assert!((value("everything_is_a_bot", "f1") - 0.417).abs() < 0.001);
    assert!(value("rules", "auc") >= 0.95);
    assert!(value("folds_ip", "auc") >= 0.99);
}
