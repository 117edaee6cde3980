//! What most sessions never have: kept apart until it is needed.

use serde::{Deserialize, Serialize};

/// A value that costs eight bytes until it is first written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Rare<T>(Option<Box<T>>);

impl<T> Rare<T> {
    /// The value, if it was ever written.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }
}

impl<T: Default> Rare<T> {
    /// The value to write to.
    pub(crate) fn make(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}
