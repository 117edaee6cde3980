//! The signature of payment webhooks: `x-shop-signature: sha256=<hex>` over the body.

use crate::accounts::keyed;

/// Name of the header.
pub const HEADER: &str = "x-shop-signature";

/// The demo's payment provider and the shop share it.
const SECRET: &[u8] = b"demo payment provider";

/// The header's value for this body.
#[must_use]
pub fn signature(body: &[u8]) -> String {
    format!("sha256={}", keyed(SECRET, body))
}
