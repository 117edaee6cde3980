//! `POST /v1/sql` of the real service: what it answers, and every way out of it that we know.

use std::path::Path;

use http::StatusCode;
use serde_json::{Value, json};

use crate::common::{Batch, Program, line, session_id, until};

/// A service with three requests of two sessions.
async fn started(folder: &Path, flags: &[&str]) -> Program {
    let program = Program::start(folder, flags);
    let mut linked = line(2, 1000);
    linked["links"] = json!([{"kind": "login", "session": session_id(1), "key": "cookie"}]);
    linked["params"] =
        json!([{"name": "user", "kind": "user", "value": "ann", "forgeable": false}]);
    let batch = Batch::new(1)
        .seen(3)
        .records([line(1, 0), linked, line(1, 2000)]);
    let (status, _) = program.client.post(batch.body()).await.unwrap();
    assert_eq!(status, StatusCode::OK);
    until("the records are stored", async || {
        let (_, status) = program.client.get("/v1/status").await.unwrap();
        status["store"]["records"] == 3 && status["log"]["waiting_bytes"] == 0
    })
    .await;
    program
}

#[tokio::test]
async fn answers_over_the_documented_views() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path(), &[]).await;
    let sql = "SELECT session, requests, first, application FROM sessions ORDER BY requests DESC";
    let (status, answer) = program.client.sql(sql).await.unwrap();
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(
        answer["rows"],
        json!([
            [session_id(1), 2, "2026-01-01T00:00:00.000000Z", "shop"],
            [session_id(2), 1, "2026-01-01T00:00:01.000000Z", "shop"],
        ])
    );
    assert_eq!(
        answer["columns"][1],
        json!({"name": "requests", "type": "UBIGINT"})
    );
    assert_eq!(
        (&answer["cut"], &answer["row_count"]),
        (&json!(false), &json!(2))
    );
    for (sql, expected) in [
        ("SELECT linked_session FROM links", json!([[session_id(1)]])),
        (
            "SELECT name, value FROM parameters;",
            json!([["user", "ann"]]),
        ),
        ("SELECT count(*) FROM visits", json!([[2]])),
        ("SELECT count(*) FROM verdicts -- none", json!([[0]])),
        (
            "WITH a AS (SELECT path FROM requests) SELECT DISTINCT path FROM a",
            json!([["/api/products"]]),
        ),
        ("VALUES (1, NULL)", json!([[1, null]])),
    ] {
        let (_, answer) = program.client.sql(sql).await.unwrap();
        assert_eq!(answer["rows"], expected, "{sql}: {answer}");
    }
    // What came in meanwhile shows when the snapshot is renewed.
    program
        .client
        .post(Batch::new(2).seen(4).record(line(3, 0)).body())
        .await;
    until("the new session is there", async || {
        let (_, answer) = program
            .client
            .sql("SELECT count(*) FROM sessions")
            .await
            .unwrap();
        answer["rows"] == json!([[3]])
    })
    .await;
}

/// The tables of `docs/sql.md`: view, column, type.
fn documented() -> Vec<(String, String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sql.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut view = String::new();
    let mut columns = Vec::new();
    for line in page.lines() {
        if let Some(name) = line.strip_prefix("### ") {
            view = name.trim_matches('`').to_owned();
        }
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        if let ["", column, kind, meaning, ""] = cells.as_slice()
            && column.starts_with('`')
        {
            assert!(!meaning.is_empty(), "{line}");
            let plain = |text: &str| text.trim_matches('`').to_owned();
            columns.push((view.clone(), plain(column), plain(kind)));
        }
    }
    columns
}

#[tokio::test]
async fn the_page_describes_every_column() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path(), &[]).await;
    let sql = "SELECT table_name, column_name, data_type FROM duckdb_columns()
        WHERE schema_name = 'main' AND NOT internal ORDER BY table_name, column_index";
    let (_, answer) = program.client.sql(sql).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = answer["rows"].as_array().unwrap().iter();
    let real: Vec<_> = rows
        .map(|row| (text(&row[0]), text(&row[1]), text(&row[2])))
        .collect();
    let mut described = documented();
    // Stable: the columns of a view stay in their order.
    described.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(described, real);
}

/// Ways out that must be closed: each must be refused for its own reason.
const TRIES: &[(&str, &str)] = &[
    // Files.
    (
        "SELECT * FROM read_text('/etc/passwd')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM read_blob('/etc/passwd')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM read_csv('/etc/passwd')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM read_csv_auto(['/etc/passwd'])",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM read_json('/etc/passwd')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM read_ndjson_objects('/etc/passwd')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM read_parquet('/etc/passwd')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM parquet_schema('/etc/passwd')",
        "disabled by configuration",
    ),
    ("SELECT * FROM '/etc/passwd'", "does not exist"),
    (
        "SELECT * FROM '/etc/passwd.csv'",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM \"/etc/hosts.parquet\"",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM read_text('{snapshot}/../../tokens.ndjson')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM read_text('{data}/tokens.ndjson')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM read_blob('{data}/hot.duckdb')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM read_text('/proc/self/environ')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM read_text('file:///etc/passwd')",
        "disabled by configuration",
    ),
    (
        "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
        "disabled by configuration",
    ),
    ("SELECT * FROM query_table('/etc/passwd.csv')", ""),
    ("SELECT getenv('PATH')", "getenv"),
    // Writing.
    (
        "COPY (SELECT 1) TO '/tmp/throughline-escape.csv'",
        "only a SELECT",
    ),
    ("COPY requests TO '{data}/escape.parquet'", "only a SELECT"),
    ("EXPORT DATABASE '/tmp/throughline-escape'", "only a SELECT"),
    ("CREATE TABLE t AS SELECT 1", "only a SELECT"),
    (
        "CREATE OR REPLACE VIEW requests AS SELECT 1",
        "only a SELECT",
    ),
    (
        "INSERT INTO raw.labels SELECT * FROM raw.labels",
        "only a SELECT",
    ),
    ("DELETE FROM raw.records", "only a SELECT"),
    ("DROP VIEW requests", "only a SELECT"),
    (
        "WITH x AS (DELETE FROM raw.records RETURNING *) SELECT * FROM x",
        "",
    ),
    // Other databases, extensions, settings.
    ("ATTACH '{data}/hot.duckdb' AS hot", "only a SELECT"),
    ("ATTACH ':memory:' AS m", "only a SELECT"),
    ("USE hot", "only a SELECT"),
    ("INSTALL httpfs", "only a SELECT"),
    ("LOAD httpfs", "only a SELECT"),
    ("LOAD '/tmp/evil.duckdb_extension'", "only a SELECT"),
    ("SET enable_external_access = true", "only a SELECT"),
    ("SET allowed_directories = ['/']", "only a SELECT"),
    ("SET memory_limit = '100GB'", "only a SELECT"),
    ("RESET lock_configuration", "only a SELECT"),
    ("PRAGMA database_list", "only a SELECT"),
    ("PRAGMA enable_profiling", "only a SELECT"),
    ("CALL enable_logging()", "only a SELECT"),
    ("CREATE SECRET s (TYPE s3)", "only a SELECT"),
    ("CHECKPOINT", "only a SELECT"),
    ("VACUUM", "only a SELECT"),
    (
        "SELECT * FROM enable_logging(storage => 'file', storage_path => '/tmp/throughline-escape')",
        "",
    ),
    ("SELECT * FROM 'https://example.com/x.parquet'", ""),
    ("SELECT * FROM read_csv('https://example.com/x.csv')", ""),
    ("SELECT * FROM read_parquet('s3://bucket/x.parquet')", ""),
    ("SELECT * FROM sqlite_scan('/etc/passwd', 't')", ""),
    ("SELECT * FROM postgres_scan('', '', '')", ""),
    // More than one, or none.
    ("SELECT 1; SELECT 2", "one statement"),
    (
        "SELECT 1; COPY (SELECT 1) TO '/tmp/throughline-escape.csv'",
        "only a SELECT",
    ),
    ("SELECT 1 /* */ ; SET threads = 64", "only a SELECT"),
    ("PREPARE p AS SELECT 1", "only a SELECT"),
    ("EXECUTE p", "only a SELECT"),
    ("BEGIN TRANSACTION", "only a SELECT"),
    ("SELECT ?", ""),
    ("", "no statement"),
    (";;", "no statement"),
    ("-- nothing", "no statement"),
    ("SELEC 1", "syntax error"),
    ("SELECT 'never ended", ""),
];

#[tokio::test]
async fn every_way_out_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path(), &[]).await;
    std::fs::write(folder.path().join("tokens.ndjson"), "").unwrap();
    let data = folder.path().to_str().unwrap();
    let snapshot = format!("{data}/sql/0");
    for (sql, reason) in TRIES {
        let sql = sql.replace("{data}", data).replace("{snapshot}", &snapshot);
        let (status, answer) = program.client.sql(&sql).await.unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{sql}: {answer}");
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.contains(reason), "{sql}: {detail}");
        assert!(!detail.contains("root:"), "{sql}: {detail}");
    }
    assert!(!Path::new("/tmp/throughline-escape.csv").exists());
    assert!(!Path::new("/tmp/throughline-escape").exists());
    // What answers, and tells nothing.
    for (sql, expected) in [
        ("SELECT count(*) FROM glob('/etc/*')", json!([[0]])),
        ("SELECT count(*) FROM duckdb_secrets()", json!([[0]])),
        (
            "SELECT count(*) FROM duckdb_databases() WHERE path IS NOT NULL",
            json!([[0]]),
        ),
        (
            "SELECT current_setting('enable_external_access')",
            json!([[false]]),
        ),
        (
            "SELECT current_setting('lock_configuration')",
            json!([[true]]),
        ),
        ("SELECT count(*) FROM duckdb_tables()", json!([[0]])),
    ] {
        let (status, answer) = program.client.sql(sql).await.unwrap();
        let closed = status == StatusCode::BAD_REQUEST;
        assert!(closed || answer["rows"] == expected, "{sql}: {answer}");
    }
    // The service itself is as it was.
    let (status, answer) = program
        .client
        .sql("SELECT count(*) FROM requests")
        .await
        .unwrap();
    assert_eq!((status, &answer["rows"]), (StatusCode::OK, &json!([[3]])));
}

/// Much too much, in different ways.
const GREEDY: &[&str] = &[
    "SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000) b",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
    "SELECT list(range) FROM range(1000000000)",
    "SELECT repeat('x', 2000000000) || repeat('y', 2000000000)",
    "SELECT count(DISTINCT hash(a.range, b.range)) FROM range(100000) a, range(100000) b",
];

#[tokio::test]
async fn what_takes_too_much_is_ended_and_hurts_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path(), &["--query-timeout", "1s"]).await;
    for (number, sql) in (2..).zip(GREEDY) {
        let greedy = program.client.sql(sql);
        let others = async {
            let batch = Batch::new(number)
                .seen(2 + number)
                .record(line(1, 0))
                .body();
            let (status, _) = program.client.post(batch).await.unwrap();
            assert_eq!(status, StatusCode::OK, "ingest beside {sql}");
            let (status, _) = program.client.get("/v1/sessions").await.unwrap();
            assert_eq!(status, StatusCode::OK, "a list beside {sql}");
        };
        let (answer, ()) = tokio::join!(greedy, others);
        let (status, problem) = answer.unwrap();
        let kind = problem["type"].as_str().unwrap_or_default();
        let word = kind.rsplit(':').next().unwrap_or_default();
        let ended = ["query-timeout", "sql-ended", "bad-sql"].contains(&word);
        assert!(
            ended && status != StatusCode::OK,
            "{sql}: {status} {problem}"
        );
    }
}

#[tokio::test]
async fn a_huge_answer_is_cut_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path(), &[]).await;
    let (_, answer) = program
        .client
        .sql("SELECT * FROM range(1000000)")
        .await
        .unwrap();
    assert_eq!(
        (&answer["cut"], &answer["row_count"]),
        (&json!(true), &json!(1000))
    );
    let wide = "SELECT repeat('x', 100000) FROM range(900)";
    let (_, answer) = program.client.sql(wide).await.unwrap();
    assert_eq!(answer["cut"], json!(true));
    let rows = answer["row_count"].as_u64().unwrap();
    assert!((300..340).contains(&rows), "{rows}");
    let deep = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let (status, _) = program.client.sql(&deep).await.unwrap();
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let long = format!("SELECT '{}'", "x".repeat(70_000));
    let (status, problem) = program.client.sql(&long).await.unwrap();
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{problem}");
}

/// Process ids of the children that run statements.
fn workers(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().map_while(Result::ok) {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let read = |name| std::fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        let stat = read("stat");
        let after = stat.rsplit(')').next().unwrap_or_default();
        let is_child = after.split_whitespace().nth(1) == Some(&parent.to_string());
        if is_child && read("cmdline").contains("sql-worker") {
            found.push(pid);
        }
    }
    found
}

#[tokio::test]
async fn the_child_has_nothing_and_goes_with_its_request() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path(), &[]).await;
    let client = program.client.clone();
    let asking = tokio::spawn(async move { client.sql(GREEDY[0]).await });
    until("a child runs", async || {
        workers(program.pid()).iter().any(|pid| {
            let limits = std::fs::read_to_string(format!("/proc/{pid}/limits"));
            limits
                .unwrap_or_default()
                .contains("Max file size             0")
        })
    })
    .await;
    let pid = workers(program.pid())[0];
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert_eq!(String::from_utf8_lossy(&environment), "");
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    assert!(limits.contains("Max core file size        0"), "{limits}");
    assert!(
        !limits.contains("Max address space         unlimited"),
        "{limits}"
    );
    asking.abort();
    until("it is gone", async || workers(program.pid()).is_empty()).await;
    // And with the service.
    let client = program.client.clone();
    let asking = tokio::spawn(async move { client.sql(GREEDY[0]).await });
    until("a child runs", async || !workers(program.pid()).is_empty()).await;
    let pid = workers(program.pid())[0];
    program.kill();
    until("it is gone", async || {
        // Dead, or waiting for somebody to notice.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.map_or(true, |stat| stat.contains(") Z "))
    })
    .await;
    asking.abort();
}
