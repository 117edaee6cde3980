//! requests → steps: how often visits go from one endpoint to another.
//!
//! Counted here and not by DuckDB, which would sort whole rows and group by texts: six times as much
//! of the processor.

use std::collections::{BTreeMap, HashMap};

use duckdb::arrow::array::AsArray as _;
use duckdb::arrow::datatypes::{Int64Type, UInt32Type, UInt64Type};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Connection, params_from_iter};

use crate::filters::Clause;
use crate::store::StoreError;

/// Where a visit begins.
const ENTRY: &str = "(entry)";
/// Where it ends.
const EXIT: &str = "(exit)";
/// Endpoints that are not shown one by one.
pub(super) const OTHER: &str = "(other)";

/// Number of an endpoint in [`Walk::names`].
type Name = u32;

/// A request: in the order of visits, and within each by its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Request {
    /// A hash of the session and the visit's start.
    visit: u64,
    start_us: i64,
    position: u64,
    index: u32,
    name: Name,
    error: bool,
}

/// Requests of some visits.
#[derive(Debug, Default)]
pub(super) struct Walk {
    names: Vec<String>,
    numbers: HashMap<String, Name>,
    requests: Vec<Request>,
}

/// An endpoint, and the visits that begin or end with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) entries: u64,
    pub(super) exits: u64,
}

/// A step from one endpoint to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) count: u64,
    /// At where it goes.
    pub(super) errors: u64,
    /// From start to start, microseconds; none at both ends of a visit.
    gaps_us: Vec<i64>,
}

impl Edge {
    /// Half of the steps took no longer, microseconds.
    pub(super) fn median_us(&mut self) -> Option<i64> {
        let middle = self.gaps_us.len().checked_sub(1)? / 2;
        Some(*self.gaps_us.select_nth_unstable(middle).1)
    }
}

/// What was counted, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Graph<'a> {
    pub(super) visits: u64,
    pub(super) nodes: BTreeMap<&'a str, Node>,
    /// By where they come from and where they go.
    pub(super) edges: BTreeMap<(&'a str, &'a str), Edge>,
}

/// Reads the rows of `records` with an endpoint that `which` selects.
pub(super) fn read(connection: &Connection, which: &Clause) -> Result<Walk, StoreError> {
    let sql = format!(
        "SELECT hash(session, visit_start) AS visit, epoch_us(start) AS start_us, position, idx, endpoint,
            coalesce(status >= 400, false) AS error
         FROM records WHERE endpoint IS NOT NULL AND {}",
        which.sql
    );
    let mut statement = connection.prepare(&sql)?;
    let mut walk = Walk::default();
    for batch in statement.query_arrow(params_from_iter(which.values.clone()))? {
        walk.add(&batch)?;
    }
    walk.requests.sort_unstable();
    Ok(walk)
}

impl Walk {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let other = || ArrowError::SchemaError("DuckDB gives columns of other types".into());
        let [visit, start, position, index, endpoint, error] = batch.columns() else {
            return Err(other());
        };
        let visit = visit.as_primitive_opt::<UInt64Type>().ok_or_else(other)?;
        let start = start.as_primitive_opt::<Int64Type>().ok_or_else(other)?;
        let position = position
            .as_primitive_opt::<UInt64Type>()
            .ok_or_else(other)?;
        let index = index.as_primitive_opt::<UInt32Type>().ok_or_else(other)?;
        let endpoint = endpoint.as_string_opt::<i32>().ok_or_else(other)?;
        let error = error.as_boolean_opt().ok_or_else(other)?;
        self.requests.reserve(batch.num_rows());
        for row in 0..batch.num_rows() {
            let request = Request {
                visit: visit.value(row),
                start_us: start.value(row),
                position: position.value(row),
                index: index.value(row),
                name: self.number(endpoint.value(row)),
                error: error.value(row),
            };
            self.requests.push(request);
        }
        Ok(())
    }

    fn number(&mut self, name: &str) -> Name {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        // There are no more names than requests, and these are few.
        let number = Name::try_from(self.names.len()).unwrap_or(Name::MAX);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// What each endpoint is called where only those with most requests are told apart, so many.
    fn shown(&self, most: usize) -> Vec<&str> {
        let mut requests = vec![0_u64; self.names.len()];
        for request in &self.requests {
            if let Some(count) = requests.get_mut(request.name as usize) {
                *count += 1;
            }
        }
        let mut order: Vec<_> = self.names.iter().zip(requests).enumerate().collect();
        order.sort_unstable_by_key(|(_, (name, count))| (std::cmp::Reverse(*count), *name));
        let mut shown = vec![OTHER; self.names.len()];
        for (number, (name, _)) in order.into_iter().take(most) {
            if let Some(called) = shown.get_mut(number) {
                *called = name;
            }
        }
        shown
    }

    /// Counts the steps; with `nodes` endpoints told apart.
    pub(super) fn graph(&self, nodes: usize) -> Graph<'_> {
        let shown = self.shown(nodes);
        // By number, so that texts are compared once for each pair.
        let mut steps: HashMap<(Option<Name>, Option<Name>), Edge> = HashMap::new();
        let mut before: Option<&Request> = None;
        for request in &self.requests {
            let same = before.filter(|it| it.visit == request.visit);
            if let Some(last) = before.filter(|_| same.is_none()) {
                steps.entry((Some(last.name), None)).or_default().count += 1;
            }
            let step = steps.entry((same.map(|it| it.name), Some(request.name)));
            let step = step.or_default();
            step.count += 1;
            step.errors += u64::from(request.error);
            step.gaps_us
                .extend(same.map(|it| request.start_us - it.start_us));
            before = Some(request);
        }
        if let Some(last) = before {
            steps.entry((Some(last.name), None)).or_default().count += 1;
        }
        let name = |number: Name| shown.get(number as usize).copied().unwrap_or(OTHER);
        let mut graph = Graph::default();
        for ((from, to), step) in steps {
            if let Some(to) = to {
                let node = graph.nodes.entry(name(to)).or_default();
                node.requests += step.count;
                node.errors += step.errors;
                node.entries += if from.is_none() { step.count } else { 0 };
            }
            if let (Some(from), None) = (from, to) {
                graph.nodes.entry(name(from)).or_default().exits += step.count;
            }
            graph.visits += if from.is_none() { step.count } else { 0 };
            let ends = (from.map_or(ENTRY, name), to.map_or(EXIT, name));
            let edge = graph.edges.entry(ends).or_default();
            edge.count += step.count;
            edge.errors += step.errors;
            edge.gaps_us.extend(step.gaps_us);
        }
        graph
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Visits as their endpoints, a second apart; those in capitals fail.
    fn walk(visits: &[&str]) -> Walk {
        let mut walk = Walk::default();
        for (visit, endpoints) in (0..).zip(visits) {
            for (second, endpoint) in (0..).zip(endpoints.split(' ')) {
                let request = Request {
                    visit,
                    start_us: second * second * 1_000_000,
                    position: 0,
                    index: 0,
                    name: walk.number(&endpoint.to_lowercase()),
                    error: endpoint.chars().all(char::is_uppercase),
                };
                walk.requests.push(request);
            }
        }
        walk.requests.sort_unstable();
        walk
    }

    fn told(graph: &mut Graph<'_>) -> String {
        let mut told = format!("{} visits\n", graph.visits);
        for (name, node) in &graph.nodes {
            let Node {
                requests,
                errors,
                entries,
                exits,
            } = node;
            told += &format!("{name}: {requests}, {errors} failed, {entries} in, {exits} out\n");
        }
        for ((from, to), edge) in &mut graph.edges {
            let gap = edge.median_us().map(|us| us / 1_000_000);
            told += &format!(
                "{from} {to}: {} ({} failed, {gap:?} s)\n",
                edge.count, edge.errors
            );
        }
        told
    }

    #[test]
    fn visits_begin_go_on_and_end() {
        let walk = walk(&["a b a", "a B", "c"]);
        insta::assert_snapshot!(told(&mut walk.graph(9)), @r"
        3 visits
        a: 3, 0 failed, 2 in, 1 out
        b: 2, 1 failed, 0 in, 1 out
        c: 1, 0 failed, 1 in, 1 out
        (entry) a: 2 (0 failed, None s)
        (entry) c: 1 (0 failed, None s)
        a (exit): 1 (0 failed, None s)
        a b: 2 (1 failed, Some(1) s)
        b (exit): 1 (0 failed, None s)
        b a: 1 (0 failed, Some(3) s)
        c (exit): 1 (0 failed, None s)
        ");
        insta::assert_snapshot!(told(&mut walk.graph(1)), @r"
        3 visits
        (other): 3, 1 failed, 1 in, 2 out
        a: 3, 0 failed, 2 in, 1 out
        (entry) (other): 1 (0 failed, None s)
        (entry) a: 2 (0 failed, None s)
        (other) (exit): 2 (0 failed, None s)
        (other) a: 1 (0 failed, Some(3) s)
        a (exit): 1 (0 failed, None s)
        a (other): 2 (1 failed, Some(1) s)
        ");
    }
}
