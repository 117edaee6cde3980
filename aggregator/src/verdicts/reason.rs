//! evidence → sentence.

use super::EvidenceVote;

/// A number as people write it.
fn number(value: f64) -> String {
    if value >= 10.0 || (value - value.round()).abs() < 0.005 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// The evidence in one sentence.
#[must_use]
pub fn reason(vote: &EvidenceVote) -> String {
    let limit_from = match vote.limit_from.as_str() {
        "learnt" => "learnt here",
        "profile" => "set by the profile",
        "model" => "even odds",
        _ => "until one is learnt",
    };
    // What stands behind explains the unit; the detector's page has it whole.
    let unit = vote.unit.split([';', ':', '(']).next().unwrap_or_default();
    let endpoint = vote.endpoint.as_deref().map(|it| format!(" at {it}"));
    format!(
        "{}: {} {}{} in {}; the limit is {} ({limit_from})",
        vote.detector.replace('_', " "),
        number(vote.value),
        unit.trim(),
        endpoint.unwrap_or_default(),
        vote.window.split(';').next().unwrap_or_default(),
        number(vote.limit),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_measured_and_held_against_what() {
        let mut vote = EvidenceVote {
            detector: "credential_stuffing".into(),
            bot_type: "account_takeover".into(),
            value: 37.2,
            limit: 8.0,
            limit_from: "cold_start".into(),
            unit: "failed logins (two for each account); half".into(),
            window: "the visit; for an address 12 hours".into(),
            strength: 1.0,
            endpoint: None,
            records: Vec::new(),
        };
        let said = "credential stuffing: 37 failed logins in the visit; the limit is 8 (until one is learnt)";
        assert_eq!(reason(&vote), said);
        vote.endpoint = Some("/api/login".into());
        (vote.value, vote.limit, vote.limit_from) = (2.5, 1.4, "learnt".into());
        let said = "credential stuffing: 2.50 failed logins at /api/login in the visit; the limit is 1.40 (learnt here)";
        assert_eq!(reason(&vote), said);
    }
}
