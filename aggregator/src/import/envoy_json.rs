//! Envoy's own access log as JSON: names of fields are chosen by whoever configures it, so the usual
//! ones are known, those of Istio and of Envoy's documentation among them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::Value;
use throughline_session::wire::flag_bits;

use super::{Exchanged, Format};

pub(super) const FORMAT: Format = Format {
    name: "envoy-json",
    meaning: "Envoy's JSON access log, one object per line",
    read,
};

const START: &[&str] = &["start_time", "start", "timestamp", "time", "@timestamp"];
const METHOD: &[&str] = &["method", ":method", "request_method"];
const PATH: &[&str] = &["x-envoy-original-path", "path", ":path", "request_path"];
const AUTHORITY: &[&str] = &["authority", ":authority", "host"];
const SCHEME: &[&str] = &["scheme", ":scheme"];
const STATUS: &[&str] = &["response_code", "status", "response_status"];
const FLAGS: &[&str] = &["response_flags", "flags"];
const PROTOCOL: &[&str] = &["protocol"];
const RECEIVED: &[&str] = &["bytes_received", "request_bytes"];
const SENT: &[&str] = &["bytes_sent", "response_bytes"];
const DURATION_MS: &[&str] = &["duration", "duration_ms"];
const UPSTREAM_MS: &[&str] = &["upstream_service_time", "x-envoy-upstream-service-time"];
const REMOTE: &[&str] = &["downstream_remote_address", "client_ip", "remote_address"];
const DIRECT: &[&str] = &["downstream_direct_remote_address"];
const FORWARDED: &[&str] = &["x_forwarded_for", "x-forwarded-for"];
/// Fields that are request headers: theirs, and what they are called.
const HEADERS: &[(&[&str], &str)] = &[
    (&["user_agent", "user-agent"], "user-agent"),
    (
        &["request_id", "x-request-id", "x_request_id"],
        "x-request-id",
    ),
    (&["traceparent"], "traceparent"),
    (&["referer", "referrer"], "referer"),
    (&["cookie"], "cookie"),
    (&["authorization"], "authorization"),
    (&["user", "remote_user", "x-remote-user"], "x-remote-user"),
];
/// Objects whose fields are headers of the same name.
const REQUEST_HEADERS: &str = "request_headers";
const RESPONSE_HEADERS: &str = "response_headers";

type Fields<'a> = BTreeMap<Cow<'a, str>, Value>;

fn read(line: &str) -> Result<Exchanged<'_>, &'static str> {
    let fields: Fields<'_> = serde_json::from_str(line).map_err(|_| "not a JSON object")?;
    let start = text(&fields, START).ok_or("no `start_time`")?;
    let start = DateTime::parse_from_rfc3339(&start).map_err(|_| "`start_time` is no RFC 3339")?;
    let mut it = Exchanged {
        start_us: start.timestamp_micros(),
        client_ip: client(&fields).into(),
        protocol: text(&fields, PROTOCOL).unwrap_or_default().into(),
        status: number(&fields, STATUS)
            .and_then(|status| u16::try_from(status).ok())
            .filter(|status| *status != 0),
        flags: text(&fields, FLAGS).map_or(0, |flags| flag_bits(&flags)),
        request_bytes: number(&fields, RECEIVED).unwrap_or(0),
        response_bytes: number(&fields, SENT).unwrap_or(0),
        duration_us: number(&fields, DURATION_MS)
            .unwrap_or(0)
            .saturating_mul(1000),
        upstream_us: number(&fields, UPSTREAM_MS).map(|ms| ms.saturating_mul(1000)),
        ..Exchanged::default()
    };
    for (names, header) in [
        (METHOD, ":method"),
        (PATH, ":path"),
        (AUTHORITY, ":authority"),
        (SCHEME, ":scheme"),
    ] {
        if let Some(value) = text(&fields, names) {
            it.header(header, value);
        }
    }
    for (names, header) in HEADERS {
        if let Some(value) = text(&fields, names) {
            it.header(*header, value);
        }
    }
    it.request.extend(headers(&fields, REQUEST_HEADERS));
    it.response = headers(&fields, RESPONSE_HEADERS);
    Ok(it)
}

/// The first of these fields that is there; `-` stands for nothing.
fn text(fields: &Fields<'_>, names: &[&str]) -> Option<String> {
    let value = names.iter().find_map(|name| shown(fields.get(*name)?))?;
    Some(value)
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() || text == "-" => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(fields: &Fields<'_>, names: &[&str]) -> Option<u64> {
    text(fields, names)?.parse().ok()
}

/// Envoy's own idea of the client; what it appended to `x-forwarded-for` where that alone is logged.
fn client(fields: &Fields<'_>) -> String {
    let last = |list: String| list.rsplit(',').next().map(|it| it.trim().to_owned());
    text(fields, REMOTE)
        .or_else(|| text(fields, FORWARDED).and_then(last))
        .or_else(|| text(fields, DIRECT))
        .unwrap_or_default()
}

fn headers(fields: &Fields<'_>, name: &str) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    let Some(Value::Object(headers)) = fields.get(name) else {
        return Vec::new();
    };
    let pairs = headers.iter().filter_map(|(name, value)| {
        let name = name.to_ascii_lowercase();
        Some((Cow::Owned(name), Cow::Owned(shown(value)?)))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_istio_writes() {
        let line = r#"{"start_time":"2026-01-31T08:00:00.250Z","method":"POST","path":"/api/cart?x=1","protocol":"HTTP/2","response_code":201,"response_flags":"UF,URX","bytes_received":7,"bytes_sent":"11","duration":12,"upstream_service_time":"9","x_forwarded_for":"9.9.9.9, 10.0.0.7","user_agent":"curl/8","request_id":"r-1","authority":"shop.example:8080","downstream_remote_address":"10.0.0.8:4711","request_headers":{"Cookie":"sid=1"},"response_headers":{"content-type":"text/html"},"route_name":null}"#;
        let it = read(line).unwrap();
        assert_eq!(it.start_us, 1_769_846_400_250_000);
        assert_eq!(
            (it.status, it.client_ip.as_ref()),
            (Some(201), "10.0.0.8:4711")
        );
        assert_eq!((it.request_bytes, it.response_bytes), (7, 11));
        assert_eq!((it.duration_us, it.upstream_us), (12_000, Some(9_000)));
        assert_ne!(it.flags, 0);
        let header = |name: &str| {
            let found = it.request.iter().find(|(it, _)| it == name);
            found.map(|(_, value)| value.to_string())
        };
        assert_eq!(header(":path").unwrap(), "/api/cart?x=1");
        assert_eq!(header("cookie").unwrap(), "sid=1");
        assert_eq!(it.response.len(), 1);
    }

    #[test]
    fn reads_what_our_own_configuration_writes() {
        let yaml = include_str!("../../../envoy/envoy.yaml");
        for name in [
            METHOD,
            PATH,
            PROTOCOL,
            START,
            STATUS,
            FLAGS,
            RECEIVED,
            SENT,
            DURATION_MS,
            REMOTE,
            AUTHORITY,
        ] {
            let logged = |name: &&&str| yaml.contains(&format!(" {name}: \"%"));
            assert!(name.iter().any(|it| logged(&it)), "none of {name:?}");
        }
    }

    #[test]
    fn says_why_a_line_says_nothing() {
        for (line, why) in [
            ("[]", "not a JSON object"),
            ("{\"a\":1", "not a JSON object"),
            ("{}", "no `start_time`"),
            (
                r#"{"start_time":"yesterday"}"#,
                "`start_time` is no RFC 3339",
            ),
            (r#"{"start_time":"-"}"#, "no `start_time`"),
        ] {
            assert_eq!(read(line), Err(why), "{line}");
        }
        let forwarded = r#"{"time":"2026-01-31T08:00:00Z","x-forwarded-for":"1.1.1.1, 2.2.2.2"}"#;
        assert_eq!(read(forwarded).unwrap().client_ip, "2.2.2.2");
    }
}
