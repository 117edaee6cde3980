//! Access logs in the common and combined formats, line by line.

use std::borrow::Cow;

use throughline_session::hex::Hex;
use throughline_session::wire::SessionId;

use super::Exchange;
use crate::hash;

/// One line of a log, its text borrowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Client address.
    pub client_ip: &'a str,
    /// `%u`: the user of HTTP authentication.
    pub user: Option<&'a str>,
    /// Microseconds since the Unix epoch; the format knows whole seconds.
    pub start_us: i64,
    /// Request method.
    pub method: &'a str,
    /// Path and query as sent.
    pub target: &'a str,
    /// `HTTP/1.1`, ….
    pub protocol: &'a str,
    /// Response status.
    pub status: Option<u16>,
    /// Bytes of the response body.
    pub response_bytes: u64,
    /// The whole referer, in the combined format.
    pub referer: Option<&'a str>,
    /// The user agent, in the combined format.
    pub user_agent: Option<&'a str>,
}

fn present(text: &str) -> Option<&str> {
    (!text.is_empty() && text != "-").then_some(text)
}

/// The text up to a quote that is not escaped, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return Some((text.get(..at)?, text.get(at + 1..)?)),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

impl<'a> Line<'a> {
    /// Reads a line; `None` when it is in another format. A request that is not HTTP is kept with
    /// an empty method: scanners send those.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Self> {
        let (head, rest) = line.split_once(" [")?;
        let mut head = head.splitn(3, ' ');
        let client_ip = head.next()?;
        let user = head.nth(1).and_then(present);
        let (time, rest) = rest.split_once(']')?;
        let (request, rest) = quoted(rest)?;
        let mut numbers = rest.trim_start().splitn(3, ' ');
        let status = numbers.next()?.parse().ok();
        let response_bytes = numbers.next().and_then(|text| text.trim().parse().ok());
        let mut referer = None;
        let mut user_agent = None;
        if let Some((text, rest)) = numbers.next().and_then(quoted) {
            referer = present(text);
            user_agent = quoted(rest).and_then(|(text, _)| present(text));
        }
        let mut words = request.split(' ');
        let (method, target, protocol) = match (words.next(), words.next(), words.next_back()) {
            (Some(method), Some(target), protocol) if target.starts_with(['/', 'h', '*']) => {
                (method, target, protocol.unwrap_or_default())
            }
            _ => ("", "", ""),
        };
        Some(Self {
            client_ip,
            user,
            start_us: time_us(time)?,
            method,
            target,
            protocol,
            status,
            response_bytes: response_bytes.unwrap_or(0),
            referer,
            user_agent,
        })
    }

    /// The exchange; its session is address and user agent together until a [`Grouping`] cuts
    /// it into visits.
    #[must_use]
    pub fn exchange(&self, application: &'a str) -> Exchange<'a> {
        let (path, query) = match self.target.split_once('?') {
            Some((path, query)) => (path, present(query)),
            None => (self.target, None),
        };
        let path = strip_origin(path).map_or(path, |(_, path)| path);
        let referer = self.referer.and_then(strip_origin);
        let key = self.key();
        Exchange {
            start_us: self.start_us,
            application: Cow::Borrowed(application),
            request_session: key,
            session: key,
            keyed: false,
            client_ip: Some(Cow::Borrowed(self.client_ip)),
            country: None,
            asn: None,
            fingerprint: None,
            before_change: None,
            user_agent: self.user_agent.map(Cow::Borrowed),
            links: Default::default(),
            user: self.user.map(Cow::Borrowed),
            user_forgeable: false,
            account: None,
            header_shape: None,
            header_marks: None,
            method: present(self.method).map(Cow::Borrowed),
            host: None,
            path: present(path).map(Cow::Borrowed),
            query: query.map(Cow::Borrowed),
            query_names: query.map_or(0, |query| query.split('&').count()),
            protocol: present(self.protocol).map(Cow::Borrowed),
            status: self.status,
            flags: 0,
            upstream_answered: None,
            request_bytes: 0,
            response_bytes: self.response_bytes,
            upstream_us: None,
            referer_host: referer.map(|(host, _)| Cow::Owned(host.to_ascii_lowercase())),
            referer_path: referer
                .and_then(|(_, path)| path.split(['?', '#']).next())
                .map(Cow::Borrowed),
            content_type: None,
        }
    }

    fn key(&self) -> SessionId {
        let agent = self.user_agent.unwrap_or_default().as_bytes();
        session(
            hash::bytes(hash::bytes(0, self.client_ip.as_bytes()), agent),
            0,
        )
    }
}

fn session(key: u64, visit: u64) -> SessionId {
    let mut id = [0_u8; 16];
    let halves = hash::pair(key, visit).to_be_bytes().into_iter();
    let halves = halves.chain(hash::pair(visit ^ 1, key).to_be_bytes());
    for (to, from) in id.iter_mut().zip(halves) {
        *to = from;
    }
    Hex(id)
}

/// Host and path of an absolute URL.
fn strip_origin(url: &str) -> Option<(&str, &str)> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end)?;
    let host = host.split(':').next().unwrap_or(host);
    Some((host, if path.is_empty() { "/" } else { path }))
}

/// Cuts the requests of one address and user agent into sessions at gaps.
#[derive(Debug)]
pub struct Grouping {
    gap_us: i64,
    clients: std::collections::HashMap<SessionId, (i64, u64)>,
}

impl Grouping {
    /// A new session begins after a gap of more than `gap_us` microseconds.
    #[must_use]
    pub fn new(gap_us: i64) -> Self {
        Self {
            gap_us,
            clients: std::collections::HashMap::new(),
        }
    }

    /// Gives the exchange the session it belongs to.
    pub fn assign(&mut self, exchange: &mut Exchange<'_>) {
        let at = exchange.start_us;
        let client = self.clients.entry(exchange.session).or_insert((at, 0));
        if at.saturating_sub(client.0) > self.gap_us {
            client.1 += 1;
        }
        client.0 = client.0.max(at);
        let key = hash::bytes(0, &exchange.session.0);
        exchange.session = session(key, client.1);
        exchange.request_session = exchange.session;
    }
}

/// `17/May/2015:10:05:03 +0000` as microseconds since the Unix epoch.
fn time_us(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (clock, zone) = text.split_once(' ').unwrap_or((text, "+0000"));
    let mut parts = clock.split(['/', ':']);
    let day: i64 = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let month = i64::try_from(MONTHS.iter().position(|month| *month == name)?).ok()? + 1;
    let mut number = || {
        parts
            .next()?
            .parse::<i64>()
            .ok()
            .filter(|number| *number < 10_000)
    };
    let (year, hour, minute, second) = (number()?, number()?, number()?, number()?);
    let hours: i64 = zone.get(1..3)?.parse().ok()?;
    let minutes: i64 = zone.get(3..5)?.parse().ok()?;
    let offset = (hours * 60 + minutes) * if zone.starts_with('-') { -60 } else { 60 };
    // Days since the epoch by the civil calendar, years beginning in March.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((days * 86_400 + hour * 3600 + minute * 60 + second - offset) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_combined_common_and_odd_lines() {
        let line = Line::parse(
            r#"203.0.113.7 - ann [17/May/2015:12:05:03 +0200] "GET /a?b=1 HTTP/1.1" 200 5 "http://Shop.example:80/x?y" "A \"B\"""#,
        )
        .unwrap();
        assert_eq!(line.start_us, 1_431_857_103_000_000);
        assert_eq!(
            (line.user, line.user_agent),
            (Some("ann"), Some(r#"A \"B\""#))
        );
        let exchange = line.exchange("site");
        assert_eq!(exchange.path.as_deref(), Some("/a"));
        assert_eq!(exchange.referer_host.as_deref(), Some("shop.example"));
        assert_eq!(exchange.referer_path.as_deref(), Some("/x"));
        let common = r#"h - - [01/Mar/2024:00:00:00 +0000] "GET / HTTP/1.0" 304 -"#;
        let common = Line::parse(common).unwrap();
        assert_eq!(common.start_us, 1_709_251_200_000_000);
        assert_eq!((common.response_bytes, common.referer), (0, None));
        let odd = r#"h - - [01/Mar/2024:00:00:00 +0000] "\x16\x03" 400 0 "-" "-""#;
        assert_eq!(Line::parse(odd).unwrap().method, "");
        assert_eq!(Line::parse("nonsense"), None);
    }

    #[test]
    fn a_gap_begins_a_session() {
        let line = r#"h - - [01/Mar/2024:00:00:00 +0000] "GET / HTTP/1.0" 304 -"#;
        let mut grouping = Grouping::new(60_000_000);
        let mut ids = Vec::new();
        for at in [0, 60_000_000, 120_000_001, 120_000_002] {
            let mut exchange = Line::parse(line).unwrap().exchange("site");
            exchange.start_us = at;
            grouping.assign(&mut exchange);
            ids.push(exchange.session);
        }
        assert!(ids[0] == ids[1] && ids[1] != ids[2] && ids[2] == ids[3]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(line in "\\PC{0,200}") {
            if let Some(line) = Line::parse(&line) {
                prop_assert_eq!(line.exchange("x").application, "x");
            }
        }

        #[test]
        fn any_time_is_read_or_refused(time in "[0-9/:+ A-Za-z-]{0,30}") {
            prop_assert!(time_us(&time).is_none_or(|us| us % 1_000_000 == 0));
        }
    }
}
