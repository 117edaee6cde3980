//! How a batch lies in a segment: `[length u32 LE][CRC-32 u32 LE][payload]`, where the payload
//! is `[arrival, microseconds, i64 LE][request body]`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::ingest::TIME_MAX_US;

const HEAD_LEN: u64 = 8;
const ARRIVAL_LEN: usize = 8;
const PAYLOAD_LEN_MAX: u32 = 64 << 20;

/// Longest body that a frame holds, bytes. A longer length in a file means that it is damaged.
pub const BODY_LEN_MAX: u64 = (PAYLOAD_LEN_MAX as u64) - (ARRIVAL_LEN as u64);

/// Appends the frame of a batch to `buffer`; `None` when the body is too long for one.
pub(super) fn write(buffer: &mut Vec<u8>, arrived_us: i64, body: &[u8]) -> Option<()> {
    let len = u32::try_from(body.len().checked_add(ARRIVAL_LEN)?).ok()?;
    if len > PAYLOAD_LEN_MAX {
        return None;
    }
    let arrival = arrived_us.to_le_bytes();
    let mut crc = crc32fast::Hasher::new();
    crc.update(&arrival);
    crc.update(body);
    buffer.extend_from_slice(&len.to_le_bytes());
    buffer.extend_from_slice(&crc.finalize().to_le_bytes());
    buffer.extend_from_slice(&arrival);
    buffer.extend_from_slice(body);
    Some(())
}

/// What lies at one place of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// A whole frame.
    Whole {
        arrived_us: i64,
        body: Vec<u8>,
        end: u64,
    },
    /// Not a whole frame; `next` is where a whole one follows it, judged by its length.
    Broken { next: Option<u64> },
}

/// Reads what lies at `at` in the first `limit` bytes of `file`.
pub(super) fn probe(file: &File, at: u64, limit: u64) -> io::Result<Probe> {
    if let Some(whole) = whole(file, at, limit)? {
        return Ok(whole);
    }
    // The payload may be damaged and its length not: then only this frame is missing.
    let next = match length(file, at, limit)? {
        Some(len) => {
            let after = at + HEAD_LEN + u64::from(len);
            whole(file, after, limit)?.map(|_| after)
        }
        None => None,
    };
    Ok(Probe::Broken { next })
}

/// Whether a whole frame with a batch in it begins anywhere at or after `at`.
pub(super) fn any_whole(file: &File, mut at: u64, limit: u64) -> io::Result<bool> {
    const CHUNK: usize = 1 << 20;
    let mut buffer = vec![0; CHUNK];
    while limit.saturating_sub(at) >= LOOK_LEN as u64 {
        let len = usize::try_from(limit - at).unwrap_or(CHUNK).min(CHUNK);
        let (chunk, _) = buffer.split_at_mut(len);
        file.read_exact_at(chunk, at)?;
        for (place, look) in (at..).zip(chunk.windows(LOOK_LEN)) {
            if is_promising(look) && whole(file, place, limit)?.is_some() {
                return Ok(true);
            }
        }
        at += (len - LOOK_LEN + 1) as u64;
    }
    Ok(false)
}

/// Head, arrival, and the first byte of the body.
const LOOK_LEN: usize = 2 * size_of::<u32>() + ARRIVAL_LEN + 1;

/// Whether a frame may begin so: without it, every second byte of garbage would ask for a CRC
/// over megabytes.
fn is_promising(look: &[u8]) -> bool {
    let Some((&[a, b, c, d, _, _, _, _], rest)) = look.split_first_chunk() else {
        return false;
    };
    let Some((arrival, &[first])) = rest.split_first_chunk() else {
        return false;
    };
    let len = u32::from_le_bytes([a, b, c, d]) as usize;
    (ARRIVAL_LEN..=PAYLOAD_LEN_MAX as usize).contains(&len)
        && (0..=TIME_MAX_US).contains(&i64::from_le_bytes(*arrival))
        && (first == b'{' || first.is_ascii_whitespace())
}

fn length(file: &File, at: u64, limit: u64) -> io::Result<Option<u32>> {
    if at.checked_add(HEAD_LEN).is_none_or(|end| end > limit) {
        return Ok(None);
    }
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, at)?;
    let len = u32::from_le_bytes(bytes);
    // A length of 0 is what a file system leaves behind: zeroes, which would even pass the CRC.
    let plausible = (ARRIVAL_LEN..=PAYLOAD_LEN_MAX as usize).contains(&(len as usize))
        && at + HEAD_LEN + u64::from(len) <= limit;
    Ok(plausible.then_some(len))
}

fn whole(file: &File, at: u64, limit: u64) -> io::Result<Option<Probe>> {
    let Some(len) = length(file, at, limit)? else {
        return Ok(None);
    };
    let mut crc = [0; 4];
    file.read_exact_at(&mut crc, at + 4)?;
    let mut arrival = [0; ARRIVAL_LEN];
    file.read_exact_at(&mut arrival, at + HEAD_LEN)?;
    let mut body = vec![0; len as usize - ARRIVAL_LEN];
    file.read_exact_at(&mut body, at + HEAD_LEN + ARRIVAL_LEN as u64)?;
    let mut found = crc32fast::Hasher::new();
    found.update(&arrival);
    found.update(&body);
    if found.finalize() != u32::from_le_bytes(crc) {
        return Ok(None);
    }
    let end = at + HEAD_LEN + u64::from(len);
    Ok(Some(Probe::Whole {
        arrived_us: i64::from_le_bytes(arrival),
        body,
        end,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn frames(bodies: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for body in bodies {
            write(&mut bytes, 7, body.as_bytes()).unwrap();
        }
        bytes
    }

    fn check(bytes: &[u8], at: u64, expected: &Probe) {
        assert_eq!(
            &probe(&file_of(bytes), at, bytes.len() as u64).unwrap(),
            expected
        );
    }

    fn whole_of(body: &str, end: u64) -> Probe {
        Probe::Whole {
            arrived_us: 7,
            body: body.into(),
            end,
        }
    }

    #[test]
    fn reads_back_what_was_written() {
        let bytes = frames(&["one", ""]);
        check(&bytes, 0, &whole_of("one", 19));
        check(&bytes, 19, &whole_of("", 35));
        check(&bytes, 35, &Probe::Broken { next: None });
    }

    #[test]
    fn a_torn_frame_is_broken_at_every_length() {
        let bytes = frames(&["one"]);
        for len in 0..bytes.len() {
            check(&bytes[..len], 0, &Probe::Broken { next: None });
        }
        check(&[0; 64], 0, &Probe::Broken { next: None });
    }

    #[test]
    fn finds_a_whole_frame_among_anything() {
        let find = |bytes: &[u8]| any_whole(&file_of(bytes), 0, bytes.len() as u64).unwrap();
        let frame = frames(&["{}"]);
        for before in [0, 1, 7, 16, (1 << 20) - 17, (1 << 20) - 16, (1 << 20) + 5] {
            for filler in [0, b'{', 0xff] {
                let bytes = [&vec![filler; before], &*frame, b"rest"].concat();
                assert!(find(&bytes), "after {before} times {filler}");
                assert!(!find(&bytes[..before + frame.len() - 1]));
            }
        }
        assert!(!find(b""));
        assert!(!find(&[0; 4096]));
    }

    #[test]
    fn every_flipped_bit_is_noticed_and_only_a_bad_length_hides_the_next_frame() {
        let bytes = frames(&["one", "two"]);
        for bit in 0..19 * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let next = (bit >= 32).then_some(19);
            check(&bad, 0, &Probe::Broken { next });
        }
    }
}
