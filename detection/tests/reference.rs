//! `docs/detectors/` says what the code says. `UPDATE_DOCS=1` writes the pages.

use std::collections::BTreeSet;
use std::path::Path;

use throughline_detection::reference;

#[test]
fn the_pages_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/detectors");
    let pages = reference::pages();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        for (name, text) in &pages {
            std::fs::write(folder.join(name), text).expect("the page can be written");
        }
    }
    for (name, text) in &pages {
        let found = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert_eq!(
            &found, text,
            "docs/detectors/{name} is stale: run with UPDATE_DOCS=1"
        );
    }
    let expected: BTreeSet<_> = pages.into_iter().map(|(name, _)| name).collect();
    let files = std::fs::read_dir(&folder).expect("the folder is there");
    let found: BTreeSet<_> = files
        .map(|file| {
            file.expect("a file")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(found, expected, "docs/detectors holds pages of no detector");
}
