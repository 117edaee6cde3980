//! Words as terms: each with a field that exists and values that make sense for it.

use super::FilterError;
use super::fields::{self, FIELDS, Field};
use super::values::{Kind, Test};
use super::words::{self, Operator, Value, Word};
use crate::spelling;
use crate::time;

/// Terms of a filter.
const TERMS_MAX: usize = 32;
/// Values of a term.
const VALUES_MAX: usize = 64;
/// When; they are no fields, as nothing can be counted by them.
const TIMES: [&str; 3] = ["from", "to", "last"];

/// One condition: a field that has, or has not, one of some values.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) field: &'static Field,
    /// The NAME of `param.NAME`.
    pub(super) parameter: Option<String>,
    pub(super) negated: bool,
    /// One of these holds.
    pub(super) tests: Vec<Test>,
}

/// Which sessions.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    pub(super) terms: Vec<Term>,
    /// Active at or after this time, microseconds since the Unix epoch.
    pub from_us: Option<i64>,
    /// Begun before this time, microseconds since the Unix epoch.
    pub to_us: Option<i64>,
}

impl SessionFilter {
    /// Reads `text`; `last:24h` counts from `now_us`.
    ///
    /// # Errors
    /// At the first word that makes no sense, with its place and a remedy.
    pub fn parse(text: &str, now_us: i64) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        for word in words::split(text)? {
            if filter.terms.len() == TERMS_MAX {
                let problem = format!("a filter has at most {TERMS_MAX} terms");
                let remedy = "join values of one field with commas";
                return Err(FilterError::new(word.column, problem, remedy));
            }
            filter.add(&word, now_us)?;
            if let (Some(from_us), Some(to_us)) = (filter.from_us, filter.to_us)
                && from_us >= to_us
            {
                let problem = "there is no time between `from` and `to`".to_owned();
                let remedy = "let `from` be before `to`; `2h` is longer ago than `1h`";
                return Err(FilterError::new(word.column, problem, remedy));
            }
        }
        Ok(filter)
    }

    fn add(&mut self, word: &Word, now_us: i64) -> Result<(), FilterError> {
        if word.values.len() > VALUES_MAX {
            let problem = format!("a term has at most {VALUES_MAX} values");
            return Err(FilterError::new(word.column, problem, "use `*` or a range"));
        }
        match &word.field {
            Some((name, operator)) if TIMES.contains(&name.as_str()) => {
                self.limit(word, name, *operator, now_us)
            }
            Some((name, operator)) => {
                let (field, parameter) = known(name, word)?;
                self.push(word, field, parameter, *operator)
            }
            None => {
                let field = guess(word)?;
                self.push(word, field, None, Operator::Is)
            }
        }
    }

    fn push(
        &mut self,
        word: &Word,
        field: &'static Field,
        parameter: Option<String>,
        operator: Operator,
    ) -> Result<(), FilterError> {
        let read = |value: &Value| field.kind.read(field.name, operator, value);
        let tests = word.values.iter().map(read).collect::<Result<_, _>>()?;
        self.terms.push(Term {
            field,
            parameter,
            negated: word.negated,
            tests,
        });
        Ok(())
    }

    fn limit(
        &mut self,
        word: &Word,
        name: &str,
        operator: Operator,
        now_us: i64,
    ) -> Result<(), FilterError> {
        let refuse = |problem: String, remedy: &str| {
            let column = word.column;
            Err(FilterError::new(column, problem, remedy))
        };
        let [value] = word.values.as_slice() else {
            return refuse(format!("`{name}` has one value"), "give one");
        };
        if word.negated || operator != Operator::Is {
            let remedy = "write `from:`, `to:` or `last:`, and a time";
            return refuse(format!("`{name}` cannot be excluded or compared"), remedy);
        }
        let Some(at_us) = time::parse(&value.text, now_us) else {
            let remedy = "give RFC 3339 such as 2026-01-31T08:00:00Z, or how long ago, such as 24h";
            return refuse(format!("`{}` is no time", value.text), remedy);
        };
        let limit = if name == "to" {
            &mut self.to_us
        } else {
            &mut self.from_us
        };
        if limit.replace(at_us).is_some() {
            return refuse(
                format!("`{name}` limits what is limited already"),
                "leave one out",
            );
        }
        Ok(())
    }
}

fn known(name: &str, word: &Word) -> Result<(&'static Field, Option<String>), FilterError> {
    if let Some(found) = fields::find(name) {
        return Ok(found);
    }
    let names = FIELDS.iter().map(|field| field.name).chain(TIMES);
    let remedy = if name.split('.').next() == Some("param") {
        "name the context parameter: `param.NAME:value`".to_owned()
    } else if let Some(near) = spelling::nearest(name, names.clone()) {
        format!("did you mean `{near}`?")
    } else {
        format!("there are {}", names.collect::<Vec<_>>().join(", "))
    };
    let problem = format!("there is no field `{name}`");
    Err(FilterError::new(word.column, problem, remedy))
}

/// The field of a value that stands by itself: ids, addresses and paths are plain.
fn guess(word: &Word) -> Result<&'static Field, FilterError> {
    let text = word.values.first().map_or("", |value| value.text.as_str());
    let address = Kind::Address
        .read(
            "ip",
            Operator::Is,
            word.values.first().unwrap_or(&Value::default()),
        )
        .is_ok();
    let id = text.len() >= 8 && text.chars().all(|it| it.is_ascii_hexdigit() || it == '-');
    let name = if address {
        "ip"
    } else if text.starts_with('/') {
        "path"
    } else if id {
        "id"
    } else {
        let problem = format!("`{text}` by itself is no id, address or path");
        let remedy = format!("say which field it is of: `user:{text}`, `ua:{text}`");
        return Err(FilterError::new(word.column, problem, remedy));
    };
    known(name, word).map(|(field, _)| field)
}
