//! A filter as SQL: which sessions, among the rows that the log had given up to a position.

use std::net::IpAddr;

use duckdb::types::Value;

use super::clause::{Clause, Select};
use super::fields::{Place, VERDICTS};
use super::needs::Needs;
use super::terms::{SessionFilter, Term};
use super::values::{Kind, Test};
use crate::joined;
use crate::quoted::quoted;

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// `column` is one of `tests`.
fn test(column: &str, kind: Kind, tests: &[Test]) -> Clause {
    let one = |test: &Test| match test {
        Test::Is(value) => Clause::new(format!("{column} = ?"), [text(value)]),
        Test::StartsWith(start) => Clause::new(format!("starts_with({column}, ?)"), [text(start)]),
        Test::Contains(part) => Clause::new(format!("contains(lower({column}), ?)"), [text(part)]),
        Test::Among(word) => {
            Clause::new(format!("contains(',' || {column} || ',', ?)"), [text(word)])
        }
        Test::Within(address, bits) => within(column, *address, *bits),
        Test::Between(low, high) => between(column, kind, *low, *high),
    };
    Clause::any(tests.iter().map(one))
}

/// The address in `column` is `wanted`, an address or a network; `None` when that is neither.
#[must_use]
pub fn address(column: &str, wanted: &str) -> Option<Clause> {
    let wanted = super::values::network(wanted)?;
    Some(test(column, Kind::Address, &[wanted]))
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

/// What of the log a filter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// What was stored up to this position.
    pub position: u64,
    /// What came at this position or later: for sessions that have nothing before.
    pub since: u64,
}

impl Seen {
    /// Everything up to `position`.
    #[must_use]
    pub fn to(position: u64) -> Self {
        Self { position, since: 0 }
    }

    /// The condition for rows that stand where records do.
    #[must_use]
    pub fn of_records(self) -> String {
        self.limits(RECORDS)
    }

    fn limits(self, sign: &str) -> String {
        let Self { position, since } = self;
        match since {
            0 => format!("position {sign} {position}"),
            since => format!("position {sign} {position} AND position >= {since}"),
        }
    }
}

/// Sessions that have a row in `rows` up to `position` for which `condition` holds.
fn having_rows(rows: &str, sign: &str, seen: Seen, condition: Clause) -> Clause {
    let (limits, which) = (seen.limits(sign), &condition.sql);
    let select = Select::Whole(format!(
        "SELECT session FROM {rows} WHERE {limits} AND {which}"
    ));
    Clause::one_of(select, condition.values)
}

/// Rows that a transaction summed, which stand at its end.
const SUMMED: &str = "<=";
/// Records, which stand at the beginning of their batch.
const RECORDS: &str = "<";

fn has(what: &Test, seen: Seen) -> Clause {
    let any = || Clause::new("true", []);
    match what {
        Test::Is(word) if word == "link" => {
            // A session is linked to before or after its own requests: all of the log counts.
            let all = Seen::to(seen.position);
            let ends =
                "(SELECT unnest([session_a, session_b]) AS session, position FROM link_parts)";
            having_rows(ends, SUMMED, all, any())
        }
        Test::Is(word) if word == "verdict" => {
            having_rows(VERDICTS, SUMMED, Seen::to(seen.position), any())
        }
        Test::Is(word) if word == "note" => {
            Clause::new("session IN (SELECT session FROM notes)", [])
        }
        Test::Is(word) if word == "pin" => Clause::new("session IN (SELECT session FROM pins)", []),
        Test::Is(word) if word == "user" => Clause::new("users <> ''", []),
        _ => Clause::new("errors_4xx + errors_5xx > 0", []),
    }
}

/// Sessions with an id that begins with these hex digits.
pub(crate) fn session_begins(digits: &str) -> Clause {
    let bound = |digit: char| {
        let rest = 32_usize.saturating_sub(digits.len());
        let filled = digits.chars().chain(std::iter::repeat_n(digit, rest));
        format!("unhex('{}')", filled.collect::<String>())
    };
    let is_hex = digits.chars().all(|digit| digit.is_ascii_hexdigit());
    if !is_hex || digits.is_empty() || digits.len() > 32 {
        return Clause::new("false", []);
    }
    let (first, last) = (bound('0'), bound('f'));
    Clause::new(format!("session >= {first} AND session <= {last}"), [])
}

/// Sessions that the lookups have under these words, or `hot` finds in the rows of the hot table `table`:
/// a SELECT.
fn under(words: &[&str], table: &str, hot: &Clause) -> Clause {
    // A zero byte within a word too is said by its number.
    let words = words.iter().flat_map(|word| word.split('\0'));
    let words: Vec<_> = words.map(quoted).collect();
    let sql = format!(
        "SELECT session FROM lookups WHERE hash = md5_number_lower({})
            UNION ALL SELECT session FROM {table} WHERE {}",
        words.join(" || chr(0) || "),
        hot.sql
    );
    Clause { sql, ..hot.clone() }
}

/// The same as a condition.
fn looked_up(words: &[&str], table: &str, hot: &Clause) -> Clause {
    let Clause { sql, values, .. } = under(words, table, hot);
    Clause::one_of(Select::Whole(sql), values)
}

/// Sessions that had the context parameter `name` with this value: a SELECT.
#[must_use]
pub fn with_parameter(name: &str, value: &str) -> Clause {
    let hot = Clause::new("name = ? AND value = ?", [text(name), text(value)]);
    under(&["param", name, value], "hot_param_values", &hot)
}

/// Digits of a whole trace id.
const TRACE_ID_LEN: usize = 32;

/// A request by one of its ids.
fn by_id(column: &str, kind: Kind, test_of: &Test, seen: Seen) -> Clause {
    let tests = std::slice::from_ref(test_of);
    match (column, test_of) {
        ("request_id", Test::Is(id)) => {
            let hot = Clause::new("request_id = ?", [text(id)]);
            looked_up(&["request", id], "hot_records", &hot)
        }
        ("trace_id", Test::StartsWith(id)) if id.len() == TRACE_ID_LEN => {
            let hot = Clause::new("trace_id = ?", [text(id)]);
            looked_up(&["trace", id], "hot_records", &hot)
        }
        _ => having_rows("records", RECORDS, seen, test(column, kind, tests)),
    }
}

fn any_id(tests: &[Test], seen: Seen) -> Clause {
    let one = |test: &Test| {
        let Test::Is(id) = test else {
            return Clause::new("false", []);
        };
        let small = id.to_lowercase();
        let trace = Test::StartsWith(small.clone());
        let trace = match small.len() {
            TRACE_ID_LEN => by_id("trace_id", Kind::Id, &trace, seen),
            _ => Clause::new("false", []),
        };
        Clause::any([
            session_begins(&small),
            trace,
            by_id("request_id", Kind::Text, test, seen),
        ])
    };
    Clause::any(tests.iter().map(one))
}

/// Some texts of a session, as `joined` joins them, and whether one of them is one of `tests`.
fn in_joined(column: &str, kind: Kind, tests: &[Test]) -> Clause {
    let contains = |column: &str, part: String| {
        Clause::new(format!("contains({column}, ?)"), [Value::Text(part)])
    };
    let one = |one: &Test| match one {
        Test::Is(value) => contains(column, joined::whole(value)),
        Test::StartsWith(begin) => contains(column, joined::beginning(begin)),
        Test::Contains(part) if column == "user_agents" && joined::is_plain(part) => {
            contains("user_agents_lower", part.clone())
        }
        other => {
            let each = test("each", kind, std::slice::from_ref(other));
            let list = joined::list(column);
            let sql = format!("len(list_filter({list}, lambda each: {})) > 0", each.sql);
            let exact = Clause { sql, ..each };
            // Most fail this already, which takes a fifth of the time.
            let begin = match other {
                Test::Within(address, bits) => super::values::beginning(*address, *bits),
                _ => None,
            };
            let begin = begin.map(|begin| contains(column, joined::beginning(&begin)));
            Clause::all(begin.into_iter().chain([exact]))
        }
    };
    Clause::any(tests.iter().map(one))
}

fn parameter(name: &str, tests: &[Test], seen: Seen) -> Clause {
    let one = |one: &Test| match one {
        Test::Is(value) => {
            let Clause { sql, values, .. } = with_parameter(name, value);
            Clause::one_of(Select::Whole(sql), values)
        }
        other => {
            let named = Clause::new("name = ?", [text(name)]);
            let value = test("value", Kind::Text, std::slice::from_ref(other));
            having_rows("param_parts", SUMMED, seen, Clause::all([named, value]))
        }
    };
    Clause::any(tests.iter().map(one))
}

fn term(term: &Term, seen: Seen) -> Clause {
    let tests = term.tests.as_slice();
    let kind = term.field.kind;
    match term.field.place {
        Place::Request(_) => requests(&[term], seen),
        Place::Lookup(column) => Clause::any(tests.iter().map(|it| by_id(column, kind, it, seen))),
        Place::Session(_) if kind == Kind::Id => Clause::any(tests.iter().map(|it| match it {
            Test::StartsWith(digits) => session_begins(digits),
            _ => Clause::new("false", []),
        })),
        Place::Session(value) => test(value, kind, tests),
        Place::Joined(column) => in_joined(column, kind, tests),
        Place::Rows(rows) => having_rows(
            rows,
            SUMMED,
            Seen::to(seen.position),
            Clause::all([test("value", kind, tests)]),
        ),
        Place::Parameter => {
            let name = term.parameter.as_deref().unwrap_or_default();
            parameter(name, tests, seen)
        }
        Place::Has => Clause::any(tests.iter().map(|what| has(what, seen))),
        Place::AnyId => any_id(tests, seen),
    }
}

/// Sessions with a request that all of `terms` are about.
fn requests(terms: &[&Term], seen: Seen) -> Clause {
    if let Some((shape, needs)) = shape_of(terms) {
        let select = Select::OfShapes {
            condition: shape.sql,
            needs,
            seen,
        };
        return Clause::one_of(select, shape.values);
    }
    let of_record = |term: &&Term| match term.field.place {
        Place::Request(column) | Place::Lookup(column) => {
            test(column, term.field.kind, &term.tests)
        }
        _ => Clause::new("true", []),
    };
    let record = Clause::all(terms.iter().map(of_record));
    having_rows("records", RECORDS, seen, record)
}

/// All of `terms` as a condition on `shapes`, and what it needs; `None` where these do not say enough.
fn shape_of(terms: &[&Term]) -> Option<(Clause, Needs)> {
    let mut needs = Needs::default();
    for term in terms {
        if let Place::Request(column) = term.field.place {
            needs.add(column, &term.tests);
        }
    }
    let shapes: Option<Vec<_>> = terms.iter().map(|term| shape(term)).collect();
    Some((Clause::all(shapes?), needs))
}

/// A term as a condition on `shapes`, where requests that differ in nothing but their duration are
/// one row; `None` where that row does not say enough.
fn shape(term: &Term) -> Option<Clause> {
    match term.field.place {
        Place::Request("duration_us") => {
            let ends = term.tests.iter().map(|test| match test {
                Test::Between(Some(low), None) => {
                    Some(Clause::new("took_max >= ?", [Value::BigInt(*low)]))
                }
                Test::Between(None, Some(high)) => {
                    Some(Clause::new("took_min <= ?", [Value::BigInt(*high)]))
                }
                _ => None,
            });
            Some(Clause::any(ends.collect::<Option<Vec<_>>>()?))
        }
        Place::Request(column) => Some(test(column, term.field.kind, &term.tests)),
        _ => None,
    }
}

impl SessionFilter {
    /// Whether it says no more than when.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.terms.is_empty()
    }

    /// What it says about applications, on a column `application`; `None` where it says more than that
    /// and when.
    #[must_use]
    pub fn applications(&self) -> Option<Clause> {
        let one = |term: &Term| {
            let clause = test("application", term.field.kind, &term.tests);
            let own = term.field.place == Place::Session("application");
            own.then(|| clause.negated(term.negated))
        };
        let all: Option<Vec<_>> = self.terms.iter().map(one).collect();
        all.map(Clause::all)
    }

    /// Whether it asks for sessions with a request of some kind.
    #[must_use]
    pub fn asks_for_requests(&self) -> bool {
        !self.of_one_request().is_empty()
    }

    /// What one request must be, all at once.
    fn of_one_request(&self) -> Vec<&Term> {
        let of_request = |term: &&Term| {
            let place = term.field.place;
            matches!(place, Place::Request(_) | Place::Lookup(_)) && !term.negated
        };
        self.terms.iter().filter(of_request).collect()
    }

    /// What a segment must have for a request that it asks for.
    #[must_use]
    pub fn needs(&self) -> Option<Needs> {
        let terms = self.of_one_request();
        let needs = (!terms.is_empty()).then(|| shape_of(&terms))??.1;
        Some(needs)
    }

    /// Whether it reads nothing but one row for each session.
    #[must_use]
    pub fn is_of_rows(&self) -> bool {
        let of_row = |term: &Term| matches!(term.field.place, Place::Session(_) | Place::Joined(_));
        self.terms.iter().all(of_row)
    }

    /// What one request must be like, on the columns of `records`.
    #[must_use]
    pub fn request(&self) -> Clause {
        let said = self.terms.iter().filter(|term| !term.negated);
        Clause::all(said.filter_map(|term| match term.field.place {
            Place::Request(column) | Place::Lookup(column) => {
                Some(test(column, term.field.kind, &term.tests))
            }
            _ => None,
        }))
    }

    /// Whether it reads more than one row for each session: then it is quicker to ask it of some
    /// sessions first.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        let looked_up = |term: &Term| {
            term.tests.iter().all(|test| match term.field.place {
                Place::Lookup(_) | Place::Parameter => match test {
                    Test::Is(_) => true,
                    Test::StartsWith(id) => term.field.kind == Kind::Id && id.len() == TRACE_ID_LEN,
                    _ => false,
                },
                _ => false,
            })
        };
        self.terms.iter().any(|term| match term.field.place {
            Place::Request(_) | Place::Joined(_) => true,
            Place::Lookup(_) | Place::Parameter => !looked_up(term),
            _ => false,
        })
    }

    /// A condition on rows of `session_rows`, or of what they were when the log had been stored up
    /// to the position that is `seen`.
    #[must_use]
    pub fn selection(&self, seen: Seen) -> Clause {
        self.selection_in_steps(seen).at_once()
    }

    /// The same, for whoever calls [`Clause::find`] before: quicker where few are found among many.
    #[must_use]
    pub fn selection_in_steps(&self, seen: Seen) -> Clause {
        let joined = self.of_one_request();
        let mut all = Vec::new();
        match joined.as_slice() {
            [] => {}
            [one] => all.push(term(one, seen)),
            several => all.push(requests(several, seen)),
        }
        let is_joined = |term: &&Term| joined.iter().any(|it| std::ptr::eq(*it, *term));
        for one in self.terms.iter().filter(|term| !is_joined(term)) {
            all.push(term(one, seen).negated(one.negated));
        }
        let at = |micros| Value::Timestamp(duckdb::types::TimeUnit::Microsecond, micros);
        if let Some(from_us) = self.from_us {
            all.push(Clause::new("last >= ?", [at(from_us)]));
        }
        if let Some(to_us) = self.to_us {
            all.push(Clause::new("first < ?", [at(to_us)]));
        }
        Clause::all(all)
    }
}
