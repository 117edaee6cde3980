//! Where a page ended: opaque to clients, JSON in base64url to us.
//!
//! A cursor carries the log position at which its first page was read. Later pages see the
//! sessions as they were then, so that nothing is missed or repeated while records come in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ApiError;
use super::params::Params;

/// Writes a cursor.
pub(super) fn write(cursor: &impl Serialize) -> Option<String> {
    serde_json::to_vec(cursor)
        .ok()
        .map(|json| URL_SAFE_NO_PAD.encode(json))
}

/// Reads the parameter `cursor`; `None` when it is absent.
pub(super) fn read<T: DeserializeOwned>(params: &Params) -> Result<Option<T>, ApiError> {
    let Some(text) = params.get("cursor") else {
        return Ok(None);
    };
    let json = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| ApiError::BadCursor)?;
    serde_json::from_slice(&json)
        .map(Some)
        .map_err(|_| ApiError::BadCursor)
}
