//! A policy as it is sent or kept in a file: JSON or YAML, checked by the filter's own rules.

use serde_json::Value;
use throughline_session::policy::PolicyDocument;

use super::detection::{self, DetectionProfile};
use super::{flows, visits};
use crate::sessions::VisitRules;

/// How a policy is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// YAML, of which JSON is a part.
    Yaml,
}

/// A policy that may be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// As it was written, but for the format.
    pub value: Value,
    /// As it is understood.
    pub document: PolicyDocument,
    /// How applications are watched for bots.
    pub detection: Vec<DetectionProfile>,
    /// When visits end.
    pub visits: VisitRules,
}

/// Why a policy may not be used: the place, and what is wrong there or would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Refused {
    /// As a path into the document, e.g. `keys[1].from`; `.` for the whole.
    pub place: String,
    /// What is wrong, with the line where the text itself cannot be read.
    pub problem: String,
}

impl Refused {
    pub(crate) fn whole(problem: impl Into<String>) -> Self {
        Self {
            place: ".".into(),
            problem: problem.into(),
        }
    }
}

/// Reads and checks a policy.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read(text: &[u8], format: Format) -> Result<Read, Refused> {
    let value: Value = match format {
        Format::Json => {
            serde_json::from_slice(text).map_err(|error| Refused::whole(error.to_string()))?
        }
        // By way of YAML's own values, which know a key that is given twice.
        Format::Yaml => serde_yaml_ng::from_slice::<serde_yaml_ng::Value>(text)
            .map_err(|error| Refused::whole(error.to_string()))
            .and_then(|yaml| {
                serde_json::to_value(yaml).map_err(|error| Refused::whole(error.to_string()))
            })?,
    };
    if !value.is_object() {
        return Err(Refused::whole("a policy is a mapping, e.g. {\"keys\": []}"));
    }
    // Where it is JSON already, errors name its lines, and a key given twice is found.
    let again;
    let json = match format {
        Format::Json => text,
        Format::Yaml => {
            again = value.to_string();
            again.as_bytes()
        }
    };
    let document = PolicyDocument::parse(json).map_err(|error| {
        let problem = match format {
            Format::Json => error.problem,
            // The line would be one of the JSON that nobody wrote.
            Format::Yaml => without_position(&error.problem),
        };
        Refused {
            place: error.place,
            problem,
        }
    })?;
    let detection = detection::check(&value, &document.applications)?;
    let applications = document.applications.iter();
    let applications: Vec<_> = applications.map(|it| it.name.as_str()).collect();
    flows::check(&value, &applications)?;
    let visits = visits::check(&value, &applications)?;
    Ok(Read {
        value,
        document,
        detection,
        visits,
    })
}

fn without_position(problem: &str) -> String {
    match problem.rsplit_once(" at line ") {
        Some((before, _)) => before.to_owned(),
        None => problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::examples;
    use super::*;

    fn check(text: &str, format: Format, expected: &str) {
        match read(text.as_bytes(), format) {
            Ok(read) => assert_eq!(expected, "", "{read:?}"),
            Err(refused) => {
                let refused = refused.to_string();
                assert!(
                    refused.contains(expected) && !expected.is_empty(),
                    "{text}: {refused}"
                );
            }
        }
    }

    #[test]
    fn reads_both_formats_and_names_the_place() {
        use Format::{Json, Yaml};
        check("{}", Json, "");
        check("{}", Yaml, "");
        check("keys:\n- name: a\n  from: {cookie: sid}\n", Yaml, "");
        check(
            "keys:\n- name: a\n  from: {cokie: sid}\n",
            Yaml,
            "keys[0].from: unknown variant `cokie`",
        );
        check("keys: [", Yaml, ".: ");
        check("a: 1\na: 2\n", Yaml, "duplicate entry");
        check("", Yaml, "a policy is a mapping");
        check("[]", Json, "a policy is a mapping");
        check("{\"keys\":[],\"keys\":[]}", Json, "duplicate field");
        check("{\"keyz\":[]}", Json, "keyz: unknown field `keyz`");
        check(
            "{\n \"body_bytes\": 9999999}",
            Json,
            "body_bytes: 9999999 is more than",
        );
        check("{", Json, "line 1 column 1");
    }

    #[test]
    fn every_example_of_the_docs_is_good() {
        let policies = examples::policies();
        for policy in &policies {
            read(policy.as_bytes(), Format::Yaml).unwrap();
        }
        let places = examples::places();
        let mut seen = std::collections::BTreeSet::new();
        for place in &places {
            seen.extend(place.keys().cloned());
            let policy = json!({"keys": [{"name": "a", "from": place}]});
            read(policy.to_string().as_bytes(), Format::Json).unwrap();
        }
        let (blocks, places) = (policies.len(), places.len());
        assert!(blocks > 0 && places > 15, "{blocks} {places}");
        for place in throughline_session::extract::ALL {
            assert!(
                seen.contains(place),
                "docs/policy.md has no example of `{place}`"
            );
        }
    }
}
