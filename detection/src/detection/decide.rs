//! state → verdict: when to judge, and what is new in what comes out.

use throughline_session::wire::SessionId;

use super::Detection;
use crate::event::Event;
use crate::features::View;
use crate::num;
use crate::verdicts::{self, Knowledge, Sensitivity, Standing, Verdict};

/// Whether a session of so many requests is judged now: at each of the first 64, and for every
/// login, then ever more rarely, so that a long session costs no more per record than a short one.
pub(super) fn due(requests: u32, event: &Event) -> bool {
    match requests {
        0..=64 => true,
        65..=512 => requests.is_multiple_of(8) || event.login,
        _ => requests.is_multiple_of(64),
    }
}

impl Detection {
    pub(super) fn judge(&mut self, event: &Event) -> Vec<Verdict> {
        let Some((verdict, by_campaign)) = self.verdict(&event.session, event) else {
            return Vec::new();
        };
        let mut verdicts = vec![verdict];
        // The first to be recognised as part of a campaign speaks for those before it.
        if by_campaign {
            let index = self
                .sessions
                .get(&event.session)
                .map_or(0, |it| it.application);
            let application = self.applications.get_mut(index as usize);
            let members = application.and_then(|it| it.campaign.announce(event.at_us));
            for member in members.unwrap_or_default() {
                verdicts.extend(
                    self.verdict(&member.session, event)
                        .map(|(verdict, _)| verdict),
                );
            }
        }
        verdicts
    }

    /// The verdict on a session, if it is new or surer than before; and whether it is part of a
    /// campaign.
    fn verdict(&mut self, id: &SessionId, event: &Event) -> Option<(Verdict, bool)> {
        let unwatched = &self.unwatched;
        let view = View {
            now_us: event.at_us,
            ..self.view(id)?
        };
        let application = &view.application;
        let profile = self.profiles.get(&application.name).unwrap_or(unwatched);
        let judged = verdicts::judge(&view, profile);
        let sensitivity = Sensitivity::flagging(judged.confidence)?;
        let bot_type = judged.bot_type?;
        let before = view.session.standing;
        if before.covers(sensitivity, event.at_us) || profile.excepts_session(view.session, id) {
            return None;
        }
        let verdict = Verdict {
            session: *id,
            application: application.name.to_string(),
            bot_type,
            confidence: judged.confidence,
            sensitivity,
            flagged: sensitivity <= profile.profile.sensitivity,
            knowledge: if view.ready {
                Knowledge::Ready
            } else {
                Knowledge::Learning
            },
            class: judged.class,
            at_us: event.at_us,
            position: event.position,
            requests: view.visit.volume.requests,
            votes: verdicts::votes(&view, profile, judged.mask),
        };
        let by_campaign = verdict
            .votes
            .iter()
            .any(|it| it.detector == "low_and_slow_stuffing");
        if let Some(session) = self.sessions.touch(id) {
            session.standing = Standing {
                confidence: u16::try_from(num::count(judged.confidence * 1e3)).unwrap_or(1000),
                sensitivity: Some(sensitivity),
                bot_type: Some(bot_type),
                at_us: event.at_us,
            };
        }
        Some((verdict, by_campaign))
    }
}
