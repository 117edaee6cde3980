//! A value of DuckDB as JSON.

use chrono::{Days, NaiveDate};
use duckdb::types::{TimeUnit, Value};
use serde_json::{Number, Value as Json};

use crate::time;

/// Numbers that JSON has stay numbers; larger ones, decimals, times and bytes (in hex) are text.
pub(super) fn json(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => value.into(),
        Value::TinyInt(value) => value.into(),
        Value::SmallInt(value) => value.into(),
        Value::Int(value) => value.into(),
        Value::BigInt(value) => value.into(),
        Value::UTinyInt(value) => value.into(),
        Value::USmallInt(value) => value.into(),
        Value::UInt(value) => value.into(),
        Value::UBigInt(value) => value.into(),
        Value::HugeInt(value) => {
            i64::try_from(value).map_or_else(|_| value.to_string().into(), Json::from)
        }
        Value::UHugeInt(value) => {
            u64::try_from(value).map_or_else(|_| value.to_string().into(), Json::from)
        }
        Value::Float(value) => float(f64::from(value)),
        Value::Double(value) => float(value),
        Value::Decimal(value) => value.to_string().into(),
        Value::Timestamp(unit, value) => time::text(micros(unit, value)).into(),
        Value::Text(value) | Value::Enum(value) => value.into(),
        Value::Blob(bytes) | Value::Geometry(bytes) => hex(&bytes).into(),
        Value::Date32(days) => date(days).into(),
        Value::Time64(unit, value) => clock(micros(unit, value)).into(),
        Value::Interval {
            months,
            days,
            nanos,
        } => format!("{months} months {days} days {} us", nanos / 1000).into(),
        Value::List(values) | Value::Array(values) => values.into_iter().map(json).collect(),
        Value::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), json(value.clone())));
            Json::Object(fields.collect())
        }
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| Json::Array(vec![json(key.clone()), json(value.clone())]))
            .collect(),
        Value::Union(value) => json(*value),
        other => format!("{other:?}").into(),
    }
}

/// JSON has no infinity and no not-a-number.
fn float(value: f64) -> Json {
    Number::from_f64(value).map_or_else(|| value.to_string().into(), Json::Number)
}

fn micros(unit: TimeUnit, value: i64) -> i64 {
    match unit {
        TimeUnit::Second => value.saturating_mul(1_000_000),
        TimeUnit::Millisecond => value.saturating_mul(1_000),
        TimeUnit::Microsecond => value,
        TimeUnit::Nanosecond => value / 1_000,
    }
}

fn date(days: i32) -> String {
    let epoch = NaiveDate::default();
    let distance = Days::new(u64::from(days.unsigned_abs()));
    let date = if days < 0 {
        epoch.checked_sub_days(distance)
    } else {
        epoch.checked_add_days(distance)
    };
    date.map_or_else(
        || format!("{days} days since 1970-01-01"),
        |it| it.to_string(),
    )
}

fn clock(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{fraction:06}", seconds % 60)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `sql` gives, as it comes out of DuckDB.
    fn check(sql: &str, expected: &str) {
        let connection = duckdb::Connection::open_in_memory().unwrap();
        let value = connection.query_row(&format!("SELECT {sql}"), [], |row| row.get(0));
        assert_eq!(json(value.unwrap()).to_string(), expected, "{sql}");
    }

    #[test]
    fn every_kind_of_value() {
        check("NULL", "null");
        check("true", "true");
        check("42::TINYINT", "42");
        check("18446744073709551615::UBIGINT", "18446744073709551615");
        check("sum(1)", "1");
        check(
            "170141183460469231731687303715884105727::HUGEINT",
            "\"170141183460469231731687303715884105727\"",
        );
        check("1.50::DECIMAL(9,2)", "\"1.50\"");
        check("0.5::DOUBLE", "0.5");
        check("'nan'::DOUBLE", "\"NaN\"");
        check(
            "TIMESTAMP '2026-01-01 08:00:00.5'",
            "\"2026-01-01T08:00:00.500000Z\"",
        );
        check("DATE '2026-02-28'", "\"2026-02-28\"");
        check("DATE '1969-12-31'", "\"1969-12-31\"");
        check("TIME '08:09:10'", "\"08:09:10.000000\"");
        check("INTERVAL 90 MINUTE", "\"0 months 0 days 5400000000 us\"");
        check("'a\"b'", "\"a\\\"b\"");
        check("'\\x00\\xff'::BLOB", "\"00ff\"");
        check("[1, NULL]", "[1,null]");
        check("{'a': 1, 'b': ['x']}", "{\"a\":1,\"b\":[\"x\"]}");
        check("MAP {'a': 1}", "[[\"a\",1]]");
        check("'x'::ENUM('x', 'y')", "\"x\"");
        check("gen_random_uuid() IS NOT NULL", "true");
    }
}
