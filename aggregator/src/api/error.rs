//! Every error of the API, as RFC 9457 problems: what is wrong, where, and what helps.

use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use warp::reply::Response;

use super::{denied, sql};
use crate::filters::FilterError;
use crate::ingest::BatchError;
use crate::ingest::unpack::ENCODINGS;
use crate::log::Refusal;
use crate::policy::{PolicyError, Refused};
use crate::sql::SqlError;
use crate::store::StoreError;
use crate::tokens::Denied;

/// Seconds after which a sender may try again when the service is short of something.
const RETRY_S: &str = "1";

/// A problem as RFC 9457 (`application/problem+json`) defines it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem: `urn:throughline:problem:` and a word that does not change.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
    /// The parameter that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Where in the policy or the body, e.g. `keys[1].from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Everything that can go wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// No such path.
    NotFound,
    /// The path knows other methods.
    MethodNotAllowed {
        /// Those it knows.
        allow: &'static str,
    },
    /// Whoever asks may not.
    Denied(Denied),
    /// A body that is packed in a way that is not taken.
    UnsupportedEncoding {
        /// `content-encoding`.
        encoding: String,
    },
    /// The body is longer than a batch may be.
    TooLarge {
        /// Bytes.
        most: u64,
    },
    /// The body is longer than a batch may be once it is unpacked.
    UnpacksTooLarge {
        /// Bytes.
        most: u64,
    },
    /// The body is not what `content-encoding` says.
    BadEncoding {
        /// What is wrong with it.
        reason: String,
    },
    /// The body did not arrive in time.
    BodyTimeout,
    /// The body broke off.
    BodyBroken,
    /// Too many batches in memory.
    QueueFull,
    /// The body is no batch.
    BadBatch(BatchError),
    /// The log did not take it.
    Refused(Refusal),
    /// A query parameter that the endpoint does not know.
    UnknownParameter {
        /// Its name.
        parameter: String,
        /// The one that is spelled most like it.
        nearest: Option<&'static str>,
        /// Those it knows.
        known: &'static [&'static str],
    },
    /// A parameter that makes no sense.
    BadParameter {
        /// Its name.
        parameter: &'static str,
        /// What is wrong with it.
        detail: String,
        /// What would be right.
        remedy: &'static str,
    },
    /// A filter that makes no sense.
    BadFilter(FilterError),
    /// A cursor that no page gave out.
    BadCursor,
    /// A cursor of a list that cannot be told any more as it was.
    OldCursor,
    /// No record of that session.
    UnknownSession {
        /// Its id.
        session: String,
    },
    /// No verdict on that subject.
    UnknownVerdict {
        /// Its id.
        id: String,
    },
    /// Nothing is stored of what the path names.
    NothingOf {
        /// What it names: a parameter of the path.
        parameter: &'static str,
        /// Which one.
        name: String,
    },
    /// The service has no session secret.
    NoSessionSecret,
    /// Another log is taken in.
    ImportsBusy,
    /// The query took too long.
    QueryTimeout {
        /// Milliseconds.
        after_ms: u128,
    },
    /// All connections are busy.
    QueriesBusy,
    /// So many bytes of what was acknowledged are not stored, and nobody can be forgotten before.
    StoreBehind(u64),
    /// DuckDB has not as much memory as the queries and the segments that are closed meanwhile need.
    OutOfMemory(String),
    /// The database failed.
    Database(String),
    /// A policy that filters would refuse.
    PolicyRefused(Refused),
    /// The body is written in another way.
    UnsupportedMediaType {
        /// `content-type`.
        media_type: String,
    },
    /// The body makes no sense.
    BadBody(String),
    /// Something in the body cannot be used.
    Unfit {
        /// Where it stands.
        place: String,
        /// What is wrong there.
        problem: String,
        /// What would be right.
        remedy: &'static str,
    },
    /// There are as many as there may be.
    Full {
        /// Of what.
        what: &'static str,
        /// How many.
        most: u64,
    },
    /// The body is longer than this endpoint takes.
    BodyTooLong {
        /// Bytes.
        most: u64,
    },
    /// A statement of SQL without rows.
    Sql(SqlError),
    /// As many readers of the live stream as there may be.
    LiveFull {
        /// How many.
        most: usize,
    },
    /// The policy is longer than one may be.
    PolicyTooLarge {
        /// Bytes.
        most: u64,
    },
    /// Nobody knows which version is to be replaced.
    NoIfMatch,
    /// A change to the policy that was not made.
    Policy(PolicyError),
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Passed => Self::OldCursor,
            StoreError::Behind { bytes } => Self::StoreBehind(bytes),
            error if error.is_out_of_memory() => Self::OutOfMemory(error.to_string()),
            error => Self::Database(error.to_string()),
        }
    }
}

impl From<PolicyError> for ApiError {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        Self::PolicyRefused(refused)
    }
}

impl warp::reject::Reject for ApiError {}

/// Status, name of the kind, the kind in words.
pub(super) type Kind = (StatusCode, &'static str, &'static str);

/// DuckDB has too little memory for a question, whoever asks it.
pub(super) const OUT_OF_MEMORY: Kind = (
    StatusCode::SERVICE_UNAVAILABLE,
    "out-of-memory",
    "The database's memory is in use",
);
pub(super) const OUT_OF_MEMORY_DETAIL: &str =
    "the query, and whatever the database does meanwhile, need more than it may have";
pub(super) const OUT_OF_MEMORY_REMEDY: &str = "ask again later, or raise --duckdb-memory";

fn policy_kind(error: &PolicyError) -> Kind {
    use StatusCode as S;
    match error {
        PolicyError::ReadOnly(_) => (
            S::CONFLICT,
            "policy-read-only",
            "The policy is kept in a file",
        ),
        PolicyError::Changed { .. } => (
            S::PRECONDITION_FAILED,
            "policy-changed",
            "The policy is another one by now",
        ),
        PolicyError::UnknownVersion(_) => (
            S::NOT_FOUND,
            "unknown-version",
            "There is no such version of the policy",
        ),
        PolicyError::UnknownCandidate(_) => (
            S::NOT_FOUND,
            "unknown-candidate",
            "There is no such candidate",
        ),
        PolicyError::TooManyCandidates => (
            S::CONFLICT,
            "too-many-candidates",
            "There are as many candidates as there can be",
        ),
        PolicyError::Unwritable(_) => (
            S::SERVICE_UNAVAILABLE,
            "policy-unwritable",
            "The change could not be written",
        ),
    }
}

fn policy_remedy(error: &PolicyError) -> Option<String> {
    Some(match error {
        PolicyError::ReadOnly(file) => format!(
            "change {}, which is read again when it changes; or start without --policy-file",
            file.display()
        ),
        PolicyError::Changed { current } => format!(
            "look at GET /v1/policy/versions/{current}, and send If-Match: \"v{current}\" if it is \
             still to be replaced"
        ),
        PolicyError::UnknownVersion(_) => "GET /v1/policy/versions lists them".into(),
        PolicyError::UnknownCandidate(_) => "GET /v1/policy/candidates lists them".into(),
        PolicyError::TooManyCandidates => "DELETE one of /v1/policy/candidates".into(),
        PolicyError::Unwritable(_) => "see whether the disk has space, and try again".into(),
    })
}

impl ApiError {
    #[expect(
        clippy::too_many_lines,
        reason = "one entry per error, and none may be missing"
    )]
    fn kind(&self) -> Kind {
        use StatusCode as S;
        match self {
            Self::NotFound => (S::NOT_FOUND, "not-found", "There is nothing here"),
            Self::MethodNotAllowed { .. } => (
                S::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "This path knows other methods",
            ),
            Self::Denied(denied) => denied::kind(denied),
            Self::UnsupportedEncoding { .. } => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-encoding",
                "The body is packed in another way",
            ),
            Self::TooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "too-large", "The body is too long"),
            Self::UnpacksTooLarge { .. } => (
                S::PAYLOAD_TOO_LARGE,
                "unpacks-too-large",
                "The body is too long once it is unpacked",
            ),
            Self::BadEncoding { .. } => (
                S::BAD_REQUEST,
                "bad-encoding",
                "The body cannot be unpacked",
            ),
            Self::BodyTimeout => (
                S::REQUEST_TIMEOUT,
                "body-timeout",
                "The body came too slowly",
            ),
            Self::BodyBroken => (S::BAD_REQUEST, "body-broken", "The body broke off"),
            Self::QueueFull => (
                S::SERVICE_UNAVAILABLE,
                "queue-full",
                "Too much is on its way",
            ),
            Self::BadBatch(BatchError::Version { .. }) => (
                S::BAD_REQUEST,
                "unsupported-version",
                "The batch's version is not supported",
            ),
            Self::BadBatch(_) => (S::BAD_REQUEST, "bad-batch", "The body is no batch"),
            Self::Refused(Refusal::Stale) => (
                S::CONFLICT,
                "stale-sequence",
                "The batch is too old to tell if it is new",
            ),
            Self::Refused(Refusal::Unwritable(_)) => (
                S::SERVICE_UNAVAILABLE,
                "log-unwritable",
                "The log cannot be written",
            ),
            Self::Refused(Refusal::Backlog { .. }) => (
                S::SERVICE_UNAVAILABLE,
                "log-backlog",
                "The database is too far behind",
            ),
            Self::Refused(Refusal::Closed) => (
                S::SERVICE_UNAVAILABLE,
                "shutting-down",
                "The service is shutting down",
            ),
            Self::UnknownParameter { .. } => (
                S::BAD_REQUEST,
                "unknown-parameter",
                "There is no such parameter",
            ),
            Self::BadParameter { .. } => (
                S::BAD_REQUEST,
                "bad-parameter",
                "A parameter makes no sense",
            ),
            Self::BadFilter(_) => (S::BAD_REQUEST, "bad-filter", "The filter makes no sense"),
            Self::BadCursor => (
                S::BAD_REQUEST,
                "bad-cursor",
                "The cursor is not one of ours",
            ),
            Self::OldCursor => (
                S::BAD_REQUEST,
                "old-cursor",
                "The list cannot be told any more as it was on its first page",
            ),
            Self::UnknownSession { .. } => {
                (S::NOT_FOUND, "unknown-session", "No record of this session")
            }
            Self::UnknownVerdict { .. } => {
                (S::NOT_FOUND, "unknown-verdict", "There is no such verdict")
            }
            Self::NothingOf { .. } => (S::NOT_FOUND, "nothing-stored", "Nothing is stored of this"),
            Self::NoSessionSecret => (
                S::FORBIDDEN,
                "no-session-secret",
                "The service has no session secret",
            ),
            Self::ImportsBusy => (
                S::SERVICE_UNAVAILABLE,
                "imports-busy",
                "Another log is imported",
            ),
            Self::QueryTimeout { .. } => (
                S::SERVICE_UNAVAILABLE,
                "query-timeout",
                "The query took too long",
            ),
            Self::QueriesBusy => (
                S::SERVICE_UNAVAILABLE,
                "queries-busy",
                "Too many queries run",
            ),
            Self::StoreBehind(_) => (
                S::SERVICE_UNAVAILABLE,
                "store-behind",
                "Not all that was acknowledged is stored",
            ),
            Self::OutOfMemory(_) => OUT_OF_MEMORY,
            Self::Database(_) => (
                S::INTERNAL_SERVER_ERROR,
                "database",
                "The database could not answer",
            ),
            Self::PolicyRefused(_) => (
                S::UNPROCESSABLE_ENTITY,
                "policy-refused",
                "The policy cannot be used",
            ),
            Self::BadBody(_) => (
                S::UNPROCESSABLE_ENTITY,
                "bad-body",
                "The body makes no sense",
            ),
            Self::Unfit { .. } => (
                S::UNPROCESSABLE_ENTITY,
                "bad-body",
                "The body makes no sense",
            ),
            Self::Full { .. } => (S::CONFLICT, "full", "There are as many as there may be"),
            Self::BodyTooLong { .. } => (
                S::PAYLOAD_TOO_LARGE,
                "body-too-long",
                "The body is too long",
            ),
            Self::Sql(error) => sql::kind(error),
            Self::LiveFull { .. } => (
                S::SERVICE_UNAVAILABLE,
                "live-full",
                "Too many readers of the live stream",
            ),
            Self::UnsupportedMediaType { .. } => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body is written in another way",
            ),
            Self::PolicyTooLarge { .. } => (
                S::PAYLOAD_TOO_LARGE,
                "policy-too-large",
                "The policy is too long",
            ),
            Self::NoIfMatch => (
                S::PRECONDITION_REQUIRED,
                "if-match-missing",
                "Which version is to be replaced?",
            ),
            Self::Policy(error) => policy_kind(error),
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::NotFound => "no endpoint has this path".into(),
            Self::MethodNotAllowed { allow } => format!("this path answers to {allow}"),
            Self::Denied(denied) => denied::detail(denied),
            Self::UnsupportedEncoding { encoding } => {
                format!("`content-encoding: {encoding}` is not supported")
            }
            Self::TooLarge { most } => format!("a batch has at most {most} bytes"),
            Self::UnpacksTooLarge { most } => {
                format!("the body unpacks to more than {most} bytes; the rest was not read")
            }
            Self::BadEncoding { reason } => {
                format!("the body is not what `content-encoding` says: {reason}")
            }
            Self::BodyTimeout => "the body was not complete in time".into(),
            Self::BodyBroken => "the client broke the body off".into(),
            Self::QueueFull => {
                "batches that wait for the disk take all the memory set aside".into()
            }
            Self::BadBatch(error) => error.to_string(),
            Self::Refused(refusal) => refusal.to_string(),
            Self::UnknownParameter { parameter, .. } => {
                format!("this endpoint has no parameter `{parameter}`")
            }
            Self::BadParameter { detail, .. } => detail.clone(),
            Self::BadFilter(error) => {
                format!("at letter {} of `q`: {}", error.column, error.problem)
            }
            Self::BadCursor => {
                "the cursor is of no page of this list with this filter and order".into()
            }
            Self::OldCursor => StoreError::Passed.to_string(),
            Self::UnknownSession { session } => format!("nothing is stored of session {session}"),
            Self::UnknownVerdict { id } => format!("nothing was ever held against {id}"),
            Self::NothingOf { parameter, name } => {
                let name: String = name.chars().take(128).collect();
                format!("nothing is stored of the {parameter} `{name}` within what is asked about")
            }
            Self::NoSessionSecret => {
                "sessions of a log cannot be found without a session secret of 16 bytes or more"
                    .into()
            }
            Self::ImportsBusy => "one log is taken in at a time".into(),
            Self::QueryTimeout { after_ms } => format!("it was stopped after {after_ms} ms"),
            Self::QueriesBusy => "no connection to the database became free in time".into(),
            Self::StoreBehind(bytes) => StoreError::Behind { bytes: *bytes }.to_string(),
            Self::OutOfMemory(_) => OUT_OF_MEMORY_DETAIL.into(),
            // What DuckDB says may quote data: it goes to the log.
            Self::Database(_) => "the reason is in the service's log".into(),
            Self::PolicyRefused(refused) => refused.problem.clone(),
            Self::BadBody(problem) => problem.clone(),
            Self::Unfit { problem, .. } => problem.clone(),
            Self::Full { what, most } => format!("there are {most} {what}, and no more may be"),
            Self::BodyTooLong { most } => format!("this endpoint takes at most {most} bytes"),
            Self::Sql(error) => sql::detail(error),
            Self::LiveFull { most } => format!("{most} streams are open"),
            Self::UnsupportedMediaType { media_type } => {
                format!("`content-type: {media_type}` is not supported")
            }
            Self::PolicyTooLarge { most } => format!("a policy has at most {most} bytes"),
            Self::NoIfMatch => "the request has no `If-Match`".into(),
            Self::Policy(error) => error.to_string(),
        }
    }

    #[expect(clippy::too_many_lines, reason = "as of its kind")]
    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotFound => "GET /openapi.json lists every endpoint".into(),
            Self::Denied(denied) => denied::remedy(denied),
            Self::UnsupportedEncoding { .. } => {
                format!("send it as one of {ENCODINGS}")
            }
            Self::BadEncoding { .. } => {
                "pack the body again: whole gzip members or zstd frames (window of 8 MiB at most), \
                 and nothing behind them"
                    .into()
            }
            Self::TooLarge { .. } | Self::UnpacksTooLarge { .. } => {
                "send smaller batches, or raise --max-batch-bytes".into()
            }
            Self::BadBatch(BatchError::Version { .. }) => {
                "run the filter and the aggregator of the same release".into()
            }
            Self::QueueFull | Self::Refused(Refusal::Unwritable(_) | Refusal::Closed) => {
                "send the batch again later, byte for byte".into()
            }
            Self::Refused(Refusal::Backlog { .. }) => {
                "send the batch again later; if it lasts, look at store.failing in /v1/status"
                    .into()
            }
            Self::UnknownParameter {
                nearest: Some(nearest),
                ..
            } => {
                format!("did you mean `{nearest}`?")
            }
            Self::UnknownParameter { known: [], .. } => "it has no parameters".into(),
            Self::UnknownParameter { known, .. } => format!("it has {}", known.join(", ")),
            Self::BadParameter { remedy, .. } => (*remedy).into(),
            Self::BadFilter(error) => error.remedy.clone(),
            Self::BadCursor => {
                "take `next` of the page before and its other parameters, or leave the cursor out"
                    .into()
            }
            Self::OldCursor => "leave it out and begin again, or take /v1/export".into(),
            Self::QueryTimeout { .. } => {
                "ask for a shorter time range, or raise --query-timeout".into()
            }
            Self::QueriesBusy | Self::ImportsBusy | Self::StoreBehind(_) => {
                "ask again later".into()
            }
            Self::OutOfMemory(_) => OUT_OF_MEMORY_REMEDY.into(),
            Self::NoSessionSecret => {
                "start the service with THROUGHLINE_SESSION_SECRET, the one that Envoy has; or use \
                 `throughline import`, where only that needs it"
                    .into()
            }
            Self::BadBody(_) => "GET /openapi.json describes what the body must be".into(),
            Self::Unfit { remedy, .. } => (*remedy).into(),
            Self::Full { what, .. } => format!("delete some of the {what} first"),
            Self::BodyTooLong { .. } => "send less".into(),
            Self::Sql(error) => return sql::remedy(error),
            Self::LiveFull { .. } => "close one, or try again later".into(),
            Self::PolicyRefused(_) => {
                "change what stands at `place`; `throughline policy check FILE` says the same \
                 beforehand"
                    .into()
            }
            Self::UnsupportedMediaType { .. } => {
                "send JSON, and `content-type: application/json` with it (curl: -H); a policy may be \
                 application/yaml"
                    .into()
            }
            Self::NoIfMatch => {
                "GET /v1/policy, and send its ETag as If-Match (\"v0\" while there is no version)"
                    .into()
            }
            Self::Policy(error) => return policy_remedy(error),
            _ => return None,
        })
    }

    fn parameter(&self) -> Option<String> {
        match self {
            Self::UnknownParameter { parameter, .. } => Some(parameter.clone()),
            Self::BadParameter { parameter, .. } => Some((*parameter).into()),
            Self::BadFilter(_) => Some("q".into()),
            Self::BadCursor | Self::OldCursor => Some("cursor".into()),
            Self::UnknownSession { .. } | Self::UnknownVerdict { .. } => Some("id".into()),
            Self::NothingOf { parameter, .. } => Some((*parameter).into()),
            Self::Policy(PolicyError::UnknownVersion(_)) => Some("version".into()),
            Self::Policy(PolicyError::UnknownCandidate(_)) => Some("name".into()),
            _ => None,
        }
    }

    /// The word that names the kind of problem.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind().1
    }

    /// The problem for the response's body.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let (status, name, title) = self.kind();
        Problem {
            kind: format!("urn:throughline:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: self.detail(),
            parameter: self.parameter(),
            place: match self {
                Self::PolicyRefused(refused) => Some(refused.place.clone()),
                Self::Unfit { place, .. } => Some(place.clone()),
                _ => None,
            },
            remedy: self.remedy(),
        }
    }

    /// The whole response.
    #[must_use]
    pub fn into_response(self) -> Response {
        if let Self::Database(error) | Self::Sql(SqlError::Failed(error)) = &self {
            tracing::error!(error, "a query failed");
        }
        if let Self::OutOfMemory(error) | Self::Sql(SqlError::OutOfMemory(error)) = &self {
            tracing::warn!(
                error,
                "a query needs more memory than --duckdb-memory leaves"
            );
        }
        let (status, _, _) = self.kind();
        let body = serde_json::to_vec(&self.problem()).unwrap_or_default();
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_S));
        }
        if matches!(self, Self::UnsupportedEncoding { .. }) {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(ENCODINGS));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::MethodNotAllowed { allow } = self {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}
