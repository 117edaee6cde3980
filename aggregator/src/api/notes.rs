//! `PUT /v1/sessions/{id}/note`: what people say of a session, with labels to find it by.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Buf;
use duckdb::{Connection, Row};
use futures_util::Stream;
use http::Method;
use serde::{Deserialize, Serialize};
use throughline_session::wire::SessionId;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::admin::{self, ByQuery};
use super::candidates::no_content;
use super::error::ApiError;
use super::pins::is_known;
use super::request::{Call, Methods, call, json, respond};
use super::sessions::texts;
use super::{App, query, session};
use crate::filters::Clause;
use crate::store::StoreError;
use crate::store::desk::{Deed, NOTES_MAX, Outcome};
use crate::time;

/// Longest note, bytes.
const NOTE_LEN_MAX: usize = 4096;
/// Labels of one session.
const LABELS_MAX: usize = 16;
/// Letters of a label.
const LABEL_LEN_MAX: usize = 40;

/// What somebody says of a session.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNote {
    /// Words to find it by: at most 16, of 1 to 40 letters each.
    #[serde(default)]
    #[schema(max_items = 16, example = json!(["scraper?", "asked Ann"]))]
    labels: Vec<String>,
    /// Anything else, at most 4,096 bytes.
    #[serde(default)]
    #[schema(example = "The partner's nightly import; they know.")]
    note: String,
}

/// What people said of a session.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct SessionNote {
    /// Words to find it by: `label:WORD` in a filter.
    labels: Vec<String>,
    /// Anything else.
    note: String,
    /// Who said it, as they called themselves.
    author: String,
    /// When.
    #[schema(format = DateTime)]
    time: String,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sessions" / String / "note")
        .and(call(app, Methods::PUT_DELETE))
        .and(warp::body::stream())
        .then(|id: String, call: Call, stream| async move {
            respond(match call.method {
                Method::DELETE => delete(&id, &call).await,
                _ => put(&id, &call, stream).await,
            })
        })
        .boxed()
}

impl NewNote {
    /// Each label once, without spaces around it.
    fn checked(mut self) -> Result<Self, ApiError> {
        let refuse = |place: String, problem: String, remedy| ApiError::Unfit {
            place,
            problem,
            remedy,
        };
        let most = "give at most 16 labels of 1 to 40 letters each";
        let mut labels = Vec::new();
        for (index, label) in self.labels.iter().enumerate() {
            let label = label.trim();
            let place = || format!("labels[{index}]");
            let length = label.chars().count();
            if !(1..=LABEL_LEN_MAX).contains(&length) {
                let problem = format!("a label of {length} letters");
                return Err(refuse(place(), problem, most));
            }
            if label.chars().any(char::is_control) {
                let problem = "a label with a letter that cannot be shown".into();
                return Err(refuse(place(), problem, "leave control characters out"));
            }
            if !labels.iter().any(|known| known == label) {
                labels.push(label.to_owned());
            }
        }
        if labels.len() > LABELS_MAX {
            let problem = format!("{} labels", labels.len());
            return Err(refuse("labels".into(), problem, most));
        }
        if self.note.len() > NOTE_LEN_MAX {
            let problem = format!("a note of {} bytes", self.note.len());
            let remedy = "a note has at most 4,096 bytes";
            return Err(refuse("note".into(), problem, remedy));
        }
        if labels.is_empty() && self.note.trim().is_empty() {
            let problem = "neither a label nor a word".into();
            let remedy = "say something, or DELETE what was said";
            return Err(refuse("(whole body)".into(), problem, remedy));
        }
        self.labels = labels;
        Ok(self)
    }
}

/// Say something of a session, in place of what was said before.
#[utoipa::path(
    put, path = "/v1/sessions/{id}/note", tag = "sessions", security(("admin_token" = [])),
    params(("id" = String, Path, description = "Session id, 32 hex digits"), ByQuery),
    description = "It is durable when it is answered, and goes when nothing is left of the session; \
        pin the session to keep both.",
    request_body(content = NewNote),
    responses(
        (status = 200, description = "What is said of it now", body = SessionNote),
        (status = 404, description = "No record of it"),
        (status = 409, description = "10,000 sessions have a note"),
        (status = 422, description = "The body is no note"),
    ),
)]
pub(super) async fn put<B: Buf>(
    text: &str,
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let by = admin::by(call, &call.params(admin::PARAMETERS)?);
    let id = session::id(text)?;
    let new: NewNote = admin::read_small(call, stream).await?;
    let NewNote { labels, note } = new.checked()?;
    let session = id.to_string();
    let unknown = || ApiError::UnknownSession {
        session: session.clone(),
    };
    if !query::run(call, move |connection| is_known(connection, id)).await? {
        return Err(unknown());
    }
    let deed = Deed::Note {
        session: id,
        labels,
        note,
    };
    let outcome = call.app.errands.perform(deed, admin::doer(by)).await?;
    if outcome == Outcome::Full {
        return Err(ApiError::Full {
            what: "sessions with a note",
            most: NOTES_MAX,
        });
    }
    let mut now = query::run(call, move |connection| of_sessions(connection, &[id])).await?;
    json(&now.remove(&session).ok_or_else(unknown)?)
}

/// Take back what was said of a session.
#[utoipa::path(
    delete, path = "/v1/sessions/{id}/note", tag = "sessions", security(("admin_token" = [])),
    params(("id" = String, Path, description = "Session id, 32 hex digits"), ByQuery),
    responses((status = 204, description = "Nothing is said of it")),
)]
pub(super) async fn delete(text: &str, call: &Call) -> Result<Response, ApiError> {
    let by = admin::by(call, &call.params(admin::PARAMETERS)?);
    let deed = Deed::DropNote(session::id(text)?);
    call.app.errands.perform(deed, admin::doer(by)).await?;
    Ok(no_content())
}

/// What is said of each of `sessions`, by its hex digits.
pub(super) fn of_sessions(
    connection: &Connection,
    sessions: &[SessionId],
) -> Result<HashMap<String, SessionNote>, StoreError> {
    if sessions.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT lower(hex(session)), labels, note, author, epoch_us(said_at) FROM notes WHERE {}",
        Clause::joined_to("session", sessions).sql
    );
    let mut statement = connection.prepare(&sql)?;
    let read = |row: &Row<'_>| {
        let note = SessionNote {
            labels: texts(row.get(1)?),
            note: row.get(2)?,
            author: row.get(3)?,
            time: time::text(row.get(4)?),
        };
        Ok((row.get(0)?, note))
    };
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(labels: &[&str], note: &str, expected: &str) {
        let new = NewNote {
            labels: labels.iter().map(ToString::to_string).collect(),
            note: note.into(),
        };
        let found = match new.checked() {
            Ok(new) => new.labels.join("|"),
            Err(error) => {
                let problem = error.problem();
                format!("{}: {}", problem.place.unwrap_or_default(), problem.detail)
            }
        };
        assert_eq!(found, expected, "{labels:?} {note}");
    }

    #[test]
    fn a_note_says_something_and_not_too_much() {
        check(&["odd"], "", "odd");
        check(&[" odd ", "odd", "größer"], "x", "odd|größer");
        check(&[], "look", "");
        check(&[], " ", "(whole body): neither a label nor a word");
        check(&["a", "  "], "", "labels[1]: a label of 0 letters");
        check(&[&"x".repeat(41)], "", "labels[0]: a label of 41 letters");
        check(
            &["a\nb"],
            "",
            "labels[0]: a label with a letter that cannot be shown",
        );
        check(&[], &"x".repeat(4097), "note: a note of 4097 bytes");
        let many: Vec<_> = (0..17).map(|it| it.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        check(&many, "", "labels: 17 labels");
    }
}
