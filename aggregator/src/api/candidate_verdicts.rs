//! `GET /v1/policy/candidates/{name}/verdicts`: whom a candidate's grouping would have flagged.
//!
//! Heavy: detection runs twice over stored records. One run at a time, on a connection and a thread
//! of its own, for so many records and so long; what that cuts off is said.

use std::sync::Arc;
use std::time::{Duration, Instant};

use duckdb::Connection;
use serde::Serialize;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::replay::{Cut, RECORDS_MAX};
use super::request::{Access, Call, call, json, respond};
use super::{App, replay};
use crate::policy::Candidate;
use crate::store::{Replayed, StoreError, StoredTrials, crawlers};
use crate::verdicts::{
    Example, Label, Labels, NewlyCaught, Profiles, Regrouped, Regrouping, TypeChange,
};

/// Labels looked at, the latest ones.
const LABELS_MAX: u64 = 100_000;

/// What a candidate would change about verdicts, over the records of the sampled clients.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CandidateVerdicts {
    /// The candidate.
    name: String,
    /// Its name on records.
    policy_version: String,
    /// The active policy, whose detection profiles judged both sides; null where there is none.
    profiles_version: Option<String>,
    /// Share of the clients.
    clients_share: f64,
    /// Requests of sampled clients that are stored.
    requests: u64,
    /// How many of them were judged, under both groupings.
    requests_judged: u64,
    /// The clients of these.
    clients: u64,
    /// Why not all were judged; null: all were.
    cut: Option<Cut>,
    /// By kind of bot; the first is all kinds together.
    changes: Vec<TypeChange>,
    /// Verdicts gained, those about most clients first, at most 10.
    gained: Vec<Example>,
    /// Verdicts lost, likewise.
    lost: Vec<Example>,
    /// Clients that are flagged with the candidate and not today.
    newly_caught: NewlyCaught,
    /// Clients no longer flagged, of which somebody had confirmed that they are bots.
    confirmed_lost: u64,
    /// What these figures are not.
    notes: Vec<String>,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "policy" / "candidates" / String / "verdicts")
        .and(call(app, Access::ReadAll))
        .then(|name: String, call: Call| async move { respond(handle(&name, &call).await) })
        .boxed()
}

/// Whom a candidate would flag, and whom no longer.
#[utoipa::path(
    get, path = "/v1/policy/candidates/{name}/verdicts", tag = "policy",
    security((), ("read_token" = [])),
    description = "Detection judges the sampled clients' stored records twice, with the sessions \
        that they have and with those that the candidate makes of them. One such run at a time; one \
        that has to wait for longer than `--query-timeout` is answered with 503.",
    params(("name" = String, Path, description = "The candidate's name")),
    responses(
        (status = 200, description = "Verdicts gained, lost and kept", body = CandidateVerdicts),
        (status = 404, description = "There is none"),
    ),
)]
pub(super) async fn handle(name: &str, call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let candidate = call.app.policies.candidate(name)?;
    let judged = replay::run(call, |connection, patience| {
        judge(connection, candidate, patience)
    });
    json(&judged.await?)
}

fn judge(
    connection: &Connection,
    candidate: Candidate,
    patience: Duration,
) -> Result<CandidateVerdicts, StoreError> {
    let began = Instant::now();
    let id = candidate.id.as_str();
    let trials = StoredTrials::of(connection, id, RECORDS_MAX)?;
    let profiles = Replayed::profiles(connection)?;
    let profiles_version = profiles.policy_version.clone();
    let (found, ended) = regroup(connection, id, &trials, profiles, || {
        began.elapsed() >= patience
    })?;
    let placed = trials.rows - trials.unplaced;
    let lost = placed.min(RECORDS_MAX).saturating_sub(found.requests);
    Ok(CandidateVerdicts {
        notes: notes(&trials, if ended { lost } else { 0 }),
        profiles_version,
        clients_share: f64::from(candidate.clients_ppm) / 1e6,
        requests: trials.rows,
        requests_judged: found.requests,
        clients: found.clients,
        cut: Cut::of(ended, placed),
        changes: found.changes,
        gained: found.gained,
        lost: found.lost,
        newly_caught: found.newly_caught,
        confirmed_lost: found.confirmed_lost,
        policy_version: candidate.id,
        name: candidate.name,
    })
}

/// Has both sides judge the trials until there are no more (`true`), or it is `late`.
fn regroup(
    connection: &Connection,
    candidate: &str,
    trials: &StoredTrials,
    profiles: Profiles,
    late: impl Fn() -> bool,
) -> Result<(Regrouped, bool), StoreError> {
    let mut regrouping = Regrouping::new(trials.start, profiles);
    regrouping.confirm(&crawlers(connection, 0, i64::MAX.cast_unsigned())?);
    let mut from = Some(trials.start);
    while let Some(at) = from
        && !late()
    {
        let (records, next) = trials.read(connection, candidate, at)?;
        for tried in &records {
            regrouping.take(tried);
        }
        from = next;
    }
    Ok((regrouping.finish(&labels(connection)?), from.is_none()))
}

/// What people said last of each verdict.
fn labels(connection: &Connection) -> Result<Labels, StoreError> {
    // `arg_max` passes over nulls, which are labels that were taken back.
    let sql = "SELECT id, arg_max(coalesce(label, ''), position) FROM labels GROUP BY id
        ORDER BY max(position) DESC LIMIT ?";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([LABELS_MAX], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut found = Labels::new();
    for row in rows {
        let (id, label) = row?;
        let label = [Label::Wrong, Label::Confirmed]
            .into_iter()
            .find(|it| it.name() == label);
        if let Some(label) = label {
            found.insert(id, label);
        }
    }
    Ok(found)
}

fn notes(trials: &StoredTrials, gone: u64) -> Vec<String> {
    let mut notes = vec![
        "both sides begin without knowledge and see the sampled clients only: compare them with \
         each other, not with /v1/verdicts"
            .to_owned(),
        "users are those that the active policy names, whatever the candidate names".to_owned(),
        "clients behind one address with one user agent count as one".to_owned(),
    ];
    if trials.unplaced > 0 {
        notes.push(format!(
            "{} requests were stored by an earlier version, which did not keep what this needs",
            trials.unplaced
        ));
    }
    if gone > 0 {
        notes.push(format!("{gone} requests are no longer stored"));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;

    #[test]
    fn what_is_late_is_said_to_be_cut() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let trials = StoredTrials::of(&reading.connection, "none", 10).unwrap();
        for late in [false, true] {
            let judged = regroup(
                &reading.connection,
                "none",
                &trials,
                Profiles::default(),
                || late,
            );
            let (found, ended) = judged.unwrap();
            assert_eq!((found.requests, ended), (0, !late));
        }
    }
}
