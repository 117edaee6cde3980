//! The documents name only what exists.
#![expect(
    clippy::unwrap_used,
    reason = "an unexpected outcome is a failure with a line number"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

fn markdown_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            markdown_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

fn documents() -> Vec<PathBuf> {
    let names = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
    ];
    let mut found: Vec<PathBuf> = names.iter().map(|name| root().join(name)).collect();
    for folder in ["docs", "tests"] {
        markdown_below(&root().join(folder), &mut found);
    }
    found
}

/// Text outside of code blocks, and the code blocks, of a Markdown document.
fn parts(text: &str) -> (String, String) {
    let (mut prose, mut code, mut in_code) = (String::new(), String::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            continue;
        }
        let part = if in_code { &mut code } else { &mut prose };
        part.push_str(line);
        part.push('\n');
    }
    (prose, code)
}

/// Words in backticks that look like a path of this repository.
fn paths(prose: &str) -> impl Iterator<Item = &str> {
    prose.split('`').skip(1).step_by(2).filter(|word| {
        let odd = |letter: char| letter.is_whitespace() || "<>*:{}$=\"'()|,…".contains(letter);
        word.contains('/')
            && !word.starts_with('/')
            // Where a user happens to be, such as the default of `--data`.
            && !word.starts_with("./")
            // Made by `make setup` and `make build`, not checked in.
            && !word.starts_with("target/")
            && !word.starts_with(".tools/")
            && !word.contains(odd)
    })
}

#[test]
fn every_path_named_exists() {
    let mut absent = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for path in paths(&parts(&text).0) {
            let beside = document.parent().unwrap().join(path);
            if !root().join(path).exists() && !beside.exists() && !is_media_type(path) {
                absent.push(format!("{}: {path}", document.display()));
            }
        }
    }
    assert!(absent.is_empty(), "{absent:#?}");
}

fn is_media_type(word: &str) -> bool {
    ["application/", "text/", "HTTP/"]
        .iter()
        .any(|start| word.starts_with(start))
}

#[test]
fn every_link_leads_somewhere() {
    let mut absent = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for link in parts(&text)
            .0
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let path = link.split('#').next().unwrap();
            let outside = path.contains("://") || path.starts_with("mailto:");
            if !outside && !document.parent().unwrap().join(path).exists() {
                absent.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(absent.is_empty(), "{absent:#?}");
}

#[test]
fn commands_of_the_readme_are_targets_of_the_makefile() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| !line.starts_with(['\t', '.', '#', ' ']))
        .filter_map(|line| line.split_once(':').map(|(target, _)| target.trim()))
        .collect();
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, code) = parts(&readme);
    let mut seen = 0;
    for line in code.lines() {
        let Some((_, command)) = format!(" {line}").split_once(" make ").map(own) else {
            continue;
        };
        let target = command.split_whitespace().next().unwrap().to_owned();
        assert!(
            targets.contains(&*target),
            "README: `make {target}` is no target: {targets:?}"
        );
        seen += 1;
    }
    assert!(seen >= 2, "README shows the two commands");
}

fn own((before, after): (&str, &str)) -> (String, String) {
    (before.to_owned(), after.to_owned())
}

#[test]
fn every_story_says_what_is_expected() {
    for entry in std::fs::read_dir(root().join("tests")).unwrap() {
        let path = entry.unwrap().path();
        if path.join("mod.rs").exists() && !path.ends_with("support") {
            assert!(
                path.join("README.md").exists(),
                "{} has no README.md",
                path.display()
            );
        }
    }
}
