//! An exchange as text, wherever it comes from.

use std::borrow::Cow;

use throughline_session::wire::{Link, LinkKind, ParameterKind, Record, SessionId};

use super::{Method, Outcome, Protocol};

/// What detection needs of one exchange. A record gives one, a log line gives one; a new source
/// of traffic is one more way to fill this.
#[derive(Debug, Clone)]
pub struct Exchange<'a> {
    /// When the request's headers were in, microseconds since the Unix epoch.
    pub start_us: i64,
    /// The application it belongs to.
    pub application: Cow<'a, str>,
    /// The session known at its beginning.
    pub request_session: SessionId,
    /// The session at its end.
    pub session: SessionId,
    /// Whether the session was found by a key of the client's own (cookie, token), rather than
    /// by address and user agent.
    pub keyed: bool,
    /// Client address.
    pub client_ip: Option<Cow<'a, str>>,
    /// Where the address is, as two letters, from a database that the caller has.
    pub country: Option<Cow<'a, str>>,
    /// The autonomous system that announces the address, from such a database.
    pub asn: Option<u32>,
    /// Fingerprint of the client's TLS, from a parameter that the profile names
    /// ([`crate::verdicts::Profile::fingerprint_parameters`]): the proxy measured it.
    pub fingerprint: Option<Cow<'a, str>>,
    /// `user-agent`; `None` when absent, hidden or `-`.
    pub user_agent: Option<Cow<'a, str>>,
    /// Other sessions known to belong together with this one, each found by a key of its own: one
    /// that is known by its address alone may be anybody's.
    pub links: [Option<SessionId>; LINKS_MAX],
    /// The session that the policy before would have made of it, for a while after a change. It may
    /// be a whole office's, so it joins nobody; but what this session's client did before stands
    /// there.
    pub before_change: Option<SessionId>,
    /// The user the session belongs to.
    pub user: Option<Cow<'a, str>>,
    /// Anyone can claim to be that user: what the upstream did not accept does not count.
    pub user_forgeable: bool,
    /// The account that a login tried: a parameter that the profile names
    /// ([`crate::verdicts::Profile::account_parameters`]), or else the user.
    pub account: Option<Cow<'a, str>>,
    /// Hash of the set of header names, [`throughline_session::shape`].
    pub header_shape: Option<u64>,
    /// Which telling headers there were, bits of [`throughline_session::shape::MARKS`].
    pub header_marks: Option<u32>,
    /// Request method.
    pub method: Option<Cow<'a, str>>,
    /// Host, lower-case, without port.
    pub host: Option<Cow<'a, str>>,
    /// Path without the query.
    pub path: Option<Cow<'a, str>>,
    /// The query, or its hash as text: only equality and emptiness matter, and feeds that say so.
    pub query: Option<Cow<'a, str>>,
    /// How many query parameters.
    pub query_names: usize,
    /// `HTTP/1.1`, `HTTP/2`, ….
    pub protocol: Option<Cow<'a, str>>,
    /// Response status.
    pub status: Option<u16>,
    /// Envoy's response flags.
    pub flags: u64,
    /// Whether the upstream gave the answer; `None` when the source cannot know.
    pub upstream_answered: Option<bool>,
    /// Bytes of the request body.
    pub request_bytes: u64,
    /// Bytes of the response body.
    pub response_bytes: u64,
    /// What the upstream took, microseconds.
    pub upstream_us: Option<u64>,
    /// Host of the referer.
    pub referer_host: Option<Cow<'a, str>>,
    /// Path of the referer. Records carry none.
    pub referer_path: Option<Cow<'a, str>>,
    /// The response's type, without parameters.
    pub content_type: Option<Cow<'a, str>>,
}

/// Where an address is, as far as the caller has databases that say so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Whereabouts<'a> {
    /// Two letters in capitals.
    pub country: Option<&'a str>,
    /// The autonomous system that announces it.
    pub asn: Option<u32>,
}

/// Names of parameters of records that mean something to detection.
#[derive(Debug, Clone, Copy, Default)]
pub struct Named<'a> {
    /// They hold the account of a login.
    pub accounts: &'a [String],
    /// They hold the fingerprint of the client's TLS.
    pub fingerprints: &'a [String],
}

/// Links of one exchange at most, as on records.
pub const LINKS_MAX: usize = 4;

/// Key rules that mean: the client brought no key, so its address stands for it.
const FALLBACKS: [&str; 2] = ["ip", "ip_user_agent"];

impl<'a> Exchange<'a> {
    /// The exchange of a record; `names` says which of its parameters mean what.
    #[must_use]
    pub fn of_record(record: &'a Record<'_>, names: Named<'_>) -> Self {
        fn text<'a>(text: Option<&'a Cow<'_, str>>) -> Option<Cow<'a, str>> {
            text.map(|text| Cow::Borrowed(&**text))
        }
        let named = |name: &str| names.accounts.iter().any(|it| it == name);
        let is_fingerprint = |name: &str| names.fingerprints.iter().any(|it| it == name);
        let fingerprint = record.params.iter().find(|it| is_fingerprint(&it.name));
        let mut queries = record.query_values.iter();
        let account = record
            .params
            .iter()
            .find(|it| named(&it.name))
            .map(|it| &it.value)
            .or_else(|| Some(&queries.find(|(name, _)| named(name))?.1));
        let users = record
            .params
            .iter()
            .filter(|it| it.kind == ParameterKind::User);
        let user = users
            .min_by_key(|it| it.forgeable)
            .map(|it| (&it.value, it.forgeable));
        let account = account.or(user.map(|(value, _)| value));
        let changed = |it: &&Link<'_>| it.kind == LinkKind::PolicyChange;
        let own_keys = record
            .links
            .iter()
            .filter(|it| !changed(it) && !FALLBACKS.contains(&&*it.key));
        let mut links = [None; LINKS_MAX];
        for (to, link) in links.iter_mut().zip(own_keys) {
            *to = Some(link.session);
        }
        Self {
            start_us: record.start_us,
            application: Cow::Borrowed(&*record.application),
            request_session: record.request_session,
            session: record.session,
            keyed: !FALLBACKS.contains(&&*record.key),
            client_ip: text(record.client_ip.as_ref()),
            country: None,
            asn: None,
            fingerprint: fingerprint.map(|it| Cow::Borrowed(&*it.value)),
            user_agent: text(record.user_agent.as_ref()),
            links,
            before_change: record.links.iter().find(changed).map(|it| it.session),
            user: user.map(|(value, _)| Cow::Borrowed(&**value)),
            user_forgeable: user.is_some_and(|(_, forgeable)| forgeable),
            account: text(account),
            header_shape: record.header_shape.map(|it| u64::from_be_bytes(it.0)),
            header_marks: record.header_marks,
            method: text(record.method.as_ref()),
            host: text(record.host.as_ref()),
            path: text(record.path.as_ref()),
            query: record.query_hash.map(|hash| Cow::Owned(hash.to_string())),
            query_names: record.query_names.len(),
            protocol: text(record.protocol.as_ref()),
            status: record.status,
            flags: record.flags,
            upstream_answered: Some(record.upstream_us.is_some()),
            request_bytes: record.request_bytes,
            response_bytes: record.response_bytes,
            upstream_us: record.upstream_us,
            referer_host: text(record.referer_host.as_ref()),
            referer_path: None,
            content_type: text(record.content_type.as_ref()),
        }
    }
}

impl<'a> Exchange<'a> {
    /// The same, from where it comes.
    #[must_use]
    pub fn from_where(self, place: Whereabouts<'a>) -> Self {
        Self {
            country: place.country.map(Cow::Borrowed),
            asn: place.asn,
            ..self
        }
    }
}

pub(crate) fn method(text: Option<&str>) -> Method {
    match text {
        Some("GET") => Method::Get,
        Some("HEAD") => Method::Head,
        Some("OPTIONS") => Method::Options,
        Some("POST" | "PUT" | "PATCH" | "DELETE") => Method::Write,
        _ => Method::Other,
    }
}

pub(crate) fn protocol(text: Option<&str>) -> Protocol {
    match text {
        Some("HTTP/1.1") => Protocol::Http11,
        Some("HTTP/1.0" | "HTTP/0.9") => Protocol::Http10,
        Some(text) if text.starts_with("HTTP/2") || text.starts_with("HTTP/3") => Protocol::Http2,
        _ => Protocol::Unknown,
    }
}

/// Whose answer an exchange got; see [`Outcome`].
pub(crate) fn outcome(exchange: &Exchange<'_>) -> Outcome {
    /// `DC`: the client went away, which is its own doing.
    const CLIENT_LEFT: u64 = 1 << 14;
    /// `RL`, `UAEX`: Envoy's own rate limit and authorisation.
    const REFUSED: u64 = 1 << 11 | 1 << 12;
    let status = exchange.status.unwrap_or(0);
    let flags = exchange.flags & !CLIENT_LEFT;
    if flags & REFUSED != 0 {
        return Outcome::Refused;
    }
    if flags != 0 && (status >= 500 || status == 0) {
        return Outcome::Outage;
    }
    if exchange.upstream_answered == Some(false) {
        return match status {
            403 | 429 => Outcome::Refused,
            500.. => Outcome::Outage,
            _ => Outcome::Answered,
        };
    }
    if matches!(status, 502..=504) {
        return Outcome::Outage;
    }
    Outcome::Answered
}

/// Whether the application gave what was asked for.
pub(crate) fn served(exchange: &Exchange<'_>) -> bool {
    let succeeded = exchange.status.is_some_and(|it| (200..400).contains(&it));
    succeeded && outcome(exchange) == Outcome::Answered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::access_log::Line;
    use throughline_session::hex::Hex;

    #[test]
    fn a_change_of_the_policy_links_nobody_to_a_whole_office() {
        let link = |kind: &str, byte: &str| {
            let session = byte.repeat(16);
            format!(r#"{{"kind":"{kind}","session":"{session}","key":"tenant"}}"#)
        };
        let links = [link("policy_change", "07"), link("login", "08")].join(",");
        let session = "09".repeat(16);
        let line = format!(
            r#"{{"index":0,"start_us":1,"application":"shop","key":"cookie","request_session":"{session}","session":"{session}","links":[{links}]}}"#
        );
        let record: Record<'_> = serde_json::from_str(&line).unwrap();
        let exchange = Exchange::of_record(&record, Named::default());
        assert_eq!(exchange.before_change, Some(Hex([7; 16])));
        assert_eq!(exchange.links, [Some(Hex([8; 16])), None, None, None]);
    }

    #[test]
    fn refusals_and_outages_are_not_the_clients_doing() {
        let line = r#"203.0.113.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5"#;
        for (status, flags, upstream, expected) in [
            (200, 0, Some(true), Outcome::Answered),
            (403, 0, Some(true), Outcome::Answered),
            (403, 0, None, Outcome::Answered),
            (403, 0, Some(false), Outcome::Refused),
            (429, 0, Some(false), Outcome::Refused),
            (429, 1 << 11, None, Outcome::Refused),
            (503, 1 << 1, Some(false), Outcome::Outage),
            (504, 0, None, Outcome::Outage),
            (500, 0, Some(true), Outcome::Answered),
            (0, 1 << 14, Some(false), Outcome::Answered),
        ] {
            let mut exchange = Line::parse(line).unwrap().exchange("site");
            exchange.status = Some(status);
            exchange.flags = flags;
            exchange.upstream_answered = upstream;
            assert_eq!(
                outcome(&exchange),
                expected,
                "{status} {flags} {upstream:?}"
            );
        }
    }
}
