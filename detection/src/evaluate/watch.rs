//! traffic → visits: what detection knew of each, and when. Nothing here knows a label.

use std::collections::HashMap;

use throughline_session::wire::SessionId;

use super::traffic::{GAP_US, Hide, Traffic};
use crate::detection::{Detection, Settings};
use crate::event::LogPosition;
use crate::features::Vector;
use crate::hash;

/// After so many requests a visit is scored, besides at its end.
pub const REQUESTS: [u32; 3] = [3, 5, 10];

/// What detection knew of a visit at one moment.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// Features.
    pub values: Vector,
    /// Their ranks in the application.
    pub ranks: Vector,
    /// How machine-like the rules find it, 0 to 1.
    pub rules: f64,
    /// How sure the verdict on it is, 0 to 1.
    pub confidence: f64,
}

/// What was seen of one visit: a session of a log, or what a session of records did without a
/// pause of more than 30 minutes.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// Lines of its requests.
    pub lines: Vec<usize>,
    /// Hash of the address.
    pub address: u64,
    /// Hash of the user agent.
    pub user_agent: u64,
    /// After 3, 5 and 10 requests, where it came so far.
    pub early: [Option<Moment>; 3],
    /// At its end, from the third request on.
    pub last: Moment,
}

/// Runs traffic through detection in its order; gives every visit by session and number. With
/// `adapt`, the traffic is run through once before, so that the baselines are settled.
#[must_use]
pub fn watch(traffic: &dyn Traffic, hide: Hide, adapt: bool) -> HashMap<(SessionId, u32), Visit> {
    let mut detection = Detection::new(Settings::default());
    if adapt {
        pass(traffic, hide, &mut detection, None);
        detection.forget_clients();
    }
    let mut visits = HashMap::new();
    pass(traffic, hide, &mut detection, Some(&mut visits));
    visits
}

fn pass(
    traffic: &dyn Traffic,
    hide: Hide,
    detection: &mut Detection,
    mut visits: Option<&mut HashMap<(SessionId, u32), Visit>>,
) {
    // The latest request of each session, and which visit it belongs to.
    let mut latest = HashMap::<SessionId, (i64, u32)>::new();
    traffic.each(hide, &mut |line, mut exchange| {
        let text = |text: Option<&str>| hash::bytes(0, text.unwrap_or_default().as_bytes());
        let address = text(exchange.client_ip.as_deref());
        let user_agent = text(exchange.user_agent.as_deref());
        if hide.user_agent {
            exchange.user_agent = None;
        }
        detection.observe_exchange(&exchange, detection.next_position());
        let Some(visits) = &mut visits else {
            return;
        };
        let at = exchange.start_us;
        let (last_us, number) = latest.entry(exchange.session).or_insert((at, 0));
        if at.saturating_sub(*last_us) > GAP_US {
            *number += 1;
        }
        *last_us = at.max(*last_us);
        let visit = visits.entry((exchange.session, *number)).or_default();
        visit.lines.push(line);
        visit.address = address;
        visit.user_agent = user_agent;
        let requests = u32::try_from(visit.lines.len()).unwrap_or(u32::MAX);
        if requests >= REQUESTS[0] {
            visit.last = moment(detection, &exchange.session);
            let early = REQUESTS.iter().position(|count| *count == requests);
            if let Some(early) = early.and_then(|at| visit.early.get_mut(at)) {
                *early = Some(visit.last.clone());
            }
        }
    });
}

fn moment(detection: &Detection, session: &SessionId) -> Moment {
    let (values, ranks) = detection.features(session).unwrap_or_default();
    let (rules, confidence) = detection.suspicion(session).unwrap_or_default();
    Moment {
        values,
        ranks,
        rules,
        confidence,
    }
}

/// Positions for traffic that has none.
impl Detection {
    pub(crate) fn next_position(&self) -> LogPosition {
        let LogPosition { offset, .. } = self.position();
        LogPosition {
            offset: offset + 1,
            index: 0,
        }
    }
}
