//! The filter language: which sessions, said in one line. `docs/filters.md` is the user's view.
//!
//! text → words (`words`) → terms with checked values (`terms`) → SQL (`sql`). What can be asked
//! is one list, `fields`.

mod clause;
mod facet;
mod fields;
mod literal;
mod needs;
mod sql;
mod terms;
mod values;
mod words;

pub use clause::Clause;
pub use facet::{Facet, Source};
pub use fields::{FIELDS, Field, IS_BOT, USER_AGENT_FAMILY};
pub use needs::{Needs, Told};
pub(crate) use sql::session_begins;
pub use sql::{Seen, address, with_parameter};
pub use terms::SessionFilter;

/// Why a filter makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// Where, in letters from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub remedy: String,
}

impl FilterError {
    fn new(column: usize, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            column,
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}
