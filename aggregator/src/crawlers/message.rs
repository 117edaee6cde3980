//! DNS messages (RFC 1035), as much of them as two questions need: the names of an address, and the
//! addresses of a name.
//!
//! Whoever answers may be anybody: every length is checked, pointers only lead backwards, and what is
//! no answer to our question is none.

use std::net::IpAddr;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    A,
    Ptr,
    Aaaa,
}

impl Kind {
    fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ptr => 12,
            Self::Aaaa => 28,
        }
    }
}

const CNAME: u16 = 5;
const INTERNET: u16 = 1;
/// Length of a message's head.
const HEAD: usize = 12;
/// Longest name, and longest label.
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;
/// Records that are looked at.
const RECORDS_MAX: u16 = 256;
/// Names that lead on to others before one of them has an answer.
const ALIASES_MAX: usize = 8;

/// A question, as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) id: u16,
    /// In lower case, without a dot at its end.
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// One thing that an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    Name(String),
    Address(IpAddr),
}

/// What a message says to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// There is this, which may be nothing.
    Answered(Vec<Data>),
    /// There is more than fits: ask by TCP.
    Cut,
    /// The server could not find out.
    Failed,
}

/// The name under which the names of an address stand.
pub(super) fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let mut name = String::new();
            for byte in address.octets().iter().rev() {
                name += &format!("{:x}.{:x}.", byte & 15, byte >> 4);
            }
            name + "ip6.arpa"
        }
    }
}

impl Query {
    /// As it goes over the wire; `None` where the name is none.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        if self.name.is_empty() || self.name.len() > NAME_MAX {
            return None;
        }
        let mut bytes = Vec::with_capacity(HEAD + self.name.len() + 6);
        bytes.extend(self.id.to_be_bytes());
        // A question, please with recursion; one of them, and nothing else.
        bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        for label in self.name.split('.') {
            let length = u8::try_from(label.len()).ok()?;
            if length == 0 || label.len() > LABEL_MAX {
                return None;
            }
            bytes.push(length);
            bytes.extend(label.bytes());
        }
        bytes.push(0);
        bytes.extend(self.kind.number().to_be_bytes());
        bytes.extend(INTERNET.to_be_bytes());
        Some(bytes)
    }

    /// What a message answers; `None` where it is no answer to this question.
    pub(super) fn read(&self, message: &[u8]) -> Option<Reply> {
        let message = Message(message);
        let flags = message.short(2)?;
        let is_response = flags & 0x8000 != 0 && flags & 0x7800 == 0;
        if message.short(0)? != self.id || !is_response || message.short(4)? != 1 {
            return None;
        }
        let (name, at) = message.name(HEAD)?;
        let asked = (message.short(at)?, message.short(at + 2)?);
        if name.as_deref() != Some(&*self.name) || asked != (self.kind.number(), INTERNET) {
            return None;
        }
        if flags & 0x0200 != 0 {
            return Some(Reply::Cut);
        }
        match flags & 15 {
            // There is such a name, or there is none.
            0 | 3 => Some(Reply::Answered(self.answers(message, at + 4)?)),
            _ => Some(Reply::Failed),
        }
    }

    fn answers(&self, message: Message<'_>, mut at: usize) -> Option<Vec<Data>> {
        let mut names = vec![self.name.clone()];
        let mut found = Vec::new();
        for _ in 0..message.short(6)?.min(RECORDS_MAX) {
            let (owner, head) = message.name(at)?;
            let kind = (message.short(head)?, message.short(head + 2)?);
            let length = usize::from(message.short(head + 8)?);
            let data = head + 10;
            at = data + length;
            let bytes = message.0.get(data..at)?;
            if !owner.is_some_and(|owner| names.contains(&owner)) || kind.1 != INTERNET {
                continue;
            }
            if kind.0 == CNAME && names.len() < ALIASES_MAX {
                names.extend(message.name(data)?.0);
            } else if kind.0 == self.kind.number() {
                found.extend(match self.kind {
                    Kind::Ptr => message.name(data)?.0.map(Data::Name),
                    Kind::A => <[u8; 4]>::try_from(bytes)
                        .ok()
                        .map(|it| Data::Address(it.into())),
                    Kind::Aaaa => <[u8; 16]>::try_from(bytes)
                        .ok()
                        .map(|it| Data::Address(it.into())),
                });
            }
        }
        Some(found)
    }
}

#[derive(Clone, Copy)]
struct Message<'a>(&'a [u8]);

impl Message<'_> {
    fn short(self, at: usize) -> Option<u16> {
        let bytes = self.0.get(at..at.checked_add(2)?)?;
        Some(u16::from_be_bytes(bytes.try_into().ok()?))
    }

    /// The name at a place, in lower case, and where the next thing stands. A name with odd bytes in it
    /// is nobody's, but what follows can be read.
    fn name(self, at: usize) -> Option<(Option<String>, usize)> {
        let mut name = Some(String::new());
        let (mut at, mut length, mut next) = (at, 0, None);
        loop {
            let first = *self.0.get(at)?;
            match first {
                0 => break,
                1..=63 => {
                    let end = at + 1 + usize::from(first);
                    let label = self.0.get(at + 1..end)?;
                    length += label.len() + 1;
                    if length > NAME_MAX + 1 {
                        return None;
                    }
                    name = name.and_then(|name| push(name, label));
                    at = end;
                }
                192.. => {
                    let to = usize::from(self.short(at)? & 0x3fff);
                    next = next.or(Some(at + 2));
                    // Only backwards: a loop is no name.
                    if to >= at {
                        return None;
                    }
                    at = to;
                }
                _ => return None,
            }
        }
        Some((name, next.unwrap_or(at + 1)))
    }
}

/// Adds a label, unless it has anything but letters, digits, `-` and `_`.
fn push(mut name: String, label: &[u8]) -> Option<String> {
    if !name.is_empty() {
        name.push('.');
    }
    for byte in label {
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return None;
        }
        name.push(char::from(byte.to_ascii_lowercase()));
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query() -> Query {
        Query {
            id: 7,
            name: reverse([203, 0, 113, 1].into()),
            kind: Kind::Ptr,
        }
    }

    /// The query again, as an answer with these flags and records.
    fn message(flags: u16, count: u8, records: &[u8]) -> Vec<u8> {
        let mut bytes = query().bytes().unwrap();
        bytes[2..4].copy_from_slice(&flags.to_be_bytes());
        bytes[7] = count;
        bytes.extend(records);
        bytes
    }

    /// An alias of the question's name for the name `a`, and the name of that: `b.c`.
    const ALIASED: &[u8] = b"\xc0\x0c\0\x05\0\x01\0\0\0\x09\0\x03\x01A\0\
        \x01a\0\0\x0c\0\x01\0\0\0\x09\0\x05\x01b\x01C\0";

    #[test]
    fn addresses_have_names_in_trees_of_their_own() {
        assert_eq!(query().name, "1.113.0.203.in-addr.arpa");
        let name = reverse("2001:db8::1".parse().unwrap());
        assert!(name.starts_with("1.0.0.0.0.0") && name.ends_with("8.b.d.0.1.0.0.2.ip6.arpa"));
    }

    #[test]
    fn aliases_are_followed_and_strangers_left_out() {
        let found = Reply::Answered(vec![Data::Name("b.c".to_owned())]);
        assert_eq!(query().read(&message(0x8180, 2, ALIASED)), Some(found));
        // Without the alias, the name belongs to somebody else.
        let (_, alone) = ALIASED.split_at(15);
        let nothing = Reply::Answered(Vec::new());
        assert_eq!(query().read(&message(0x8180, 1, alone)), Some(nothing));
    }

    #[test]
    fn only_an_answer_to_the_question_counts() {
        let nothing = Some(Reply::Answered(Vec::new()));
        let mut other = message(0x8180, 0, &[]);
        other[1] = 8;
        let mut renamed = message(0x8180, 0, &[]);
        renamed[HEAD + 1] = b'2';
        let forwards = message(0x8180, 1, b"\xc0\xff\0\x0c\0\x01\0\0\0\x09\0\0");
        for (bytes, expected) in [
            (message(0x8180, 0, &[]), nothing.clone()),
            (message(0x8183, 0, &[]), nothing),
            (message(0x8182, 0, &[]), Some(Reply::Failed)),
            (message(0x8380, 0, &[]), Some(Reply::Cut)),
            (message(0x0100, 0, &[]), None),
            (message(0x8180, 1, &[]), None),
            (other, None),
            (renamed, None),
            (forwards, None),
        ] {
            assert_eq!(query().read(&bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn names_that_are_none_are_not_asked_for() {
        let long = "a".repeat(64);
        for name in ["", "a..b", &long, &"a.".repeat(200)] {
            let query = Query {
                name: name.to_owned(),
                ..query()
            };
            assert_eq!(query.bytes(), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(
            cut in 0..80_usize,
            at in 0..80_usize,
            byte: u8,
            tail in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut bytes = message(0x8180, 2, ALIASED);
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(cut);
            bytes.extend(tail);
            let _read = query().read(&bytes);
        }
    }
}
