//! Steps between what stands in a place and the value that counts.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::general_purpose};
use regex_lite::Regex;

use super::{Failure, Outcome};
use crate::text::percent_decoded;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = general_purpose::GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// A longer text is not matched, bytes: linear time still grows with the pattern.
const REGEX_BYTES_MAX: usize = 4096;

/// One step.
#[derive(Debug, Clone)]
pub enum Step {
    /// `%41` → `A`, `+` → space.
    Percent,
    /// Base64, standard or URL-safe, padded or not.
    Base64,
    /// ASCII letters to lower case.
    Lower,
    /// White space at the ends off.
    Trim,
    /// What the first group matched, or the whole match, of at most 4,096 bytes; in time linear
    /// in their number.
    Regex(Regex),
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Regex(one), Self::Regex(two)) => one.as_str() == two.as_str(),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

pub(super) fn all<'a>(steps: &[Step], value: Cow<'a, [u8]>) -> Outcome<'a> {
    let mut value = value;
    for step in steps {
        match one(step, &value) {
            Outcome::Found(next) => value = next,
            other => return other,
        }
    }
    Outcome::Found(value)
}

fn one(step: &Step, value: &[u8]) -> Outcome<'static> {
    let owned = |value: Vec<u8>| Outcome::Found(Cow::Owned(value));
    match step {
        Step::Percent => owned(percent_decoded(value).into_owned()),
        Step::Base64 => {
            let engine = if value.iter().any(|byte| matches!(byte, b'-' | b'_')) {
                &URL_SAFE
            } else {
                &STANDARD
            };
            engine
                .decode(value)
                .map_or(Outcome::Failed(Failure::Base64), owned)
        }
        Step::Lower => owned(value.to_ascii_lowercase()),
        Step::Trim => owned(value.trim_ascii().to_vec()),
        Step::Regex(_) if value.len() > REGEX_BYTES_MAX => Outcome::Failed(Failure::TooLong),
        Step::Regex(regex) => {
            let text = String::from_utf8_lossy(value);
            let matched = regex
                .captures(&text)
                .and_then(|found| found.get(1).or(found.get(0)));
            matched.map_or(Outcome::Missing, |part| {
                owned(part.as_str().as_bytes().to_vec())
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::extract::Failure;
    use crate::extract::tests::{Case, refusal};

    fn case(steps: &str, value: &str) -> Case {
        Case::new(&format!(r#"{{"header":"x","decode":{steps}}}"#)).header("x", value)
    }

    #[test]
    fn decodes() {
        for (steps, value, expected) in [
            (r#"["percent"]"#, "a%2Bb", "a+b"),
            (r#"["base64"]"#, "YWJj", "abc"),
            (r#"["base64"]"#, "YWI=", "ab"),
            (r#"["base64"]"#, "YWI", "ab"),
            (r#"["base64"]"#, "4pyT4pyTPz8_", "✓✓???"),
            (r#"["lower"]"#, "AbC", "abc"),
            (r#"["base64","trim"]"#, "IGEg", "a"),
            (r#"[{"regex":"^user-(\\d+)$"}]"#, "user-17", "17"),
            (r#"[{"regex":"\\d+"}]"#, "user-17-18", "17"),
            (r#"["percent","lower",{"regex":"a(.)c"}]"#, "A%42C", "b"),
            ("[]", "abc", "abc"),
        ] {
            case(steps, value).finds(expected);
        }
    }

    #[test]
    fn what_does_not_match_is_missing_and_what_is_broken_fails() {
        for (steps, value) in [
            (r#"[{"regex":"^\\d+$"}]"#, "abc"),
            (r#"[{"regex":"(x)?"}]"#, "abc"),
            (r#"["base64"]"#, "bnVsbA=="),
            (r#"["percent"]"#, "%30"),
            (r#"["trim"]"#, "null"),
        ] {
            case(steps, value).finds_nothing();
        }
        for value in ["a", "!!!!", "YW Jj", "YWJj=YWJj", "é"] {
            case(r#"["base64"]"#, value).fails(Failure::Base64);
        }
    }

    #[test]
    fn a_regex_takes_linear_time() {
        let value = "a".repeat(4096);
        let start = std::time::Instant::now();
        // Backtracking would take longer than the universe has.
        case(r#"[{"regex":"^(a*)*b"}]"#, &value).finds_nothing();
        assert!(start.elapsed().as_secs() < 10);
        case(r#"[{"regex":"^a"}]"#, &(value + "a")).fails(Failure::TooLong);
    }

    #[test]
    fn odd_steps_are_refused() {
        for (steps, problem) in [
            (r#"["gzip"]"#, "unknown variant `gzip`"),
            (r#"[{"regex":"("}]"#, "open group without closing"),
            (
                r#"["regex"]"#,
                "invalid type: unit variant, expected newtype variant",
            ),
            (r#""lower""#, "expected a sequence"),
        ] {
            let refused = refusal(&format!(r#"{{"header":"x","decode":{steps}}}"#));
            assert!(refused.contains(problem), "{steps}: {refused}");
        }
    }
}
