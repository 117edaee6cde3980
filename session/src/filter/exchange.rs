//! exchange → record: what is kept of a request until its exchange ends, and the record then.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use super::finder;
use super::live::Active;
use super::{Host, Property, Side};
use crate::body::{Body, Extent};
use crate::extract::Parts;
use crate::headers::HeaderBlock;
use crate::identity::Hasher;
use crate::policy::{Early, Hits, Needs, Policy, Sample};
use crate::redact;
use crate::request::{Request, host_of};
use crate::shape;
use crate::text::limited;
use crate::wire::{Link, LinkKind, Record, SessionId, Trial};

const USER_AGENT_BYTES_MAX: usize = 512;
const HOST_BYTES_MAX: usize = 255;
const SHORT_BYTES_MAX: usize = 128;
const QUERY_NAMES_MAX: usize = 64;
const QUERY_NAME_BYTES_MAX: usize = 64;
const QUERY_VALUE_BYTES_MAX: usize = 256;

/// A request whose exchange has not ended.
#[derive(Clone)]
pub struct Exchange {
    start_us: i64,
    headers: HeaderBlock,
    /// These are all that the client sent: their names say something of it.
    all_headers: bool,
    /// Where it was needed for the session; else it is asked for at the end.
    client_ip: Option<Vec<u8>>,
    /// The policy it began with: a change in between must not split it.
    policy: Rc<Policy>,
    early: Early,
    /// Counted as they pass by; `None` where the filter was not there to see them.
    bytes: Option<Bytes>,
    request_body: Kept,
    response_body: Kept,
    tls: Option<Tls>,
    needs: Needs,
    body_bytes: usize,
    /// The policy before, where it has just been changed.
    before: Option<(Rc<Policy>, Early)>,
    /// Policies that are tried on this client.
    trials: Vec<(Rc<Policy>, Early)>,
    /// The key finder looks at this client.
    finder: bool,
}

/// Bytes of the two bodies.
#[derive(Clone, Copy, Default)]
struct Bytes {
    request: u64,
    response: u64,
}

/// What was kept of a body.
#[derive(Clone, Default)]
struct Kept {
    bytes: Vec<u8>,
    complete: bool,
    refused: bool,
}

impl Kept {
    fn extent(&self) -> Extent {
        match (self.refused, self.complete) {
            (true, _) => Extent::TooLong,
            (false, true) => Extent::Whole,
            (false, false) => Extent::CutOff,
        }
    }
}

/// Read only where the policy asks for it.
#[derive(Clone)]
struct Tls {
    peer_subject: Option<Vec<u8>>,
    sni: Option<Vec<u8>>,
}

impl Exchange {
    /// Takes the request's headers and finds its session.
    pub(super) fn begin<H: Host>(host: &H, active: &Active, hasher: &Hasher) -> Self {
        let policy = &active.policy;
        let headers = host.request_headers();
        let known_ip = OnceCell::new();
        let client_ip = || &**known_ip.get_or_init(|| client_ip(host));
        let start_us = host.now_us();
        let before = active.before(start_us);
        let reads_tls = policy.reads_tls
            || before.is_some_and(|before| before.reads_tls)
            || active.candidates.iter().any(|it| it.policy.reads_tls);
        let tls = reads_tls.then(|| Tls {
            peer_subject: host.property(Property::TlsPeerSubject),
            sni: host.property(Property::TlsSni),
        });
        let parts = Parts {
            request: Request::new(&headers),
            tls_peer_subject: tls.as_ref().and_then(|tls| tls.peer_subject.as_deref()),
            tls_sni: tls.as_ref().and_then(|tls| tls.sni.as_deref()),
            ..Parts::default()
        };
        let early = policy.early(&parts, client_ip, hasher);
        let mut needs = early.needs;
        let mut body_bytes = policy.body_bytes;
        let mut beside = |policy: &Rc<Policy>| {
            let early = policy.early(&parts, client_ip, hasher);
            needs = needs | early.needs;
            body_bytes = body_bytes.max(policy.body_bytes);
            (Rc::clone(policy), early)
        };
        let before = before.map(&mut beside);
        let mut trials = Vec::new();
        let mut finder = false;
        if active.samples() {
            let client = hasher.sample(client_ip(), parts.request.user_agent.unwrap_or_default());
            let has = |sample: &Sample| sample.has(client, start_us);
            let candidates = active.candidates.iter().filter(|it| has(&it.sample));
            trials = candidates.map(|it| beside(&it.policy)).collect();
            finder = active.finder.as_ref().is_some_and(has);
            if finder {
                let kind = parts.request.content_type.unwrap_or_default();
                let request_body = Body::new(&[], Extent::Whole, kind, &[]).is("json");
                needs = needs
                    | Needs {
                        request_body,
                        response_body: true,
                    };
            }
        }
        Self {
            start_us,
            client_ip: known_ip.into_inner(),
            headers,
            all_headers: true,
            policy: Rc::clone(policy),
            early,
            bytes: Some(Bytes::default()),
            request_body: Kept::default(),
            response_body: Kept::default(),
            tls,
            needs,
            body_bytes,
            before,
            trials,
            finder,
        }
    }

    /// An exchange that the proxy ended before the filter saw anything of it.
    pub(super) fn unseen<H: Host>(host: &H, active: &Active, hasher: &Hasher) -> Self {
        Self {
            bytes: None,
            ..Self::begin(host, active, hasher)
        }
    }

    /// As a log tells it: bodies of that size, of which nothing was seen, and not all headers.
    pub(super) fn logged(mut self, request: u64, response: u64) -> Self {
        self.bytes = Some(Bytes { request, response });
        self.all_headers = false;
        self
    }

    /// The session known when the request's headers were in.
    #[must_use]
    pub fn request_session(&self) -> SessionId {
        self.early.session()
    }

    /// A chunk of a body passes by; it is kept only where a rule needs it, up to the policy's
    /// limit, and never held back. What kind of response it is part of is not known here: Envoy
    /// shows the response's headers again only when the exchange has ended.
    pub fn on_body<H: Host>(&mut self, host: &H, side: Side, size: usize, end: bool) {
        if let Some(bytes) = &mut self.bytes {
            let counted = match side {
                Side::Request => &mut bytes.request,
                Side::Response => &mut bytes.response,
            };
            *counted = counted.saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
        }
        let (kept, needed) = match side {
            Side::Request => (&mut self.request_body, self.needs.request_body),
            Side::Response => (&mut self.response_body, self.needs.response_body),
        };
        if !needed || kept.refused {
            return;
        }
        if kept.bytes.len().saturating_add(size) > self.body_bytes {
            *kept = Kept {
                refused: true,
                ..Kept::default()
            };
            return;
        }
        if size > 0 {
            kept.bytes.append(&mut host.body_chunk(side, size));
        }
        kept.complete |= end;
    }

    /// Appends the record of the ended exchange as one line.
    ///
    /// # Errors
    /// When it cannot be written as JSON; `line` is then as before.
    pub(super) fn finish<H: Host>(
        &self,
        host: &H,
        hasher: &Hasher,
        index: u32,
        now_us: i64,
        line: &mut Vec<u8>,
    ) -> Result<Hits, serde_json::Error> {
        let before = line.len();
        let response = host.response_headers();
        let ended = host.ended();
        let mut cut = Vec::new();
        let client_ip = match &self.client_ip {
            Some(known) => known,
            None => address(ended.get(Property::SourceAddress).unwrap_or_default()),
        };
        let request = Request::new(&self.headers);
        let mut record = self.request_part(&request, hasher, client_ip, &mut cut);
        record.index = index;
        record.protocol = short(ended.get(Property::Protocol), "protocol", &mut cut);
        record.duration_us = u64::try_from(now_us.saturating_sub(self.start_us)).unwrap_or(0);
        let number = |property| ended.get(property).and_then(number);
        record.flags = number(Property::ResponseFlags).unwrap_or(0);
        record.upstream_us =
            number(Property::BackendLatency).map(|nanoseconds| nanoseconds / 1_000);
        self.add_response(&mut record, host, &response, &mut cut);
        record.truncated = cut;
        let parts = self.parts(request, &response);
        let late = self.policy.late(&self.early, &parts, hasher);
        record.application = Cow::Borrowed(late.application);
        record.key = Cow::Borrowed(late.key);
        record.session = late.session;
        record.links = late.links;
        if let Some((before, early)) = &self.before {
            let before = before.late(early, &parts, hasher);
            if before.session != record.session {
                record.links.push(Link {
                    kind: LinkKind::PolicyChange,
                    session: before.session,
                    key: Cow::Borrowed(before.key),
                });
            }
        }
        record.params = late.params;
        record.extract_failed = late.failed;
        record.trials = self
            .trials
            .iter()
            .map(|trial| tried(trial, &parts, hasher))
            .collect();
        if self.finder {
            record.finder = finder::places(&parts, hasher);
        }
        let written = record.write(line);
        match written {
            Ok(()) => line.push(b'\n'),
            Err(_) => line.truncate(before),
        }
        written.map(|()| late.hits)
    }

    fn parts<'a>(&'a self, request: Request<'a>, response: &'a HeaderBlock) -> Parts<'a> {
        let body = |kept: &'a Kept, needed: bool, kind, encoding| {
            let there = needed && (kept.refused || kept.complete || !kept.bytes.is_empty());
            there.then(|| Body::new(&kept.bytes, kept.extent(), kind, encoding))
        };
        let header = |name: &[u8]| response.get(name).unwrap_or_default();
        let needs = self.needs;
        Parts {
            request,
            request_body: body(
                &self.request_body,
                needs.request_body,
                request.content_type.unwrap_or_default(),
                request.content_encoding.unwrap_or_default(),
            ),
            response: Some(response),
            response_body: body(
                &self.response_body,
                needs.response_body,
                header(b"content-type"),
                header(b"content-encoding"),
            ),
            tls_peer_subject: self
                .tls
                .as_ref()
                .and_then(|tls| tls.peer_subject.as_deref()),
            tls_sni: self.tls.as_ref().and_then(|tls| tls.sni.as_deref()),
            ended: true,
        }
    }

    fn request_part<'a>(
        &'a self,
        request: &Request<'a>,
        hasher: &Hasher,
        client_ip: &'a [u8],
        cut: &mut Vec<Cow<'a, str>>,
    ) -> Record<'a> {
        let policy = &*self.policy;
        let path = request.path().map(|path| {
            let (path, path_cut) = redact::path(path, &policy.secret_paths, hasher);
            note(cut, "path", path_cut);
            Cow::Owned(path)
        });
        let (query_names, query_values) = query_parts(request, policy, hasher, cut);
        let client_ip = Some(client_ip).filter(|ip| !ip.is_empty());
        let shape = self.all_headers.then(|| shape::of(&self.headers)).flatten();
        Record {
            index: 0,
            start_us: self.start_us,
            application: Cow::Borrowed(""),
            request_id: short(request.request_id, "request_id", cut),
            trace_id: request.traceparent.and_then(trace_id).map(Cow::Borrowed),
            method: short(request.method, "method", cut),
            scheme: short(request.scheme, "scheme", cut),
            host: request
                .host()
                .map(|host| lower(text(host, HOST_BYTES_MAX, "host", cut))),
            path,
            query_names,
            query_values,
            query_hash: request
                .query()
                .filter(|query| !query.is_empty())
                .map(|query| hasher.query(query)),
            protocol: None,
            status: None,
            flags: 0,
            request_bytes: 0,
            response_bytes: 0,
            duration_us: 0,
            upstream_us: None,
            client_ip: short(client_ip, "client_ip", cut),
            user_agent: request
                .user_agent
                .map(|value| text(value, USER_AGENT_BYTES_MAX, "user_agent", cut)),
            referer_host: request
                .referer
                .and_then(referer_host)
                .map(|host| lower(text(host, HOST_BYTES_MAX, "referer_host", cut))),
            header_shape: shape.map(|shape| shape.hash),
            header_marks: shape.map(|shape| shape.marks),
            content_type: None,
            key: Cow::Borrowed(""),
            request_session: self.early.session(),
            session: self.early.session(),
            links: Vec::new(),
            params: Vec::new(),
            extract_failed: Vec::new(),
            trials: Vec::new(),
            finder: Vec::new(),
            truncated: Vec::new(),
        }
    }

    fn add_response<'a, H: Host>(
        &self,
        record: &mut Record<'a>,
        host: &H,
        response: &'a HeaderBlock,
        cut: &mut Vec<Cow<'a, str>>,
    ) {
        let number = |property| host.property(property).as_deref().and_then(number);
        let mut content_type = None;
        for (name, value) in response {
            match name {
                b":status" => record.status = decimal(value).and_then(|v| u16::try_from(v).ok()),
                b"content-type" => content_type = content_type.or(Some(value)),
                _ => {}
            }
        }
        record.content_type = content_type.map(|value| {
            let kind = value.split(|byte| *byte == b';').next().unwrap_or_default();
            lower(text(
                kind.trim_ascii(),
                SHORT_BYTES_MAX,
                "content_type",
                cut,
            ))
        });
        if record.status.is_none() {
            record.status = number(Property::ResponseCode)
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| *status != 0);
        }
        let bytes = self.bytes.unwrap_or_else(|| Bytes {
            // Envoy's own figure would be what the client claims, and nothing was read.
            request: 0,
            response: number(Property::ResponseSize).unwrap_or(0),
        });
        record.request_bytes = bytes.request;
        record.response_bytes = bytes.response;
    }
}

/// What a candidate policy makes of the exchange.
fn tried<'a>(
    (policy, early): &'a (Rc<Policy>, Early),
    parts: &Parts<'_>,
    hasher: &Hasher,
) -> Trial<'a> {
    let late = policy.late(early, parts, hasher);
    Trial {
        policy_version: Cow::Borrowed(&policy.version),
        application: Cow::Borrowed(late.application),
        key: Cow::Borrowed(late.key),
        session: late.session,
        request_session: Some(early.session()).filter(|it| *it != late.session),
        links: late.links,
    }
}

/// Names of all query parameters, and the values of those that the policy names.
#[expect(
    clippy::type_complexity,
    reason = "the two fields of a record that share one pass"
)]
fn query_parts<'a>(
    request: &Request<'a>,
    policy: &Policy,
    hasher: &Hasher,
    cut: &mut Vec<Cow<'a, str>>,
) -> (Vec<Cow<'a, str>>, Vec<(Cow<'a, str>, Cow<'a, str>)>) {
    let mut names = Vec::new();
    let mut values = Vec::new();
    for (name, value) in request.query_pairs() {
        if names.len() == QUERY_NAMES_MAX {
            note(cut, "query_names", true);
            break;
        }
        let (bare, limit) = (value.is_empty(), QUERY_NAME_BYTES_MAX);
        let (shown, name_cut) = match &name {
            Cow::Borrowed(name) => redact::name(name, bare, limit, hasher),
            Cow::Owned(name) => {
                let (shown, name_cut) = redact::name(name, bare, limit, hasher);
                (Cow::Owned(shown.into_owned()), name_cut)
            }
        };
        note(cut, "query_names", name_cut);
        if policy
            .query_values
            .iter()
            .any(|wanted| wanted.as_bytes() == &*name)
        {
            // Some servers take `;` for `&`: what follows is another parameter's.
            let value = value.split(|byte| *byte == b';').next().unwrap_or_default();
            let value = crate::text::percent_decoded(value);
            let (value, value_cut) = match &value {
                Cow::Borrowed(value) => limited(value, QUERY_VALUE_BYTES_MAX),
                Cow::Owned(value) => {
                    let (value, value_cut) = limited(value, QUERY_VALUE_BYTES_MAX);
                    (Cow::Owned(value.into_owned()), value_cut)
                }
            };
            note(cut, "query_values", value_cut);
            values.push((shown.clone(), value));
        }
        names.push(shown);
    }
    (names, values)
}

fn client_ip<H: Host>(host: &H) -> Vec<u8> {
    let source = host.property(Property::SourceAddress).unwrap_or_default();
    address(&source).to_vec()
}

/// `1.2.3.4:80`, `[::1]:80` → the address; a Unix socket's path has no port and is none.
fn address(source: &[u8]) -> &[u8] {
    let host = host_of(source);
    let inside = host.strip_prefix(b"[").and_then(|it| it.strip_suffix(b"]"));
    let address = inside.unwrap_or(host);
    let looks_right = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
    if address.iter().all(looks_right) {
        address
    } else {
        &[]
    }
}

/// `00-<32 hex digits>-<16 hex digits>-01` → the 32.
fn trace_id(traceparent: &[u8]) -> Option<&str> {
    let id = traceparent.split(|byte| *byte == b'-').nth(1)?;
    let fits = id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit);
    fits.then(|| std::str::from_utf8(id).ok()).flatten()
}

/// `https://user@host:443/path` → `host`; `None` for what is no absolute URL.
fn referer_host(referer: &[u8]) -> Option<&[u8]> {
    let start = referer
        .windows(3)
        .position(|window| window == b"://")?
        .saturating_add(3);
    let authority = referer
        .get(start..)?
        .split(|byte| matches!(byte, b'/' | b'?' | b'#'))
        .next()?;
    Some(host_of(authority)).filter(|host| !host.is_empty())
}

fn short<'a>(
    value: Option<&'a [u8]>,
    field: &'static str,
    cut: &mut Vec<Cow<'a, str>>,
) -> Option<Cow<'a, str>> {
    value.map(|value| text(value, SHORT_BYTES_MAX, field, cut))
}

fn text<'v>(
    value: &'v [u8],
    limit: usize,
    field: &'static str,
    cut: &mut Vec<Cow<'_, str>>,
) -> Cow<'v, str> {
    let (text, was_cut) = limited(value, limit);
    note(cut, field, was_cut);
    text
}

fn note(cut: &mut Vec<Cow<'_, str>>, field: &'static str, was_cut: bool) {
    if was_cut && !cut.iter().any(|noted| noted == field) {
        cut.push(Cow::Borrowed(field));
    }
}

fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        text
    }
}

/// Numbers come from the host as eight bytes, lowest first.
fn number(bytes: &[u8]) -> Option<u64> {
    let number = i64::from_le_bytes(bytes.try_into().ok()?);
    u64::try_from(number).ok()
}

fn decimal(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_trace_ids() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (header, expected) in [
            (format!("00-{id}-00f067aa0ba902b7-01"), Some(id)),
            ("00-xyz-1-01".to_owned(), None),
            (id.to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(trace_id(header.as_bytes()), expected);
        }
    }

    #[test]
    fn reads_referer_hosts() {
        for (referer, expected) in [
            ("https://a.example/x", Some("a.example")),
            ("https://u:p@a.example:8443?x", Some("a.example")),
            ("android-app://com.example/", Some("com.example")),
            ("/relative", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(
                referer_host(referer.as_bytes()),
                expected.map(str::as_bytes)
            );
        }
    }
}
