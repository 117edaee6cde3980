//! store → session: which visit a record belongs to, and the running sums of each visit.
//!
//! Pure: no database, no clock. Everything depends on the order of the log alone, so that a
//! restart, another batch size or a replay give the same visits.

mod kinds;
mod links;
mod part;
mod rules;
mod tracker;

pub use kinds::parameter_kind;
pub use links::{LinkKey, LinkPart, Links, link_kind};
pub use part::{Exchange, Part, Parts, VisitKey};
pub use rules::{Rules, VisitRule, VisitRules};
pub use tracker::{OpenVisit, Tracker};
