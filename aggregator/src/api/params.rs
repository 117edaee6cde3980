//! Query strings: only what an endpoint knows, each parameter once, each checked.

use percent_encoding::percent_decode_str;

use super::error::ApiError;
use crate::config::units;
use crate::spelling;
use crate::time;

/// Longest value of a parameter, bytes.
const VALUE_LEN_MAX: usize = 1024;
/// The longest text that a list can be ordered by, however it is spelt, has room in a cursor.
const CURSOR_LEN_MAX: usize = 32 << 10;

/// The parameters of a request.
#[derive(Debug, Default)]
pub(super) struct Params {
    path: String,
    values: Vec<(&'static str, String)>,
}

impl Params {
    /// Reads the query string `raw` of `path`; `known` are the parameters of the endpoint.
    pub(super) fn parse(
        path: &str,
        raw: &str,
        known: &'static [&'static str],
    ) -> Result<Self, ApiError> {
        let mut params = Self {
            path: path.to_owned(),
            values: Vec::new(),
        };
        let written = raw.split('&').filter(|pair| !pair.is_empty());
        for (pair, (name, value)) in written.zip(form_urlencoded::parse(raw.as_bytes())) {
            let Some(known_name) = known.iter().find(|known| **known == name) else {
                let parameter: String = name.chars().take(64).collect();
                let nearest = spelling::nearest(&parameter, known.iter().copied());
                return Err(ApiError::UnknownParameter {
                    parameter,
                    nearest,
                    known,
                });
            };
            let bad = |detail: String, remedy| {
                Err(ApiError::BadParameter {
                    parameter: known_name,
                    detail,
                    remedy,
                })
            };
            if params.get(known_name).is_some() {
                return bad(format!("`{known_name}` is given twice"), "give it once");
            }
            let most = match *known_name {
                "cursor" => CURSOR_LEN_MAX,
                _ => VALUE_LEN_MAX,
            };
            if value.len() > most {
                let detail = format!("`{known_name}` has more than {most} bytes");
                return bad(detail, "give a shorter value");
            }
            if percent_decode_str(pair).decode_utf8().is_err() || value.contains('\0') {
                let detail = format!("`{known_name}` is no text in UTF-8 without zero bytes");
                return bad(
                    detail,
                    "encode its letters as UTF-8, each byte as `%` and two hex digits",
                );
            }
            params.values.push((known_name, value.into_owned()));
        }
        Ok(params)
    }

    /// What was asked for.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// All that were given, whatever their order was.
    pub(super) fn sorted(&self) -> Vec<(&'static str, &str)> {
        let pairs = self.values.iter();
        let mut pairs: Vec<_> = pairs.map(|(name, value)| (*name, value.as_str())).collect();
        pairs.sort_unstable();
        pairs
    }

    /// The value of `name`; `None` when it is absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// A number of 0 or more.
    pub(super) fn number(&self, parameter: &'static str) -> Result<Option<u64>, ApiError> {
        let Some(value) = self.get(parameter) else {
            return Ok(None);
        };
        let number = units::whole(value);
        number.map(Some).ok_or_else(|| ApiError::BadParameter {
            parameter,
            detail: format!("`{parameter}` is `{value}`, which is no number of 0 or more"),
            remedy: "give a whole number such as 10",
        })
    }

    /// A point in time, microseconds since the Unix epoch.
    pub(super) fn time(
        &self,
        parameter: &'static str,
        now_us: i64,
    ) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.get(parameter) else {
            return Ok(None);
        };
        time::parse(value, now_us)
            .map(Some)
            .ok_or_else(|| ApiError::BadParameter {
                parameter,
                detail: format!("`{parameter}` is `{value}`, which is no time"),
                remedy: "give RFC 3339 such as 2026-01-31T08:00:00Z, or how long ago, such as 24h",
            })
    }

    /// `true` or `false`; `false` when absent.
    pub(super) fn flag(&self, parameter: &'static str) -> Result<bool, ApiError> {
        match self.get(parameter) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(value) => Err(ApiError::BadParameter {
                parameter,
                detail: format!("`{parameter}` is `{value}`"),
                remedy: "give `true` or `false`",
            }),
        }
    }

    /// Whether the least comes first: the parameter `order`.
    pub(super) fn ascending(&self) -> Result<bool, ApiError> {
        match self.get("order") {
            None | Some("desc") => Ok(false),
            Some("asc") => Ok(true),
            Some(order) => Err(ApiError::BadParameter {
                parameter: "order",
                detail: format!("`order` is `{order}`"),
                remedy: "give `desc`, the most first, or `asc`",
            }),
        }
    }

    /// How many items a page may have.
    pub(super) fn limit(&self) -> Result<usize, ApiError> {
        match self.number("limit") {
            Ok(None) => Ok(50),
            Ok(Some(limit @ 1..=500)) => Ok(usize::try_from(limit).unwrap_or(500)),
            _ => Err(ApiError::BadParameter {
                parameter: "limit",
                detail: "`limit` is not between 1 and 500".into(),
                remedy: "give a number from 1 to 500",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["from", "limit", "user_agent"];

    fn check(raw: &str, expected: &str) {
        let outcome = Params::parse("/", raw, KNOWN).and_then(|params| {
            params.limit()?;
            params.time("from", 0)
        });
        match outcome {
            Ok(_) => assert_eq!(expected, "", "{raw}"),
            Err(error) => {
                let problem = error.problem();
                let text = format!(
                    "{} | {}",
                    problem.detail,
                    problem.remedy.unwrap_or_default()
                );
                assert!(
                    !expected.is_empty() && text.contains(expected),
                    "{raw}: {text}"
                );
            }
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        check("", "");
        check("from=24h&limit=5&user_agent=a%20b", "");
        check("limt=5", "did you mean `limit`?");
        check("useragent=x", "did you mean `user_agent`?");
        check("completely_different=1", "it has from, limit, user_agent");
        check("limit=1&limit=2", "given twice");
        check("limit=0", "between 1 and 500");
        check("limit=501", "between 1 and 500");
        check("limit=-1", "between 1 and 500");
        check("limit=%2B5", "between 1 and 500");
        check("user_agent=%ff%fe", "`user_agent` is no text in UTF-8");
        check("&&user_agent=a%00b", "`user_agent` is no text in UTF-8");
        check("user_agent=%EF%BF%BD+%C3%A4", "");
        check("from=yesterday", "RFC 3339");
        check(
            &format!("user_agent={}", "x".repeat(1025)),
            "more than 1024 bytes",
        );
    }
}
