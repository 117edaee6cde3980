//! Records as the filter writes them.

use throughline_detection::verdicts::{BotType, LimitFrom};
use throughline_detection::{Detection, LogPosition, Settings};
use throughline_session::wire::Record;

#[test]
fn a_scanner_in_records_is_named_with_its_requests() {
    let mut detection = Detection::new(Settings::default());
    let mut verdicts = Vec::new();
    for index in 0..12_u32 {
        let line = format!(
            r#"{{"index":{index},"start_us":{},"application":"shop","method":"GET","host":"shop.example","path":"/old-{index}","status":404,"upstream_us":900,"client_ip":"203.0.113.7","user_agent":"curl/8","key":"ip_user_agent","request_session":"000000000000000000000000000000aa","session":"000000000000000000000000000000aa"}}"#,
            1_772_442_000_000_000_i64 + i64::from(index) * 700_000,
        );
        let record: Record<'_> = serde_json::from_str(&line).expect("a record");
        verdicts.extend(detection.observe(
            &record,
            LogPosition {
                offset: 17,
                index: index + 1,
            },
        ));
    }
    let first = verdicts
        .iter()
        .find(|verdict| verdict.flagged)
        .expect("a verdict");
    assert_eq!(first.bot_type, BotType::SecurityCrawler);
    assert!(first.requests <= 10, "{first:?}");
    let vote = first.votes.first().expect("a vote");
    assert_eq!(
        (vote.detector, vote.limit_from),
        ("scanning", LimitFrom::ColdStart)
    );
    assert!(vote.value >= vote.limit && vote.records.iter().all(|at| at.offset == 17));
    assert!(!vote.records.is_empty());
}
