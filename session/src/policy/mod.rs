//! What a user can configure: the plugin configuration and the policy in it.
//!
//! [`document`] is the JSON as it is written, [`Policy`] what the filter works with.

mod builtin;
mod document;
mod find;
mod rule;

pub use document::{
    Aggregator, Application, BodyBytes, CandidateDocument, Development, Fallback, KeyRule, Limits,
    LiveDocument, Mask, Parameter, PluginConfig, PolicyDocument, Sample,
};
pub use find::{Early, Hits, Late, Needs};
pub use rule::Policy;

/// Why a configuration was refused: the place and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    /// Where, as a path into the document, e.g. `policy.keys[1].from`.
    pub place: String,
    /// What is wrong there and what would be right.
    pub problem: String,
}

impl ConfigError {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            problem: problem.into(),
        }
    }
}
