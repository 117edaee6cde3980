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

/// Parameters that may differ from page to page.
const OF_A_PAGE: &[&str] = &["cursor", "limit", "steps"];

/// The pages of one list under one filter, in one order: a cursor of others means nothing here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pages {
    /// Checksum of the path and the parameters.
    list: u32,
}

impl Pages {
    pub(super) fn of(params: &Params) -> Self {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(params.path().as_bytes());
        for (name, value) in params.sorted() {
            if !OF_A_PAGE.contains(&name) {
                hasher.update(format!("\0{name}={value}").as_bytes());
            }
        }
        let list = hasher.finalize();
        Self { list }
    }

    /// Writes a cursor.
    pub(super) fn write(self, cursor: &impl Serialize) -> Option<String> {
        serde_json::to_vec(&(self.list, cursor))
            .ok()
            .map(|json| URL_SAFE_NO_PAD.encode(json))
    }

    /// Reads the parameter `cursor`; `None` when it is absent.
    pub(super) fn read<T: DeserializeOwned>(self, params: &Params) -> Result<Option<T>, ApiError> {
        let Some(text) = params.get("cursor") else {
            return Ok(None);
        };
        let json = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| ApiError::BadCursor)?;
        match serde_json::from_slice(&json) {
            Ok((list, cursor)) if list == self.list => Ok(Some(cursor)),
            Ok::<(u32, T), _>(_) | Err(_) => Err(ApiError::BadCursor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(path: &str, query: &str) -> (Pages, Params) {
        let known = &["q", "sort", "limit", "cursor"];
        let params = Params::parse(path, query, known).unwrap();
        (Pages::of(&params), params)
    }

    #[test]
    fn a_cursor_is_of_its_list_only() {
        let (first, _) = pages("/v1/users", "q=app:shop&sort=bots");
        let cursor = first.write(&(0.1 + 0.2, "x")).unwrap();
        for (path, query, taken) in [
            ("/v1/users", "q=app:shop&sort=bots", true),
            ("/v1/users", "sort=bots&limit=7&q=app:shop", true),
            ("/v1/users", "q=app:shop", false),
            ("/v1/users", "q=app:shop&sort=requests", false),
            ("/v1/users", "q=app:bank&sort=bots", false),
            ("/v1/sources", "q=app:shop&sort=bots", false),
        ] {
            let (then, params) = pages(path, &format!("{query}&cursor={cursor}"));
            let read = then.read::<(f64, String)>(&params);
            assert_eq!(read.is_ok(), taken, "{path} {query}");
        }
    }

    #[test]
    fn numbers_come_back_to_the_last_bit() {
        let (list, _) = pages("/v1/endpoints", "");
        for divisor in 1..2000_u32 {
            for part in [1, 2, 3, 7] {
                let share = f64::from(part) / f64::from(divisor);
                let cursor = list.write(&(share,)).unwrap();
                let (_, params) = pages("/v1/endpoints", &format!("cursor={cursor}"));
                let (back,): (f64,) = list.read(&params).unwrap().unwrap();
                assert_eq!(back.to_bits(), share.to_bits(), "{part} / {divisor}");
            }
        }
    }
}
