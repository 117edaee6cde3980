//! What a filter can ask for: one list.

use super::values::Kind;

/// Where a field's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// An expression over rows of `records` and `shapes`: at least one request must match all such
    /// terms together.
    Request(&'static str),
    /// The `request` or `trace` that a request can be looked up by: a column of `records` too.
    Lookup(&'static str),
    /// An expression over a row of `session_rows`.
    Session(&'static str),
    /// Several texts of a row of `session_rows`, as `joined` joins them: one must match.
    Joined(&'static str),
    /// Rows of the session, one of which must match: what stands behind FROM, with columns
    /// `session`, `position` and `value`.
    Rows(&'static str),
    /// Context parameters of any name, which is a part of the field's.
    Parameter,
    /// Sessions that have something, by a word.
    Has,
    /// Session, request and trace ids at once.
    AnyId,
}

/// A field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// What one types.
    pub name: &'static str,
    /// What kind of values it has.
    pub kind: Kind,
    /// What it is.
    pub meaning: &'static str,
    pub(super) place: Place,
}

const fn field(name: &'static str, kind: Kind, place: Place, meaning: &'static str) -> Field {
    Field {
        name,
        kind,
        meaning,
        place,
    }
}

/// The last word about each session, as the view `current_verdicts` tells it, with few columns and
/// without ordering all that was ever said. It stands where it was said first: said again since, it is
/// still there for whoever sees the log up to a position between.
macro_rules! current {
    ($value:literal) => {
        concat!(
            "(SELECT unhex(session) AS session, position, value FROM (
                SELECT id, arg_max(session, place) AS session, min(position) AS position,
                    arg_max(",
            $value,
            ", place) AS value
                FROM (SELECT *, position::HUGEINT * 4294967296 + idx AS place FROM verdicts
                    WHERE subject_kind = 'session')
                GROUP BY id)
            WHERE id NOT IN (SELECT id FROM labels GROUP BY id
                HAVING arg_max(coalesce(label, ''), position) = 'wrong'))"
        )
    };
}

pub(super) const VERDICTS: &str = current!("bot_type");
const CONFIDENCES: &str = current!("confidence");

/// Sessions held for bots: a condition on the column `session`.
pub const IS_BOT: &str = concat!(
    "session IN (SELECT session FROM ",
    current!("flagged"),
    " WHERE value)"
);

const LABELS: &str = "(SELECT session, 0::UBIGINT AS position, unnest(labels) AS value FROM notes)";

/// The family of a user agent, as SQL over `records`: browsers by name, bots that say so as `bot`,
/// other programs by what stands before the first slash.
pub const USER_AGENT_FAMILY: &str = "CASE
    WHEN user_agent IS NULL THEN NULL
    WHEN regexp_matches(user_agent, '(?i)bot\\b|crawl|spider|slurp') THEN 'bot'
    WHEN regexp_matches(user_agent, 'Edg(e|A|iOS)?/') THEN 'Edge'
    WHEN regexp_matches(user_agent, 'OPR/|Opera') THEN 'Opera'
    WHEN contains(user_agent, 'SamsungBrowser/') THEN 'Samsung Internet'
    WHEN regexp_matches(user_agent, 'HeadlessChrome/') THEN 'Headless Chrome'
    WHEN regexp_matches(user_agent, 'Firefox/|FxiOS/') THEN 'Firefox'
    WHEN regexp_matches(user_agent, 'Chrome/|CriOS/') THEN 'Chrome'
    WHEN contains(user_agent, 'Safari/') AND contains(user_agent, 'Version/') THEN 'Safari'
    WHEN starts_with(user_agent, 'Mozilla/') THEN 'other browser'
    ELSE left(split_part(split_part(user_agent, '/', 1), ' ', 1), 40) END";

/// What `has:` knows.
const HAS: &[&str] = &["link", "user", "error", "verdict", "note", "pin"];

/// All fields. Those of a request hold together: `path:/login status:401` are sessions with a
/// request that is both.
pub const FIELDS: &[Field] = &[
    field(
        "app",
        Kind::Text,
        Place::Session("application"),
        "application",
    ),
    field(
        "key",
        Kind::Text,
        Place::Session("key"),
        "key rule or fallback that found the session",
    ),
    field(
        "session",
        Kind::Id,
        Place::Session("lower(hex(session))"),
        "session id, or its first digits",
    ),
    field(
        "user",
        Kind::Text,
        Place::Joined("users"),
        "value of a user parameter",
    ),
    field(
        "role",
        Kind::Text,
        Place::Joined("roles"),
        "value of a role parameter",
    ),
    field(
        "param",
        Kind::Text,
        Place::Parameter,
        "value of the context parameter NAME: `param.NAME:value`",
    ),
    field(
        "ip",
        Kind::Address,
        Place::Joined("ips"),
        "client address or network",
    ),
    field(
        "country",
        Kind::Capitals,
        Place::Joined("countries_of(ips)"),
        "country of a client address, two letters; needs `--geo`",
    ),
    field(
        "ua",
        Kind::Part,
        Place::Joined("user_agents"),
        "part of the user agent",
    ),
    field(
        "requests",
        Kind::Count,
        Place::Session("requests"),
        "number of requests",
    ),
    field(
        "visits",
        Kind::Count,
        Place::Session("visits"),
        "number of visits",
    ),
    field(
        "errors",
        Kind::Count,
        Place::Session("errors_4xx + errors_5xx"),
        "requests answered with 400 to 599",
    ),
    field(
        "errors_4xx",
        Kind::Count,
        Place::Session("errors_4xx"),
        "requests answered with 400 to 499",
    ),
    field(
        "errors_5xx",
        Kind::Count,
        Place::Session("errors_5xx"),
        "requests answered with 500 to 599",
    ),
    field(
        "bytes",
        Kind::Bytes,
        Place::Session("request_bytes::HUGEINT + response_bytes"),
        "bytes of bodies, both ways",
    ),
    field(
        "duration",
        Kind::Duration,
        Place::Session("epoch_us(last) - epoch_us(first)"),
        "from the first request to the last",
    ),
    field(
        "has",
        Kind::OneOf(HAS),
        Place::Has,
        "sessions with a link, a user, an error, a verdict, a note or a pin",
    ),
    field(
        "label",
        Kind::Text,
        Place::Rows(LABELS),
        "label that people gave the session",
    ),
    field(
        "verdict",
        Kind::Text,
        Place::Rows(VERDICTS),
        "kind of bot that the verdict says",
    ),
    field(
        "confidence",
        Kind::Share,
        Place::Rows(CONFIDENCES),
        "how sure the verdict is",
    ),
    field(
        "ua_family",
        Kind::Text,
        Place::Joined("ua_families"),
        "family of the user agent, such as `Firefox`, `bot` or `curl`",
    ),
    field(
        "capture",
        Kind::Text,
        Place::Request("capture_point"),
        "where it was seen, such as `gateway`",
    ),
    field(
        "referer",
        Kind::Text,
        Place::Request("referer_host"),
        "host of the referer",
    ),
    field(
        "type",
        Kind::Text,
        Place::Request("content_type"),
        "the response's content type",
    ),
    field(
        "policy",
        Kind::Text,
        Place::Request("policy_version"),
        "policy that the record was made with",
    ),
    field(
        "flag",
        Kind::Flags,
        Place::Request("nullif(flags, '')"),
        "one of Envoy's response flags, such as `UF`",
    ),
    field(
        "method",
        Kind::Capitals,
        Place::Request("method"),
        "request method",
    ),
    field(
        "host",
        Kind::Text,
        Place::Request("host"),
        "host, without the port",
    ),
    field(
        "path",
        Kind::Text,
        Place::Request("path"),
        "path, without the query",
    ),
    field(
        "endpoint",
        Kind::Text,
        Place::Request("endpoint"),
        "method and path template, such as `GET /orders/{id}`",
    ),
    field(
        "status",
        Kind::Status,
        Place::Request("status"),
        "response status",
    ),
    field(
        "took",
        Kind::Duration,
        Place::Request("duration_us"),
        "how long a request took",
    ),
    field(
        "request",
        Kind::Text,
        Place::Lookup("request_id"),
        "`x-request-id`",
    ),
    field(
        "trace",
        Kind::Id,
        Place::Lookup("trace_id"),
        "trace id, or its first digits",
    ),
    field(
        "id",
        Kind::AnyId,
        Place::AnyId,
        "session, request or trace id",
    ),
];

/// The field `name`, and the parameter's name where it has one.
pub(super) fn find(name: &str) -> Option<(&'static Field, Option<String>)> {
    let (field, parameter) = match name.split_once('.') {
        Some((field, parameter)) => (field, Some(parameter).filter(|name| !name.is_empty())),
        None => (name, None),
    };
    let found = FIELDS.iter().find(|known| known.name == field)?;
    let named = found.place == Place::Parameter;
    (named == parameter.is_some()).then(|| (found, parameter.map(str::to_owned)))
}
