//! `POST /v1/backtest`: whom another `detection` would flag, and whom no longer.
//!
//! Heavy, as a candidate's verdicts are: one run of both at a time, for so many records and so long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Buf;
use duckdb::Connection;
use futures_util::Stream;
use serde::Serialize;
use throughline_detection::Settings;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::replay::{Cut, RECORDS_MAX};
use super::request::{Access, Call, Methods, call, json, respond};
use super::{App, admin, replay};
use crate::backtest::{Backtest, Trial};
use crate::policy;
use crate::store::StoreError;
use crate::verdicts::{Flagged, Profiles};

/// Subjects listed of each kind of change.
const LISTED_MAX: usize = 100;

/// Those who are flagged on one side only.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Changed {
    /// How many subjects.
    count: usize,
    /// How many of them are sessions.
    sessions: usize,
    /// Sessions before users and sources, the surest first, at most 100.
    items: Vec<Flagged>,
}

/// What another `detection` would change about stored records.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BacktestAnswer {
    /// The policy in force, whose profiles it is held against; null where there is none.
    policy_version: Option<String>,
    /// Records that are stored.
    records: u64,
    /// How many of them were judged, under both.
    records_judged: u64,
    /// Why not all were judged; null: all were.
    cut: Option<Cut>,
    /// Flagged under the document only.
    newly: Changed,
    /// Flagged under the policy in force only.
    no_longer: Changed,
    /// Subjects flagged under both.
    still: usize,
}

const METHODS: Methods = Methods {
    each: &[("POST", Access::ReadAll)],
    allow: "POST",
};

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "backtest")
        .and(call(app, METHODS))
        .and(warp::body::stream())
        .then(|call: Call, stream| async move { respond(handle(&call, stream).await) })
        .boxed()
}

/// Whom another `detection` would flag, and whom no longer.
#[utoipa::path(
    post, path = "/v1/backtest", tag = "policy", security((), ("read_token" = [])),
    description = "Detection judges the latest 200,000 stored records twice: by the profiles in \
        force, and by those of the document that is sent, a whole policy of which `detection` and \
        `visits` are tried. Nothing is changed. Both sides begin without knowledge, and labels are \
        left out: compare them with each other. One such run at a time (a candidate's verdicts are \
        one too); one that has to wait for longer than `--query-timeout` is answered with 503. \
        `throughline backtest` judges all that is stored. `content-type: application/yaml` is taken \
        too.",
    request_body(content = Object, content_type = "application/json", description = "A policy: docs/policy.md"),
    responses(
        (status = 200, description = "Who is flagged on one side only", body = BacktestAnswer),
        (status = 413, description = "The policy is too long"),
        (status = 422, description = "It cannot be used: the place and the remedy"),
        (status = 503, description = "Another one runs, or this one took too long"),
    ),
)]
pub(super) async fn handle<B: Buf>(
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    call.params(&[])?;
    let format = admin::format(call)?;
    let body = admin::read(call, stream).await?;
    admin::check_length(body.len())?;
    let policy = policy::read(&body, format)?;
    let tried = Profiles {
        policy_version: None,
        profiles: policy.detection,
        visits: policy.visits,
    };
    let judged = replay::run(call, |connection, patience| {
        judge(connection, tried, patience)
    });
    json(&judged.await?)
}

fn judge(
    connection: &Connection,
    tried: Profiles,
    patience: Duration,
) -> Result<BacktestAnswer, StoreError> {
    let began = Instant::now();
    let sql = "SELECT count(*), coalesce(max(position) + 1, 0)::UBIGINT FROM records";
    let (records, end): (u64, u64) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let trial = Trial {
        settings: Settings::default(),
        tried,
        records: RECORDS_MAX,
        end,
    };
    let (found, whole) = trial.run(connection, || began.elapsed() >= patience)?;
    Ok(answer(found, records, Cut::of(whole, records)))
}

fn answer(found: Backtest, records: u64, cut: Option<Cut>) -> BacktestAnswer {
    BacktestAnswer {
        policy_version: found.policy_version,
        records,
        records_judged: found.records,
        cut,
        newly: changed(found.newly),
        no_longer: changed(found.no_longer),
        still: found.still,
    }
}

fn changed(mut all: Vec<Flagged>) -> Changed {
    let is_session = |it: &Flagged| it.subject_kind == "session";
    let (count, sessions) = (all.len(), all.iter().filter(|it| is_session(it)).count());
    // Stable: the surest stay first.
    all.sort_by_key(|it| !is_session(it));
    all.truncate(LISTED_MAX);
    Changed {
        count,
        sessions,
        items: all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_come_first_and_what_is_not_listed_is_counted() {
        let of = |kind: &str, n: usize| Flagged {
            id: format!("{kind}-{n}"),
            subject_kind: kind.to_owned(),
            subject: n.to_string(),
            application: "shop".to_owned(),
            bot_type: "scraping".to_owned(),
            confidence: 0.9,
            class: "unknown".to_owned(),
            reason: String::new(),
        };
        let users = (0..3).map(|n| of("user", n));
        let all = users.chain((0..LISTED_MAX).map(|n| of("session", n)));
        let changed = changed(all.collect());
        assert_eq!((changed.count, changed.sessions), (103, 100));
        assert_eq!(changed.items.len(), LISTED_MAX);
        assert!(changed.items.iter().all(|it| it.subject_kind == "session"));
    }
}
