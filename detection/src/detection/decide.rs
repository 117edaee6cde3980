//! state → verdict: when to judge, whom, and what is new in what comes out.

use throughline_session::wire::SessionId;

use super::Detection;
use crate::event::{Event, Method};
use crate::features::{Scope, View};
use crate::num;
use crate::state::application::Application;
use crate::verdicts::{self, Judged, Knowledge, Sensitivity, Standing, Subject, Verdict, Watch};

/// Whether a session of so many requests, judged last after so many, is judged now: at each of the
/// first 64, then at what tells something (a login, a miss, a write, an item of a catalogue), and
/// ever more rarely, so that a long session costs no more per record than a short one. What a page
/// fetches by itself shows no intent: it waits for the next request.
pub(super) fn due(requests: u32, judged: u32, event: &Event) -> bool {
    let missed = event.missed();
    let since = requests.saturating_sub(judged);
    if event.kind.is_asset() && !missed {
        return since >= 16;
    }
    let write = event.method == Method::Write;
    let telling = event.login || missed || write || event.parameter.is_some();
    match requests {
        0..=64 => true,
        65..=256 => since >= 4 || telling,
        257..=1024 => since >= 8 || event.login,
        _ => since >= 64,
    }
}

/// What was found, and in which view.
struct Found<'a> {
    judged: Judged,
    sensitivity: Sensitivity,
    view: View<'a>,
}

impl Detection {
    pub(super) fn judge(&mut self, event: &Event, user: Option<&str>) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        if let Some(session) = self.sessions.touch(&event.session) {
            session.judged = session.visit.volume.requests;
        }
        if let Some((verdict, by_campaign)) = self.verdict(&event.session, event) {
            verdicts.push(verdict);
            if !by_campaign {
                verdicts.extend(self.source_verdicts(event, &verdicts));
            }
        }
        if event.login_failed() {
            verdicts.extend(self.campaign(event));
        }
        verdicts.extend(user.and_then(|user| self.user_verdict(event, user)));
        verdicts
    }

    /// Whoever fails while a campaign is on speaks for those before it.
    fn campaign(&mut self, event: &Event) -> Vec<Verdict> {
        let index = self
            .sessions
            .get(&event.session)
            .map_or(0, |it| it.application);
        let application = self.applications.get_mut(index as usize);
        let members = application.and_then(|it| it.campaign.announce(event.at_us));
        let members = members.unwrap_or_default().into_iter();
        members
            .filter_map(|member| self.verdict(&member.session, event))
            .map(|(verdict, _)| verdict)
            .collect()
    }

    /// The surest finding of one view.
    fn finding<'a>(view: View<'a>, profile: &Watch) -> Option<Found<'a>> {
        let judged = verdicts::judge(&view, profile);
        Some(Found {
            judged,
            sensitivity: Sensitivity::flagging(judged.confidence)?,
            view,
        })
    }

    /// A session as it is seen by itself, with those it belongs with, and with its user's others.
    fn views(&self, id: &SessionId, event: &Event) -> Option<[Option<View<'_>>; 3]> {
        let own = View {
            now_us: event.at_us,
            ..self.view(id)?
        };
        let group = own.session.root.and_then(|root| self.groups.get(&root));
        let owner = own.session.owner.filter(|_| *id == event.session);
        let user = owner.and_then(|owner| self.users.get(&owner.user));
        let wider = |session, scope| View::wider(own, session, scope);
        Some([
            Some(own),
            group.and_then(|it| wider(it, Scope::Group)),
            user.and_then(|it| wider(it, Scope::User)),
        ])
    }

    /// The verdict on a session, if it is new or surer than before; and whether it is part of a
    /// campaign.
    fn verdict(&mut self, id: &SessionId, event: &Event) -> Option<(Verdict, bool)> {
        let views = self.views(id, event)?;
        let own = views.first().copied().flatten()?;
        let profile = self.profile(own.application);
        let found = views
            .into_iter()
            .flatten()
            .filter_map(|view| Self::finding(view, profile))
            .reduce(|one, two| {
                if two.judged.confidence > one.judged.confidence {
                    two
                } else {
                    one
                }
            })?;
        let before = own.session.standing;
        let address = own.session.visit.identity.address;
        if before.covers(found.sensitivity, event.at_us)
            || profile.excepts_session(own.session, id)
            || self.is_good_bot(profile, address, event.at_us)
        {
            return None;
        }
        let verdict = Verdict {
            requests: own.visit.volume.requests,
            ..Self::say(&found, profile, *id, event)?
        };
        let by_itself = found.view.scope == Scope::Visit;
        let new = before.sensitivity.is_none_or(|it| it > Sensitivity::Medium)
            && verdict.sensitivity <= Sensitivity::Medium;
        let by_campaign = verdict
            .votes
            .iter()
            .any(|it| it.detector == "low_and_slow_stuffing");
        // A campaign passes through addresses that people use, and one client's many tokens are
        // one client: they tell nothing of the place.
        self.stand(id, &verdict, new && by_itself && !by_campaign);
        Some((verdict, by_campaign))
    }

    fn say(found: &Found<'_>, profile: &Watch, id: SessionId, event: &Event) -> Option<Verdict> {
        let Found {
            judged,
            sensitivity,
            view,
        } = found;
        Some(Verdict {
            subject: Subject::Session,
            session: id,
            application: view.application.name.to_string(),
            bot_type: judged.bot_type?,
            confidence: judged.confidence,
            sensitivity: *sensitivity,
            flagged: *sensitivity <= profile.profile.sensitivity,
            knowledge: Knowledge::of(view.ready),
            class: judged.class,
            at_us: event.at_us,
            position: event.position,
            requests: view.visit.volume.requests,
            votes: verdicts::votes(view, profile, judged.mask),
        })
    }

    /// Remembers what was said; `new` when the session had not been flagged before.
    fn stand(&mut self, id: &SessionId, verdict: &Verdict, new: bool) {
        let Some(session) = self.sessions.touch(id) else {
            return;
        };
        session.standing = Standing::of(verdict);
        let address = session.visit.identity.address;
        if !new {
            return;
        }
        let subnet = address.map(crate::event::prefix);
        for source in [
            address.and_then(|it| self.addresses.touch(&it)),
            subnet.and_then(|it| self.subnets.touch(&it)),
        ]
        .into_iter()
        .flatten()
        {
            source.flagged = source.flagged.saturating_add(1);
        }
    }

    /// The verdict on a user of several sessions, if it is new or surer than before.
    fn user_verdict(&mut self, event: &Event, name: &str) -> Option<Verdict> {
        let views = self.views(&event.session, event)?;
        let [.., user] = views;
        let view = user.filter(|it| it.session.totals.sessions.count() >= 1.5)?;
        let profile = self.profile(view.application);
        let found = Self::finding(view, profile)?;
        if view.session.standing.covers(found.sensitivity, event.at_us) {
            return None;
        }
        let verdict = Verdict {
            subject: Subject::User(name.to_owned()),
            ..Self::say(&found, profile, event.session, event)?
        };
        let key = self.sessions.get(&event.session)?.owner?.user;
        if let Some(user) = self.users.touch(&key) {
            user.standing = Standing::of(&verdict);
        }
        Some(verdict)
    }

    /// Verdicts on the address and the network of a session that was just flagged, where nearly
    /// everything that came from there lately was flagged as well.
    fn source_verdicts(&mut self, event: &Event, said: &[Verdict]) -> Vec<Verdict> {
        const ADDRESS: f64 = 8.0;
        const NETWORK: f64 = 50.0;
        let of_session = |it: &&Verdict| it.session == event.session && it.flagged;
        let Some(because) = said.iter().find(of_session) else {
            return Vec::new();
        };
        let mut verdicts = Vec::new();
        let network = self.subnets.get(&event.subnet.unwrap_or(super::NOWHERE));
        let places = network.is_some_and(|it| it.addresses.count() >= 3.5);
        let places = [
            (event.address, true, ADDRESS),
            (event.subnet.filter(|_| places), false, NETWORK),
        ];
        for (ip, address, least) in places {
            let sources = if address {
                &mut self.addresses
            } else {
                &mut self.subnets
            };
            let source = ip.and_then(|ip| Some((ip, sources.touch(&ip)?)));
            verdicts.extend(source.and_then(|(ip, it)| it.verdict(ip, address, least, because)));
        }
        let profile = self
            .profiles
            .get(&*because.application)
            .unwrap_or(&self.unwatched);
        verdicts.retain(|it: &Verdict| match it.subject {
            Subject::Source { network, .. } => {
                let good = self.has_good_bot(profile, network, event.at_us);
                !good && !profile.excepts_in(network)
            }
            _ => true,
        });
        verdicts
    }

    pub(super) fn profile(&self, application: &Application) -> &Watch {
        let unwatched = &self.unwatched;
        self.profiles.get(&application.name).unwrap_or(unwatched)
    }
}

impl Standing {
    fn of(verdict: &Verdict) -> Self {
        let milli = num::count(verdict.confidence * 1e3);
        Self {
            confidence: u16::try_from(milli).unwrap_or(1000),
            sensitivity: Some(verdict.sensitivity),
            bot_type: Some(verdict.bot_type),
            at_us: verdict.at_us,
        }
    }
}
