//! A map that forgets: at most so many entries, the ones not used lately go first.

use std::collections::HashMap;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::chunks::Chunks;

/// A hash map of at most `capacity` entries. When it is full, a clock hand passes over the
/// entries and evicts the first that was not used since it last came by (second chance): O(1)
/// amortised, and the same order of calls evicts the same entries.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Stored<K, V>")]
#[serde(bound(deserialize = "K: Deserialize<'de> + Clone + Hash + Eq, V: Deserialize<'de>"))]
pub(crate) struct Bounded<K, V> {
    capacity: usize,
    slots: Chunks<Slot<K, V>>,
    index: HashMap<K, u32>,
    hand: usize,
    evicted: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Slot<K, V> {
    key: K,
    value: V,
    used: bool,
}

/// How a map is stored: the index is built anew.
#[derive(Deserialize)]
struct Stored<K, V> {
    capacity: usize,
    slots: Chunks<Slot<K, V>>,
    hand: usize,
    evicted: u64,
}

impl<K: Hash + Eq + Clone, V> From<Stored<K, V>> for Bounded<K, V> {
    fn from(stored: Stored<K, V>) -> Self {
        let index = stored
            .slots
            .iter()
            .zip(0_u32..)
            .map(|(slot, at)| (slot.key.clone(), at))
            .collect();
        Self {
            capacity: stored.capacity,
            slots: stored.slots,
            index,
            hand: stored.hand,
            evicted: stored.evicted,
        }
    }
}

impl<K: Serialize, V: Serialize> Serialize for Bounded<K, V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut stored = serializer.serialize_struct("Stored", 4)?;
        stored.serialize_field("capacity", &self.capacity)?;
        stored.serialize_field("slots", &self.slots)?;
        stored.serialize_field("hand", &self.hand)?;
        stored.serialize_field("evicted", &self.evicted)?;
        stored.end()
    }
}

impl<K: Hash + Eq + Clone, V> Bounded<K, V> {
    /// An empty map for at most `capacity` entries, at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.clamp(1, u32::MAX as usize),
            slots: Chunks::default(),
            index: HashMap::new(),
            hand: 0,
            evicted: 0,
        }
    }

    /// The entry, which counts as used now.
    pub(crate) fn touch(&mut self, key: &K) -> Option<&mut V> {
        let slot = self.slots.get_mut(*self.index.get(key)? as usize)?;
        slot.used = true;
        Some(&mut slot.value)
    }

    /// The entry, without counting as a use.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let slot = self.slots.get(*self.index.get(key)? as usize)?;
        Some(&slot.value)
    }

    /// All entries, in the order of their slots.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&K, &V)> {
        self.slots.iter().map(|slot| (&slot.key, &slot.value))
    }

    /// The entry, made when it is not there; another may be evicted for it.
    pub(crate) fn entry(&mut self, key: &K, make: impl FnOnce() -> V) -> Option<&mut V> {
        let at = match self.index.get(key) {
            Some(at) => *at as usize,
            None => self.insert(key.clone(), make()),
        };
        let slot = self.slots.get_mut(at)?;
        slot.used = true;
        Some(&mut slot.value)
    }

    fn insert(&mut self, key: K, value: V) -> usize {
        let at = if self.slots.len() < self.capacity {
            self.slots.push(Slot {
                key: key.clone(),
                value,
                used: true,
            });
            self.slots.len() - 1
        } else {
            let at = self.victim();
            if let Some(slot) = self.slots.get_mut(at) {
                self.index.remove(&slot.key);
                *slot = Slot {
                    key: key.clone(),
                    value,
                    used: true,
                };
                self.evicted += 1;
            }
            at
        };
        self.index
            .insert(key, u32::try_from(at).unwrap_or(u32::MAX));
        at
    }

    fn victim(&mut self) -> usize {
        loop {
            let at = self.hand;
            self.hand = if at + 1 < self.slots.len() { at + 1 } else { 0 };
            match self.slots.get_mut(at) {
                Some(slot) if slot.used => slot.used = false,
                _ => return at,
            }
        }
    }

    /// How many entries it holds.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many entries it forgot so far.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_what_is_not_used() {
        let mut map = Bounded::<u32, u32>::new(3);
        for key in 0..3 {
            map.entry(&key, || key);
        }
        map.entry(&3, || 3); // all were used: the hand clears them and takes the first
        assert!(map.get(&0).is_none());
        map.touch(&1);
        map.entry(&4, || 4);
        assert!(map.get(&1).is_some() && map.get(&2).is_none());
        assert_eq!((map.len(), map.evicted()), (3, 2));
    }

    #[test]
    fn a_copy_from_storage_evicts_alike() {
        let mut map = Bounded::<u32, u32>::new(8);
        for key in 0..20 {
            map.entry(&key, || key);
        }
        let text = serde_json::to_string(&map).unwrap();
        let mut copy: Bounded<u32, u32> = serde_json::from_str(&text).unwrap();
        for key in 15..40 {
            map.entry(&key, || key);
            copy.entry(&key, || key);
        }
        assert_eq!(
            serde_json::to_string(&map).unwrap(),
            serde_json::to_string(&copy).unwrap()
        );
    }
}
