//! Where the programs of the stack are: beside this one, in the same target directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The root of the repository that this crate was built from.
#[must_use]
pub fn repository() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder
        .ancestors()
        .nth(2)
        .unwrap_or(crate_folder)
        .to_path_buf()
}

/// The program `name` of this workspace; `<NAME>_BIN` in the environment takes precedence.
///
/// Tests run from `target/<profile>/deps`, programs from `target/<profile>`.
///
/// # Errors
/// When it has not been built.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let variable = format!("{}_BIN", name.to_uppercase());
    if let Some(path) = std::env::var_os(&variable) {
        return existing(PathBuf::from(path)).with_context(|| format!("${variable}"));
    }
    let me = std::env::current_exe().context("the path of this program")?;
    let mut folder = me.parent().context("a program without a folder")?;
    if folder.ends_with("deps") {
        folder = folder.parent().context("deps without a folder")?;
    }
    existing(folder.join(name)).with_context(|| format!("`make build` compiles {name}"))
}

/// Envoy as `scripts/setup-envoy` leaves it.
///
/// # Errors
/// When it is not there.
pub fn envoy() -> anyhow::Result<PathBuf> {
    existing(repository().join(".tools/envoy/envoy")).context("`make setup` puts Envoy in place")
}

/// The filter `throughline.wasm`, or another file of `target/filter`.
///
/// # Errors
/// When it has not been built.
pub(crate) fn filter(file: &str) -> anyhow::Result<PathBuf> {
    existing(repository().join("target/filter").join(file))
        .context("`scripts/build-filter --test` compiles the filter")
}

fn existing(path: PathBuf) -> anyhow::Result<PathBuf> {
    if !path.exists() {
        bail!("{} does not exist", path.display());
    }
    Ok(path)
}
