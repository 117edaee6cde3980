//! A list that grows without being copied: large entries, of which there may be hundreds of megabytes.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Entries of a chunk: so many that what the allocator rounds up is little of it.
const LEN: usize = 1024;

/// Entries by number, in chunks that stay where they are once they are full.
#[derive(Debug, Clone)]
pub(super) struct Chunks<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            len: 0,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Chunks<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Entries(Self::default()))
    }
}

/// Puts each entry in its place as it is read.
struct Entries<T>(Chunks<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = Chunks<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<Self::Value, A::Error> {
        while let Some(entry) = entries.next_element()? {
            self.0.push(entry);
        }
        Ok(self.0)
    }
}

impl<T: Serialize> Serialize for Chunks<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Formats without marks between entries need their number first.
        let mut entries = serializer.serialize_seq(Some(self.len))?;
        for entry in self.iter() {
            entries.serialize_element(entry)?;
        }
        entries.end()
    }
}

impl<T> Chunks<T> {
    pub(super) fn push(&mut self, entry: T) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < LEN => last.push(entry),
            // The first grows on its own, as most lists are short, and to exactly its length.
            last => {
                let room = if last.is_some() { LEN } else { 1 };
                let mut chunk = Vec::with_capacity(room);
                chunk.push(entry);
                self.chunks.push(chunk);
            }
        }
        self.len += 1;
    }

    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at / LEN)?.get(at % LEN)
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.chunks.get_mut(at / LEN)?.get_mut(at % LEN)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_a_full_chunk_stay_where_they_are() {
        let mut all = Chunks::default();
        (0..LEN).for_each(|entry| all.push(entry));
        let first: *const usize = all.get(0).unwrap();
        (LEN..3 * LEN + 1).for_each(|entry| all.push(entry));
        assert!(std::ptr::eq(first, all.get(0).unwrap()));
        assert_eq!((all.len(), all.get(3 * LEN + 1)), (3 * LEN + 1, None));
        assert!(all.iter().copied().eq(0..3 * LEN + 1));
        *all.get_mut(2 * LEN).unwrap() = 7;
        // As detection's snapshot is written.
        let bytes = postcard::to_allocvec(&all).unwrap();
        let copy: Chunks<usize> = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(copy.get(2 * LEN), Some(&7));
        assert_eq!(copy.len(), all.len());
    }
}
