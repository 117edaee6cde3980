//! A field by its values: where they are, and which term of a filter selects each.

use duckdb::types::Value;

use super::clause::Clause;
use super::fields::{self, Field, Place, VERDICTS};
use super::values::Kind;
use super::{FIELDS, FilterError};
use crate::joined;
use crate::spelling;

/// Where the values of a field are.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// An expression over rows of `records`.
    Requests(&'static str),
    /// An expression over rows of the list.
    Sessions(&'static str),
    /// Rows with columns `session`, `position` and `value`.
    Rows(Clause),
}

/// A field whose values are counted.
#[derive(Debug, Clone)]
pub struct Facet {
    field: &'static Field,
    parameter: Option<String>,
}

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Where the ranges of a number begin, in the unit of its kind.
const COUNTS: &[i64] = &[
    0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000,
];
const SIZES: &[i64] = &[
    0,
    1 << 10,
    10 << 10,
    100 << 10,
    1 << 20,
    10 << 20,
    100 << 20,
    1 << 30,
    10 << 30,
];
const DURATIONS: &[i64] = &[
    0,
    1000,
    2000,
    5000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    HOUR,
    6 * HOUR,
    24 * HOUR,
];
const SHARES: &[i64] = &[
    0, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000, 700_000, 800_000, 900_000,
];

fn ranges(kind: Kind) -> Option<&'static [i64]> {
    match kind {
        Kind::Count => Some(COUNTS),
        Kind::Bytes => Some(SIZES),
        Kind::Duration => Some(DURATIONS),
        Kind::Share => Some(SHARES),
        _ => None,
    }
}

/// A number of `kind` as a filter takes it.
fn written(kind: Kind, number: i64) -> String {
    let largest = |units: &[(i64, &str)]| {
        let unit = units.iter().find(|(size, _)| number % size == 0);
        unit.map_or(number.to_string(), |(size, name)| {
            format!("{}{name}", number / size)
        })
    };
    match kind {
        _ if number == 0 => "0".into(),
        Kind::Bytes => largest(&[(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]),
        Kind::Duration => largest(&[
            (24 * HOUR, "d"),
            (HOUR, "h"),
            (MINUTE, "m"),
            (SECOND, "s"),
            (1000, "ms"),
        ]),
        Kind::Share => format!("0.{}", number / 100_000),
        _ => number.to_string(),
    }
}

impl Facet {
    /// The field `name`, such as `status` or `param.plan`.
    ///
    /// # Errors
    /// When there is none, or its values tell nothing.
    pub fn find(name: &str) -> Result<Self, FilterError> {
        let refuse = |problem: String, remedy: String| Err(FilterError::new(1, problem, remedy));
        match fields::find(name) {
            Some((field, _)) if field.place == Place::AnyId => refuse(
                format!("`{name}` stands for several fields"),
                "take `session`, `request` or `trace`".into(),
            ),
            Some((field, parameter)) => Ok(Self { field, parameter }),
            None => {
                let names = FIELDS.iter().map(|field| field.name);
                let remedy = match spelling::nearest(name, names.clone()) {
                    _ if name.split('.').next() == Some("param") => {
                        "name the context parameter: `param.NAME`".into()
                    }
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
                };
                refuse(format!("there is no field `{name}`"), remedy)
            }
        }
    }

    /// Its name as one types it.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.parameter {
            Some(parameter) => format!("{}.{parameter}", self.field.name),
            None => self.field.name.into(),
        }
    }

    /// Where its values are.
    #[must_use]
    pub fn source(&self) -> Source {
        let rows = |sql: &str| Source::Rows(Clause::new(sql, []));
        match self.field.place {
            Place::Request(column) | Place::Lookup(column) => Source::Requests(column),
            Place::Session(sql) => Source::Sessions(sql),
            Place::Joined(column) => rows(&format!(
                "(SELECT session, 0::UBIGINT AS position, unnest({}) AS value
                  FROM (SELECT session, {column} AS texts FROM session_sums))",
                joined::list("texts")
            )),
            Place::Rows(sql) => rows(sql),
            Place::Parameter => {
                let name = self.parameter.clone().unwrap_or_default();
                let sql = "(SELECT session, position, value FROM param_parts WHERE name = ?)";
                Source::Rows(Clause::new(sql, [Value::Text(name)]))
            }
            Place::Has | Place::AnyId => rows(&format!(
                "(SELECT session_a AS session, position, 'link' AS value FROM link_parts
                  UNION ALL SELECT session_b, position, 'link' FROM link_parts
                  UNION ALL SELECT session, 0, 'user' FROM session_sums WHERE users <> ''
                  UNION ALL SELECT session, position, 'verdict' FROM {VERDICTS}
                  UNION ALL SELECT session, 0, 'note' FROM notes
                  UNION ALL SELECT session, 0, 'pin' FROM pins
                  UNION ALL SELECT session, 0, 'error' FROM session_sums
                    WHERE errors_4xx + errors_5xx > 0)"
            )),
        }
    }

    /// The column `value` as a group: numbers go by ranges, of which this is the number.
    #[must_use]
    pub fn group(&self, value: &str) -> String {
        let Some(bounds) = ranges(self.field.kind) else {
            // A filter has no word for an empty text: it counts as none.
            return format!("nullif({value}::VARCHAR, '')");
        };
        let factor = match self.field.kind {
            Kind::Share => "* 1000000",
            _ => "",
        };
        let steps = bounds.iter().enumerate().skip(1);
        let steps: String = steps
            .map(|(index, bound)| format!(" WHEN {value} {factor} < {bound} THEN '{}'", index - 1))
            .collect();
        let last = bounds.len() - 1;
        format!("CASE WHEN {value} IS NULL THEN NULL{steps} ELSE '{last}' END")
    }

    /// Whether a group is several values with commas between them.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.field.kind == Kind::Flags
    }

    /// Whether it is of a context parameter, whose values are in `param_parts`.
    #[must_use]
    pub fn is_parameter(&self) -> bool {
        self.field.place == Place::Parameter
    }

    /// What to show for a group, and the term that selects its sessions.
    #[must_use]
    pub fn shown(&self, group: &str) -> (String, String) {
        let (name, kind) = (self.name(), self.field.kind);
        let Some(bounds) = ranges(kind) else {
            let plain = matches!(kind, Kind::Status | Kind::Id | Kind::OneOf(_));
            let term = if plain {
                format!("{name}:{group}")
            } else {
                let quoted = group.replace('\\', r"\\").replace('"', r#"\""#);
                format!("{name}:\"{quoted}\"")
            };
            return (group.to_owned(), term);
        };
        let index: usize = group.parse().unwrap_or(0);
        let low = bounds.get(index).copied().unwrap_or(0);
        let high = bounds.get(index + 1).copied();
        let text = |number| written(kind, number);
        match high {
            None => (format!("{}..", text(low)), format!("{name}>={}", text(low))),
            Some(high) if kind == Kind::Count => {
                let range = if high - low == 1 {
                    text(low)
                } else {
                    format!("{low}..{}", high - 1)
                };
                (range.clone(), format!("{name}:{range}"))
            }
            Some(high) => {
                let from = if low == 0 {
                    String::new()
                } else {
                    format!("{name}>={} ", text(low))
                };
                let term = format!("{from}{name}<{}", text(high));
                (format!("{}..{}", text(low), text(high)), term)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filters::SessionFilter;

    #[test]
    fn each_group_has_a_term_that_the_language_knows() {
        for field in FIELDS.iter().filter(|it| it.place != Place::AnyId) {
            let name = match field.place {
                Place::Parameter => "param.plan",
                _ => field.name,
            };
            let facet = Facet::find(name).unwrap();
            let groups = ranges(field.kind).map_or(1, <[i64]>::len);
            for group in 0..groups {
                let group = match field.kind {
                    Kind::OneOf(words) => words[0].to_owned(),
                    Kind::Address => "10.0.0.1".into(),
                    Kind::Status => "200".into(),
                    _ => group.to_string(),
                };
                let (_, term) = facet.shown(&group);
                SessionFilter::parse(&term, 0).unwrap_or_else(|error| panic!("{term}: {error:?}"));
            }
        }
    }

    #[test]
    fn shows_ranges_and_quotes() {
        for (name, group, value, term) in [
            ("requests", "0", "0", "requests:0"),
            ("requests", "3", "5..9", "requests:5..9"),
            ("requests", "15", "1000000..", "requests>=1000000"),
            ("bytes", "0", "0..1KiB", "bytes<1KiB"),
            ("bytes", "1", "1KiB..10KiB", "bytes>=1KiB bytes<10KiB"),
            ("took", "4", "10ms..20ms", "took>=10ms took<20ms"),
            ("duration", "20", "1d..", "duration>=1d"),
            (
                "confidence",
                "8",
                "0.8..0.9",
                "confidence>=0.8 confidence<0.9",
            ),
            ("status", "404", "404", "status:404"),
            ("user", r#"a"b\"#, r#"a"b\"#, r#"user:"a\"b\\""#),
            ("param.plan", "gold", "gold", r#"param.plan:"gold""#),
        ] {
            let shown = Facet::find(name).unwrap().shown(group);
            assert_eq!(shown, (value.into(), term.into()), "{name} {group}");
        }
    }

    #[test]
    fn what_has_no_values_is_refused() {
        for (name, remedy) in [
            ("statsu", "did you mean `status`?"),
            ("id", "take `session`"),
            ("param", "param.NAME"),
        ] {
            let refused = Facet::find(name).unwrap_err();
            assert!(refused.remedy.contains(remedy), "{name}: {refused:?}");
        }
    }
}
