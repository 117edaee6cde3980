//! What a running service says of itself: `/readyz` and `/v1/status`.

use serde_json::Value;

use super::Finding;

/// A log that waits for the store, bytes.
const WAITING_MANY: u64 = 256 << 20;
/// Detection that is so far behind, seconds.
const LAG_LONG_S: f64 = 60.0;
/// Envoy's clock may differ from the service's by so much, milliseconds.
const CLOCK_OFF_MS: i64 = 2_000;
/// The budget is reached soon, days.
const BUDGET_SOON_DAYS: f64 = 1.0;

/// What the service answered: `/readyz`, `/v1/status`.
pub(super) type Answers = (Value, Value);

type Check = fn(&Answers, &mut Vec<Finding>);

const CHECKS: &[Check] = &[
    version, ready, ledger, failing, gaps, lag, disk, policy, clocks,
];

pub(super) fn examine(answers: &Answers) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in CHECKS {
        check(answers, &mut findings);
    }
    findings
}

fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn number(value: &Value, pointer: &str) -> u64 {
    at(value, pointer).as_u64().unwrap_or(0)
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    at(value, pointer).as_array().map_or(&[], Vec::as_slice)
}

fn version((_, status): &Answers, findings: &mut Vec<Finding>) {
    let (own, found) = (env!("CARGO_PKG_VERSION"), at(status, "/version").as_str());
    findings.push(match found {
        Some(found) if found == own => Finding::good("version", own),
        found => Finding::warning(
            "version",
            format!(
                "the service is {}, this program {own}",
                found.unwrap_or("unknown")
            ),
            "use the doctor of the service's own release",
        ),
    });
}

fn ready((readiness, _): &Answers, findings: &mut Vec<Finding>) {
    if readiness["ready"] == true {
        findings.push(Finding::good("readiness", "ready"));
        return;
    }
    let reasons = list(readiness, "/reasons").iter().filter_map(Value::as_str);
    let reasons: Vec<_> = reasons.collect();
    findings.push(Finding::error(
        "readiness",
        format!("not ready: {}", reasons.join("; ")),
        "wait where it is still starting; else see the service's log",
    ));
}

fn ledger((_, status): &Answers, findings: &mut Vec<Finding>) {
    let total = |name: &str| number(status, &format!("/totals/{name}"));
    let before = findings.len();
    if at(status, "/totals/balanced") == false {
        findings.push(Finding::error(
            "ledger",
            "the books of the filters do not add up",
            "compare `workers` in /v1/status with Envoy's own counters, and report it",
        ));
    }
    for (name, remedy) in [
        (
            "lost",
            "an Envoy ended before it had sent what it held; restart Envoys with a drain time",
        ),
        (
            "dropped",
            "see `dropped` of the workers: filters' buffers were full, batches refused, or lines of an imported log no requests",
        ),
        (
            "quarantined",
            "GET /v1/quarantine shows the lines and the reason",
        ),
        (
            "bypassed",
            "requests went through Envoy without the filter: see docs/operations.md",
        ),
    ] {
        let count = total(name);
        if count > 0 {
            findings.push(Finding::warning(
                "ledger",
                format!("{count} records {name}"),
                remedy,
            ));
        }
    }
    let vanished = number(status, "/totals/unknown/workers");
    if vanished > 0 {
        findings.push(Finding::warning(
            "ledger",
            format!(
                "{vanished} filter workers vanished: what came after their last word is unknown"
            ),
            "nothing to do where their Envoys (or other senders) were stopped; else see why they are silent",
        ));
    }
    if findings.len() == before {
        let seen = total("seen");
        findings.push(Finding::good(
            "ledger",
            format!("{seen} records seen, all accounted for"),
        ));
    }
}

fn failing((_, status): &Answers, findings: &mut Vec<Finding>) {
    for (part, remedy) in [
        (
            "log",
            "free space, or mend the disk; senders keep their records meanwhile",
        ),
        (
            "store",
            "free space, or mend the disk; the log keeps the records meanwhile",
        ),
        (
            "storage",
            "free space, or mend the disk; it is tried again every 5 s",
        ),
        ("detection", "see the service's log"),
        (
            "policy",
            "mend the policy file: `throughline policy check FILE`",
        ),
    ] {
        if let Some(why) = at(status, &format!("/{part}/failing")).as_str() {
            findings.push(Finding::error("failing", format!("{part}: {why}"), remedy));
        }
    }
    if let Some(why) = at(status, "/store/sums_failing").as_str() {
        findings.push(Finding::error(
            "failing",
            format!("sessions cannot be summed, lists stand still: {why}"),
            "free space or memory; it is tried again every 5 s, and nothing is lost",
        ));
    }
}

fn gaps((_, status): &Answers, findings: &mut Vec<Finding>) {
    let gaps = list(status, "/log/gaps").len();
    if gaps > 0 {
        findings.push(Finding::error(
            "log",
            format!("{gaps} stretches cannot be read: what they held is lost"),
            "see `log.gaps` in /v1/status; test the disk; take a backup from before where there is one",
        ));
    }
    let missing = number(status, "/storage/missing_files");
    if missing > 0 {
        findings.push(Finding::error(
            "segments",
            format!("{missing} files are missing or were cut: what they held is in no answer"),
            "`throughline doctor --data` names them: put them back from a backup, and start the service again",
        ));
    }
}

fn lag((_, status): &Answers, findings: &mut Vec<Finding>) {
    let waiting = number(status, "/log/waiting_bytes");
    let is_crowded = at(status, "/store/waiting").as_bool() == Some(true);
    if is_crowded {
        findings.push(Finding::warning(
            "lag",
            format!("segments are closed more slowly than they fill: storing waits, {waiting} bytes are in the log"),
            "more processors, fewer context parameters, or fewer records; nothing is lost while the log has room",
        ));
    } else if waiting > WAITING_MANY {
        findings.push(Finding::warning(
            "lag",
            format!("{waiting} bytes of the log wait for the database"),
            "fewer queries, a quicker disk, or more --duckdb-memory",
        ));
    }
    let seconds = at(status, "/detection/lag_seconds").as_f64().unwrap_or(0.0);
    if seconds > LAG_LONG_S {
        findings.push(Finding::warning(
            "lag",
            format!("detection is {seconds:.0} s behind"),
            "more processors, or fewer sessions remembered (--detection-sessions)",
        ));
    }
    if waiting <= WAITING_MANY && !is_crowded && seconds <= LAG_LONG_S {
        findings.push(Finding::good(
            "lag",
            format!("{waiting} bytes wait, {seconds:.1} s"),
        ));
    }
}

fn disk((_, status): &Answers, findings: &mut Vec<Finding>) {
    let days = at(status, "/storage/days_until_budget").as_f64();
    if at(status, "/storage/retention_alarm") == true {
        findings.push(Finding::warning(
            "disk",
            "the disk budget is too small for the time that records are to be kept",
            "raise --disk-budget, or ask for a shorter --retention",
        ));
    } else if let Some(days) = days.filter(|days| *days < BUDGET_SOON_DAYS) {
        findings.push(Finding::warning(
            "disk",
            format!("the disk budget is reached in {days:.1} days; the oldest records go then"),
            "raise --disk-budget, or ask for a shorter --retention",
        ));
    } else {
        let bytes = number(status, "/storage/disk_bytes");
        findings.push(Finding::good("disk", format!("{bytes} bytes in use")));
    }
    let forgetting = number(status, "/storage/forgetting");
    if forgetting > 0 {
        findings.push(Finding::warning(
            "forgetting",
            format!("{forgetting} sessions to be forgotten are still on the disk"),
            "wait; where it lasts, see `storage.failing` in /v1/status",
        ));
    }
}

fn policy((_, status): &Answers, findings: &mut Vec<Finding>) {
    let drifting = list(status, "/policy/drifting").len();
    if drifting > 0 {
        findings.push(Finding::warning(
            "policy",
            format!("{drifting} filter workers run another policy than they should"),
            "wait a few seconds; else see `refused` of the workers in /v1/status",
        ));
    }
}

fn clocks((_, status): &Answers, findings: &mut Vec<Finding>) {
    let live = list(status, "/workers")
        .iter()
        .filter(|it| it["state"] == "live");
    let offsets: Vec<_> = live
        .filter_map(|it| Some((it["node"].as_str()?, it["clock_behind_ms"].as_i64()?)))
        .collect();
    let off = offsets.iter().filter(|(_, ms)| ms.abs() > CLOCK_OFF_MS);
    let before = findings.len();
    findings.extend(off.map(|(node, ms)| {
        Finding::warning(
            "clocks",
            format!("the clock of Envoy `{node}` is {ms} ms behind the service's"),
            "synchronise the clocks (NTP): times of requests and visits depend on Envoy's",
        )
    }));
    if findings.len() == before && !offsets.is_empty() {
        let most = offsets.iter().map(|(_, ms)| ms.abs()).max().unwrap_or(0);
        findings.push(Finding::good(
            "clocks",
            format!("Envoys differ by {most} ms at most"),
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Level;
    use super::*;

    fn good() -> Answers {
        let status = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "totals": {"seen": 7, "balanced": true, "unknown": {"workers": 0}},
            "workers": [{"state": "live", "node": "e", "clock_behind_ms": 12}],
        });
        (json!({"ready": true, "reasons": []}), status)
    }

    #[test]
    fn finds_nothing_where_nothing_is_wrong() {
        let found = examine(&good());
        assert!(found.iter().all(|it| it.level == Level::Good), "{found:?}");
        assert!(found.len() >= 6);
    }

    /// Where in the answer, what stands there, how bad that is, and a word of what is found.
    fn cases() -> Vec<(&'static str, Value, Level, &'static str)> {
        vec![
            ("/version", json!("0.0.1"), Level::Warning, "0.0.1"),
            (
                "/totals/balanced",
                json!(false),
                Level::Error,
                "do not add up",
            ),
            ("/totals/lost", json!(3), Level::Warning, "3 records lost"),
            (
                "/totals/unknown/workers",
                json!(2),
                Level::Warning,
                "2 filter workers vanished",
            ),
            ("/log", json!({"failing": "full"}), Level::Error, "full"),
            ("/store", json!({"sums_failing": "x"}), Level::Error, "x"),
            ("/log", json!({"gaps": [{}]}), Level::Error, "1 stretches"),
            (
                "/log",
                json!({"waiting_bytes": 1_u64 << 40}),
                Level::Warning,
                "wait for the database",
            ),
            ("/store", json!({"waiting": true}), Level::Warning, "waits"),
            (
                "/storage",
                json!({"missing_files": 1}),
                Level::Error,
                "1 files are missing or were cut",
            ),
            (
                "/storage",
                json!({"retention_alarm": true}),
                Level::Warning,
                "too small",
            ),
            (
                "/storage",
                json!({"days_until_budget": 0.5}),
                Level::Warning,
                "0.5 days",
            ),
            (
                "/storage",
                json!({"forgetting": 4}),
                Level::Warning,
                "4 sessions",
            ),
            (
                "/detection",
                json!({"lag_seconds": 90.0}),
                Level::Warning,
                "90 s behind",
            ),
            (
                "/policy",
                json!({"drifting": [{}]}),
                Level::Warning,
                "1 filter workers",
            ),
            (
                "/workers/0/clock_behind_ms",
                json!(-5000),
                Level::Warning,
                "-5000 ms behind",
            ),
        ]
    }

    #[test]
    fn each_thing_that_is_wrong_is_found_with_what_helps() {
        for (pointer, value, level, words) in cases() {
            let mut answers = good();
            match answers.1.pointer_mut(pointer) {
                Some(place) => *place = value,
                None => {
                    let (parent, name) = pointer.rsplit_once('/').unwrap();
                    answers.1.pointer_mut(parent).unwrap()[name] = value;
                }
            }
            let found = examine(&answers);
            let bad: Vec<_> = found.iter().filter(|it| it.level != Level::Good).collect();
            assert_eq!(bad.len(), 1, "{pointer}: {bad:?}");
            assert!(
                bad[0].level == level && bad[0].what.contains(words),
                "{bad:?}"
            );
            assert!(!bad[0].remedy.is_empty());
        }
        let unready = (json!({"ready": false, "reasons": ["starting"]}), good().1);
        assert!(
            examine(&unready)
                .iter()
                .any(|it| it.what.contains("starting"))
        );
    }
}
