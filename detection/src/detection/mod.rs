//! The whole line: what the aggregator calls for each record.

mod crawlers;
mod decide;
mod learn;

use std::collections::HashMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use throughline_session::wire::{Record, SessionId};

use crate::detectors::{About, Judgement};
use crate::event::{Browser, Claim, Exchange, LogPosition, Named, Outcome, Whereabouts};
use crate::features::{self, Scope, Vector, View};
use crate::hash;
use crate::state::application::Application;
use crate::state::bounded::Bounded;
use crate::state::session::Session;
use crate::state::source::Source;
use crate::verdicts::{self, Class, Knowledge, Profile, Standing, Verdict, Watch};

/// Limits of what is remembered, and the key of its hashes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settings {
    /// Live sessions; the least used are forgotten first. An eighth as many groups of sessions
    /// that belong together, and as many users; a quarter as many keys that only led to others.
    pub sessions_max: usize,
    /// Addresses, and as many networks; an eighth as many TLS fingerprints.
    pub sources_max: usize,
    /// Applications; records of further ones share the last.
    pub applications_max: usize,
    /// Keys the sketches; keep it secret, and the same over restarts.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sessions_max: 500_000,
            sources_max: 200_000,
            applications_max: 256,
            seed: 0x7468_726f_7567_686c,
        }
    }
}

/// What is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Live sessions.
    pub sessions: usize,
    /// Addresses.
    pub addresses: usize,
    /// Networks.
    pub subnets: usize,
    /// Groups of sessions that belong together, or came back.
    pub groups: usize,
    /// Users.
    pub users: usize,
    /// Sessions forgotten for lack of room so far.
    pub sessions_evicted: u64,
    /// Bytes of one session, its key in table and index included.
    pub session_bytes: usize,
    /// Bytes of one address or network.
    pub source_bytes: usize,
}

/// By user and application, hashed.
type Users = Bounded<u64, Session>;
/// An address that no source has.
const NOWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// The state of bot detection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Detection {
    settings: Settings,
    applications: Vec<Application>,
    names: HashMap<Box<str>, u32>,
    sessions: Bounded<SessionId, Session>,
    addresses: Bounded<IpAddr, Source>,
    subnets: Bounded<IpAddr, Source>,
    /// By TLS fingerprint, hashed.
    fingerprints: Bounded<u64, Source>,
    /// What sessions that belong together did, by the first of them.
    groups: Bounded<SessionId, Session>,
    /// Keys that were only seen beside others, and the first session of these.
    aliases: Bounded<SessionId, SessionId>,
    /// What users did in all their sessions.
    users: Users,
    /// Addresses that were confirmed to be a good bot's.
    crawlers: Bounded<IpAddr, crawlers::Crawler>,
    position: LogPosition,
    profiles: HashMap<Box<str>, Watch>,
    /// For applications without a profile.
    #[serde(skip)]
    unwatched: Watch,
    /// User agents seen, by hash: reading one takes longer than all the rest.
    #[serde(skip)]
    claims: HashMap<u64, (Claim, Option<Browser>)>,
}

impl Detection {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            applications: Vec::new(),
            names: HashMap::new(),
            sessions: Bounded::new(settings.sessions_max),
            addresses: Bounded::new(settings.sources_max),
            subnets: Bounded::new(settings.sources_max),
            fingerprints: Bounded::new(settings.sources_max / 8),
            groups: Bounded::new(settings.sessions_max / 8),
            aliases: Bounded::new(settings.sessions_max / 4),
            users: Bounded::new(settings.sessions_max / 8),
            crawlers: Bounded::new(crawlers::CRAWLERS_MAX),
            position: LogPosition::default(),
            profiles: HashMap::new(),
            unwatched: Watch::default(),
            claims: HashMap::new(),
            settings,
        }
    }

    /// Sets how an application is watched; it holds from the next record on.
    pub fn set_profile(&mut self, application: &str, profile: Profile) {
        self.profiles.insert(application.into(), profile.into());
    }

    /// Learns from a record and says which verdicts are new or have become surer.
    pub fn observe(&mut self, record: &Record<'_>, position: LogPosition) -> Vec<Verdict> {
        self.observe_from(record, Whereabouts::default(), position)
    }

    /// The same, where it is known from where the record's client comes.
    pub fn observe_from(
        &mut self,
        record: &Record<'_>,
        place: Whereabouts<'_>,
        position: LogPosition,
    ) -> Vec<Verdict> {
        let watch = self.profiles.get(&*record.application);
        let names = watch.map_or(Named::default(), |it| Named {
            accounts: &it.profile.account_parameters,
            fingerprints: &it.profile.fingerprint_parameters,
        });
        let exchange = Exchange::of_record(record, names).from_where(place);
        self.observe_exchange(&exchange, position)
    }

    /// The same for an exchange of any origin. A position that is not past the latest one was
    /// seen before (a replay after a restart) and changes nothing.
    pub fn observe_exchange(
        &mut self,
        exchange: &Exchange<'_>,
        position: LogPosition,
    ) -> Vec<Verdict> {
        if position <= self.position {
            return Vec::new();
        }
        self.position = position;
        let claim = self.claim(exchange.user_agent.as_deref());
        let index = self.application(&exchange.application);
        let Some(application) = self.applications.get_mut(index as usize) else {
            return Vec::new();
        };
        let event = application.event(exchange, claim, position);
        if event.outcome != Outcome::Answered {
            return Vec::new();
        }
        self.link(&event);
        let Some((requests, judged)) = self.learn(&event, index) else {
            return Vec::new();
        };
        let profile = self.profiles.get(&*exchange.application);
        let left_alone = |profile: &Watch| {
            profile.excepts(exchange, event.address)
                || self.is_good_bot(profile, event.address, event.at_us)
        };
        if profile.is_some_and(left_alone) || !decide::due(requests, judged, &event) {
            return Vec::new();
        }
        self.judge(&event, exchange.user.as_deref())
    }

    /// Forgets what was held against a session, as after 'this is wrong'.
    pub fn pardon(&mut self, id: &SessionId) {
        if let Some(session) = self.sessions.touch(id) {
            session.standing = Standing::default();
        }
    }

    /// Whether an application is known well enough for learnt limits.
    #[must_use]
    pub fn knowledge(&self, application: &str) -> Option<Knowledge> {
        let index = *self.names.get(application)?;
        let application = self.applications.get(index as usize)?;
        Some(if application.ready() {
            Knowledge::Ready
        } else {
            Knowledge::Learning
        })
    }

    /// What a session's client is known as, when it is no bad bot.
    #[must_use]
    pub fn class(&self, id: &SessionId) -> Option<Class> {
        let view = self.view(id)?;
        let profile = self.profile(view.application);
        let address = view.session.visit.identity.address;
        let good = self.is_good_bot(profile, address, view.now_us);
        Some(if good {
            Class::GoodBot
        } else {
            verdicts::class(&view)
        })
    }

    /// Whether it remembers as many sessions, sources and applications as these say.
    #[must_use]
    pub fn remembers(&self, settings: &Settings) -> bool {
        let limits = |it: &Settings| (it.sessions_max, it.sources_max, it.applications_max);
        limits(&self.settings) == limits(settings)
    }

    /// Live sessions, sources, and sessions forgotten for lack of room so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            sessions: self.sessions.len(),
            addresses: self.addresses.len(),
            subnets: self.subnets.len(),
            groups: self.groups.len(),
            users: self.users.len(),
            sessions_evicted: self.sessions.evicted(),
            session_bytes: size_of::<Session>() + size_of::<SessionId>() * 2 + 8,
            source_bytes: size_of::<Source>() + size_of::<IpAddr>() * 2 + 8,
        }
    }

    fn claim(&mut self, user_agent: Option<&str>) -> (Claim, Option<Browser>) {
        const CLAIMS_MAX: usize = 8192;
        let Some(text) = user_agent else {
            return (Claim::Unknown, None);
        };
        let key = hash::bytes(self.settings.seed, text.as_bytes());
        if let Some(claim) = self.claims.get(&key) {
            return *claim;
        }
        if self.claims.len() >= CLAIMS_MAX {
            self.claims.clear();
        }
        let claim = (Claim::of(text), Browser::of(text));
        self.claims.insert(key, claim);
        claim
    }

    fn application(&mut self, name: &str) -> u32 {
        if let Some(index) = self.names.get(name) {
            return *index;
        }
        let index = self
            .applications
            .len()
            .min(self.settings.applications_max.max(1) - 1);
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        if self.applications.len() < self.settings.applications_max.max(1) {
            self.applications
                .push(Application::new(name, self.settings.seed));
            self.names.insert(name.into(), index);
        }
        index
    }

    fn view(&self, id: &SessionId) -> Option<View<'_>> {
        let session = self.sessions.get(id)?;
        let address = session.visit.identity.address;
        let application = self.applications.get(session.application as usize)?;
        let fingerprint = session.visit.identity.fingerprint;
        Some(View {
            session,
            visit: &session.visit,
            address: address.and_then(|it| self.addresses.get(&it)),
            subnet: address.and_then(|it| self.subnets.get(&crate::event::prefix(it))),
            fingerprint: fingerprint.and_then(|it| self.fingerprints.get(&it)),
            application,
            ready: application.ready(),
            now_us: session.last_us,
            scope: Scope::Visit,
        })
    }

    /// Position of the latest record.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        self.position
    }

    /// Forgets sessions and sources, keeps what was learnt of applications.
    pub fn forget_clients(&mut self) {
        self.sessions = Bounded::new(self.settings.sessions_max);
        self.groups = Bounded::new(self.settings.sessions_max / 8);
        self.aliases = Bounded::new(self.settings.sessions_max / 4);
        self.users = Bounded::new(self.settings.sessions_max / 8);
        self.addresses = Bounded::new(self.settings.sources_max);
        self.subnets = Bounded::new(self.settings.sources_max);
        self.fingerprints = Bounded::new(self.settings.sources_max / 8);
    }

    /// How machine-like the rules find a session, and how sure they are that it is a bad bot.
    #[must_use]
    pub fn suspicion(&self, id: &SessionId) -> Option<(f64, f64)> {
        let view = self.view(id)?;
        let judged = verdicts::judge(&view, self.profile(view.application));
        Some((judged.machine, judged.confidence))
    }

    /// What each detector says of a session's current visit: a value beside its limit, or that it
    /// has not enough evidence to judge. Those that the profile has turned off are left out.
    #[must_use]
    pub fn judgements(&self, id: &SessionId) -> Vec<(&'static About, Judgement)> {
        let Some(view) = self.view(id) else {
            return Vec::new();
        };
        verdicts::judgements(&view, self.profile(view.application))
    }

    /// The features of a session's current visit, and their ranks in the application.
    #[must_use]
    pub fn features(&self, id: &SessionId) -> Option<(Vector, Vector)> {
        let view = self.view(id)?;
        let values = features::vector(&view);
        let requests = view.visit.volume.requests;
        let ranks = view.application.baseline.ranks(requests, &values);
        Some((values, ranks))
    }
}
