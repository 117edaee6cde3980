//! Files that are no longer named by any view, until the last query that may read them is over.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Those files.
#[derive(Debug, Default)]
pub(crate) struct Retired(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Held by every query that began since files were retired last.
    current: Arc<()>,
    /// Files, and who may still read them, in the order in which they were retired.
    files: VecDeque<(Weak<()>, Vec<PathBuf>)>,
}

impl Retired {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Files that are retired from now on stay until the result is dropped. To be called before
    /// a query sees any view.
    pub(crate) fn hold(&self) -> Arc<()> {
        Arc::clone(&self.state().current)
    }

    /// Retires `files`, which no view names any more.
    pub(super) fn retire(&self, files: Vec<PathBuf>) {
        let mut state = self.state();
        let readers = std::mem::take(&mut state.current);
        state.files.push_back((Arc::downgrade(&readers), files));
    }

    /// Deletes what nobody reads any more; gives what could not be deleted.
    pub(super) fn sweep(&self) -> Vec<(PathBuf, std::io::Error)> {
        let mut state = self.state();
        let mut gone = Vec::new();
        // In order: an earlier reader may read later files too.
        while let Some((readers, _)) = state.files.front()
            && readers.strong_count() == 0
        {
            gone.extend(
                state
                    .files
                    .pop_front()
                    .into_iter()
                    .flat_map(|(_, files)| files),
            );
        }
        drop(state);
        let delete = |path: PathBuf| {
            let error = std::fs::remove_file(&path).err()?;
            (error.kind() != std::io::ErrorKind::NotFound).then_some((path, error))
        };
        gone.into_iter().filter_map(delete).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_when_its_last_reader_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "x").unwrap();
            path
        };
        let (first, second) = (file("first"), file("second"));
        let retired = Retired::default();
        let early = retired.hold();
        retired.retire(vec![first.clone()]);
        let late = retired.hold();
        retired.retire(vec![second.clone()]);
        drop(late);
        retired.sweep();
        assert!(
            first.exists() && second.exists(),
            "the early one may read both"
        );
        drop(early);
        assert!(retired.sweep().is_empty());
        assert!(!first.exists() && !second.exists());
        retired.retire(vec![file("third")]);
        retired.sweep();
        assert!(!folder.path().join("third").exists());
    }
}
