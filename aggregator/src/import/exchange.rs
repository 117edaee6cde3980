//! What a line of a log says of an exchange, shown to the filter's code as Envoy would show it.

use std::borrow::Cow;

use throughline_detection::event::access_log::Line;
use throughline_session::filter::{Call, Counter, Host, Level, Measured, Property, Side};
use throughline_session::headers::HeaderBlock;

/// The header that key rules find a log's `%u` in.
const USER: &str = "x-remote-user";

/// An exchange as a log line tells it; what the line does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchanged<'a> {
    /// When it began, microseconds since the Unix epoch.
    pub start_us: i64,
    /// To its end, microseconds.
    pub duration_us: u64,
    /// Until the upstream's answer began, microseconds.
    pub upstream_us: Option<u64>,
    /// The client's address.
    pub client_ip: Cow<'a, str>,
    /// `HTTP/1.1`, ….
    pub protocol: Cow<'a, str>,
    /// Response status.
    pub status: Option<u16>,
    /// Envoy's response flags as bits.
    pub flags: u64,
    /// Bytes of the request's body.
    pub request_bytes: u64,
    /// Bytes of the response's body.
    pub response_bytes: u64,
    /// The request's headers, pseudo-headers included, names in lower case.
    pub request: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The response's headers.
    pub response: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What servers escape within quotes, undone; Apache and nginx write `\"`, `\\` and `\xHH`.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'\\').then(|| escaped(after)).flatten();
        let (byte, after) = escaped.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// The byte that an escape stands for, of which `rest` follows the backslash, and what follows it;
/// `None` where it is none, and the backslash stands for itself.
fn escaped(rest: &[u8]) -> Option<(u8, &[u8])> {
    match rest {
        [b'x', high, low, rest @ ..] => Some((hex(*high, *low)?, rest)),
        [byte @ (b'"' | b'\\'), rest @ ..] => Some((*byte, rest)),
        _ => None,
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

impl<'a> Exchanged<'a> {
    /// A line in the common or combined format.
    pub(super) fn of_line(line: &Line<'a>) -> Self {
        let mut it = Self {
            start_us: line.start_us,
            client_ip: Cow::Borrowed(line.client_ip),
            protocol: Cow::Borrowed(line.protocol),
            status: line.status,
            response_bytes: line.response_bytes,
            request: Vec::with_capacity(6),
            ..Self::default()
        };
        if !line.method.is_empty() {
            it.header(":method", unescaped(line.method));
            it.header(":path", unescaped(line.target));
        }
        for (name, value) in [
            ("user-agent", line.user_agent),
            ("referer", line.referer),
            (USER, line.user),
        ] {
            if let Some(value) = value {
                it.header(name, unescaped(value));
            }
        }
        it
    }

    /// Adds a request header.
    pub(super) fn header(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.request.push((name.into(), value.into()));
    }

    /// Whether it names a host.
    pub(super) fn has_host(&self) -> bool {
        self.request.iter().any(|(name, _)| name == ":authority")
    }

    /// When it ended, and its sizes.
    pub(super) fn measured(&self) -> Measured {
        let took = i64::try_from(self.duration_us).unwrap_or(0);
        Measured {
            end_us: self.start_us.saturating_add(took),
            request_bytes: self.request_bytes,
            response_bytes: self.response_bytes,
        }
    }
}

fn block(pairs: &[(Cow<'_, str>, Cow<'_, str>)]) -> HeaderBlock {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    HeaderBlock::from_pairs(&pairs)
}

/// It is all over: nothing can be called, and nobody else is there.
impl Host for Exchanged<'_> {
    fn now_us(&self) -> i64 {
        self.start_us
    }
    fn random(&self) -> u64 {
        0
    }
    fn request_headers(&self) -> HeaderBlock {
        block(&self.request)
    }
    fn response_headers(&self) -> HeaderBlock {
        block(&self.response)
    }
    fn body_chunk(&self, _: Side, _: usize) -> Vec<u8> {
        Vec::new()
    }
    fn property(&self, property: Property) -> Option<Vec<u8>> {
        let number = |number: u64| Some(i64::try_from(number).ok()?.to_le_bytes().to_vec());
        match property {
            Property::SourceAddress => Some(self.client_ip.as_bytes().to_vec()),
            Property::Protocol => {
                Some(self.protocol.as_bytes().to_vec()).filter(|protocol| !protocol.is_empty())
            }
            Property::ResponseCode => number(self.status?.into()),
            Property::ResponseFlags => number(self.flags),
            Property::ResponseSize => number(self.response_bytes),
            Property::BackendLatency => number(self.upstream_us?.saturating_mul(1000)),
            Property::TlsPeerSubject | Property::TlsSni | Property::NodeId => None,
        }
    }
    fn call(&mut self, _: &Call<'_>) -> Option<u32> {
        None
    }
    fn answer_body(&self, _: usize) -> Vec<u8> {
        Vec::new()
    }
    fn count(&mut self, _: Counter, _: u64) {}
    fn show_boot(&mut self, _: &str) {}
    fn shared(&self, _: &str) -> (Option<Vec<u8>>, u32) {
        (None, 0)
    }
    fn set_shared(&mut self, _: &str, _: &[u8], _: u32) -> bool {
        false
    }
    fn log(&self, _: Level, _: &str) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undoes_what_servers_escape() {
        for (text, expected) in [
            ("plain", "plain"),
            (r#"a\"b\\c"#, r#"a"b\c"#),
            (r"caf\xc3\xa9", "café"),
            (r"\x2g rest\x41", r"\x2g restA"),
            (r"a\\", r"a\"),
            (r"\", r"\"),
            (r"a\d", r"a\d"),
            (r"\xff", "\u{fffd}"),
        ] {
            assert_eq!(unescaped(text), expected, "{text}");
        }
    }
}
