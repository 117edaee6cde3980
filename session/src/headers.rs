//! The header block as Envoy hands it over, read in place.
//!
//! One host call returns all headers as one buffer: a count, the lengths of every name and value,
//! then the bytes, each followed by a zero. Copying it into a map would cost more than reading it.

/// Headers in the serialised form of the proxy-wasm ABI. Any bytes are accepted: what does not
/// fit the form ends the iteration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderBlock(Vec<u8>);

impl HeaderBlock {
    /// Takes the buffer of one host call.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Serialises headers the way the host does; for tests and for callers of the host.
    #[must_use]
    pub fn from_pairs(pairs: &[(&[u8], &[u8])]) -> Self {
        let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        let mut bytes = length(pairs.len()).to_vec();
        for (name, value) in pairs {
            bytes.extend_from_slice(&length(name.len()));
            bytes.extend_from_slice(&length(value.len()));
        }
        for (name, value) in pairs {
            bytes.extend_from_slice(name);
            bytes.push(0);
            bytes.extend_from_slice(value);
            bytes.push(0);
        }
        Self(bytes)
    }

    /// The bytes as the host takes them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Name and value of each header, in order; names are lower-case, pseudo-headers included.
    pub fn iter(&self) -> Iter<'_> {
        let (count, rest) = take_u32(&self.0).unwrap_or((0, &[]));
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        match count
            .checked_mul(8)
            .and_then(|lengths| rest.split_at_checked(lengths))
        {
            Some((lengths, bytes)) => Iter { lengths, bytes },
            None => Iter {
                lengths: &[],
                bytes: &[],
            },
        }
    }

    /// The first header of that name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.iter()
            .find(|(candidate, _)| *candidate == name)
            .map(|(_, value)| value)
    }
}

impl<'a> IntoIterator for &'a HeaderBlock {
    type Item = (&'a [u8], &'a [u8]);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Walks a [`HeaderBlock`].
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    lengths: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, lengths) = take_u32(self.lengths)?;
        let (value, lengths) = take_u32(lengths)?;
        let (name, bytes) = take_terminated(self.bytes, name)?;
        let (value, bytes) = take_terminated(bytes, value)?;
        *self = Self { lengths, bytes };
        Some((name, value))
    }
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}

fn take_terminated(bytes: &[u8], length: u32) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    Some((text, rest.split_first()?.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::HeaderBlock;

    #[test]
    fn reads_what_the_host_writes() {
        let block = HeaderBlock::from_pairs(&[(b":path", b"/a"), (b"x", b""), (b"y", b"\xff\0z")]);
        let pairs: Vec<_> = block.iter().collect();
        assert_eq!(
            pairs,
            [(&b":path"[..], &b"/a"[..]), (b"x", b""), (b"y", b"\xff\0z")]
        );
        assert_eq!(block.get(b"x"), Some(&b""[..]));
        assert_eq!(block.get(b"z"), None);
    }

    #[test]
    fn a_cut_block_ends_early() {
        let whole = HeaderBlock::from_pairs(&[(b"a", b"1"), (b"b", b"2")]);
        let cut = HeaderBlock::new(whole.as_bytes()[..whole.as_bytes().len() - 1].to_vec());
        assert_eq!(cut.iter().count(), 1);
        assert_eq!(HeaderBlock::new(vec![0xff; 7]).iter().count(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            HeaderBlock::new(bytes).iter().for_each(drop);
        }
    }
}
