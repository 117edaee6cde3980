//! The arithmetic from votes to a confidence.

use super::{BotType, Class, Vote, Watch, calibration};
use crate::detectors::{self, About, Detector, Judgement, Limits, Weight};
use crate::features::{Scope, View};

/// How much a machine vote can add to abuse that is in doubt.
const SUPPORT: f64 = 0.5;
/// Positions in one vote at most.
const RECORDS_MAX: usize = 10;

/// What all detectors together say of a session.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Judged {
    /// That it is a bad bot, 0 to 1.
    pub(crate) confidence: f64,
    /// The kind with the strongest vote.
    pub(crate) bot_type: Option<BotType>,
    /// That it is a machine of any kind, 0 to 1; leanings below the limits included. Ranks
    /// sessions, decides nothing.
    pub(crate) machine: f64,
    /// Detectors that voted, one bit each.
    pub(crate) mask: u32,
    pub(crate) class: Class,
}

/// `None` when the detector is off.
fn examine(
    index: usize,
    detector: &dyn Detector,
    view: &View<'_>,
    profile: &Watch,
) -> Option<Judgement> {
    let limits = Limits {
        visits: view.visits(),
        ..profile.limits_of(index)?
    };
    Some(detector.examine(view, limits))
}

/// What each detector says, of those that are on.
pub(crate) fn judgements(view: &View<'_>, profile: &Watch) -> Vec<(&'static About, Judgement)> {
    let all = detectors::ALL.iter().enumerate();
    all.filter_map(|(index, it)| Some((it.about(), examine(index, *it, view, profile)?)))
        .collect()
}

/// Whether a session is a client that the application knows as a machine.
pub(crate) fn class(view: &View<'_>) -> Class {
    let totals = &view.session.totals;
    let steady = view.session.keyed
        && totals.requests >= 60
        && totals.age_hours() >= 1.0
        && totals.misses.saturating_mul(50) <= totals.requests
        && totals.logins_failed == 0
        && totals.addresses.count() < 2.5
        && view.visit.endpoints.distinct.count() < 9.0
        && view.visit.assets.assets() == 0;
    if steady {
        Class::KnownMachine
    } else {
        Class::Unknown
    }
}

/// Asks all detectors.
pub(crate) fn judge(view: &View<'_>, profile: &Watch) -> Judged {
    let class = class(view);
    let (mut clean, mut person, mut support) = (1.0, 1.0, 0.0_f64);
    let (mut strongest, mut judged) = (
        0.0,
        Judged {
            class,
            ..Judged::default()
        },
    );
    for (index, detector) in detectors::ALL.iter().enumerate() {
        let Some(Judgement::Measured(finding)) = examine(index, *detector, view, profile) else {
            continue;
        };
        let about = detector.about();
        let strength = finding.strength(about);
        let (Weight::Abuse(weight) | Weight::Machine(weight)) = about.weight;
        person *= 1.0 - weight * strength;
        if !finding.is_vote(about) {
            continue;
        }
        let excused = class == Class::KnownMachine && about.bot_type == BotType::Scraping;
        match about.weight {
            Weight::Machine(_) if class == Class::Unknown => support = support.max(strength),
            Weight::Abuse(_) if !excused => {
                clean *= 1.0 - weight * strength;
                if weight * strength > strongest {
                    strongest = weight * strength;
                    judged.bot_type = Some(about.bot_type);
                }
            }
            _ => continue,
        }
        judged.mask |= 1 << index;
    }
    judged.machine = 1.0 - person;
    // A machine is likelier to be bad where there is reason to think it bad at all.
    let doubt = clean * (1.0 - SUPPORT * support * (1.0 - clean));
    judged.confidence = calibration::confidence(1.0 - doubt);
    judged
}

/// The votes of a mask, strongest first.
pub(crate) fn votes(view: &View<'_>, profile: &Watch, mask: u32) -> Vec<Vote> {
    let mut votes: Vec<Vote> = detectors::ALL
        .iter()
        .enumerate()
        .filter(|(index, _)| mask >> index & 1 == 1)
        .filter_map(|(index, detector)| {
            let Judgement::Measured(finding) = examine(index, *detector, view, profile)? else {
                return None;
            };
            let about = detector.about();
            let mut records = detector.records(view);
            records.truncate(RECORDS_MAX);
            let endpoint = detector.endpoint(view);
            Some(Vote {
                detector: about.name,
                bot_type: about.bot_type,
                value: finding.value,
                limit: finding.limit,
                limit_from: finding.from,
                unit: about.unit,
                window: match view.scope {
                    Scope::Visit => about.window,
                    Scope::Group => "this and related sessions, up to a week",
                    Scope::User => "the user's sessions, up to a week",
                },
                strength: finding.strength(about),
                endpoint: endpoint.map(|it| view.application.templates.name(it)),
                records,
            })
        })
        .collect();
    votes.sort_by(|one, two| two.strength.total_cmp(&one.strength));
    votes
}
