//! What kinds of context parameters are called.

use throughline_session::wire::ParameterKind;

/// The name of a kind in the database and the API.
#[must_use]
pub fn parameter_kind(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::User => "user",
        ParameterKind::Role => "role",
        ParameterKind::Plain => "plain",
    }
}
