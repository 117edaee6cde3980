//! event → state: what a session, its sources and its application remember of it.

use super::Detection;
use crate::event::Event;
use crate::features::{self, View};
use crate::hash;
use crate::state::baseline::STAGES;
use crate::state::session::Session;
use crate::state::source::Source;
use crate::state::totals::octets;

impl Detection {
    /// A session that takes over from another with a key of its own, as after a token refresh,
    /// is the same client's. One that was found by address is not: many clients may share that.
    pub(super) fn link(&mut self, event: &Event) {
        let Some(before) = event.came_from else {
            return;
        };
        let Some(earlier) = self.sessions.touch(&before).filter(|it| it.keyed) else {
            return;
        };
        if !event.keyed {
            return;
        }
        let root = *earlier.root.get_or_insert(before);
        let totals = earlier.totals.clone();
        self.related.entry(&root, || totals);
        if let Some(session) = self.sessions.entry(&event.session, Session::default) {
            session.root.get_or_insert(root);
        }
    }

    /// Gives the number of requests in the visit.
    pub(super) fn learn(&mut self, event: &Event, index: u32) -> Option<u32> {
        let address = event
            .address
            .and_then(|it| self.addresses.entry(&it, Source::default));
        let address = address.map(|source| {
            source.observe(event);
            &*source
        });
        let subnet = event
            .subnet
            .and_then(|it| self.subnets.entry(&it, Source::default));
        let subnet = subnet.map(|source| {
            source.observe(event);
            &*source
        });
        let session = self.sessions.entry(&event.session, Session::default)?;
        let application = self.applications.get_mut(index as usize)?;
        session.application = index;
        session.keyed = event.keyed;
        let gap_us = session.turn(event);
        session.totals.observe(event);
        if let Some(related) = session.root.and_then(|root| self.related.touch(&root)) {
            related.observe(event);
        }
        let previous = session.previous;
        let step = application.step(event, session, gap_us);
        session.visit.observe(&step);
        session.previous = event.endpoint + 1;
        let requests = session.visit.volume.requests;
        let tries = session.visit.parameters.at(event.endpoint);
        application.learn(&step, previous, requests, tries);
        if event.login {
            application.campaign.observe(event, session);
        }
        if requests == STAGES[0] {
            application.count_visit(session.visit.assets.assets() > 0);
        }
        let network = event.subnet.map_or(0, |it| hash::bytes(6, &octets(it)));
        if application.baseline.wants(requests, network) {
            let view = View {
                session,
                visit: &session.visit,
                related: None,
                address,
                subnet,
                application,
                ready: false,
                now_us: event.at_us,
            };
            let values = features::vector(&view);
            application.baseline.add(requests, network, &values);
        }
        Some(requests)
    }
}
