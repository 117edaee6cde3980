//! Context parameters of sessions, summed over the records of one transaction.

use std::collections::HashMap;
use std::ops::Range;

use throughline_session::wire::{Param, ParameterKind, Record, SessionId};

/// Different values of one user or role parameter that a session lists per transaction.
const VALUES_MAX: usize = 64;

/// Sums over some records of a session with one value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamPart<'a> {
    /// The session.
    pub session: SessionId,
    /// The parameter.
    pub name: &'a str,
    /// The value.
    pub value: &'a str,
    /// What it says about the session.
    pub kind: ParameterKind,
    /// The client could put there what it liked.
    pub forgeable: bool,
    /// Earliest start, microseconds since the Unix epoch.
    pub first_us: i64,
    /// Latest start, microseconds since the Unix epoch.
    pub last_us: i64,
    /// Number of records.
    pub requests: u64,
}

/// The name of a kind in the database and the API.
#[must_use]
pub fn parameter_kind(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::User => "user",
        ParameterKind::Role => "role",
        ParameterKind::Plain => "plain",
    }
}

/// The parameters of one transaction: ten for each record are common, so that texts lie in one buffer.
#[derive(Debug, Default)]
pub struct Context {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
    values: String,
    parts: Vec<Sums>,
    /// The last part of each session and name; the others hang on it.
    last: HashMap<(SessionId, usize), usize>,
}

/// [`ParamPart`], whose texts are elsewhere.
#[derive(Debug)]
struct Sums {
    session: SessionId,
    name: usize,
    value: Range<usize>,
    kind: ParameterKind,
    forgeable: bool,
    first_us: i64,
    last_us: i64,
    requests: u64,
    /// Another part of the same session and name.
    before: Option<usize>,
}

impl Context {
    /// Adds the parameters of a record.
    pub fn add(&mut self, record: &Record<'_>) {
        for param in &record.params {
            let name = self.number(&param.name);
            let last = self.last.get(&(record.session, name)).copied();
            match self.same(last, param) {
                Ok(place) => self.add_to(place, param, record.start_us),
                Err(VALUES_MAX..) => {}
                Err(_) => {
                    self.last.insert((record.session, name), self.parts.len());
                    let part = Sums {
                        session: record.session,
                        name,
                        value: keep(&mut self.values, &param.value),
                        kind: param.kind,
                        forgeable: param.forgeable,
                        first_us: record.start_us,
                        last_us: record.start_us,
                        requests: 1,
                        before: last,
                    };
                    self.parts.push(part);
                }
            }
        }
    }

    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// Which of the parts that end with `last` the parameter belongs to; or how many there are.
    fn same(&self, last: Option<usize>, param: &Param<'_>) -> Result<usize, usize> {
        let mut count = 0;
        let mut next = last;
        while let Some((place, part)) = next.and_then(|place| Some((place, self.parts.get(place)?)))
        {
            // Of plain values only the last matters here; every record keeps its own.
            let plain = param.kind == ParameterKind::Plain;
            let told = || self.values.get(part.value.clone()) == Some(&*param.value);
            if part.kind == param.kind && (plain || (part.forgeable == param.forgeable && told())) {
                return Ok(place);
            }
            count += 1;
            next = part.before;
        }
        Err(count)
    }

    fn add_to(&mut self, place: usize, param: &Param<'_>, start_us: i64) {
        let Some(part) = self.parts.get_mut(place) else {
            return;
        };
        if start_us >= part.last_us {
            part.last_us = start_us;
            part.forgeable = param.forgeable;
            // Most records only say again what is known.
            if self.values.get(part.value.clone()) != Some(&*param.value) {
                part.value = keep(&mut self.values, &param.value);
            }
        }
        part.first_us = part.first_us.min(start_us);
        part.requests += 1;
    }

    /// The sums, in the order in which they began.
    pub fn parts(&self) -> impl Iterator<Item = ParamPart<'_>> {
        self.parts.iter().map(|part| ParamPart {
            session: part.session,
            name: self.names.get(part.name).map_or("", String::as_str),
            value: self.values.get(part.value.clone()).unwrap_or_default(),
            kind: part.kind,
            forgeable: part.forgeable,
            first_us: part.first_us,
            last_us: part.last_us,
            requests: part.requests,
        })
    }
}

/// Puts `value` behind the others.
fn keep(values: &mut String, value: &str) -> Range<usize> {
    let start = values.len();
    values.push_str(value);
    start..values.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_all_kept_and_plain_values_are_the_last() {
        let mut context = Context::default();
        for (start, user, cart) in [(10, "ann", "c1"), (30, "bob", "c3"), (20, "ann", "c2")] {
            let line = format!(
                r#"{{"index":0,"start_us":{start},"application":"a","key":"k","request_session":"{0:032x}","session":"{0:032x}","params":[{{"name":"user","value":"{user}","kind":"user"}},{{"name":"cart","value":"{cart}"}}]}}"#,
                1
            );
            context.add(&serde_json::from_str(&line).unwrap());
        }
        let told = |part: ParamPart<'_>| {
            let texts = (part.name.to_owned(), part.value.to_owned());
            (texts, part.requests, part.last_us)
        };
        let found: Vec<_> = context.parts().map(told).collect();
        let texts = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            found,
            [
                (texts("user", "ann"), 2, 20),
                (texts("cart", "c3"), 3, 30),
                (texts("user", "bob"), 1, 30)
            ]
        );
    }

    #[test]
    fn values_are_bounded() {
        let mut context = Context::default();
        for user in 0..200 {
            let line = format!(
                r#"{{"index":0,"start_us":1,"application":"a","key":"k","request_session":"{0:032x}","session":"{0:032x}","params":[{{"name":"user","value":"u{user}","kind":"user"}}]}}"#,
                1
            );
            context.add(&serde_json::from_str(&line).unwrap());
        }
        assert_eq!(context.parts().count(), VALUES_MAX);
    }
}
