//! A request as the handlers see it: read completely, split up, bounded.

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use serde_json::Value;
use tokio::time::Instant;

/// One request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What stood in the places of `{…}` in the route.
    pub(crate) params: Vec<String>,
    pub(crate) now: Instant,
}

impl Call {
    pub(crate) fn new(
        method: Method,
        target: &str,
        headers: HeaderMap,
        body: Bytes,
        now: Instant,
    ) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method,
            path: path.to_owned(),
            query: pairs(query),
            headers,
            body,
            params: Vec::new(),
            now,
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header(header::AUTHORIZATION.as_str())?
            .strip_prefix("Bearer ")
    }

    /// The anonymous session's cookie.
    pub(crate) fn sid(&self) -> Option<&str> {
        let cookies = self.header(header::COOKIE.as_str())?;
        cookies
            .split(';')
            .find_map(|cookie| cookie.trim().strip_prefix("sid="))
            .filter(|sid| !sid.is_empty() && sid.len() <= 64)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A number from the query; the default when absent or unreadable.
    pub(crate) fn number(&self, name: &str, default: usize) -> usize {
        self.query(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    }

    pub(crate) fn param(&self) -> &str {
        self.params.first().map_or("", String::as_str)
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.param().parse().ok()
    }

    /// The body as JSON; `Null` when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digits = [ahead.next(), ahead.next()].map(|d| d.and_then(hex_digit));
                if let [Some(high), Some(low)] = digits {
                    bytes.push(high * 16 + low);
                    rest = ahead;
                } else {
                    bytes.push(byte);
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_digit(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_and_bad_escapes_stay() {
        for (text, expected) in [
            ("a+b", "a b"),
            ("%41%2f", "A/"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz", "%zz"),
        ] {
            assert_eq!(decode(text), expected, "{text}");
        }
    }

    #[test]
    fn the_session_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "theme=dark; sid=abc; x=y".parse().unwrap());
        let call = Call::new(
            Method::GET,
            "/a?page=2&q=x%20y&flag",
            headers,
            Bytes::new(),
            Instant::now(),
        );
        assert_eq!(call.sid(), Some("abc"));
        assert_eq!((call.path.as_str(), call.query("q")), ("/a", Some("x y")));
        assert_eq!((call.number("page", 1), call.number("flag", 1)), (2, 1));
    }
}
