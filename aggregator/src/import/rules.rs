//! Which policy an import's sessions are found by: the one that filters run, a file, or none.

use std::path::Path;

use throughline_session::policy::{Application, LiveDocument, PolicyDocument};

use crate::policy::{DOCUMENT_BYTES_MAX, format_of, read};

/// The name of built-in rules alone.
const BUILT_IN: &str = "builtin";

/// A policy, and its name on records.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The policy.
    pub document: PolicyDocument,
    /// Its name where it has none of its own.
    pub version: String,
}

/// Why there are no rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The policy is not usable.
    #[error("{file}: {problem}")]
    Policy {
        /// Where it comes from.
        file: String,
        /// Place and remedy.
        problem: String,
    },
    /// No name of an application.
    #[error("the application `{0}`: a name has 1 to 64 lower-case letters, digits, `-` and `_`")]
    Application(String),
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            document: PolicyDocument::default(),
            version: BUILT_IN.to_owned(),
        }
    }
}

impl Rules {
    /// Its name on records.
    #[must_use]
    pub fn name(&self) -> &str {
        self.document.version.as_deref().unwrap_or(&self.version)
    }

    /// What filters are told (`GET /v1/policy/live`).
    ///
    /// # Errors
    /// When this program cannot use it.
    pub fn of_live(json: &[u8]) -> Result<Self, RulesError> {
        let live = LiveDocument::parse(json).map_err(|error| RulesError::Policy {
            file: "the live policy".to_owned(),
            problem: error.to_string(),
        })?;
        Ok(match live.policy {
            Some(document) => Self {
                document,
                version: live.live_version,
            },
            None => Self::default(),
        })
    }

    /// A policy file, YAML or JSON.
    ///
    /// # Errors
    /// When it cannot be read or used.
    pub fn of_file(file: &Path) -> Result<Self, RulesError> {
        let refused = |problem: String| RulesError::Policy {
            file: file.display().to_string(),
            problem,
        };
        let text = std::fs::read(file).map_err(|error| refused(error.to_string()))?;
        if text.len() as u64 > DOCUMENT_BYTES_MAX {
            let problem = format!("more than {DOCUMENT_BYTES_MAX} bytes");
            return Err(refused(problem));
        }
        let read = read(&text, format_of(file)).map_err(|error| refused(error.to_string()))?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Self {
            document: read.document,
            version: format!("file-{}", name.chars().take(64).collect::<String>()),
        })
    }

    /// The same, with all requests in one application.
    ///
    /// # Errors
    /// When that is no name for one.
    pub fn only(mut self, application: Option<&str>) -> Result<Self, RulesError> {
        let Some(name) = application else {
            return Ok(self);
        };
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if !(1..=64).contains(&name.len()) || !name.bytes().all(fits) {
            return Err(RulesError::Application(name.chars().take(80).collect()));
        }
        self.document.applications = vec![Application {
            name: name.to_owned(),
            hosts: Vec::new(),
            path_prefixes: Vec::new(),
        }];
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_application_takes_everything() {
        let rules = Rules::default().only(Some("shop")).unwrap();
        assert_eq!(rules.document.applications[0].name, "shop");
        for name in ["", "Shop", "a b"] {
            assert!(Rules::default().only(Some(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn takes_what_filters_are_told() {
        let none = Rules::of_live(br#"{"live_version":"l1"}"#).unwrap();
        assert_eq!(none.version, BUILT_IN);
        let some = br#"{"live_version":"l2","policy":{"fallback":"ip"}}"#;
        assert_eq!(Rules::of_live(some).unwrap().version, "l2");
        assert!(Rules::of_live(b"{}").is_err());
    }
}
