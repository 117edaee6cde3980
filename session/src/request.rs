//! One pass over a request's headers: the ones every record needs, and the query.

use std::borrow::Cow;

use crate::headers::HeaderBlock;
use crate::text::percent_decoded;

/// A request's headers with the ones that every record needs at hand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// All of them; `None` where there are none.
    pub headers: Option<&'a HeaderBlock>,
    /// `:method`
    pub method: Option<&'a [u8]>,
    /// `:scheme`
    pub scheme: Option<&'a [u8]>,
    /// `:authority`
    pub authority: Option<&'a [u8]>,
    /// `:path`, query included
    pub target: Option<&'a [u8]>,
    /// `user-agent`
    pub user_agent: Option<&'a [u8]>,
    /// `referer`
    pub referer: Option<&'a [u8]>,
    /// `x-request-id`
    pub request_id: Option<&'a [u8]>,
    /// `traceparent`
    pub traceparent: Option<&'a [u8]>,
    /// `authorization`
    pub authorization: Option<&'a [u8]>,
    /// `content-type`
    pub content_type: Option<&'a [u8]>,
    /// `content-encoding`
    pub content_encoding: Option<&'a [u8]>,
    cookie: Option<&'a [u8]>,
    has_more_cookies: bool,
    /// A [`bit`] for each header and for each cookie: many rules ask for one that is not there.
    header_bits: u64,
    cookie_bits: u64,
}

/// One of 64 bits for a name. Where it is missing the name is, too.
fn bit(name: &[u8]) -> u64 {
    let first = name.first().copied().unwrap_or_default();
    1 << ((usize::from(first) * 5 + name.len()) % 64)
}

impl<'a> Request<'a> {
    /// Reads the headers once; of a repeated one the first counts.
    #[must_use]
    pub fn new(headers: &'a HeaderBlock) -> Self {
        let mut request = Self {
            headers: Some(headers),
            ..Self::default()
        };
        for (name, value) in headers {
            request.header_bits |= bit(name);
            let slot = match name {
                b":method" => &mut request.method,
                b":scheme" => &mut request.scheme,
                b":authority" => &mut request.authority,
                b":path" => &mut request.target,
                b"user-agent" => &mut request.user_agent,
                b"referer" => &mut request.referer,
                b"x-request-id" => &mut request.request_id,
                b"traceparent" => &mut request.traceparent,
                b"authorization" => &mut request.authorization,
                b"content-type" => &mut request.content_type,
                b"content-encoding" => &mut request.content_encoding,
                b"cookie" => {
                    request.has_more_cookies = request.cookie.is_some();
                    &mut request.cookie
                }
                _ => continue,
            };
            slot.get_or_insert(value);
        }
        for cookies in request.cookies() {
            for cookie in cookies.split(|byte| *byte == b';') {
                let name = cookie.split(|byte| *byte == b'=').next();
                request.cookie_bits |= bit(name.unwrap_or_default().trim_ascii_start());
            }
        }
        request
    }

    /// Whether there may be a header of this name.
    pub(crate) fn may_have_header(&self, name: &str) -> bool {
        self.header_bits & bit(name.as_bytes()) != 0
    }

    /// Whether there may be a cookie of this name.
    pub(crate) fn may_have_cookie(&self, name: &str) -> bool {
        self.cookie_bits & bit(name.as_bytes()) != 0 || name.contains('=')
    }

    /// Each `cookie` header: HTTP/2 clients may send one per cookie. The first is at hand, because
    /// many rules look into it.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let rest = self.headers.filter(|_| self.has_more_cookies);
        let rest = rest.into_iter().flatten();
        let rest = rest.filter(|(name, _)| *name == b"cookie").skip(1);
        self.cookie.into_iter().chain(rest.map(|(_, value)| value))
    }

    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> Option<&'a [u8]> {
        self.target?.split(|byte| *byte == b'?').next()
    }

    /// What follows the first `?`; `None` without one.
    #[must_use]
    pub fn query(&self) -> Option<&'a [u8]> {
        self.target?.splitn(2, |byte| *byte == b'?').nth(1)
    }

    /// Decoded name and raw value of each query parameter, in order.
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'a, [u8]>, &'a [u8])> + use<'a> {
        let query = self.query().unwrap_or_default();
        query
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let mut halves = pair.splitn(2, |byte| *byte == b'=');
                let name = halves.next().unwrap_or_default();
                (percent_decoded(name), halves.next().unwrap_or_default())
            })
    }

    /// The host: the authority without user and port, as it was sent.
    #[must_use]
    pub fn host(&self) -> Option<&'a [u8]> {
        self.authority.map(host_of)
    }
}

/// `user@Host:443` → `Host`; `[::1]:80` → `[::1]`.
pub(crate) fn host_of(authority: &[u8]) -> &[u8] {
    let host = authority
        .rsplit(|byte| *byte == b'@')
        .next()
        .unwrap_or_default();
    let end = if host.starts_with(b"[") {
        host.iter()
            .position(|byte| *byte == b']')
            .map(|end| end.saturating_add(1))
    } else {
        host.iter().position(|byte| *byte == b':')
    };
    end.and_then(|end| host.get(..end)).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_the_target() {
        for (target, path, query) in [
            ("/a/b?c=1", "/a/b", Some("c=1")),
            ("/a", "/a", None),
            ("/a?", "/a", Some("")),
            ("/a?b?c", "/a", Some("b?c")),
            ("*", "*", None),
        ] {
            let block = HeaderBlock::from_pairs(&[(b":path", target.as_bytes())]);
            let request = Request::new(&block);
            assert_eq!(request.path(), Some(path.as_bytes()));
            assert_eq!(request.query(), query.map(str::as_bytes));
        }
        assert_eq!(Request::new(&HeaderBlock::default()).path(), None);
    }

    #[test]
    fn finds_the_host() {
        for (authority, expected) in [
            ("shop.example", "shop.example"),
            ("shop.example:8080", "shop.example"),
            ("user:pass@shop.example:1", "shop.example"),
            ("[::1]:80", "[::1]"),
            ("[::1", "[::1"),
            ("", ""),
        ] {
            assert_eq!(host_of(authority.as_bytes()), expected.as_bytes());
        }
    }
}
