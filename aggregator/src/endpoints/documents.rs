//! The OpenAPI documents of applications: paths that they describe are named as they are there.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use throughline_session::wire::Record;

use super::operations::Operations;
use super::{METHODS, method};

/// Applications with a document.
pub const DOCUMENTS_MAX: u64 = 64;

/// What one segment of a template takes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// This text.
    Text(Box<str>),
    /// Any text that begins and ends so, as `report-{date}.csv` does.
    Any(Box<str>, Box<str>),
}

impl Segment {
    fn read(text: &str) -> Self {
        match (text.find('{'), text.rfind('}')) {
            (Some(open), Some(close)) if open < close => {
                let part = |range: Option<&str>| range.unwrap_or_default().into();
                Self::Any(part(text.get(..open)), part(text.get(close + 1..)))
            }
            _ => Self::Text(text.into()),
        }
    }

    fn takes(&self, text: &str) -> bool {
        match self {
            Self::Text(own) => &**own == text,
            // A template's own segment: what it stands for is not known, so it fits any.
            Self::Any(..) if text.starts_with('{') && text.ends_with('}') => true,
            Self::Any(start, end) => {
                text.len() > start.len() + end.len()
                    && text.starts_with(&**start)
                    && text.ends_with(&**end)
            }
        }
    }
}

#[derive(Debug, Default)]
struct Node {
    /// Texts, each with what follows.
    texts: HashMap<Box<str>, Node>,
    /// Patterns, those that ask for more first.
    patterns: Vec<(Segment, Node)>,
    /// The template that ends here.
    template: Option<usize>,
}

impl Node {
    fn below(&mut self, text: &str) -> &mut Self {
        match Segment::read(text) {
            Segment::Text(text) => self.texts.entry(text).or_default(),
            pattern => {
                let known = self.patterns.iter().position(|(own, _)| *own == pattern);
                let at = known.unwrap_or_else(|| {
                    self.patterns.push((pattern, Self::default()));
                    self.patterns.len() - 1
                });
                &mut self.patterns[at].1
            }
        }
    }

    fn sort(&mut self) {
        let asks = |segment: &Segment| match segment {
            Segment::Any(start, end) => start.len() + end.len(),
            Segment::Text(text) => text.len(),
        };
        self.patterns
            .sort_by_key(|(segment, _)| std::cmp::Reverse(asks(segment)));
        self.texts.values_mut().for_each(Self::sort);
        self.patterns.iter_mut().for_each(|(_, node)| node.sort());
    }

    /// The template that takes the segments; what is written out goes before what is left open.
    fn find(&self, segments: &[&str]) -> Option<usize> {
        let Some((first, rest)) = segments.split_first() else {
            return self.template;
        };
        let written = self.texts.get(*first).and_then(|node| node.find(rest));
        written.or_else(|| {
            let mut open = self
                .patterns
                .iter()
                .filter(|(segment, _)| segment.takes(first));
            open.find_map(|(_, node)| node.find(rest))
        })
    }
}

/// A document, ready to be asked.
#[derive(Debug, Default)]
pub struct Document {
    root: Node,
    templates: Vec<String>,
    /// By method and template.
    names: HashMap<(&'static str, usize), Arc<str>>,
    documented: HashSet<(&'static str, usize)>,
}

fn segments(path: &str) -> Vec<&str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_suffix('/').unwrap_or(path).split('/').collect()
}

impl Document {
    /// Of the operations that were read.
    #[must_use]
    pub fn new(operations: &Operations) -> Self {
        let mut document = Self::default();
        for (method, template) in &operations.list {
            let node = segments(template)
                .into_iter()
                .fold(&mut document.root, Node::below);
            let templates = &mut document.templates;
            let number = *node.template.get_or_insert_with(|| {
                templates.push(template.clone());
                templates.len() - 1
            });
            document.documented.insert((method, number));
        }
        document.root.sort();
        for (number, template) in document.templates.iter().enumerate() {
            for method in METHODS.into_iter().chain(["OTHER"]) {
                let name = format!("{method} {template}").into();
                document.names.insert((method, number), name);
            }
        }
        document
    }

    /// What a request is called; `None` where no template takes its path.
    fn endpoint(&self, method: &'static str, path: &str) -> Option<Arc<str>> {
        let number = self.root.find(&segments(path))?;
        self.names.get(&(method, number)).map(Arc::clone)
    }

    /// The operation that an endpoint is, such as `GET /orders/{id}`. A `HEAD` is the `GET` that
    /// it asks about; `OPTIONS` of any path that is there is the browser's own question.
    #[must_use]
    pub fn operation(&self, endpoint: &str) -> Option<Arc<str>> {
        let (asked, path) = endpoint.split_once(' ')?;
        let number = self.root.find(&segments(path))?;
        let of = |method: &'static str| {
            let known = self.documented.contains(&(method, number));
            known.then(|| self.names.get(&(method, number)).map(Arc::clone))?
        };
        match asked {
            "HEAD" => of("HEAD").or_else(|| of("GET")),
            "OPTIONS" => METHODS.into_iter().find_map(of),
            _ => of(method(Some(asked))),
        }
    }
}

/// All of them, for the store's thread and the API.
#[derive(Debug, Default)]
pub struct Documents {
    by_application: RwLock<BTreeMap<Box<str>, Arc<Document>>>,
}

impl Documents {
    /// That of an application.
    #[must_use]
    pub fn of(&self, application: &str) -> Option<Arc<Document>> {
        let all = self
            .by_application
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        all.get(application).map(Arc::clone)
    }

    /// From here on the application has this document, or none.
    pub fn set(&self, application: &str, document: Option<Document>) {
        let mut all = self
            .by_application
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        match document {
            Some(document) => drop(all.insert(application.into(), Arc::new(document))),
            None => drop(all.remove(application)),
        }
    }

    /// What the document of its application calls a record; `None` where that has no such path.
    #[must_use]
    pub fn name(&self, record: &Record<'_>) -> Option<Arc<str>> {
        let document = self.of(&record.application)?;
        document.endpoint(method(record.method.as_deref()), record.path.as_deref()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let list = [
            ("GET", "/orders"),
            ("POST", "/orders"),
            ("GET", "/orders/{orderId}"),
            ("GET", "/orders/latest"),
            ("GET", "/orders/{orderId}/items/{n}"),
            ("GET", "/reports/{day}.csv"),
            ("GET", "/reports/{day}"),
            ("GET", "/"),
        ];
        let list = list
            .map(|(method, path)| (method, path.to_owned()))
            .to_vec();
        Document::new(&Operations {
            title: "t".into(),
            list,
        })
    }

    #[test]
    fn names_paths_as_they_are_described() {
        let document = document();
        for (method, path, expected) in [
            ("GET", "/orders", "GET /orders"),
            ("GET", "/orders/", "GET /orders"),
            ("GET", "/orders/17", "GET /orders/{orderId}"),
            ("DELETE", "/orders/17", "DELETE /orders/{orderId}"),
            ("GET", "/orders/latest", "GET /orders/latest"),
            (
                "GET",
                "/orders/latest/items/2",
                "GET /orders/{orderId}/items/{n}",
            ),
            ("GET", "/reports/monday.csv", "GET /reports/{day}.csv"),
            ("GET", "/reports/monday", "GET /reports/{day}"),
            ("GET", "/", "GET /"),
            ("GET", "/orders/17/items", ""),
            ("GET", "/login", ""),
        ] {
            let found = document.endpoint(method, path);
            assert_eq!(
                found.as_deref().unwrap_or_default(),
                expected,
                "{method} {path}"
            );
        }
    }

    #[test]
    fn knows_learnt_templates_and_what_is_no_operation() {
        let document = document();
        for (endpoint, expected) in [
            ("GET /orders/{id}", "GET /orders/{orderId}"),
            ("HEAD /orders/{id}", "GET /orders/{orderId}"),
            ("OPTIONS /orders", "GET /orders"),
            (
                "GET /orders/{id}/items/{id}",
                "GET /orders/{orderId}/items/{n}",
            ),
            ("DELETE /orders/{id}", ""),
            ("OTHER /orders", ""),
            ("GET /login", ""),
            ("GET (unknown)", ""),
        ] {
            let found = document.operation(endpoint);
            assert_eq!(found.as_deref().unwrap_or_default(), expected, "{endpoint}");
        }
    }
}
