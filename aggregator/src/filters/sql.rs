//! A filter as SQL: which sessions, among the rows that the log had given up to a position.

use std::net::IpAddr;

use duckdb::types::Value;

use super::fields::{Place, USERS, VERDICTS};
use super::terms::{SessionFilter, Term};
use super::values::{Kind, Test};

/// SQL with the values of its question marks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clause {
    /// The condition.
    pub sql: String,
    /// Its values.
    pub values: Vec<Value>,
}

impl Clause {
    /// A condition and its values.
    pub(crate) fn new(sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Self {
        Self {
            sql: sql.into(),
            values: values.into_iter().collect(),
        }
    }

    fn joined(clauses: impl IntoIterator<Item = Self>, word: &str, none: &str) -> Self {
        let (mut parts, mut values) = (Vec::new(), Vec::new());
        for clause in clauses {
            parts.push(format!("({})", clause.sql));
            values.extend(clause.values);
        }
        let sql = if parts.is_empty() {
            none.into()
        } else {
            parts.join(word)
        };
        Self { sql, values }
    }

    /// All of them hold.
    pub(crate) fn all(clauses: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(clauses, " AND ", "true")
    }

    fn any(clauses: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(clauses, " OR ", "false")
    }

    /// Not, where null is no match.
    fn negated(self, negated: bool) -> Self {
        let sql = if negated {
            format!("NOT coalesce(({}), false)", self.sql)
        } else {
            self.sql
        };
        Self { sql, ..self }
    }
}

/// What a filter selects: conditions on sessions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// On the column `session`, before its rows are summed.
    pub sessions: Clause,
    /// On sums over `visit_parts` by session.
    pub sums: Clause,
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// `column` is one of `tests`.
fn test(column: &str, kind: Kind, tests: &[Test]) -> Clause {
    let one = |test: &Test| match test {
        Test::Is(value) => Clause::new(format!("{column} = ?"), [text(value)]),
        Test::StartsWith(start) => Clause::new(format!("starts_with({column}, ?)"), [text(start)]),
        Test::Contains(part) => Clause::new(format!("contains(lower({column}), ?)"), [text(part)]),
        Test::Within(address, bits) => within(column, *address, *bits),
        Test::Between(low, high) => between(column, kind, *low, *high),
    };
    Clause::any(tests.iter().map(one))
}

fn between(column: &str, kind: Kind, low: Option<i64>, high: Option<i64>) -> Clause {
    let column = match kind {
        Kind::Share => format!("({column} * 1000000)"),
        _ => format!("({column})"),
    };
    let end = |sign: &str, number: Option<i64>| {
        number.map(|number| Clause::new(format!("{column} {sign} ?"), [Value::BigInt(number)]))
    };
    Clause::all([end(">=", low), end("<=", high)].into_iter().flatten())
}

/// The address in `column` is in a network.
fn within(column: &str, network: IpAddr, bits: u8) -> Clause {
    match network {
        IpAddr::V4(network) => {
            // As a number; null for what is no IPv4 address.
            let octet = |n| format!("try_cast(split_part({column}, '.', {n}) AS BIGINT)");
            let number = format!(
                "({} * 16777216 + {} * 65536 + {} * 256 + {})",
                octet(1),
                octet(2),
                octet(3),
                octet(4)
            );
            let size = 1_i64 << (32 - u32::from(bits));
            let first = i64::from(network.to_bits()) / size * size;
            between(&number, Kind::Count, Some(first), Some(first + size - 1))
        }
        IpAddr::V6(network) => {
            // Its groups, those that `::` stands for put in; without leading zeros, as written.
            let halves = format!(
                "list_concat(
                    list_filter(string_split(split_part({column}, '::', 1), ':'), lambda it: it <> ''),
                    list_transform(range(8 - len(list_filter(string_split({column}, ':'), lambda it: it <> ''))), lambda it: '0'),
                    list_filter(string_split(split_part({column}, '::', 2), ':'), lambda it: it <> ''))"
            );
            let groups = usize::from(bits / 16);
            let wanted: Vec<_> = network.segments()[..groups.min(8)]
                .iter()
                .map(|group| format!("{group:x}"))
                .collect();
            let sql = format!(
                "contains({column}, ':') AND array_to_string(list_slice({halves}, 1, {groups}), ':') = ?"
            );
            Clause::new(sql, [Value::Text(wanted.join(":"))])
        }
    }
}

/// Sessions that have a row in `rows` up to `position` for which `condition` holds.
fn having_rows(rows: &str, seen: &str, position: u64, condition: Clause) -> Clause {
    let sql = format!(
        "session IN (SELECT session FROM {rows} WHERE position {seen} ? AND {})",
        condition.sql
    );
    let mut values = vec![Value::UBigInt(position)];
    values.extend(condition.values);
    Clause { sql, values }
}

/// Rows that a transaction summed, which stand at its end.
const SUMMED: &str = "<=";
/// Records, which stand at the beginning of their batch.
const RECORDS: &str = "<";

fn has(what: &Test, position: u64) -> Clause {
    let any = || Clause::new("true", []);
    match what {
        Test::Is(word) if word == "link" => {
            let ends = "(SELECT session_a AS session, position FROM link_parts
                UNION ALL SELECT session_b, position FROM link_parts)";
            having_rows(ends, SUMMED, position, any())
        }
        Test::Is(word) if word == "verdict" => having_rows(VERDICTS, SUMMED, position, any()),
        Test::Is(word) if word == "user" => having_rows(USERS, SUMMED, position, any()),
        _ => {
            let errors = Clause::new("errors_4xx + errors_5xx > 0", []);
            having_rows("visit_parts", SUMMED, position, errors)
        }
    }
}

fn any_id(tests: &[Test], position: u64) -> Clause {
    let one = |test: &Test| {
        let Test::Is(id) = test else {
            return Clause::new("false", []);
        };
        let small = text(&id.to_lowercase());
        let record = Clause::new("trace_id = ? OR request_id = ?", [small.clone(), text(id)]);
        Clause::any([
            Clause::new("starts_with(lower(hex(session)), ?)", [small]),
            having_rows("records", RECORDS, position, Clause::all([record])),
        ])
    };
    Clause::any(tests.iter().map(one))
}

fn term(term: &Term, position: u64) -> Clause {
    let tests = term.tests.as_slice();
    let kind = term.field.kind;
    match term.field.place {
        Place::Request(column) => having_rows(
            "records",
            RECORDS,
            position,
            Clause::all([test(column, kind, tests)]),
        ),
        Place::Sum(sum) => test(sum, kind, tests),
        Place::Rows(rows) => having_rows(
            rows,
            SUMMED,
            position,
            Clause::all([test("value", kind, tests)]),
        ),
        Place::Parameter => {
            let name = text(term.parameter.as_deref().unwrap_or_default());
            let named = Clause::new("name = ?", [name]);
            let condition = Clause::all([named, test("value", kind, tests)]);
            having_rows("param_parts", SUMMED, position, condition)
        }
        Place::Has => Clause::any(tests.iter().map(|what| has(what, position))),
        Place::AnyId => any_id(tests, position),
    }
}

impl SessionFilter {
    /// Whether it says no more than when.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.terms.is_empty()
    }

    /// The sessions, as the log had given them up to `position`.
    #[must_use]
    pub fn selection(&self, position: u64) -> Selection {
        let together =
            |term: &&Term| matches!(term.field.place, Place::Request(_)) && !term.negated;
        let requests =
            self.terms
                .iter()
                .filter(together)
                .filter_map(|term| match term.field.place {
                    Place::Request(column) => Some(test(column, term.field.kind, &term.tests)),
                    _ => None,
                });
        let requests: Vec<_> = requests.collect();
        let mut sessions = Vec::new();
        let mut sums = Vec::new();
        if !requests.is_empty() {
            sessions.push(having_rows(
                "records",
                RECORDS,
                position,
                Clause::all(requests),
            ));
        }
        for one in self.terms.iter().filter(|term| !together(term)) {
            let clause = term(one, position).negated(one.negated);
            let summed = matches!(one.field.place, Place::Sum(_));
            if summed { &mut sums } else { &mut sessions }.push(clause);
        }
        let at = |micros| Value::Timestamp(duckdb::types::TimeUnit::Microsecond, micros);
        if let Some(from_us) = self.from_us {
            let since = Clause::new("last >= ?", [at(from_us)]);
            sessions.push(having_rows("visit_parts", SUMMED, position, since));
        }
        if let Some(to_us) = self.to_us {
            sums.push(Clause::new("min(first) < ?", [at(to_us)]));
        }
        Selection {
            sessions: Clause::all(sessions),
            sums: Clause::all(sums),
        }
    }
}
