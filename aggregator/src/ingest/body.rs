//! Reads a request body without ever holding more of it than allowed.

use bytes::Buf;
use futures_util::{Stream, StreamExt as _};

use super::unpack::{Encoding, Unpacker};
use crate::log::{Budget, Room};

/// Why a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyError {
    /// Longer than one batch may be, as it is sent.
    TooLong,
    /// Longer than one batch may be, unpacked.
    UnpacksTooLong,
    /// Not what `content-encoding` says, or damaged.
    NotUnpackable(String),
    /// All bodies in flight together are too long.
    Full,
    /// The client broke off.
    Broken,
}

/// Reads `stream` to its end, at most `len_max` bytes, counted against `budget`.
///
/// # Errors
/// As soon as a limit is passed; the rest is not read.
pub async fn read<B: Buf, E>(
    stream: impl Stream<Item = Result<B, E>>,
    len_max: u64,
    budget: &Budget,
) -> Result<(Vec<u8>, Room), BodyError> {
    unpack(stream, Encoding::Identity, len_max, budget).await
}

/// Reads `stream` to its end and unpacks it, to at most `len_max` bytes, counted against `budget` as
/// is the memory that unpacking takes.
///
/// # Errors
/// As soon as a limit is passed; the rest is not read.
pub async fn unpack<B: Buf, E>(
    stream: impl Stream<Item = Result<B, E>>,
    encoding: Encoding,
    len_max: u64,
    budget: &Budget,
) -> Result<(Vec<u8>, Room), BodyError> {
    let mut stream = std::pin::pin!(stream);
    let mut unpacker = Unpacker::new(encoding, len_max, budget.room())?;
    while let Some(part) = stream.next().await {
        let mut part = part.map_err(|_| BodyError::Broken)?;
        while part.has_remaining() {
            let chunk = part.chunk();
            unpacker.take(chunk)?;
            let read = chunk.len();
            part.advance(read);
        }
    }
    let unpacked = unpacker.finish()?;
    let (body, mut room) = (unpacked.bytes, unpacked.room);
    room.shrink_to(body.len() as u64);
    Ok((body, room))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    fn check(parts: &[&'static str], len_max: u64, room: u64) -> Result<String, BodyError> {
        let parts = parts.iter().map(|part| match *part {
            "!" => Err(()),
            part => Ok(part.as_bytes()),
        });
        let budget = Budget::new(room);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let parts = stream::iter(parts);
        let read = runtime.block_on(read(parts, len_max, &budget));
        read.map(|(body, _room)| String::from_utf8(body).unwrap())
    }

    #[test]
    fn stops_at_each_limit() {
        assert_eq!(check(&["one", "two"], 6, 6), Ok("onetwo".into()));
        assert_eq!(check(&["one", "two"], 5, 6), Err(BodyError::TooLong));
        assert_eq!(check(&["one", "two"], 6, 5), Err(BodyError::Full));
        assert_eq!(check(&["one", "!"], 6, 6), Err(BodyError::Broken));
        assert_eq!(check(&[], 6, 6), Ok(String::new()));
    }
}
