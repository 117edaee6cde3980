//! Access logs → batches: exchanges that were over long ago, as the filter would have recorded them.
//!
//! bytes → chunks of whole lines (`chunks`) → what each line says (a format each: `combined`,
//! `common`, `envoy_json`) → the filter's own recorder, which finds the session by the policy's key
//! rules (`exchange`) → a batch with a header of its own (`batch`). `throughline import`
//! (`crate::client`) and `POST /v1/import` send them.
//!
//! Batches have deterministic names, so that the same lines are never stored twice: the boot id is
//! made of the log's first line, the sequence counts its chunks.

mod batch;
mod chunks;
mod combined;
mod common;
mod envoy_json;
mod exchange;
mod naming;
mod rules;

pub use batch::{Batcher, Books, Built, Reject, body};
pub use chunks::{Chunk, Chunks, LINE_LEN_MAX};
pub use exchange::Exchanged;
pub use naming::{CAPTURE_POINT, boot_of};
pub use rules::{Rules, RulesError};

/// Name of the environment variable with the session secret.
pub const SESSION_SECRET: &str = "THROUGHLINE_SESSION_SECRET";

/// How a log is written: one file each.
#[derive(Clone, Copy)]
pub struct Format {
    /// As users write it.
    pub name: &'static str,
    /// What it looks like.
    pub meaning: &'static str,
    /// What a line says, without its line break; why it says nothing.
    pub read: for<'a> fn(&'a str) -> Result<Exchanged<'a>, &'static str>,
}

/// Every format; `auto` takes the first that can read the first line.
pub const ALL: &[Format] = &[envoy_json::FORMAT, combined::FORMAT, common::FORMAT];

/// The word for a format that is to be found out.
pub const AUTO: &str = "auto";

impl Format {
    /// The format of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|format| format.name == name)
    }

    /// The format that reads the first line of `lines`.
    #[must_use]
    pub fn of(lines: &[u8]) -> Option<&'static Self> {
        let mut lines = lines.split(|byte| *byte == b'\n');
        let first = lines.find(|line| !line.trim_ascii().is_empty())?;
        let first = String::from_utf8_lossy(first);
        let first = first.trim();
        ALL.iter().find(|format| (format.read)(first).is_ok())
    }

    /// All names.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        let names = ALL.iter().map(|format| format.name);
        names.chain([AUTO]).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn finds_the_format_out() {
        let agent = r#"h - - [31/Jan/2026:08:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "a""#;
        let plain = r#"h - - [31/Jan/2026:08:00:00 +0000] "GET / HTTP/1.1" 200 1"#;
        let json = r#"{"start_time":"2026-01-31T08:00:00Z","method":"GET","path":"/"}"#;
        for (line, name) in [(agent, "combined"), (plain, "common"), (json, "envoy-json")] {
            let found = Format::of(format!("\n{line}\nx").as_bytes()).unwrap();
            assert_eq!(found.name, name);
            assert_eq!(Format::named(name).unwrap().name, name);
        }
        assert!(Format::of(b"nonsense\n").is_none());
    }

    #[test]
    fn every_format_is_in_the_list() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/import");
        let others = ["mod", "batch", "chunks", "exchange", "naming", "rules"];
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|it| it.unwrap().path());
        let names = files.map(|it| it.file_stem().unwrap().to_string_lossy().into_owned());
        let files: BTreeSet<_> = names.filter(|it| !others.contains(&it.as_str())).collect();
        let listed: BTreeSet<_> = ALL.iter().map(|it| it.name.replace('-', "_")).collect();
        assert_eq!(files, listed);
    }
}
