//! event → features: numbers about a visit and where it comes from.
//!
//! Each group is one file with its state, what it learns of a step, and its features; one line in
//! `groups!` below registers it. Features are ratios or logarithms, so that they mean the same on
//! a small site and on a large one; what an application is used to is taken out by ranking them
//! in its baseline (`state::baseline`).

use serde::{Deserialize, Serialize};

use crate::state::Step;
use crate::state::application::Application;
use crate::state::session::Session;
use crate::state::source::Source;

/// Which way a feature points, from knowing what it measures and not from any data set. The
/// learnt model may not contradict it, which keeps it from learning one site's accidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Higher is more like a machine.
    Machine,
    /// Higher is more like a person with a browser.
    Person,
    /// Either end may be odd.
    Either,
}

/// One number about a visit.
#[derive(Clone, Copy)]
pub struct Feature {
    /// Its name within its group.
    pub name: &'static str,
    /// One sentence for the reference.
    pub summary: &'static str,
    /// Which way it points.
    pub direction: Direction,
    pub(crate) value: fn(&View<'_>) -> Option<f64>,
}

impl std::fmt::Debug for Feature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Features that share state.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The file's name.
    pub name: &'static str,
    /// Its features.
    pub features: &'static [Feature],
}

/// What is judged as if it were one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One visit of one session.
    Visit,
    /// All visits of a session and of those that links join to it, for a week.
    Group,
    /// All sessions of a user, for a week.
    User,
}

/// Everything a feature or a detector may look at.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) session: &'a Session,
    pub(crate) visit: &'a Visit,
    pub(crate) address: Option<&'a Source>,
    pub(crate) subnet: Option<&'a Source>,
    /// All clients with the same TLS fingerprint, where the proxy measures it.
    pub(crate) fingerprint: Option<&'a Source>,
    pub(crate) application: &'a Application,
    /// Whether the application has a baseline.
    pub(crate) ready: bool,
    /// Time of the record that is judged.
    pub(crate) now_us: i64,
    /// What `session` and `visit` stand for.
    pub(crate) scope: Scope,
}

impl<'a> View<'a> {
    /// The same with all that belongs together; `None` where it says nothing new, or where more
    /// people than one seem to share what joins it.
    pub(crate) fn wider(own: Self, session: &'a Session, scope: Scope) -> Option<Self> {
        let more = session.totals.requests > own.visit.volume.requests;
        (more && !session.is_shared()).then_some(Self {
            session,
            visit: &session.visit,
            scope,
            ..own
        })
    }

    /// Visits that were added up: what a person does in one is done again in the next.
    pub(crate) fn visits(&self) -> f64 {
        match self.scope {
            Scope::Visit => 1.0,
            Scope::Group | Scope::User => f64::from(self.session.totals.visits.max(1)),
        }
    }
}

macro_rules! groups {
    ($($module:ident: $state:ident),* $(,)?) => {
        $(mod $module;)*

        /// What is remembered of a visit, by group.
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        pub(crate) struct Visit {
            $(pub(crate) $module: $module::$state,)*
        }

        impl Visit {
            /// Learns from a step.
            pub(crate) fn observe(&mut self, step: &Step<'_>) {
                $(self.$module.observe(step);)*
            }
        }

        /// All groups.
        pub const ALL: &[Group] = &[
            $(Group { name: stringify!($module), features: $module::FEATURES },)*
        ];
    };
}

pub(crate) use parameters::Place;

groups! {
    volume: Volume,
    timing: Timing,
    endpoints: Endpoints,
    sequence: Sequence,
    assets: Assets,
    statuses: Statuses,
    queries: Queries,
    referers: Referers,
    sizes: Sizes,
    authentication: Authentication,
    parameters: Parameters,
    identity: Identity,
    source: FromSource,
}

/// All features in order: a [`Vector`] has one value for each.
pub fn all() -> impl Iterator<Item = (&'static Group, &'static Feature)> {
    ALL.iter()
        .flat_map(|group| group.features.iter().map(move |feature| (group, feature)))
}

/// Learnt limits: what the application's own sessions reach.
pub(crate) mod columns {
    use std::sync::LazyLock;

    use super::{View, all};

    fn find(group: &str, name: &str) -> usize {
        all()
            .position(|(of, feature)| of.name == group && feature.name == name)
            .unwrap_or(usize::MAX)
    }

    static VALUES: LazyLock<usize> = LazyLock::new(|| find("parameters", "values"));
    static ASSETS: LazyLock<usize> = LazyLock::new(|| find("assets", "assets"));
    static PEAK: LazyLock<usize> = LazyLock::new(|| find("volume", "peak_minute"));
    static ENDPOINTS: LazyLock<usize> = LazyLock::new(|| find("endpoints", "endpoints"));
    static SURPRISE: LazyLock<usize> = LazyLock::new(|| find("sequence", "surprise"));
    static WORK: LazyLock<usize> = LazyLock::new(|| find("sizes", "work"));
    static CARRIED: LazyLock<usize> = LazyLock::new(|| find("sizes", "carried"));

    fn quantile(view: &View<'_>, column: usize, q: f64) -> Option<f64> {
        let requests = view.visit.volume.requests;
        let baseline = &view.application.baseline;
        view.ready
            .then(|| baseline.quantile(requests, column, q))
            .flatten()
    }

    /// Different values in one place that 99 in 100 sessions stay below, `ln(1 + n)`.
    pub(crate) fn values(view: &View<'_>) -> Option<f64> {
        quantile(view, *VALUES, 0.99)
    }

    /// The same for nine sessions in ten: a few scrapers do not move it.
    pub(crate) fn values_of_most(view: &View<'_>) -> Option<f64> {
        quantile(view, *VALUES, 0.9)
    }

    /// Median share of assets.
    pub(crate) fn assets(view: &View<'_>) -> Option<f64> {
        quantile(view, *ASSETS, 0.5)
    }

    /// Different endpoints that 99 in 100 sessions stay below, `ln(1 + n)`.
    pub(crate) fn endpoints(view: &View<'_>) -> Option<f64> {
        quantile(view, *ENDPOINTS, 0.99)
    }

    /// Mean surprise of a step that 99 in 100 sessions stay below, nats.
    pub(crate) fn surprise(view: &View<'_>) -> Option<f64> {
        quantile(view, *SURPRISE, 0.99)
    }

    /// Seconds of the upstream's time per minute that 99 in 100 sessions stay below, `ln(1 + n)`.
    pub(crate) fn work(view: &View<'_>) -> Option<f64> {
        quantile(view, *WORK, 0.99)
    }

    /// MiB per minute that 99 in 100 sessions stay below, `ln(1 + n)`.
    pub(crate) fn carried(view: &View<'_>) -> Option<f64> {
        quantile(view, *CARRIED, 0.99)
    }

    /// Requests in a minute that 99 in 100 sessions stay below, `ln(1 + n)`.
    pub(crate) fn peak(view: &View<'_>) -> Option<f64> {
        quantile(view, *PEAK, 0.99)
    }
}

/// The value of every feature, NaN where there is none yet.
pub type Vector = Vec<f32>;

/// Computes all features.
pub(crate) fn vector(view: &View<'_>) -> Vector {
    all()
        .map(|(_, feature)| (feature.value)(view).map_or(f32::NAN, crate::num::single))
        .collect()
}

/// Makes a feature in one line.
const fn feature(
    name: &'static str,
    direction: Direction,
    summary: &'static str,
    value: fn(&View<'_>) -> Option<f64>,
) -> Feature {
    Feature {
        name,
        summary,
        direction,
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_registered() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/features");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| {
                file.unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .display()
                    .to_string()
            })
            .filter(|name| name != "mod")
            .collect();
        files.sort();
        let mut registered: Vec<_> = ALL.iter().map(|group| group.name).collect();
        registered.sort_unstable();
        assert_eq!(files, registered);
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = all()
            .map(|(group, feature)| (group.name, feature.name))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
