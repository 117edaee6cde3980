//! `GET /v1/live`: what happens, as it comes, as server-sent events.
//!
//! Each reader has a task that looks at what was stored since its last look, and a queue of bounded
//! length. Nobody waits for a reader: what does not fit is counted, and told.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use duckdb::types::Value;
use duckdb::{Connection, params_from_iter};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::MissedTickBehavior;
use utoipa::IntoParams;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, Reply as _};

use super::error::ApiError;
use super::params::Params;
use super::request::{Access, Call, call, respond};
use super::sessions::{self, Session};
use super::{App, query, requests, verdicts};
use crate::filters::{Clause, Seen, SessionFilter};
use crate::store::StoreError;
use crate::tokens::Role;

/// Readers at a time.
const READERS_MAX: usize = 64;
/// Readers that look at the database at a time.
const LOOKS_MAX: usize = 2;
/// Events that wait for one reader.
const QUEUE_MAX: usize = 1000;
/// Events of a kind that one look finds.
const LOOK_MAX: u64 = 500;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// A silent stream shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A reader that takes nothing for so long is let go.
const STALLED: Duration = Duration::from_secs(60);

/// What live readers have.
#[derive(Debug)]
pub struct Live {
    readers: Arc<Semaphore>,
    looks: Arc<Semaphore>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            readers: Arc::new(Semaphore::new(READERS_MAX)),
            looks: Arc::new(Semaphore::new(LOOKS_MAX)),
        }
    }
}

/// Which events.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct LiveQuery {
    /// A filter, as `docs/filters.md` describes it. Terms about requests hold for the request shown.
    #[param(example = "app:shop status:5xx")]
    q: Option<String>,
    /// `requests`, `sessions`, `verdicts`, or several with commas; all when absent.
    #[param(example = "requests,verdicts")]
    kinds: Option<String>,
}

const KINDS: &[&str] = &["requests", "sessions", "verdicts"];

#[derive(Clone)]
struct Asked {
    filter: SessionFilter,
    kinds: Vec<&'static str>,
}

fn asked(params: &Params, now_us: i64) -> Result<Asked, ApiError> {
    let filter = sessions::filter(params, now_us)?;
    let Some(text) = params.get("kinds") else {
        let kinds = KINDS.to_vec();
        return Ok(Asked { filter, kinds });
    };
    let known = |word: &str| KINDS.iter().copied().find(|kind| *kind == word);
    let kinds: Option<Vec<_>> = text.split(',').map(known).collect();
    let kinds = kinds.ok_or_else(|| ApiError::BadParameter {
        parameter: "kinds",
        detail: format!("`kinds` is `{text}`"),
        remedy: "name requests, sessions or verdicts, with commas between",
    })?;
    Ok(Asked { filter, kinds })
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "live")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(handle(call).await) })
        .boxed()
}

/// What happens from now on.
#[utoipa::path(
    get, path = "/v1/live", tag = "live", params(LiveQuery),
    security((), ("read_token" = [])),
    description = "Server-sent events, about half a second behind the store: `request`, `session` \
        and `verdict`, each with the JSON that the lists have. `lost` says how many events this \
        reader was too slow for (null: nobody knows), `end` why the stream ends. At most 1,000 \
        events wait for a reader, and 64 readers are served.",
    responses(
        (status = 200, description = "Events without end", body = String, content_type = "text/event-stream"),
        (status = 503, description = "There are 64 readers already"),
    ),
)]
pub(super) async fn handle(call: Call) -> Result<Response, ApiError> {
    let asked = asked(&call.params(&["q", "kinds"])?, call.app.clock.now_us())?;
    let place = Arc::clone(&call.app.live.readers)
        .try_acquire_owned()
        .map_err(|_| ApiError::LiveFull { most: READERS_MAX })?;
    let verdicts = query::run_among(&call, &call.app.live.looks, verdict_position).await?;
    let (sender, receiver) = channel(QUEUE_MAX);
    let reader = Reader {
        position: call.app.health.position(),
        verdicts,
        call,
        asked,
        sender,
        lost: Some(0),
        silent_since: Instant::now(),
        taken: Instant::now(),
    };
    drop(tokio::spawn(reader.run(place)));
    let mut response = warp::reply::stream(stream(receiver)).into_response();
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

fn stream(
    receiver: Receiver<Bytes>,
) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
    futures_util::stream::unfold(receiver, |mut receiver| async {
        let event = receiver.recv().await?;
        Some((Ok(event), receiver))
    })
}

fn event(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n").into()
}

/// One reader, as its task sees it.
struct Reader {
    call: Call,
    asked: Asked,
    sender: Sender<Bytes>,
    /// Up to where requests and sessions were looked at.
    position: u64,
    /// Up to where verdicts were.
    verdicts: u64,
    /// Events that were lost since it was last told; `None`: nobody knows how many.
    lost: Option<u64>,
    silent_since: Instant,
    /// When there was room last.
    taken: Instant,
}

impl Reader {
    async fn run(mut self, place: OwnedSemaphorePermit) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.send(Bytes::from_static(b"retry: 2000\n\n"));
        let why = loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = self.sender.closed() => break None,
            }
            if let Some(why) = self.is_over() {
                break Some(why);
            }
            self.look().await;
            self.tell_lost();
            if self.silent_since.elapsed() >= HEARTBEAT {
                self.send(Bytes::from_static(b": alive\n\n"));
            }
        };
        if let Some(why) = why {
            self.send(event("end", &json!({"why": why})));
        }
        drop(place);
    }

    /// Why the stream must not go on.
    fn is_over(&self) -> Option<&'static str> {
        let app = &self.call.app;
        if app.closing.load(Ordering::Acquire) {
            return Some("the service is shutting down");
        }
        let now_us = app.clock.now_us();
        match app.gate.admit(&self.call.headers, Role::Read, now_us) {
            Ok(grant) if grant.scope == self.call.grant.scope => {}
            _ => return Some("the token is no longer good for this"),
        }
        (self.taken.elapsed() >= STALLED).then_some("nothing was read for a minute")
    }

    /// Finds what is new, and queues it.
    async fn look(&mut self) {
        let range = Range {
            from: self.position,
            to: self.call.app.health.position(),
            verdicts_from: self.verdicts,
            now_us: self.call.app.clock.now_us(),
        };
        let asked = self.asked.clone();
        let looks = Arc::clone(&self.call.app.live.looks);
        let found = query::run_among(&self.call, &looks, move |connection| {
            find(connection, &asked, range)
        });
        self.position = range.to;
        match found.await {
            Ok(found) => {
                self.verdicts = found.verdicts_to;
                self.lost = self.lost.map(|lost| lost + found.beyond);
                for event in found.events {
                    self.send(event);
                }
            }
            // What it would have shown is not shown later: it would only grow.
            Err(error) => {
                tracing::debug!(?error, "a live reader's look failed");
                self.lost = None;
            }
        }
    }

    fn send(&mut self, event: Bytes) -> bool {
        match self.sender.try_send(event) {
            Ok(()) => {
                self.silent_since = Instant::now();
                self.taken = Instant::now();
                true
            }
            Err(TrySendError::Full(_)) => {
                self.lost = self.lost.map(|lost| lost + 1);
                false
            }
            Err(TrySendError::Closed(_)) => false,
        }
    }

    fn tell_lost(&mut self) {
        if self.lost == Some(0) || self.sender.capacity() == 0 {
            return;
        }
        let lost = event("lost", &json!({"events": self.lost}));
        if self.send(lost) {
            self.lost = Some(0);
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Range {
    from: u64,
    to: u64,
    verdicts_from: u64,
    now_us: i64,
}

/// What a look found.
struct Found {
    events: Vec<Bytes>,
    /// More than one look shows.
    beyond: u64,
    verdicts_to: u64,
}

fn verdict_position(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT position FROM verdict_position";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

fn find(connection: &Connection, asked: &Asked, range: Range) -> Result<Found, StoreError> {
    let mut found = Found {
        events: Vec::new(),
        beyond: 0,
        verdicts_to: verdict_position(connection)?,
    };
    let wants = |kind| asked.kinds.contains(&kind);
    if range.to > range.from {
        if wants("requests") {
            find_requests(connection, asked, range, &mut found)?;
        }
        if wants("sessions") {
            find_sessions(connection, asked, range, &mut found)?;
        }
    }
    if wants("verdicts") && found.verdicts_to > range.verdicts_from {
        find_verdicts(connection, asked, range, &mut found)?;
    }
    Ok(found)
}

/// Which of the sessions among `fresh` the filter means: a condition on rows of `session_rows`.
fn meant(asked: &Asked, fresh: &str, position: u64) -> Clause {
    let mut chosen = asked.filter.selection(Seen::to(position));
    chosen.sql = format!("session IN ({fresh}) AND ({})", chosen.sql);
    chosen
}

/// Those that came within the range.
fn fresh(range: Range) -> String {
    format!(
        "SELECT session FROM records WHERE position >= {} AND position < {}",
        range.from, range.to
    )
}

/// Reads rows, of which at most [`LOOK_MAX`] are shown; the column behind the others counts all.
fn show<T: Serialize>(
    connection: &Connection,
    name: &str,
    (sql, values): (&str, Vec<Value>),
    found: &mut Found,
    read: impl Fn(&duckdb::Row<'_>) -> duckdb::Result<(T, u64)>,
) -> Result<(), StoreError> {
    let sql = format!("{sql} LIMIT {LOOK_MAX}");
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| read(row))?;
    let (mut shown, mut all) = (0, 0);
    for row in rows {
        let (item, total) = row?;
        found.events.push(event(name, &item));
        shown += 1;
        all = total;
    }
    found.beyond += all.saturating_sub(shown);
    Ok(())
}

fn find_requests(
    connection: &Connection,
    asked: &Asked,
    range: Range,
    found: &mut Found,
) -> Result<(), StoreError> {
    let request = asked.filter.request();
    let meant = meant(asked, &fresh(range), range.to);
    let sql = format!(
        "SELECT {}, count(*) OVER ()::UBIGINT FROM records
         WHERE position >= {} AND position < {} AND {} AND session IN
            (SELECT session FROM session_rows AS sessions WHERE {})
         ORDER BY position, sequence, idx",
        requests::COLUMNS,
        range.from,
        range.to,
        request.sql,
        meant.sql
    );
    let values = [request.values, meant.values].concat();
    show(connection, "request", (&sql, values), found, |row| {
        Ok((requests::exchange(row)?, row.get(37)?))
    })
}

fn find_sessions(
    connection: &Connection,
    asked: &Asked,
    range: Range,
    found: &mut Found,
) -> Result<(), StoreError> {
    let meant = meant(asked, &fresh(range), range.to);
    let sql = format!(
        "SELECT {}, count(*) OVER ()::UBIGINT FROM session_rows AS sessions
         WHERE {} ORDER BY last",
        sessions::COLUMNS,
        meant.sql
    );
    show(connection, "session", (&sql, meant.values), found, |row| {
        Ok((Session::read(row)?, row.get(17)?))
    })
}

fn find_verdicts(
    connection: &Connection,
    asked: &Asked,
    range: Range,
    found: &mut Found,
) -> Result<(), StoreError> {
    let within = format!(
        "position >= {} AND position < {}",
        range.verdicts_from, found.verdicts_to
    );
    let fresh = format!("SELECT unhex(session) FROM verdicts WHERE {within}");
    let meant = meant(asked, &fresh, range.to);
    let sql = format!(
        "SELECT {}, count(*) OVER ()::UBIGINT FROM current_verdicts
         WHERE {within} AND unhex(session) IN
            (SELECT session FROM session_rows AS sessions WHERE {})
         ORDER BY position, idx",
        verdicts::COLUMNS,
        meant.sql
    );
    show(connection, "verdict", (&sql, meant.values), found, |row| {
        let (verdict, _, _) = verdicts::read(row, range.now_us)?;
        Ok((verdict, row.get(23)?))
    })
}
