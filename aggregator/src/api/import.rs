//! `POST /v1/import`: an access log as a stream, taken in as if the filter had seen its exchanges.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt as _};
use serde::Serialize;
use throughline_session::wire::BootId;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::App;
use super::error::ApiError;
use super::ingest::check_scope;
use super::params::Params;
use super::request::{Access, Call, call, json, respond};
use crate::import::{
    AUTO, Batcher, Books, Chunks, Format, Reject, Rules, RulesError, body, boot_of,
};
use crate::log::{Appended, Batch, Refusal, Room, WorkerKey};

/// Parts of the body that wait to be read.
const PARTS_MAX: usize = 16;
/// Whoever sends nothing for so long is let go.
const STALLED: Duration = Duration::from_secs(60);
/// For so long it is tried to put a batch into the log.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);
/// Lines shown that make no record.
const REJECTS_SHOWN: usize = 20;
/// Bytes that the first line is looked for in.
const HEAD_LEN_MAX: usize = 128 * 1024;

/// How the log is read.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct ImportQuery {
    /// `combined`, `common`, `envoy-json`, or `auto` (when absent), which looks at the first line.
    format: Option<String>,
    /// The application that all requests belong to; the policy says it when absent.
    application: Option<String>,
    /// The host that was asked, where the log does not say it.
    host: Option<String>,
}

const PARAMETERS: &[&str] = &["format", "application", "host"];

/// What was taken in.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Imported {
    /// The format that it was read as; empty where there was no line.
    format: &'static str,
    /// Lines read.
    lines: u64,
    /// Records that were not there before.
    stored: u64,
    /// Records that were there before: the log was imported already.
    again: u64,
    /// Lines that make no record.
    rejected: u64,
    /// The first 20 of them.
    rejects: Vec<Reject>,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "import")
        .and(call(app, Access::Ingest))
        .and(warp::body::stream())
        .then(|call: Call, stream| async move { respond(handle(&call, stream).await) })
        .boxed()
}

/// Take in an access log.
#[utoipa::path(
    post, path = "/v1/import", tag = "ingest", security(("ingest_token" = [])),
    params(ImportQuery),
    description = "Takes an access log of any length, in the order of its time, as a stream. Sessions \
        are found by the policy's key rules over what the log has, and by the session secret in the \
        service's environment. The same log again adds nothing. A line that cannot be understood is \
        counted and shown, and keeps no other out. One import runs at a time.",
    request_body(content = String, content_type = "text/plain"),
    responses(
        (status = 200, description = "Everything is on disk", body = Imported),
        (status = 403, description = "No session secret, or a token for something else"),
        (status = 408, description = "Nothing came for a minute; what came before is stored"),
        (status = 503, description = "Another import runs, or the log takes nothing"),
    ),
)]
pub(super) async fn handle<B: Buf + Send + 'static>(
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>> + Send,
) -> Result<Response, ApiError> {
    let asked = Asked::read(call)?;
    let place = Arc::clone(&call.app.imports).try_acquire_owned();
    let place = place.map_err(|_| ApiError::ImportsBusy)?;
    let (sender, parts) = channel(PARTS_MAX);
    let own = call.clone();
    let work = tokio::task::spawn_blocking(move || {
        let _place = place;
        take(&own, &asked, Parts::new(parts))
    });
    let pumped = pump(stream, sender).await;
    let done = work
        .await
        .map_err(|error| ApiError::Database(error.to_string()))?;
    pumped?;
    json(&done?)
}

/// Hands the body on, as fast as it is taken in.
async fn pump<B: Buf>(
    stream: impl Stream<Item = Result<B, warp::Error>>,
    sender: Sender<Part>,
) -> Result<(), ApiError> {
    let mut stream = std::pin::pin!(stream);
    loop {
        let next = tokio::time::timeout(STALLED, stream.next());
        let next = next.await.map_err(|_| ApiError::BodyTimeout)?;
        let part = match next {
            None => Part::End,
            Some(Err(_)) => return Err(ApiError::BodyBroken),
            Some(Ok(mut part)) => Part::Bytes(part.copy_to_bytes(part.remaining())),
        };
        let ends = matches!(part, Part::End);
        // Where nobody takes it any more, the work says why.
        if sender.send(part).await.is_err() || ends {
            return Ok(());
        }
    }
}

enum Part {
    Bytes(Bytes),
    End,
}

/// The body as something to read; broken off where it does not come to its end.
struct Parts {
    parts: Receiver<Part>,
    now: Bytes,
    ended: bool,
}

impl Parts {
    fn new(parts: Receiver<Part>) -> Self {
        Self {
            parts,
            now: Bytes::new(),
            ended: false,
        }
    }
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.now.is_empty() && !self.ended {
            match self.parts.blocking_recv() {
                Some(Part::Bytes(bytes)) => self.now = bytes,
                Some(Part::End) => self.ended = true,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let len = self.now.len().min(buffer.len());
        self.now
            .copy_to_slice(buffer.get_mut(..len).unwrap_or_default());
        Ok(len)
    }
}

/// How a log is to be read.
struct Asked {
    format: Option<&'static Format>,
    application: Option<String>,
    host: Option<String>,
    rules: Rules,
    secret: String,
}

impl Asked {
    fn read(call: &Call) -> Result<Self, ApiError> {
        let params = call.params(PARAMETERS)?;
        let app = &call.app;
        let secret = app
            .session_secret
            .clone()
            .ok_or(ApiError::NoSessionSecret)?;
        let application = params.get("application").map(str::to_owned);
        let rules = match app.policies.live(app.clock.now_us()) {
            Some(live) => Rules::of_live(live.json.as_bytes()),
            None => Ok(Rules::default()),
        };
        let rules = rules.and_then(|rules| rules.only(application.as_deref()));
        let rules = rules.map_err(|error| match error {
            RulesError::Application(_) => ApiError::BadParameter {
                parameter: "application",
                detail: error.to_string(),
                remedy: "give the name of an application",
            },
            RulesError::Policy { .. } => ApiError::Database(error.to_string()),
        })?;
        Ok(Self {
            format: format(&params)?,
            application,
            host: params.get("host").map(str::to_owned),
            rules,
            secret,
        })
    }
}

fn format(params: &Params) -> Result<Option<&'static Format>, ApiError> {
    match params.get("format").unwrap_or(AUTO) {
        AUTO => Ok(None),
        name => Format::named(name)
            .map(Some)
            .ok_or_else(|| ApiError::BadParameter {
                parameter: "format",
                detail: format!(
                    "`format` is `{}`",
                    name.chars().take(64).collect::<String>()
                ),
                remedy: "give combined, common, envoy-json or auto",
            }),
    }
}

/// Takes in a whole log. Blocks.
fn take(call: &Call, asked: &Asked, mut parts: Parts) -> Result<Imported, ApiError> {
    let broken = |_: io::Error| ApiError::BodyBroken;
    let mut head = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    let line_end = |head: &[u8]| {
        let begins = head.len() - head.trim_ascii_start().len();
        let rest = head.get(begins..).unwrap_or_default();
        rest.iter()
            .position(|byte| *byte == b'\n')
            .map(|at| begins + at)
    };
    while line_end(&head).is_none() && head.len() < HEAD_LEN_MAX {
        let read = parts.read(&mut buffer).map_err(broken)?;
        if read == 0 {
            break;
        }
        head.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    let first = head
        .get(..line_end(&head).unwrap_or(head.len()))
        .unwrap_or_default();
    let first = first.trim_ascii_start();
    if first.is_empty() {
        return Ok(Imported::default());
    }
    let format = asked.format.or_else(|| Format::of(first));
    let format = format.ok_or_else(|| ApiError::BadParameter {
        parameter: "format",
        detail: "the first line is in no format that is known".into(),
        remedy: "name its format: combined, common or envoy-json",
    })?;
    let batcher = Batcher::new(
        format,
        &asked.rules,
        asked.secret.as_bytes(),
        asked.host.clone(),
    );
    let mut import = Import {
        call,
        batcher: batcher.map_err(|_| ApiError::NoSessionSecret)?,
        boot: boot_of(first, asked.application.as_deref()),
        version: asked.rules.name(),
        books: Books::default(),
        done: Imported {
            format: format.name,
            ..Imported::default()
        },
    };
    let mut chunks = Chunks::new(Read::chain(io::Cursor::new(head), parts), 0, 1, false);
    let mut sequence = 0;
    while let Some(chunk) = chunks.next(None).map_err(broken)? {
        import.take(&chunk, sequence)?;
        sequence += 1;
    }
    import.append(&crate::import::Built::default(), None)?;
    Ok(import.done)
}

/// A log on its way into the service's own.
struct Import<'a> {
    call: &'a Call,
    batcher: Batcher,
    boot: BootId,
    version: &'a str,
    books: Books,
    done: Imported,
}

impl Import<'_> {
    fn take(&mut self, chunk: &crate::import::Chunk, sequence: u64) -> Result<(), ApiError> {
        let built = self.batcher.build(chunk);
        let records = u64::from(built.records);
        self.books.records += records;
        self.books.rejected += built.rejected;
        if records > 0 {
            match self.append(&built, Some(sequence))? {
                Appended::Stored => self.done.stored += records,
                Appended::Duplicate => self.done.again += records,
            }
        }
        self.books.acknowledged += records;
        self.done.lines += chunk.lines();
        self.done.rejected += built.rejected;
        let room = REJECTS_SHOWN.saturating_sub(self.done.rejects.len());
        self.done
            .rejects
            .extend(built.rejects.into_iter().take(room));
        Ok(())
    }

    /// Puts a batch, or a heartbeat, into the log; where that is busy, again and again for a while.
    fn append(
        &self,
        built: &crate::import::Built,
        sequence: Option<u64>,
    ) -> Result<Appended, ApiError> {
        let app = &self.call.app;
        let arrived_us = app.clock.now_us();
        let body = body(
            built,
            self.boot,
            sequence,
            self.version,
            self.books,
            arrived_us,
        );
        check_scope(self.call, &body)?;
        let source = WorkerKey {
            boot: self.boot,
            worker: 0,
        };
        let header = crate::ingest::check(&body).map_err(ApiError::BadBatch)?;
        app.books.hear(source, &header, arrived_us);
        let until = Instant::now() + PATIENCE;
        loop {
            let appended = match self.room(body.len() as u64) {
                None => Err(ApiError::QueueFull),
                Some(room) => {
                    let batch = Batch {
                        source,
                        sequence,
                        arrived_us,
                        body: body.clone(),
                        room,
                    };
                    let appended = Handle::current().block_on(app.log.append(batch));
                    match appended {
                        // Batches go in order: one that lies so far back was taken.
                        Err(Refusal::Stale) => Ok(Appended::Duplicate),
                        other => other.map_err(ApiError::Refused),
                    }
                }
            };
            match appended {
                Err(error) if Instant::now() >= until => return Err(error),
                Err(_) => std::thread::sleep(PAUSE),
                Ok(appended) => {
                    self.count(
                        appended,
                        sequence,
                        u64::from(built.records),
                        body.len() as u64,
                    );
                    return Ok(appended);
                }
            }
        }
    }

    fn room(&self, bytes: u64) -> Option<Room> {
        let mut room = self.call.app.budget.room();
        room.grow(bytes).then_some(room)
    }

    fn count(&self, appended: Appended, sequence: Option<u64>, records: u64, bytes: u64) {
        let metrics = &self.call.app.metrics;
        match (appended, sequence) {
            (Appended::Duplicate, _) => metrics.duplicates.inc(),
            (Appended::Stored, None) => metrics.heartbeats.inc(),
            (Appended::Stored, Some(_)) => {
                metrics.records.inc_by(records);
                metrics.bytes.inc_by(bytes);
                metrics.batches.inc()
            }
        };
    }
}
