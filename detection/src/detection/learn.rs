//! event → state: what a session, those it belongs with, its sources and its application remember.

use super::Detection;
use crate::event::{Claim, Event};
use crate::features::{self, Scope, View};
use crate::hash;
use crate::num;
use crate::state::baseline::STAGES;
use crate::state::session::{Owner, Session};
use crate::state::source::Source;
use crate::state::totals::octets;
use throughline_session::wire::SessionId;

impl Detection {
    /// Joins the sessions that an event says belong together: those of its links, and the one
    /// that a login or a refresh came from. Only sessions with keys of their own are joined: one
    /// that was found by address may be anybody's.
    pub(super) fn link(&mut self, event: &Event) {
        if !event.keyed {
            return;
        }
        for linked in event.links.iter().copied().flatten() {
            let other = self.standing_for(linked, event.session);
            self.join(event, other);
        }
        if let Some(before) = event.came_from {
            self.join(event, before);
        }
    }

    /// A key that never made a session of its own, as a refresh token, stands for the first session
    /// that it was seen beside.
    fn standing_for(&mut self, linked: SessionId, session: SessionId) -> SessionId {
        if self.sessions.get(&linked).is_some() {
            return linked;
        }
        let first = self.aliases.entry(&linked, || session);
        first.map_or(linked, |first| *first)
    }

    fn join(&mut self, event: &Event, other: SessionId) {
        if other == event.session {
            return;
        }
        let own = self.sessions.get(&event.session).and_then(|it| it.root);
        let Some(earlier) = self.sessions.touch(&other).filter(|it| it.keyed) else {
            return;
        };
        if own.is_some() && earlier.root.is_some() {
            return;
        }
        let root = own.or(earlier.root).unwrap_or(other);
        earlier.root = Some(root);
        let founder = earlier.found_group();
        self.groups.entry(&root, || founder);
        if let Some(session) = self.sessions.entry(&event.session, Session::default) {
            session.root = Some(root);
        }
    }

    /// Gives the number of requests in the visit, and how many there were when it was judged last.
    pub(super) fn learn(&mut self, event: &Event, index: u32) -> Option<(u32, u32)> {
        self.learn_source(event);
        self.found(event);
        let came_from = event.came_from.and_then(|it| self.sessions.get(&it));
        let from_browser = came_from.is_some_and(|it| it.visit.assets.assets() > 0);
        let before = event.came_from.filter(|_| event.login);
        let old = event.before_change.and_then(|it| self.sessions.get(&it));
        let cut = old.is_some_and(|it| !it.ends_with(event));
        let session = self.sessions.entry(&event.session, Session::default)?;
        let application = self.applications.get_mut(index as usize)?;
        session.application = index;
        session.keyed = event.keyed;
        session.from_browser |= from_browser;
        let begins = session.totals.requests == 0;
        let gap_us = session.turn(event);
        session.cut |= begins && cut;
        session.totals.observe(event);
        let owner = session.owner.filter(|it| it.certain && event.keyed);
        session.owner = owner_by(event, index).or(owner);
        let owner = session.owner;
        let previous = session.previous;
        let step = application.step(event, session, gap_us);
        let unsuspected = session.standing.sensitivity.is_none();
        let reads = event.claim == Claim::Browser && event.parameter.is_some() && unsuspected;
        let items_before = if reads { items(session) } else { 0 };
        session.visit.observe(&step);
        session.previous = event.endpoint + 1;
        if reads {
            let readers = &mut application.readers;
            readers.count(network(event), items_before, items(session));
        }
        let (root, judged) = (session.root, session.judged);
        let requests = session.visit.volume.requests;
        let group = root.and_then(|root| self.groups.touch(&root));
        let group = group.and_then(|it| it.observe_member(&step, index));
        let user = owner.and_then(|it| self.users.entry(&it.user, Session::default));
        let user = user.and_then(|it| it.observe_member(&step, index));
        // Whoever is judged as one teaches as one: a login must not let a client teach anew.
        let place = [Some(&session.visit), group, user]
            .into_iter()
            .filter_map(|visit| visit?.parameters.at(event.endpoint))
            .max_by_key(|place| place.requests);
        application.learn(&step, previous, requests, place, network(event));
        if requests == STAGES[0] {
            application.count_visit(&session.visit);
        }
        if event.login
            && let Some(session) = self.sessions.get(&event.session)
        {
            let before = before.and_then(|it| self.sessions.get(&it));
            application.campaign.observe(event, session, before);
        }
        self.learn_baseline(event, index, requests);
        Some((requests, judged))
    }

    fn learn_source(&mut self, event: &Event) {
        if let Some(address) = event.address
            && let Some(source) = self.addresses.entry(&address, Source::default)
        {
            source.observe(event);
        }
        if let Some(subnet) = event.subnet
            && let Some(source) = self.subnets.entry(&subnet, Source::default)
        {
            source.observe(event);
        }
        if let Some(fingerprint) = event.fingerprint
            && let Some(source) = self.fingerprints.entry(&fingerprint, Source::default)
        {
            source.observe(event);
        }
    }

    /// A session with a key of its own that comes back for another visit founds a group with
    /// itself: what it did before counts on.
    fn found(&mut self, event: &Event) {
        let Some(session) = self.sessions.touch(&event.session) else {
            return;
        };
        if session.keyed && session.root.is_none() && session.ends_with(event) {
            session.root = Some(event.session);
            let founder = session.found_group();
            self.groups.entry(&event.session, || founder);
        }
    }

    fn learn_baseline(&mut self, event: &Event, index: u32, requests: u32) {
        if !STAGES.contains(&requests) {
            return;
        }
        let network = network(event);
        let Some(application) = self.applications.get_mut(index as usize) else {
            return;
        };
        if !application.baseline.wants(requests, network) {
            return;
        }
        let view = self.view(&event.session).map(|view| View {
            ready: false,
            now_us: event.at_us,
            scope: Scope::Visit,
            ..view
        });
        let values = view.map(|view| features::vector(&view)).unwrap_or_default();
        if let Some(application) = self.applications.get_mut(index as usize) {
            application.baseline.add(requests, network, &values);
        }
    }
}

/// The network that an event comes from, as baselines tell them apart.
fn network(event: &Event) -> u64 {
    event.subnet.map_or(0, |it| hash::bytes(6, &octets(it)))
}

/// Different items that the visit asked for at one endpoint.
fn items(session: &Session) -> u32 {
    let widest = session.visit.parameters.widest();
    widest.map_or(0, |place| num::count(place.distinct()))
}

/// Whose an event is by its own word. Where anyone can claim to be a user, only what the upstream
/// accepted is held to be theirs.
fn owner_by(event: &Event, application: u32) -> Option<Owner> {
    let certain = !event.user_forgeable;
    let user = event.user.filter(|_| certain || event.succeeded())?;
    let user = hash::pair(user, u64::from(num::low32(u64::from(application))));
    Some(Owner { user, certain })
}
