//! A small shop's traffic: who did what, and how it went.

use serde_json::Value;

use super::{Batch, TestService, line, session_id};

/// One request: session, seconds after the start, method, path, status, milliseconds it took.
pub(crate) type Step = (u64, i64, &'static str, &'static str, u16, u64);

/// Two people who buy, one who gives up at the checkout, and a bot that tries passwords.
pub(crate) const STEPS: &[Step] = &[
    (1, 0, "GET", "/", 200, 4),
    (1, 1, "GET", "/static/app.js", 200, 1),
    (1, 5, "GET", "/api/products/17", 200, 8),
    (1, 9, "GET", "/api/products/18", 200, 9),
    (1, 20, "POST", "/api/cart/items", 201, 12),
    (1, 30, "POST", "/login", 200, 90),
    (1, 50, "POST", "/api/checkout", 200, 300),
    (2, 3, "GET", "/", 200, 5),
    (2, 8, "GET", "/api/products/17", 200, 7),
    (2, 20, "POST", "/api/cart/items", 201, 14),
    (2, 40, "POST", "/api/checkout", 500, 2500),
    (2, 45, "POST", "/api/checkout", 200, 400),
    (3, 60, "GET", "/", 200, 4),
    (3, 70, "GET", "/api/products/99", 200, 8),
    (3, 75, "POST", "/api/cart/items", 201, 11),
    (3, 90, "POST", "/api/checkout", 500, 3000),
    (4, 100, "POST", "/login", 401, 30),
    (4, 101, "POST", "/login", 401, 31),
    (4, 102, "POST", "/login", 401, 30),
    (4, 103, "GET", "/.env", 404, 1),
];

/// The record of a step.
pub(crate) fn record(step: &Step) -> Value {
    let (session, at_s, method, path, status, took_ms) = *step;
    let mut it = line(session, at_s * 1000);
    it["method"] = method.into();
    it["path"] = path.into();
    it["status"] = status.into();
    it["duration_us"] = (took_ms * 1000).into();
    it["upstream_us"] = (took_ms * 900).into();
    it["client_ip"] = format!("10.0.0.{session}").into();
    it["user_agent"] = if session == 4 {
        "curl/8.5"
    } else {
        "Mozilla/5.0 Firefox/140"
    }
    .into();
    if session < 3 {
        it["params"] =
            serde_json::json!([{"name": "user", "value": format!("u-{session}"), "kind": "user"}]);
    }
    it
}

/// Sends the shop's traffic in the order of its time, in two transactions, and holds session 4 for a
/// bot.
pub(crate) async fn visit(service: &TestService) {
    let mut steps = STEPS.to_vec();
    steps.sort_by_key(|step| step.1);
    for (sequence, part) in (0..).zip(steps.chunks(9)) {
        let batch = Batch::new(sequence).records(part.iter().map(record));
        service.send(batch).await;
        service.stored().await;
    }
    hold_for_a_bot(service, 4);
}

/// As detection would say it of the session with this number.
pub(crate) fn hold_for_a_bot(service: &TestService, session: u64) {
    let id = session_id(session);
    let sql = format!(
        "INSERT INTO verdicts VALUES (1, 0, 'session-{id}', 'session', '{id}', '{id}', 'shop',
            'account_takeover', 0.97, 'low', true, 'ready', 'unknown', TIMESTAMP '2026-01-01 00:01:42',
            TIMESTAMP '2026-01-02 00:01:42', 3, 'p1',
            '[{{\"detector\":\"credential_stuffing\"}},{{\"detector\":\"interval_regularity\"}}]')"
    );
    let reading = service.app().database.read().unwrap();
    reading.connection.execute_batch(&sql).unwrap();
}
