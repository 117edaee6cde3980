//! Unpacks a body while it arrives, and never to more than allowed.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use super::body::BodyError;
use crate::log::Room;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several, with a window of at most 8 MiB.
    Zstd,
}

/// What `accept-encoding` says of this endpoint.
pub const ENCODINGS: &str = "gzip, zstd, identity";

impl Encoding {
    /// The encoding that `content-encoding` names; `None` for one that is not taken, a list included.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if name.is_empty() || is("identity") {
            Some(Self::Identity)
        } else if is("gzip") || is("x-gzip") {
            Some(Self::Gzip)
        } else if is("zstd") {
            Some(Self::Zstd)
        } else {
            None
        }
    }
}

/// Memory that unpacking gzip takes: a window of 32 KiB, as much output, tables, and at most 64 KiB
/// for each of the texts in a member's header.
const GZIP_BYTES: u64 = 256 << 10;
/// 8 MiB, as RFC 8878 recommends; a frame that wants more is refused before anything is allocated.
const ZSTD_WINDOW_LOG: u32 = 23;
/// Unpacked at once.
const CHUNK: usize = 32 << 10;

/// What is unpacked so far.
pub(super) struct Unpacked {
    pub(super) bytes: Vec<u8>,
    pub(super) room: Room,
    len_max: u64,
    /// Why nothing more is taken.
    full: Option<BodyError>,
    beyond: BodyError,
}

impl Unpacked {
    fn take(&mut self, part: &[u8]) -> Result<(), BodyError> {
        if self.bytes.len() as u64 + part.len() as u64 > self.len_max {
            return Err(self.beyond.clone());
        }
        if !self.room.grow(part.len() as u64) {
            return Err(BodyError::Full);
        }
        self.bytes.extend_from_slice(part);
        Ok(())
    }
}

impl Write for Unpacked {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        match self.take(part) {
            Ok(()) => Ok(part.len()),
            Err(error) => {
                self.full = Some(error);
                Err(io::ErrorKind::StorageFull.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Zstd {
    context: DCtx<'static>,
    unpacked: Unpacked,
    /// Memory of `context` that is accounted for.
    counted: u64,
    /// The last frame is complete.
    whole: bool,
}

impl Zstd {
    fn take(&mut self, part: &[u8]) -> Result<(), BodyError> {
        let bad = |code| BodyError::NotUnpackable(zstd_safe::get_error_name(code).to_owned());
        let mut chunk = [0; CHUNK];
        let mut input = InBuffer::around(part);
        loop {
            let read_before = input.pos();
            let mut output = OutBuffer::around(&mut chunk[..]);
            let left = self.context.decompress_stream(&mut output, &mut input);
            let unpacked = output.as_slice();
            // Asked once more after that, it waits for the next frame.
            self.whole = left.map_err(bad)? == 0;
            let size = self.context.sizeof() as u64;
            if !self.unpacked.room.grow(size.saturating_sub(self.counted)) {
                return Err(BodyError::Full);
            }
            self.counted = self.counted.max(size);
            self.unpacked.take(unpacked)?;
            let stands_still = unpacked.is_empty() && input.pos() == read_before;
            let has_more = unpacked.len() == CHUNK && !self.whole;
            let is_over = input.pos() == part.len() && !has_more;
            if is_over || stands_still {
                return Ok(());
            }
        }
    }
}

enum Kind {
    Plain(Unpacked),
    Gzip(Box<MultiGzDecoder<Unpacked>>),
    Zstd(Box<Zstd>),
}

/// Takes a packed body part by part.
pub(super) struct Unpacker {
    kind: Kind,
    packed: u64,
    len_max: u64,
}

impl Unpacker {
    /// For a body of at most `len_max` bytes, packed as well as unpacked, held in `room`.
    pub(super) fn new(encoding: Encoding, len_max: u64, mut room: Room) -> Result<Self, BodyError> {
        let takes = if encoding == Encoding::Gzip {
            GZIP_BYTES
        } else {
            0
        };
        if !room.grow(takes) {
            return Err(BodyError::Full);
        }
        let beyond = if encoding == Encoding::Identity {
            BodyError::TooLong
        } else {
            BodyError::UnpacksTooLong
        };
        let unpacked = Unpacked {
            bytes: Vec::new(),
            room,
            len_max,
            full: None,
            beyond,
        };
        let kind = match encoding {
            Encoding::Identity => Kind::Plain(unpacked),
            Encoding::Gzip => Kind::Gzip(Box::new(MultiGzDecoder::new(unpacked))),
            Encoding::Zstd => {
                let mut context = DCtx::try_create().ok_or(BodyError::Full)?;
                let window = DParameter::WindowLogMax(ZSTD_WINDOW_LOG);
                context.set_parameter(window).map_err(|_| BodyError::Full)?;
                Kind::Zstd(Box::new(Zstd {
                    context,
                    unpacked,
                    counted: 0,
                    whole: false,
                }))
            }
        };
        Ok(Self {
            kind,
            packed: 0,
            len_max,
        })
    }

    /// Takes the next part of the body.
    pub(super) fn take(&mut self, part: &[u8]) -> Result<(), BodyError> {
        // What unpacks to nothing, such as empty members, must end as well.
        self.packed += part.len() as u64;
        if self.packed > self.len_max {
            return Err(BodyError::TooLong);
        }
        match &mut self.kind {
            Kind::Plain(unpacked) => unpacked.take(part),
            Kind::Gzip(gzip) => gzip
                .write_all(part)
                .map_err(|error| gzip_error(gzip.get_mut(), &error)),
            Kind::Zstd(zstd) => zstd.take(part),
        }
    }

    /// The whole body, once it has come to its end.
    pub(super) fn finish(self) -> Result<Unpacked, BodyError> {
        let cut = || BodyError::NotUnpackable("it ends early".into());
        match self.kind {
            Kind::Plain(unpacked) => Ok(unpacked),
            Kind::Gzip(_) | Kind::Zstd(_) if self.packed == 0 => Err(cut()),
            Kind::Gzip(mut gzip) => {
                if let Err(error) = gzip.try_finish() {
                    return Err(gzip_error(gzip.get_mut(), &error));
                }
                gzip.finish().map_err(|_| cut())
            }
            Kind::Zstd(zstd) if zstd.whole => Ok(zstd.unpacked),
            Kind::Zstd(_) => Err(cut()),
        }
    }
}

fn gzip_error(unpacked: &mut Unpacked, error: &io::Error) -> BodyError {
    let full = unpacked.full.take();
    full.unwrap_or_else(|| match error.kind() {
        io::ErrorKind::UnexpectedEof => BodyError::NotUnpackable("it ends early".into()),
        _ => BodyError::NotUnpackable(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Budget;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd_with(text: &[u8], parameters: &[zstd_safe::CParameter]) -> Vec<u8> {
        let mut context = zstd_safe::CCtx::create();
        for parameter in parameters {
            context.set_parameter(*parameter).unwrap();
        }
        let mut packed = vec![0; zstd_safe::compress_bound(text.len())];
        let len = context.compress2(&mut packed[..], text).unwrap();
        packed.truncate(len);
        packed
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd_with(text, &[])
    }

    /// Unpacks `packed` in parts of `step` bytes.
    fn unpack(
        encoding: Encoding,
        packed: &[u8],
        step: usize,
        len_max: u64,
        budget: &Budget,
    ) -> Result<Vec<u8>, BodyError> {
        let mut unpacker = Unpacker::new(encoding, len_max, budget.room())?;
        for part in packed.chunks(step) {
            unpacker.take(part)?;
        }
        let unpacked = unpacker.finish()?;
        assert!(budget.used() >= unpacked.bytes.len() as u64);
        Ok(unpacked.bytes)
    }

    type Pack = fn(&[u8]) -> Vec<u8>;

    const PACKED: [(Encoding, Pack); 2] = [(Encoding::Gzip, gzip), (Encoding::Zstd, zstd)];

    #[test]
    fn one_member_or_several_in_parts_of_any_length() {
        let budget = Budget::new(16 << 20);
        // As long as the pieces that are unpacked at once, too.
        let text: Vec<u8> = (0..1 << 18_u32).flat_map(u32::to_le_bytes).collect();
        for (encoding, pack) in PACKED {
            let one = pack(&text);
            let halves = text.split_at(text.len() / 2);
            let several = [pack(halves.0), pack(b""), pack(halves.1)].concat();
            for packed in [one, several] {
                for step in [7, 4096, usize::MAX] {
                    let found = unpack(encoding, &packed, step, 1 << 20, &budget);
                    assert!(found == Ok(text.clone()), "{encoding:?} by {step}");
                }
            }
            assert_eq!(budget.used(), 0, "everything is given back");
        }
        assert_eq!(
            unpack(Encoding::Identity, &text, 9, 1 << 20, &budget),
            Ok(text)
        );
    }

    #[test]
    fn a_bomb_is_refused_before_it_takes_the_memory() {
        let (len_max, budget) = (1 << 20, Budget::new(4 << 20));
        let zeroes = vec![0; 64 << 20];
        for (encoding, pack) in PACKED {
            let bomb = pack(&zeroes);
            assert!(bomb.len() < 100_000);
            let found = unpack(encoding, &bomb, usize::MAX, len_max, &budget);
            assert_eq!(found, Err(BodyError::UnpacksTooLong), "{encoding:?}");
            let small = Budget::new(300 << 10);
            let found = unpack(encoding, &bomb, usize::MAX, len_max, &small);
            assert_eq!(found, Err(BodyError::Full), "{encoding:?}");
            // Nothing comes out of these, and there are many.
            let empty = pack(b"").repeat(200_000);
            let found = unpack(encoding, &empty, 4096, len_max, &budget);
            assert_eq!(found, Err(BodyError::TooLong), "{encoding:?}");
        }
        // A frame with a window of 128 MiB.
        let parameters = [
            zstd_safe::CParameter::WindowLog(27),
            zstd_safe::CParameter::ContentSizeFlag(false),
        ];
        let wide = zstd_with(&zeroes, &parameters);
        let found = unpack(Encoding::Zstd, &wide, 4096, 1 << 30, &budget);
        let expected = "Frame requires too much memory for decoding";
        assert_eq!(found, Err(BodyError::NotUnpackable(expected.into())));
    }

    #[test]
    fn what_is_damaged_cut_off_or_followed_by_something_is_refused() {
        let budget = Budget::new(16 << 20);
        for (encoding, pack) in PACKED {
            let whole = pack(&b"{\"throughline\":1}\n".repeat(99));
            let check = |packed: &[u8]| {
                let found = unpack(encoding, packed, usize::MAX, 1 << 20, &budget);
                assert!(
                    matches!(found, Err(BodyError::NotUnpackable(_))),
                    "{encoding:?}: {found:?}"
                );
            };
            for len in 0..whole.len() {
                check(&whole[..len]);
            }
            check(&[&whole[..], b"rest of something"].concat());
            check(b"{\"throughline\":1}\n");
            if encoding == Encoding::Gzip {
                // Its last byte but four is the check sum's.
                let mut flipped = whole.clone();
                let at = whole.len() - 5;
                flipped[at] ^= 1;
                check(&flipped);
            }
        }
    }

    #[test]
    fn names_are_read_as_http_has_them() {
        for (name, expected) in [
            ("", Some(Encoding::Identity)),
            ("identity", Some(Encoding::Identity)),
            ("GZIP", Some(Encoding::Gzip)),
            (" x-gzip", Some(Encoding::Gzip)),
            ("zstd", Some(Encoding::Zstd)),
            ("br", None),
            ("gzip, zstd", None),
        ] {
            assert_eq!(Encoding::named(name), expected, "{name}");
        }
    }
}
