//! The visits that took the first step of a flow, each with the times of its steps: the table `runs`
//! with columns `session`, `visit_start`, `bot`, `agent` and `t1`, `t2`, … (microseconds).

use duckdb::types::Value;
use duckdb::{Connection, params_from_iter};
use serde::Serialize;
use utoipa::ToSchema;

use super::facets::share;
use super::scope::{Chosen, IS_BOT};
use crate::filters::{Clause, USER_AGENT_FAMILY};
use crate::policy::flows::Flow;
use crate::store::StoreError;

/// How much longer than for the others a step must take.
const SLOWER: f64 = 1.5;
/// Visits on both sides of such a comparison, at least.
const VISITS_MIN: u64 = 5;

/// A step of a flow, and how it goes.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct FlowStep {
    /// What the policy calls it.
    name: String,
    /// Its endpoints.
    endpoints: Vec<String>,
    /// Visits that got here.
    reached: u64,
    /// Share of the visits that took the first step, 0 to 1.
    share: f64,
    /// Visits that stopped here: they took no further step in time.
    abandoned: u64,
    /// Visits of sessions held for bots that got here.
    reached_by_bots: u64,
    /// Requests to its endpoints, of these visits, answered with 400 to 599 or not at all.
    failed_requests: u64,
    /// Half of the visits took no longer to get here from the step before, milliseconds; null for
    /// the first.
    median_ms: Option<f64>,
    /// 95 % took no longer.
    p95_ms: Option<f64>,
}

/// A step that takes some people longer than the others.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Bottleneck {
    /// The step, as the policy calls it.
    step: String,
    /// By what these people differ: `user_agent_family`, `role` or `bot`.
    by: String,
    /// The value that they have.
    value: String,
    /// How many of their visits got there.
    visits: u64,
    /// Half of them took no longer from the step before, milliseconds.
    median_ms: f64,
    /// Half of the others took no longer, milliseconds.
    others_ms: f64,
}

fn texts(endpoints: &[String]) -> Vec<Value> {
    endpoints.iter().cloned().map(Value::Text).collect()
}

fn marks(endpoints: &[String]) -> String {
    vec!["?"; endpoints.len()].join(", ")
}

/// Makes the tables `touches` (requests to the flow's endpoints) and `runs`.
pub(super) fn collect(
    connection: &Connection,
    flow: &Flow,
    chosen: &Chosen,
) -> Result<(), StoreError> {
    let all: Vec<String> = flow
        .steps
        .iter()
        .flat_map(|step| step.endpoints().to_vec())
        .collect();
    let application = flow.application.clone().map(Value::Text);
    let of_application = Clause::new(
        if application.is_some() {
            "application = ?"
        } else {
            "true"
        },
        application,
    );
    let which = Clause::all([
        chosen.records.clone(),
        of_application,
        Clause::new(format!("endpoint IN ({})", marks(&all)), texts(&all)),
    ]);
    let sql = format!(
        "CREATE OR REPLACE TEMP TABLE touches AS
         SELECT session, visit_start, epoch_us(start) AS at_us, endpoint, {IS_BOT} AS bot,
            coalesce(status < 400, false) AS ok, {USER_AGENT_FAMILY} AS agent
         FROM records WHERE {}",
        which.sql
    );
    connection.execute(&sql, params_from_iter(which.values))?;
    let mut values = Vec::new();
    let mut tables = String::new();
    let mut times = String::new();
    for (number, step) in (1_usize..).zip(&flow.steps) {
        let marks = marks(step.endpoints());
        values.extend(texts(step.endpoints()));
        if number == 1 {
            tables = format!(
                "s1 AS (SELECT session, visit_start, bool_or(bot) AS bot, min(agent) AS agent,
                    min(at_us) AS t1
                 FROM touches WHERE ok AND endpoint IN ({marks}) GROUP BY session, visit_start)"
            );
            times = "t1".into();
            continue;
        }
        let before = number - 1;
        tables += &format!(
            ", s{number} AS (
                SELECT s.session, s.visit_start, s.bot, s.agent, {times}, min(at_us) AS t{number}
                FROM s{before} AS s LEFT JOIN (FROM touches WHERE ok AND endpoint IN ({marks})) AS t
                    ON t.session = s.session AND t.visit_start = s.visit_start
                    AND t.at_us > s.t{before} AND t.at_us <= s.t1 + {}
                GROUP BY s.session, s.visit_start, s.bot, s.agent, {times})",
            flow.within_us()
        );
        times += &format!(", t{number}");
    }
    let last = flow.steps.len();
    let sql = format!("CREATE OR REPLACE TEMP TABLE runs AS WITH {tables} FROM s{last}");
    connection.execute(&sql, params_from_iter(values))?;
    Ok(())
}

/// How each step goes.
pub(super) fn steps(
    connection: &Connection,
    flow: &Flow,
    estimate: impl Fn(u64) -> u64,
) -> Result<Vec<FlowStep>, StoreError> {
    let started: u64 =
        connection.query_row("SELECT count(*)::UBIGINT FROM runs", [], |row| row.get(0))?;
    let mut found: Vec<FlowStep> = Vec::new();
    for (number, step) in (1_usize..).zip(&flow.steps) {
        let before = if number == 1 { 1 } else { number - 1 };
        let gap = format!("nullif(t{number} - t{before}, 0)");
        let sql = format!(
            "SELECT (count(*) FILTER (t{number} IS NOT NULL))::UBIGINT,
                (count(*) FILTER (t{number} IS NOT NULL AND bot))::UBIGINT,
                median({gap}) / 1000, quantile_cont({gap}, 0.95) / 1000,
                (SELECT count(*) FROM touches SEMI JOIN runs USING (session, visit_start)
                    WHERE NOT ok AND endpoint IN ({}))::UBIGINT
             FROM runs",
            marks(step.endpoints())
        );
        let values = params_from_iter(texts(step.endpoints()));
        let read = connection.query_row(&sql, values, |row| {
            let reached = row.get(0)?;
            Ok(FlowStep {
                name: step.shown().to_owned(),
                endpoints: step.endpoints().to_vec(),
                reached,
                share: share(reached, started),
                abandoned: 0,
                reached_by_bots: estimate(row.get(1)?),
                failed_requests: estimate(row.get(4)?),
                median_ms: row.get(2)?,
                p95_ms: row.get(3)?,
            })
        })?;
        found.push(read);
    }
    let reached: Vec<u64> = found.iter().map(|step| step.reached).collect();
    for (index, step) in found.iter_mut().enumerate() {
        let next = reached.get(index + 1);
        step.abandoned = next.map_or(0, |next| estimate(step.reached - next));
        step.reached = estimate(step.reached);
    }
    Ok(found)
}

/// Steps that take some people longer than the others.
pub(super) fn bottlenecks(
    connection: &Connection,
    flow: &Flow,
    estimate: impl Fn(u64) -> u64,
) -> Result<Vec<Bottleneck>, StoreError> {
    let gaps = (2..=flow.steps.len()).map(|number| {
        format!(
            "SELECT session, visit_start, bot, agent, {number} AS step, t{number} - t{} AS gap_us
             FROM runs WHERE t{number} IS NOT NULL",
            number - 1
        )
    });
    let gaps = gaps.collect::<Vec<_>>().join(" UNION ALL ");
    let sql = format!(
        "WITH gaps AS MATERIALIZED ({gaps}),
         grouped AS (
            SELECT step, 'user_agent_family' AS dimension, agent AS value, session, visit_start, gap_us
            FROM gaps
            UNION ALL
            SELECT step, 'bot', CASE WHEN bot THEN 'bot' ELSE 'no bot' END, session, visit_start,
                gap_us
            FROM gaps
            UNION ALL
            SELECT DISTINCT step, 'role', value, gaps.session, visit_start, gap_us
            FROM gaps JOIN (FROM param_parts WHERE kind = 'role') AS roles USING (session)),
         groups AS (
            SELECT step, dimension, value, count(*)::UBIGINT AS visits, median(gap_us) / 1000 AS median_ms
            FROM grouped WHERE value IS NOT NULL GROUP BY ALL
            HAVING visits >= {VISITS_MIN} ORDER BY visits DESC LIMIT 200),
         compared AS (
            SELECT groups.step, groups.dimension, groups.value, visits, median_ms,
                count(*) FILTER (gaps.session IS NOT NULL) AS others,
                median(gaps.gap_us) / 1000 AS others_ms
            FROM groups JOIN gaps ON gaps.step = groups.step AND NOT EXISTS (
                SELECT 1 FROM grouped WHERE grouped.step = groups.step AND grouped.dimension = groups.dimension
                    AND grouped.value = groups.value AND grouped.session = gaps.session
                    AND grouped.visit_start = gaps.visit_start)
            GROUP BY ALL)
         SELECT step, dimension, value, visits, median_ms, others_ms FROM compared
         WHERE others >= {VISITS_MIN} AND median_ms >= others_ms * {SLOWER}
         ORDER BY median_ms / others_ms DESC, step, dimension, value LIMIT 50"
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| {
        let step: usize = row.get::<_, u32>(0)?.try_into().unwrap_or(1);
        let step = flow.steps.get(step.saturating_sub(1));
        Ok(Bottleneck {
            step: step.map(|step| step.shown().to_owned()).unwrap_or_default(),
            by: row.get(1)?,
            value: row.get(2)?,
            visits: estimate(row.get(3)?),
            median_ms: row.get(4)?,
            others_ms: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
