//! What a segment must have for a filter to find a request in it: told by the few values that some
//! columns have there, without looking into its files.

use std::collections::BTreeMap;

use super::values::Test;

/// The values of columns of a segment's requests. Of columns that are not named nothing is known.
pub type Told = BTreeMap<String, Vec<String>>;

/// Columns of requests, of each of which one of the tests must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needs(Vec<(String, Vec<Test>)>);

impl Needs {
    /// One more column, or an expression that is null or the column.
    pub(super) fn add(&mut self, column: &str, tests: &[Test]) {
        if column == "duration_us" {
            return self.add_duration(tests);
        }
        let column = column.strip_prefix("nullif(").unwrap_or(column);
        let name: String = column.chars().take_while(|it| is_of_name(*it)).collect();
        self.0.push((name, tests.to_vec()));
    }

    /// Of how long requests took, the ends are told.
    fn add_duration(&mut self, tests: &[Test]) {
        let longest = |test: &Test| matches!(test, Test::Between(Some(_), None));
        let shortest = |test: &Test| matches!(test, Test::Between(None, Some(_)));
        if tests.iter().all(longest) {
            self.0.push(("took_max".into(), tests.to_vec()));
        } else if tests.iter().all(shortest) {
            self.0.push(("took_min".into(), tests.to_vec()));
        }
    }

    /// Whether a segment of which this is `told` may have such a request.
    #[must_use]
    pub fn may_be_in(&self, told: &Told) -> bool {
        self.0.iter().all(|(column, tests)| {
            told.get(column).is_none_or(|values| {
                let passes = |value: &String| tests.iter().any(|test| may_pass(test, value));
                values.iter().any(passes)
            })
        })
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// Whether `value` may pass `test`; DuckDB says whether it does.
fn may_pass(test: &Test, value: &str) -> bool {
    match test {
        Test::Is(text) => value == text,
        Test::StartsWith(start) => value.starts_with(start.as_str()),
        // Small letters of other scripts are DuckDB's to tell.
        Test::Contains(part) => {
            !value.is_ascii() || value.to_ascii_lowercase().contains(part.as_str())
        }
        Test::Among(word) => format!(",{value},").contains(word.as_str()),
        Test::Within(..) => true,
        Test::Between(low, high) => value.parse::<i64>().map_or(true, |number| {
            low.is_none_or(|low| number >= low) && high.is_none_or(|high| number <= high)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_there_is_left_out() {
        let told: Told = [
            ("status", vec!["200", "404"]),
            ("flags", vec!["", "UF,URX"]),
            ("host", vec!["shop.example", "ÄPFEL.example"]),
            ("took_min", vec!["10"]),
            ("took_max", vec!["2000"]),
        ]
        .into_iter()
        .map(|(name, values)| (name.into(), values.into_iter().map(str::to_owned).collect()))
        .collect();
        let is = |text: &str| Test::Is(text.into());
        for (column, test, expected) in [
            ("status", Test::Between(Some(400), Some(499)), true),
            ("status", Test::Between(Some(500), None), false),
            ("nullif(flags, '')", Test::Among(",UF,".into()), true),
            ("nullif(flags, '')", Test::Among(",UR,".into()), false),
            ("nullif(flags, '')", Test::Among(",UR".into()), true),
            ("host", is("shop.example"), true),
            ("host", is("shop"), false),
            ("host", Test::StartsWith("shop".into()), true),
            ("host", Test::Contains("äpfel".into()), true),
            ("host", Test::Contains("bank".into()), true),
            ("path", is("/nothing is known of it"), true),
            ("duration_us", Test::Between(Some(2000), None), true),
            ("duration_us", Test::Between(Some(2001), None), false),
            ("duration_us", Test::Between(None, Some(9)), false),
            ("duration_us", Test::Between(Some(1), Some(2)), true),
        ] {
            let mut needs = Needs::default();
            needs.add(column, std::slice::from_ref(&test));
            assert_eq!(needs.may_be_in(&told), expected, "{column} {test:?}");
        }
        let mut both = Needs::default();
        both.add("host", &[is("shop.example")]);
        both.add("status", &[is("418"), is("503")]);
        assert!(!both.may_be_in(&told));
    }
}
