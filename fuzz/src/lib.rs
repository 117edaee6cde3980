//! What the targets share: an exchange made of any bytes, and what holds for every value in it.

use std::borrow::Cow;
use std::io::Write as _;
use std::sync::LazyLock;

use throughline_session::body::{Body, Extent};
use throughline_session::extract::{Outcome, Parts, Source, is_empty_like};
use throughline_session::headers::HeaderBlock;
use throughline_session::request::Request;

/// Places to look at, read once.
pub type Sources = LazyLock<Vec<Source>>;

/// Places as the policy writes them.
#[macro_export]
macro_rules! sources {
    ($($source:literal),+ $(,)?) => {
        std::sync::LazyLock::new(|| {
            vec![$(serde_json::from_str($source).expect("a place")),+]
        })
    };
}

/// A target: the headers that the bytes are put into, and the places that are looked at.
#[macro_export]
macro_rules! places {
    ([$($header:literal),*], $($source:literal),+ $(,)?) => {
        static SOURCES: $crate::Sources = $crate::sources!($($source),+);
        libfuzzer_sys::fuzz_target!(|data: &[u8]| {
            $crate::find_all(&[$($header),*], &SOURCES, data);
        });
    };
}

/// Looks for the places in the exchange that `data` makes, before and after it has ended.
pub fn find_all(headers: &[&str], sources: &[Source], data: &[u8]) {
    // A value may grow by its compression, or where invalid UTF-8 becomes text.
    let longest = data.len() * 20 + 2048;
    exchange(headers, data, |parts| {
        let early = Parts {
            request: parts.request,
            tls_sni: parts.tls_sni,
            tls_peer_subject: parts.tls_peer_subject,
            ..Parts::default()
        };
        for source in sources {
            let outcome = source.find(parts);
            assert_eq!(outcome, source.find(parts), "twice the same");
            assert_ne!(outcome, Outcome::NotYet, "an end is an end");
            if let Outcome::Found(value) = &outcome {
                assert!(!is_empty_like(value) && value.len() <= longest);
            }
            match source.find(&early) {
                Outcome::NotYet => assert!(source.is_late()),
                known => assert_eq!(known, outcome, "the end changes nothing"),
            }
        }
    });
}

/// An exchange that has ended. The first byte chooses method, content type and encoding; the rest,
/// cut at its zeros, becomes the headers in turn, and as a whole both bodies and the TLS handshake.
pub fn exchange(headers: &[&str], data: &[u8], look: impl FnOnce(&Parts<'_>)) {
    let (flags, rest) = data.split_first().unwrap_or((&0, &[]));
    let bit = |number: u8| flags >> number & 1 == 1;
    let method: &[u8] = if bit(0) { b"GET" } else { b"POST" };
    let kind: &[u8] = match flags >> 1 & 3 {
        0 => b"text/html",
        1 => b"application/x-www-form-urlencoded",
        _ => b"application/json; charset=utf-8",
    };
    let names = headers.iter().cycle().map(|name| name.as_bytes());
    let mut pairs: Vec<_> = names.zip(rest.split(|byte| *byte == 0)).collect();
    pairs.push((b":method", method));
    pairs.push((b"content-type", kind));
    let block = HeaderBlock::from_pairs(&pairs);
    let (body, encoding): (Cow<'_, [u8]>, &[u8]) = match flags >> 3 & 3 {
        0 | 1 => (rest.into(), b""),
        2 => (gzip(rest).into(), b"gzip"),
        _ => (rest.into(), b"gzip"),
    };
    let extent = match flags >> 5 & 3 {
        0 | 1 => Extent::Whole,
        2 => Extent::TooLong,
        _ => Extent::CutOff,
    };
    let body = || Some(Body::new(&body, extent, kind, encoding));
    look(&Parts {
        request: Request::new(&block),
        request_body: body(),
        response: Some(&block),
        response_body: body(),
        tls_sni: Some(rest),
        tls_peer_subject: Some(rest),
        ended: true,
    });
}

/// What a client that tells the truth would send.
pub fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(plain)
        .and_then(|()| encoder.finish())
        .expect("memory does not fail")
}
