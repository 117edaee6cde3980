//! record → endpoint: `GET /api/orders/17` is one call of `GET /api/orders/{id}`.
//!
//! The store's thread asks in log order, so that the same log always gives the same endpoints, but for
//! what an uploaded document names otherwise. What was learnt is committed with the records that taught
//! it.

mod documents;
mod learner;
mod operations;
pub mod sums;

pub use documents::{DOCUMENTS_MAX, Document, Documents};
pub use learner::{Endpoints, Learnt};
pub use operations::{DOCUMENT_BYTES_MAX, Operations, Unusable};

/// A path that the application never answered with success.
pub const UNKNOWN: &str = "(unknown)";
/// A request without a path: Envoy refused it before any filter saw its headers.
pub const NO_PATH: &str = "(no path)";

/// Methods that name endpoints; the others, which clients make up, are one.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
];

/// What an endpoint's name begins with: the method, or `OTHER`.
fn method(method: Option<&str>) -> &'static str {
    let known = |it: &&&str| Some(**it) == method;
    METHODS.iter().find(known).copied().unwrap_or("OTHER")
}
