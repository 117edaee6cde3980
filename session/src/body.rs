//! A request's or response's body, as far as it was kept: decompressed and parsed at most once.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::io::Read as _;

use serde_json::Value;

use crate::extract::Failure;

/// Most that a compressed body may become, per byte that was kept.
const EXPANSION_MAX: usize = 20;
/// And altogether, bytes: as JSON it takes up to a hundred times the memory.
const PLAIN_BYTES_MAX: usize = 1024 * 1024;

/// How much of a body was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Nothing that can be used: it was longer than the limit.
    TooLong,
    /// Its beginning: the exchange ended before the body did.
    CutOff,
}

/// What was kept of a body, with the headers that say what it is.
#[derive(Debug)]
pub struct Body<'a> {
    raw: &'a [u8],
    extent: Extent,
    content_type: &'a [u8],
    encoding: &'a [u8],
    plain: OnceCell<Result<Cow<'a, [u8]>, Failure>>,
    json: OnceCell<Result<Value, Failure>>,
}

impl<'a> Body<'a> {
    /// A body with its `content-type` and `content-encoding`, empty where there are none.
    #[must_use]
    pub fn new(raw: &'a [u8], extent: Extent, content_type: &'a [u8], encoding: &'a [u8]) -> Self {
        let (plain, json) = (OnceCell::new(), OnceCell::new());
        Self {
            raw,
            extent,
            content_type,
            encoding,
            plain,
            json,
        }
    }

    /// Whether the media type is `kind`, or ends in `+kind` or `/kind`.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        let media = self
            .content_type
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default();
        let media = media.trim_ascii();
        media.len() >= kind.len()
            && media
                .split_at_checked(media.len().saturating_sub(kind.len()))
                .is_some_and(|(before, end)| {
                    end.eq_ignore_ascii_case(kind.as_bytes())
                        && (before.is_empty() || before.ends_with(b"/") || before.ends_with(b"+"))
                })
    }

    /// The body without its content encoding.
    ///
    /// # Errors
    /// [`Failure`] when it is cut off, too long, or encoded in another way than gzip.
    pub fn plain(&self) -> Result<&[u8], Failure> {
        let plain = self.plain.get_or_init(|| {
            match self.extent {
                Extent::Whole => {}
                Extent::TooLong => return Err(Failure::TooLong),
                Extent::CutOff => return Err(Failure::CutOff),
            }
            let encoding = self.encoding.trim_ascii();
            let is = |name: &[u8]| encoding.eq_ignore_ascii_case(name);
            if is(b"") || is(b"identity") {
                Ok(Cow::Borrowed(self.raw))
            } else if is(b"gzip") || is(b"x-gzip") {
                gunzip(self.raw).map(Cow::Owned)
            } else {
                Err(Failure::Encoding)
            }
        });
        plain.as_deref().map_err(|failure| *failure)
    }

    /// The body as JSON; of a repeated key the last value counts.
    ///
    /// # Errors
    /// [`Failure`] when it is no JSON, or nested deeper than 127 levels.
    pub fn json(&self) -> Result<&Value, Failure> {
        let json = self
            .json
            .get_or_init(|| serde_json::from_slice(self.plain()?).map_err(|_| Failure::Json));
        json.as_ref().map_err(|failure| *failure)
    }
}

fn gunzip(raw: &[u8]) -> Result<Vec<u8>, Failure> {
    let limit = raw.len().saturating_mul(EXPANSION_MAX).saturating_add(1024);
    let limit = limit.min(PLAIN_BYTES_MAX);
    let mut plain = Vec::new();
    let stop = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = flate2::read::MultiGzDecoder::new(raw)
        .take(stop)
        .read_to_end(&mut plain);
    match read {
        Ok(length) if length <= limit => Ok(plain),
        Ok(_) => Err(Failure::TooLong),
        Err(_) => Err(Failure::Encoding),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn decompresses_up_to_a_limit() {
        let small = gzip(b"{\"a\":1}");
        for encoding in ["gzip", "x-gzip", " GZIP "] {
            let body = Body::new(&small, Extent::Whole, b"", encoding.as_bytes());
            assert_eq!(body.plain(), Ok(&b"{\"a\":1}"[..]), "{encoding}");
        }
        let cut = &small[..small.len() - 3];
        let bomb = gzip(&vec![0; 10_000_000]);
        // Within twenty times its length, but longer than a body may be altogether.
        let dense: Vec<u8> = (0..300_000_u32)
            .flat_map(|number| number.wrapping_mul(2_654_435_769).to_le_bytes())
            .collect();
        let long = gzip(&dense);
        assert!(long.len() * EXPANSION_MAX > dense.len() && dense.len() > PLAIN_BYTES_MAX);
        for (raw, extent, encoding, expected) in [
            (cut, Extent::Whole, "gzip", Failure::Encoding),
            (b"x", Extent::Whole, "gzip", Failure::Encoding),
            (b"", Extent::Whole, "gzip", Failure::Encoding),
            (b"x", Extent::Whole, "br", Failure::Encoding),
            (b"x", Extent::Whole, "gzip, gzip", Failure::Encoding),
            (&bomb, Extent::Whole, "gzip", Failure::TooLong),
            (&long, Extent::Whole, "gzip", Failure::TooLong),
            (b"", Extent::TooLong, "", Failure::TooLong),
            (b"x", Extent::CutOff, "", Failure::CutOff),
        ] {
            let body = Body::new(raw, extent, b"", encoding.as_bytes());
            assert_eq!(body.plain(), Err(expected), "{} B of {encoding}", raw.len());
        }
    }

    #[test]
    fn deep_json_is_refused() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(
            Body::new(deep.as_bytes(), Extent::Whole, b"", b"").json(),
            Err(Failure::Json)
        );
    }

    #[test]
    fn knows_its_media_type() {
        for (content_type, kind, expected) in [
            ("application/json", "json", true),
            ("application/problem+JSON; charset=utf-8", "json", true),
            ("text/notjson", "json", false),
            (
                "application/x-www-form-urlencoded",
                "x-www-form-urlencoded",
                true,
            ),
            ("", "json", false),
        ] {
            let body = Body::new(b"", Extent::Whole, content_type.as_bytes(), b"");
            assert_eq!(body.is(kind), expected, "{content_type}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(raw: Vec<u8>, gzipped: bool) {
            let body = Body::new(&raw, Extent::Whole, b"", if gzipped { b"gzip" } else { b"" });
            prop_assert!(body.json().is_ok() || body.json().is_err());
        }
    }
}
