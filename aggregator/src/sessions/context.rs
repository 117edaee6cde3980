//! Context parameters of sessions, summed over the records of one transaction.

use std::collections::BTreeMap;

use throughline_session::wire::{Param, ParameterKind, Record, SessionId};

/// Different values of one user or role parameter that a session lists per transaction.
const VALUES_MAX: usize = 64;

/// Sums over some records of a session with one value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamPart {
    /// The value.
    pub value: String,
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

/// The parameters of one transaction.
#[derive(Debug, Default)]
pub struct Context(BTreeMap<SessionId, BTreeMap<String, Vec<ParamPart>>>);

impl Context {
    /// Adds the parameters of a record.
    pub fn add(&mut self, record: &Record<'_>) {
        if record.params.is_empty() {
            return;
        }
        let params = self.0.entry(record.session).or_default();
        for param in &record.params {
            // Most records only say again what is known.
            if !params.contains_key(&*param.name) {
                params.insert(param.name.to_string(), Vec::new());
            }
            let Some(parts) = params.get_mut(&*param.name) else {
                continue;
            };
            let is_full = parts.len() >= VALUES_MAX;
            // Of plain values only the last matters here; every record keeps its own.
            let known = parts.iter_mut().find(|part| {
                part.kind == param.kind
                    && (param.kind == ParameterKind::Plain
                        || (part.value == param.value && part.forgeable == param.forgeable))
            });
            match known {
                Some(part) => part.add(param, record.start_us),
                None if is_full => {}
                None => parts.push(ParamPart::new(param, record.start_us)),
            }
        }
    }

    /// Session, name and sums, in order.
    pub fn sorted(&self) -> impl Iterator<Item = (SessionId, &str, &ParamPart)> {
        self.0.iter().flat_map(|(session, params)| {
            params.iter().flat_map(move |(name, parts)| {
                let of_name = |part| (*session, name.as_str(), part);
                parts.iter().map(of_name)
            })
        })
    }
}

impl ParamPart {
    fn new(param: &Param<'_>, start_us: i64) -> Self {
        Self {
            value: param.value.to_string(),
            kind: param.kind,
            forgeable: param.forgeable,
            first_us: start_us,
            last_us: start_us,
            requests: 1,
        }
    }

    fn add(&mut self, param: &Param<'_>, start_us: i64) {
        if start_us >= self.last_us {
            self.last_us = start_us;
            param.value.as_ref().clone_into(&mut self.value);
            self.forgeable = param.forgeable;
        }
        self.first_us = self.first_us.min(start_us);
        self.requests += 1;
    }
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
        let found: Vec<_> = context
            .sorted()
            .map(|(_, name, part)| (name, part.value.as_str(), part.requests, part.last_us))
            .collect();
        assert_eq!(
            found,
            [
                ("cart", "c3", 3, 30),
                ("user", "ann", 2, 20),
                ("user", "bob", 1, 30)
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
        assert_eq!(context.sorted().count(), VALUES_MAX);
    }
}
