//! What `/stats?format=json` and `/server_info` say that concerns us.

use serde::Deserialize;
use throughline_session::hex::Hex;
use throughline_session::wire::BootId;

/// The counters asked for, as `filter` of `/stats`, percent-encoded where a URL needs it.
pub(super) const PATH: &str = "/stats?format=json&filter=%5Ehttp%5C..%2B%5C.downstream_rq_(total%7Cactive)$%7C%5Ewasmcustom%5C.throughline%5C.";

#[derive(Deserialize)]
struct Stats {
    stats: Vec<Stat>,
}

/// Histograms have no name and no value here.
#[derive(Deserialize)]
struct Stat {
    name: Option<String>,
    value: Option<serde_json::Value>,
}

/// One reading of an Envoy's counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) handled: u64,
    pub(super) active: u64,
    /// `None`: the filter's metrics are not there, so it is not running.
    pub(super) seen: Option<u64>,
    pub(super) boots: Vec<BootId>,
}

/// Reads `/stats`; requests count for `prefix`, or for all but Envoy's own.
pub(super) fn counters(json: &[u8], prefix: Option<&str>) -> Result<Counters, serde_json::Error> {
    let stats: Stats = serde_json::from_slice(json)?;
    let mut counters = Counters::default();
    for stat in stats.stats {
        let (Some(name), Some(value)) = (stat.name, stat.value) else {
            continue;
        };
        let Some(value) = value.as_u64() else {
            continue;
        };
        if let Some(own) = name.strip_prefix("wasmcustom.throughline.") {
            counters.take_own(own, value);
        } else if let Some(rest) = name.strip_prefix("http.") {
            let counts = |listener: &str| match prefix {
                Some(prefix) => listener == prefix,
                None => !matches!(listener, "admin" | "async-client"),
            };
            if rest
                .strip_suffix(".downstream_rq_total")
                .is_some_and(counts)
            {
                counters.handled = counters.handled.saturating_add(value);
            } else if rest
                .strip_suffix(".downstream_rq_active")
                .is_some_and(counts)
            {
                counters.active = counters.active.saturating_add(value);
            }
        }
    }
    counters.boots.sort_unstable();
    Ok(counters)
}

impl Counters {
    fn take_own(&mut self, name: &str, value: u64) {
        if name == "seen" {
            self.seen = Some(value);
        }
        let boot = name.strip_prefix("boot.").and_then(Hex::parse);
        self.boots.extend(boot.filter(|_| value > 0));
    }
}

/// What `/server_info` says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct ServerInfo {
    pub(super) version: String,
    pub(super) node: Node,
    /// How long this process runs, as protobuf writes durations: `12s`.
    uptime_current_epoch: String,
}

impl ServerInfo {
    /// How long it runs, microseconds; `None` when it does not say.
    pub(super) fn uptime_us(&self) -> Option<i64> {
        let digits = self.uptime_current_epoch.strip_suffix('s')?;
        let whole = digits.split('.').next()?;
        whole.parse::<i64>().ok()?.checked_mul(1_000_000)
    }

    #[cfg(test)]
    pub(super) fn running(seconds: i64) -> Self {
        Self {
            uptime_current_epoch: format!("{seconds}s"),
            ..Self::default()
        }
    }
}

/// Who this Envoy says it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    pub(super) id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATS: &[u8] = br#"{"stats":[
        {"name":"http.admin.downstream_rq_total","value":70},
        {"name":"http.async-client.downstream_rq_total","value":700},
        {"name":"http.ingress.downstream_rq_total","value":10},
        {"name":"http.ingress.downstream_rq_active","value":2},
        {"name":"http.a.b.downstream_rq_total","value":5},
        {"name":"wasmcustom.throughline.boot.00000000000000ff","value":1},
        {"name":"wasmcustom.throughline.boot.00000000000000ee","value":0},
        {"name":"wasmcustom.throughline.boot.nonsense","value":1},
        {"name":"wasmcustom.throughline.seen","value":7},
        {"name":"wasmcustom.throughline.acknowledged","value":4},
        {"name":"wasmcustom.throughline.dropped.buffer_full","value":1},
        {"name":"wasmcustom.throughline.dropped.rejected","value":1},
        {"name":"wasmcustom.throughline.odd","value":"text"},
        {"histograms":{"supported_quantiles":[0.0]}}]}"#;

    #[test]
    fn reads_how_long_an_envoy_runs() {
        for (json, expected) in [
            (r#"{"uptime_current_epoch":"12s"}"#, Some(12_000_000)),
            (r#"{"uptime_current_epoch":"12.750s"}"#, Some(12_000_000)),
            (r#"{"uptime_current_epoch":"soon"}"#, None),
            (r#"{"version":"1"}"#, None),
        ] {
            let info: ServerInfo = serde_json::from_str(json).unwrap();
            assert_eq!(info.uptime_us(), expected, "{json}");
        }
    }

    #[test]
    fn adds_up_what_counts() {
        let all = counters(STATS, None).unwrap();
        assert_eq!((all.handled, all.active, all.seen), (15, 2, Some(7)));
        assert_eq!(all.boots, [Hex([0, 0, 0, 0, 0, 0, 0, 0xff])]);
        let one = counters(STATS, Some("a.b")).unwrap();
        assert_eq!((one.handled, one.active), (5, 0));
        assert_eq!(
            counters(br#"{"stats":[]}"#, None).unwrap(),
            Counters::default()
        );
        assert!(counters(b"<html>", None).is_err());
    }
}
