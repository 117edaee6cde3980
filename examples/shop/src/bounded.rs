//! A map that forgets its oldest entry when it is full: nothing in the shop grows without limit.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

#[derive(Debug)]
pub(crate) struct Bounded<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
    limit: usize,
}

impl<K: Clone + Eq + Hash, V> Bounded<K, V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
            limit: limit.max(1),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        // The queue may still hold keys that were removed; it is bounded by the same limit.
        while self.order.len() > self.limit {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let value = self.entries.remove(key)?;
        self.order.retain(|kept| kept != key);
        Some(value)
    }

    pub(crate) fn entry(&mut self, key: &K, empty: impl FnOnce() -> V) -> Option<&mut V> {
        if !self.entries.contains_key(key) {
            self.insert(key.clone(), empty());
        }
        self.entries.get_mut(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let mut map = Bounded::new(2);
        for n in 0..5 {
            map.insert(n, n);
        }
        assert_eq!(map.get(&2), None);
        assert_eq!(map.remove(&3), Some(3));
        map.insert(5, 5);
        assert_eq!((map.get(&4), map.get(&5)), (Some(&4), Some(&5)));
    }
}
