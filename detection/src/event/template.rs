//! path → endpoint: `/orders/1000017` is one call of `/orders/{id}`.
//!
//! A bounded tree of path segments per application. Numbers, UUIDs, hashes (`~…` of the filter)
//! and the like are parameters at sight; a place where too many different words turn up becomes
//! one. Only answers that succeeded teach it, so that a scanner cannot wear the tree out.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use throughline_session::wire::Record;

use super::{Exchange, Kind, Named, served};
use crate::hash;

/// Nodes of one application at most; later paths end at the deepest node there is.
const NODES_MAX: usize = 4096;
/// Segments of a path that are looked at.
const DEPTH_MAX: usize = 10;
/// Different words in one place; one more and the place becomes a parameter.
const WORDS_MAX: usize = 40;
/// A word survives that when it makes up at least one request in so many in its place.
const KEPT_SHARE: u32 = 20;

/// The value of the last parameter of a path, or the query where the path has none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) value: u64,
    /// The digits in it as a number.
    pub(crate) number: Option<u64>,
}

/// What the tree says of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolved {
    /// The endpoint; [`Templates::UNKNOWN`] for paths that nobody was ever served.
    pub(crate) endpoint: u32,
    pub(crate) parameter: Option<Parameter>,
    pub(crate) depth: u8,
    pub(crate) root: u64,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Node {
    /// The segment, shortened; `{id}` for a parameter.
    text: Box<str>,
    parent: u32,
    hits: u32,
    words: HashMap<u64, u32>,
    parameter: Option<u32>,
    /// Had too many words: unknown ones are parameters from now on.
    full: bool,
}

/// The tree of one application.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Templates {
    seed: u64,
    nodes: Vec<Node>,
    /// How often its shape has changed: words that came or went.
    changes: u64,
}

enum Segment {
    Word,
    /// A file that belongs to pages: one endpoint per folder and extension.
    Asset,
    Parameter(Option<u64>),
}

fn classify(segment: &str, asset: bool) -> Segment {
    let bytes = segment.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let trailing = bytes
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let hex = bytes
        .iter()
        .all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    let number = || {
        let start = bytes.len().saturating_sub(trailing);
        segment.get(start..).and_then(|text| text.parse().ok())
    };
    if !bytes.is_empty() && digits == bytes.len() {
        return Segment::Parameter(number());
    }
    if segment.starts_with('~') && bytes.len() == 17 || hex && bytes.len() >= 8 && digits >= 2 {
        return Segment::Parameter(None);
    }
    if asset {
        return Segment::Asset;
    }
    if trailing >= 4 || bytes.len() > 64 || segment.contains(['@', '%']) {
        return Segment::Parameter(if trailing > 0 { number() } else { None });
    }
    Segment::Word
}

impl Templates {
    /// The endpoint of paths that were never served with success.
    pub(crate) const UNKNOWN: u32 = 2;
    const ROOT: u32 = 0;

    /// An empty tree; words are known by their hashes under `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let unknown = Node {
            text: "(unknown)".into(),
            ..Node::default()
        };
        Self {
            seed,
            nodes: vec![Node::default(), unknown],
            changes: 0,
        }
    }

    /// The endpoint of a record, for [`Self::name`]; learns from it when it was served.
    pub fn of_record(&mut self, record: &Record<'_>) -> u32 {
        let path = record.path.as_deref().unwrap_or_default();
        let kind = Kind::of(path, None, record.content_type.as_deref());
        let served = served(&Exchange::of_record(record, Named::default()));
        self.resolve(path, kind, false, served).endpoint
    }

    /// How often its shape has changed: while it has not, every name stands for the same paths.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Finds the endpoint of a path, and learns from it when it was served. `write` tells apart
    /// what changes something from what reads.
    pub(crate) fn resolve(
        &mut self,
        path: &str,
        kind: Kind,
        write: bool,
        served: bool,
    ) -> Resolved {
        let mut found = Resolved {
            endpoint: Self::ROOT,
            parameter: None,
            depth: 0,
            root: 0,
        };
        let mut node = Self::ROOT;
        let mut known = true;
        let trimmed = path.trim_matches('/');
        let mut segments = trimmed
            .split('/')
            .filter(|segment| !segment.is_empty())
            .peekable();
        while let Some(segment) = segments.next() {
            found.depth = found.depth.saturating_add(1);
            if usize::from(found.depth) > DEPTH_MAX {
                break;
            }
            let hash = hash::bytes(self.seed, segment.as_bytes());
            if found.depth == 1 {
                found.root = hash;
            }
            let asset = segments.peek().is_none() && kind.is_asset();
            let (next, parameter) = self.step(node, segment, hash, asset, served);
            if parameter.is_some() {
                found.parameter = parameter;
            }
            match next {
                Some(next) => node = next,
                None => {
                    known = served;
                    found.parameter = Some(Parameter {
                        value: hash,
                        number: None,
                    });
                    break;
                }
            }
        }
        if served && let Some(node) = self.nodes.get_mut(node as usize) {
            node.hits = node.hits.saturating_add(1);
        }
        let node = if known { node } else { Self::UNKNOWN / 2 };
        found.endpoint = node * 2 + u32::from(write);
        found
    }

    fn step(
        &mut self,
        at: u32,
        segment: &str,
        hash: u64,
        asset: bool,
        served: bool,
    ) -> (Option<u32>, Option<Parameter>) {
        match classify(segment, asset) {
            Segment::Parameter(number) => {
                let parameter = Parameter {
                    value: hash,
                    number,
                };
                (self.parameter(at, served), Some(parameter))
            }
            Segment::Asset => {
                let extension = segment.rsplit('.').next().unwrap_or_default();
                let name = format!("{{file}}.{extension}");
                let key = hash::bytes(self.seed ^ 1, name.as_bytes());
                (self.word(at, &name, key, served), None)
            }
            Segment::Word => {
                if let Some(next) = self.word(at, segment, hash, served) {
                    return (Some(next), None);
                }
                let full = self.nodes.get(at as usize).is_some_and(|node| node.full);
                let parameter = Parameter {
                    value: hash,
                    number: None,
                };
                (
                    full.then(|| self.parameter(at, served)).flatten(),
                    Some(parameter),
                )
            }
        }
    }

    /// The child for a word; made when it may be.
    fn word(&mut self, at: u32, text: &str, key: u64, served: bool) -> Option<u32> {
        let room = self.nodes.len() < NODES_MAX;
        let node = self.nodes.get_mut(at as usize)?;
        if let Some(next) = node.words.get(&key) {
            return Some(*next);
        }
        if !served || node.full || !room {
            return None;
        }
        if node.words.len() >= WORDS_MAX {
            self.collapse(at);
            return None;
        }
        let next = self.add(at, text)?;
        self.nodes.get_mut(at as usize)?.words.insert(key, next);
        Some(next)
    }

    fn parameter(&mut self, at: u32, served: bool) -> Option<u32> {
        if let Some(next) = self.nodes.get(at as usize)?.parameter {
            return Some(next);
        }
        if !served {
            return None;
        }
        let next = self.add(at, "{id}")?;
        self.nodes.get_mut(at as usize)?.parameter = Some(next);
        Some(next)
    }

    fn add(&mut self, parent: u32, text: &str) -> Option<u32> {
        if self.nodes.len() >= NODES_MAX {
            return None;
        }
        let next = u32::try_from(self.nodes.len()).ok()?;
        let text = text.chars().take(48).collect::<String>().into();
        self.changes += 1;
        self.nodes.push(Node {
            text,
            parent,
            ..Node::default()
        });
        Some(next)
    }

    /// Too many words: only those that many requests name stay.
    fn collapse(&mut self, at: u32) {
        let Some(node) = self.nodes.get(at as usize) else {
            return;
        };
        let hits = |child: &u32| {
            self.nodes
                .get(*child as usize)
                .map_or(0, |child| child.hits)
        };
        let total: u32 = node.words.values().map(hits).sum();
        let kept = |child: &u32| {
            let leads_on = self
                .nodes
                .get(*child as usize)
                .is_some_and(|child| !child.words.is_empty() || child.parameter.is_some());
            leads_on || hits(child).saturating_mul(KEPT_SHARE) >= total
        };
        let words = node
            .words
            .iter()
            .filter(|(_, child)| kept(child))
            .map(|(key, child)| (*key, *child))
            .collect();
        self.changes += 1;
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.words = words;
            node.full = true;
        }
    }

    /// The template as people write it, e.g. `/orders/{id}`; `(unknown)` for paths that nobody
    /// was ever served.
    #[must_use]
    pub fn name(&self, endpoint: u32) -> String {
        if endpoint / 2 == Self::UNKNOWN / 2 {
            return "(unknown)".into();
        }
        let mut parts: Vec<&str> = Vec::new();
        let mut at = endpoint / 2;
        while let Some(node) = self.nodes.get(at as usize) {
            if at == Self::ROOT || parts.len() > DEPTH_MAX {
                break;
            }
            parts.push(&node.text);
            at = node.parent;
        }
        let mut name = String::new();
        for part in parts.iter().rev() {
            name.push('/');
            name.push_str(part);
        }
        if name.is_empty() {
            "/".to_owned()
        } else {
            name
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.nodes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(tree: &mut Templates, path: &str, served: bool) -> String {
        let found = tree.resolve(path, Kind::of(path, None, None), false, served);
        tree.name(found.endpoint)
    }

    #[test]
    fn parameters_at_sight() {
        let mut tree = Templates::new(1);
        for (path, expected) in [
            ("/", "/"),
            ("/api/orders/1000017", "/api/orders/{id}"),
            (
                "/api/orders/~0123456789abcdef/items",
                "/api/orders/{id}/items",
            ),
            ("/u/123e4567-e89b-12d3-a456-426614174000", "/u/{id}"),
            ("/p/order-100017", "/p/{id}"),
            ("/images/cat.png", "/images/{file}.png"),
            ("/v2/html5", "/v2/html5"),
        ] {
            assert_eq!(name(&mut tree, path, true), expected);
        }
    }

    #[test]
    fn many_words_become_a_parameter_and_busy_ones_stay() {
        let mut tree = Templates::new(1);
        for round in 0..200 {
            name(&mut tree, "/blog/archive", true);
            name(&mut tree, &format!("/blog/post-of-{}", word(round)), true);
        }
        assert_eq!(name(&mut tree, "/blog/archive", true), "/blog/archive");
        assert_eq!(name(&mut tree, "/blog/never-seen", true), "/blog/{id}");
    }

    #[test]
    fn what_fails_teaches_nothing() {
        let mut tree = Templates::new(1);
        name(&mut tree, "/api/me", true);
        let before = tree.len();
        for round in 0..100_000 {
            name(&mut tree, &format!("/{}/x", word(round)), false);
        }
        assert_eq!(tree.len(), before);
        assert_eq!(name(&mut tree, "/wp-admin", false), "(unknown)");
    }

    #[test]
    fn any_paths_stay_within_bounds() {
        let mut tree = Templates::new(1);
        for round in 0..200_000_u32 {
            let path = format!("/{}/{}/{}", word(round), word(round / 7), word(round / 3));
            name(&mut tree, &path, true);
        }
        assert!(tree.len() <= NODES_MAX);
    }

    fn word(number: u32) -> String {
        let digit = |shift: u32| char::from(b'g' + u8::try_from(number >> shift & 15).unwrap());
        (0..6).map(|place| digit(place * 4)).collect()
    }
}
