//! verdict → one more line of evidence: what a learnt model says of the session. It makes no
//! verdict and takes none away.

use throughline_detection::Detection;
use throughline_detection::model::Model;
use throughline_detection::verdicts::Verdict;

use super::EvidenceVote;

/// Features named.
const REASONS: usize = 3;
/// What a model that knows nothing would say.
const EVEN: f64 = 0.5;

/// What the model says of the session whose request led to a verdict.
pub(super) fn vote(
    model: &Model,
    detection: &Detection,
    verdict: &Verdict,
) -> Option<EvidenceVote> {
    let (values, ranks) = detection.features(&verdict.session)?;
    let said = model.explain(&values, &ranks, REASONS)?;
    let reasons = said
        .contributions
        .iter()
        .map(|(feature, added)| format!("{feature} {added:+.2}"));
    let reasons: Vec<_> = reasons.collect();
    Some(EvidenceVote {
        detector: "learnt_model".to_owned(),
        bot_type: super::judge::word(&verdict.bot_type),
        value: said.machine,
        limit: EVEN,
        limit_from: "model".to_owned(),
        unit: format!("probability of a machine, from {}", reasons.join(", ")),
        window: "the visit".to_owned(),
        strength: said.machine,
        endpoint: None,
        records: Vec::new(),
    })
}
