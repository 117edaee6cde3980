//! A condition with its values written into it: COPY takes no question marks.

use duckdb::types::{TimeUnit, Value};

use crate::filters::Clause;

/// The SQL of `clause` with its values in place; `None` where a value is of a kind that no filter
/// has.
pub(super) fn inline(clause: &Clause) -> Option<String> {
    let mut sql = String::new();
    let mut values = clause.values.iter();
    let mut quoted = false;
    for letter in clause.sql.chars() {
        if letter == '\'' {
            quoted = !quoted;
        }
        if letter == '?' && !quoted {
            sql.push_str(&literal(values.next()?)?);
        } else {
            sql.push(letter);
        }
    }
    Some(sql)
}

fn literal(value: &Value) -> Option<String> {
    Some(match value {
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::BigInt(number) => format!("({number})::BIGINT"),
        Value::UBigInt(number) => format!("{number}::UBIGINT"),
        Value::Timestamp(TimeUnit::Microsecond, micros) => format!("make_timestamp({micros})"),
        Value::Blob(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("unhex('{hex}')")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, values: &[Value], expected: Option<&str>) {
        let clause = Clause::new(sql, values.iter().cloned());
        assert_eq!(inline(&clause).as_deref(), expected, "{sql}");
    }

    #[test]
    fn values_take_the_place_of_question_marks_and_nothing_else() {
        check("true", &[], Some("true"));
        let text = Value::Text("it's ?".into());
        check("a = ? AND b", &[text], Some("a = 'it''s ?' AND b"));
        check(
            "a = '?''?' AND b < ?",
            &[Value::BigInt(-5)],
            Some("a = '?''?' AND b < (-5)::BIGINT"),
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
    }
}
