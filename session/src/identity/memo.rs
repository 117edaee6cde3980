//! Sessions found lately: a client's next request mostly carries the same values, and looking
//! them up is a fifth of the HMAC's price.

use std::cell::RefCell;
use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use super::{Namespace, length};
use crate::wire::SessionId;

/// Sessions remembered; 32 KiB in each worker.
const SLOTS: usize = 1_024;

/// Maps values to their session, as long as nothing newer has taken the slot.
///
/// Values are known by a 128-bit hash under a key derived from the session secret: who does not
/// have the secret cannot make two values that are taken for each other.
#[derive(Clone)]
pub(super) struct Memo {
    keyed: SipHasher24,
    slots: RefCell<Box<[Slot]>>,
}

/// A tag and its session.
type Slot = Option<(u128, SessionId)>;

impl Memo {
    pub(super) fn new(key: &[u8; 16]) -> Self {
        Self {
            keyed: SipHasher24::new_with_key(key),
            slots: RefCell::new(vec![None; SLOTS].into_boxed_slice()),
        }
    }

    /// What names these values here; equal parts in another order or split give another one.
    pub(super) fn tag<'a>(
        &self,
        application: &str,
        namespace: Namespace<'_>,
        values: impl IntoIterator<Item = &'a [u8]>,
    ) -> u128 {
        let mut hasher = self.keyed;
        let (kind, name) = match namespace {
            Namespace::Named(name) => (0, name),
            Namespace::Fallback(name) => (1, name),
        };
        hasher.write_u8(kind);
        let mut add = |part: &[u8]| {
            hasher.write(&length(part));
            hasher.write(part);
        };
        add(application.as_bytes());
        add(name.as_bytes());
        values.into_iter().for_each(add);
        hasher.finish128().as_u128()
    }

    /// The session of that tag, computed where it is not remembered.
    pub(super) fn session(&self, tag: u128, compute: impl FnOnce() -> SessionId) -> SessionId {
        let Ok(mut slots) = self.slots.try_borrow_mut() else {
            return compute();
        };
        let index = usize::try_from(tag % SLOTS as u128).unwrap_or(0);
        let Some(slot) = slots.get_mut(index) else {
            return compute();
        };
        match slot {
            Some((known, session)) if *known == tag => *session,
            _ => slot.insert((tag, compute())).1,
        }
    }
}
