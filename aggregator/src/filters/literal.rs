//! Values in the SQL itself: what is known when a query is planned lets DuckDB skip the files and row
//! groups that it need not read, and what stands for a question mark is not known then.

use std::fmt::Write as _;

use duckdb::types::{TimeUnit, Value};

use super::clause::Clause;
use crate::quoted::quoted;

/// `value` as SQL; `None` where there is no safe way to write it.
fn literal(value: &Value) -> Option<String> {
    match value {
        // SQL ends at a zero byte.
        Value::Text(text) if !text.contains('\0') => Some(quoted(text)),
        Value::Blob(bytes) => {
            let mut literal = String::from("unhex('");
            for byte in bytes {
                write!(literal, "{byte:02x}").ok()?;
            }
            Some(literal + "')")
        }
        Value::Timestamp(TimeUnit::Microsecond, micros) => {
            Some(format!("make_timestamp({micros})"))
        }
        // Without a type it takes that of the column it is compared with, which is not cast then: a
        // cast column has no statistics.
        Value::BigInt(number) => Some(format!("({number})")),
        Value::UBigInt(number) => Some(format!("{number}::UBIGINT")),
        Value::UInt(number) => Some(format!("{number}::UINTEGER")),
        _ => None,
    }
}

/// `sql` with what `mark` writes in the place of each question mark that stands for a value.
fn at_marks(sql: &str, mut mark: impl FnMut(&mut String)) -> String {
    let mut done = String::with_capacity(sql.len());
    // The quote that a text or a name began with.
    let mut within = None;
    for letter in sql.chars() {
        match within {
            // A quote that is doubled ends and begins again.
            Some(quote) if letter == quote => within = None,
            None if letter == '\'' || letter == '"' => within = Some(letter),
            None if letter == '?' => {
                mark(&mut done);
                continue;
            }
            _ => {}
        }
        done.push(letter);
    }
    done
}

/// `sql` with `values` written in the place of its question marks, as far as they can be.
pub(super) fn written(sql: &str, values: impl IntoIterator<Item = Value>) -> Clause {
    let mut values = values.into_iter();
    let mut left = Vec::new();
    let sql = at_marks(sql, |done| {
        let value = values.next();
        if let Some(text) = value.as_ref().and_then(literal) {
            done.push_str(&text);
        } else {
            done.push('?');
            left.extend(value);
        }
    });
    left.extend(values);
    Clause {
        sql,
        values: left,
        ..Clause::default()
    }
}

/// Whether nothing in `sql` stands for a value that is given apart from it.
pub(super) fn is_whole(sql: &str) -> bool {
    let mut whole = true;
    at_marks(sql, |_| whole = false);
    whole
}

#[cfg(test)]
mod tests {
    use duckdb::{Connection, params_from_iter};
    use proptest::prelude::*;

    use super::*;

    fn kept(value: &Value) -> bool {
        let asked = written(
            "SELECT '?''?' <> '' AND (\"?\" = ?) FROM (SELECT ? AS \"?\")",
            [value.clone(), value.clone()],
        );
        let connection = Connection::open_in_memory().unwrap();
        let values = params_from_iter(asked.values);
        connection
            .query_row(&asked.sql, values, |row| row.get(0))
            .unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_value_that_is_written_is_the_value(text in any::<String>(), number in any::<i64>(),
            bytes in any::<Vec<u8>>()) {
            prop_assert!(kept(&Value::Text(text)));
            prop_assert!(kept(&Value::Blob(bytes)));
            prop_assert!(kept(&Value::BigInt(number)));
            prop_assert!(kept(&Value::UBigInt(number.unsigned_abs())));
            // Beyond these there are no years.
            let micros = number / 2;
            prop_assert!(kept(&Value::Timestamp(TimeUnit::Microsecond, micros)));
        }
    }

    #[test]
    fn a_text_that_looks_like_sql_stays_a_text() {
        for text in [
            "'",
            "''",
            "?",
            "\"",
            "\\",
            "'; DROP TABLE x; --",
            "a\0b",
            "%_",
            "ü\u{202e}",
        ] {
            assert!(kept(&Value::Text(text.into())), "{text:?}");
        }
    }

    fn check(sql: &str, values: &[Value], expected: Option<&str>) {
        let clause = Clause::new(sql, values.iter().cloned());
        assert_eq!(clause.whole().as_deref(), expected, "{sql}");
    }

    #[test]
    fn values_take_the_place_of_question_marks_and_nothing_else() {
        check("true", &[], Some("true"));
        let text = Value::Text("it's ?".into());
        check("a = ? AND b", &[text], Some("a = 'it''s ?' AND b"));
        check(
            "a = '?''?' AND b < ?",
            &[Value::BigInt(-5)],
            Some("a = '?''?' AND b < (-5)"),
        );
        let at = Value::Timestamp(TimeUnit::Microsecond, 7);
        check("s > ?", &[at], Some("s > make_timestamp(7)"));
        check(
            "s = ?",
            &[Value::Blob(vec![0, 255])],
            Some("s = unhex('00ff')"),
        );
        check("s = ?", &[], None);
        check("s = ?", &[Value::Null], None);
        // SQL ends at a zero byte, whoever writes it.
        check("s = ?", &[Value::Text("a\0b".into())], None);
    }

    #[test]
    fn what_cannot_be_written_stays_where_it_was() {
        let asked = written(
            "a = ? AND b = ? AND c = ?",
            [
                Value::BigInt(1),
                Value::Double(0.5),
                Value::Text("x".into()),
            ],
        );
        assert_eq!(asked.sql, "a = (1) AND b = ? AND c = 'x'");
        assert_eq!(asked.values, [Value::Double(0.5)]);
    }
}
