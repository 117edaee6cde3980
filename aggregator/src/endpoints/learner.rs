//! What was learnt of each application's paths: detection's tree, and the names it gives.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use throughline_detection::event::Templates;
use throughline_session::wire::Record;

use super::documents::Documents;
use super::{NO_PATH, UNKNOWN, method};

/// Applications that are told apart; records of others have no endpoint but `(unknown)`.
const APPLICATIONS_MAX: usize = 256;
/// Records after which a tree whose shape is unchanged is kept again: the figures in it decide only
/// which words survive where there are too many.
const KEEP_RECORDS: u64 = 50_000;

/// A tree as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learnt {
    /// Of which application.
    pub application: String,
    /// As JSON.
    pub tree: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Application {
    templates: Templates,
    /// By method and number of the template.
    #[serde(skip)]
    names: HashMap<(&'static str, u32), Arc<str>>,
    /// The tree's changes when the names were right, and when it was kept.
    #[serde(skip)]
    named: u64,
    #[serde(skip)]
    kept: Option<u64>,
    /// Records since it was kept.
    #[serde(skip)]
    records: u64,
}

impl Application {
    fn new(templates: Templates) -> Self {
        let changes = templates.changes();
        Self {
            templates,
            names: HashMap::new(),
            named: changes,
            kept: None,
            records: 0,
        }
    }

    fn endpoint(&mut self, record: &Record<'_>) -> Arc<str> {
        let method = method(record.method.as_deref());
        self.records += 1;
        let number = self.templates.of_record(record);
        if self.named != self.templates.changes() {
            self.names.clear();
            self.named = self.templates.changes();
        }
        let name = || format!("{method} {}", self.templates.name(number)).into();
        let known = self.names.entry((method, number));
        Arc::clone(known.or_insert_with(name))
    }

    fn is_due(&self) -> bool {
        self.kept != Some(self.templates.changes()) || self.records >= KEEP_RECORDS
    }
}

/// The endpoints of all applications.
#[derive(Debug, Default)]
pub struct Endpoints {
    applications: BTreeMap<Box<str>, Application>,
    documents: Arc<Documents>,
}

impl Endpoints {
    /// Goes on with what was kept; what cannot be read is learnt anew.
    #[must_use]
    pub fn restore(kept: Vec<Learnt>) -> Self {
        let mut endpoints = Self::default();
        for Learnt { application, tree } in kept {
            match serde_json::from_str::<Templates>(&tree) {
                Ok(templates) => {
                    let mut restored = Application::new(templates);
                    restored.kept = Some(restored.named);
                    endpoints.applications.insert(application.into(), restored);
                }
                Err(error) => {
                    tracing::warn!(%error, application, "its endpoints are learnt anew");
                }
            }
        }
        endpoints
    }

    /// Names paths as these documents do, where they describe them.
    #[must_use]
    pub fn with(mut self, documents: Arc<Documents>) -> Self {
        self.documents = documents;
        self
    }

    /// The endpoint of the next record of the log, e.g. `GET /api/orders/{id}`.
    pub fn of(&mut self, record: &Record<'_>) -> Arc<str> {
        // Learnt all the same: a document may be taken away.
        let learnt = self.learnt(record);
        self.documents.name(record).unwrap_or(learnt)
    }

    fn learnt(&mut self, record: &Record<'_>) -> Arc<str> {
        if record.path.is_none() {
            return format!("{} {NO_PATH}", method(record.method.as_deref())).into();
        }
        if !self.applications.contains_key(&*record.application) {
            if self.applications.len() >= APPLICATIONS_MAX {
                return format!("{} {UNKNOWN}", method(record.method.as_deref())).into();
            }
            // Kept with the tree: a client that knew it could make two words look like one.
            let seed = RandomState::new().hash_one("endpoints");
            let new = Application::new(Templates::new(seed));
            self.applications.insert((&*record.application).into(), new);
        }
        match self.applications.get_mut(&*record.application) {
            Some(application) => application.endpoint(record),
            None => UNKNOWN.into(),
        }
    }

    /// The trees to be kept with the records so far.
    #[must_use]
    pub fn due(&self) -> Vec<Learnt> {
        let due = self.applications.iter().filter(|(_, it)| it.is_due());
        due.filter_map(|(name, it)| {
            Some(Learnt {
                application: name.to_string(),
                tree: serde_json::to_string(&it.templates).ok()?,
            })
        })
        .collect()
    }

    /// What was due is kept.
    pub fn kept(&mut self) {
        for application in self.applications.values_mut().filter(|it| it.is_due()) {
            application.kept = Some(application.templates.changes());
            application.records = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: &str) -> Record<'_> {
        serde_json::from_str(line).unwrap()
    }

    fn line(method: &str, path: &str, status: u16) -> String {
        format!(
            r#"{{"index":0,"start_us":1,"application":"shop","key":"k","method":"{method}","path":"{path}","status":{status},"upstream_us":1,"request_session":"{0}","session":"{0}"}}"#,
            "0".repeat(32)
        )
    }

    #[test]
    fn names_by_method_and_template() {
        let mut endpoints = Endpoints::default();
        for (method, path, status, expected) in [
            ("GET", "/api/orders/17", 200, "GET /api/orders/{id}"),
            ("GET", "/api/orders/18", 404, "GET /api/orders/{id}"),
            ("DELETE", "/api/orders/18", 204, "DELETE /api/orders/{id}"),
            ("BREW", "/api/orders/18", 200, "OTHER /api/orders/{id}"),
            ("GET", "/wp-admin", 404, "GET (unknown)"),
            ("GET", "/app/main.js", 200, "GET /app/{file}.js"),
            ("GET", "/", 200, "GET /"),
        ] {
            let line = line(method, path, status);
            assert_eq!(&*endpoints.of(&record(&line)), expected, "{method} {path}");
        }
    }

    #[test]
    fn goes_on_with_what_was_kept() {
        let mut endpoints = Endpoints::default();
        for word in ["login", "logout", "cart"] {
            endpoints.of(&record(&line("GET", &format!("/{word}"), 200)));
        }
        let due = endpoints.due();
        assert_eq!(due.len(), 1);
        endpoints.kept();
        assert_eq!(endpoints.due(), []);
        let mut restored = Endpoints::restore(due);
        // Known, although this answer teaches nothing.
        let failed = line("GET", "/cart", 500);
        assert_eq!(&*restored.of(&record(&failed)), "GET /cart");
        assert_eq!(restored.due(), []);
        assert_eq!(
            &*restored.of(&record(&line("GET", "/new", 200))),
            "GET /new"
        );
        assert_eq!(restored.due().len(), 1);
    }
}
