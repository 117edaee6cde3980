//! Reads records the way the filter writes them: fields in its order, no spaces, nothing escaped.
//!
//! A line that is anything else is serde's to read, which also says what is wrong with it. Whatever
//! is read here, serde reads as the same (`agrees_with_serde`, `fuzz/fuzz_targets/wire.rs`).

use std::borrow::Cow;

use super::{Link, LinkKind, Param, ParameterKind, Record};
use crate::hex::Hex;

/// Reads a line of a batch.
///
/// # Errors
/// What serde says of it.
pub fn read_record(line: &str) -> Result<Record<'_>, serde_json::Error> {
    match as_written(line) {
        Some(record) => Ok(record),
        None => serde_json::from_str(line),
    }
}

/// The record, where the line is as the filter writes it.
#[must_use]
pub fn as_written(line: &str) -> Option<Record<'_>> {
    let rest = &mut Rest(line);
    let record = Record {
        index: small(rest.number("{\"index\":")?)??,
        start_us: rest.number(",\"start_us\":")??.try_into().ok()?,
        application: rest.text(",\"application\":")??,
        request_id: rest.text(",\"request_id\":")?,
        trace_id: rest.text(",\"trace_id\":")?,
        method: rest.text(",\"method\":")?,
        scheme: rest.text(",\"scheme\":")?,
        host: rest.text(",\"host\":")?,
        path: rest.text(",\"path\":")?,
        query_names: rest.list(",\"query_names\":", Rest::string)?,
        query_values: rest.list(",\"query_values\":", Rest::pair)?,
        query_hash: rest.id(",\"query_hash\":")?,
        protocol: rest.text(",\"protocol\":")?,
        status: small(rest.number(",\"status\":")?)?,
        flags: rest.number(",\"flags\":")?.unwrap_or(0),
        request_bytes: rest.number(",\"request_bytes\":")?.unwrap_or(0),
        response_bytes: rest.number(",\"response_bytes\":")?.unwrap_or(0),
        duration_us: rest.number(",\"duration_us\":")?.unwrap_or(0),
        upstream_us: rest.number(",\"upstream_us\":")?,
        client_ip: rest.text(",\"client_ip\":")?,
        user_agent: rest.text(",\"user_agent\":")?,
        referer_host: rest.text(",\"referer_host\":")?,
        header_shape: rest.id(",\"header_shape\":")?,
        header_marks: small(rest.number(",\"header_marks\":")?)?,
        content_type: rest.text(",\"content_type\":")?,
        key: rest.text(",\"key\":")??,
        request_session: rest.id(",\"request_session\":")??,
        session: rest.id(",\"session\":")??,
        links: rest.list(",\"links\":", Rest::link)?,
        params: rest.list(",\"params\":", Rest::param)?,
        extract_failed: rest.list(",\"extract_failed\":", Rest::pair)?,
        // Rare: candidates, and the key finder.
        trials: Vec::new(),
        finder: Vec::new(),
        truncated: rest.list(",\"truncated\":", Rest::string)?,
    };
    (rest.0 == "}").then_some(record)
}

/// A number of a smaller kind; `None` where it is too large.
fn small<T: TryFrom<u64>>(number: Option<u64>) -> Option<Option<T>> {
    match number {
        None => Some(None),
        Some(number) => number.try_into().ok().map(Some),
    }
}

/// What is left of the line. Of each answer, `None` means that the line is not as the filter writes
/// it, and within it, that the field is absent.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Takes `what` off, where it is next.
    fn takes(&mut self, what: &str) -> bool {
        let rest = self.0.strip_prefix(what);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn number(&mut self, key: &str) -> Option<Option<u64>> {
        if !self.takes(key) {
            return Some(None);
        }
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at_checked(digits)?;
        if number.is_empty() || (number.starts_with('0') && digits > 1) {
            return None;
        }
        self.0 = rest;
        number.parse().ok().map(Some)
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.0.strip_prefix('"')?;
        let (text, rest) = rest.split_at_checked(closing_quote(rest.as_bytes())?)?;
        self.0 = rest.strip_prefix('"')?;
        Some(Cow::Borrowed(text))
    }

    fn text(&mut self, key: &str) -> Option<Option<Cow<'a, str>>> {
        if self.takes(key) {
            self.string().map(Some)
        } else {
            Some(None)
        }
    }

    fn hex<const N: usize>(&mut self) -> Option<Hex<N>> {
        Hex::parse(&self.string()?)
    }

    fn id<const N: usize>(&mut self, key: &str) -> Option<Option<Hex<N>>> {
        if self.takes(key) {
            self.hex().map(Some)
        } else {
            Some(None)
        }
    }

    fn list<T>(&mut self, key: &str, entry: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::new();
        if !self.takes(key) {
            return Some(all);
        }
        let mut before = "[";
        loop {
            if !self.takes(before) {
                return None;
            }
            all.push(entry(self)?);
            if self.takes("]") {
                return Some(all);
            }
            before = ",";
        }
    }

    fn pair(&mut self) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        let first = self.takes("[").then(|| self.string())??;
        let second = self.takes(",").then(|| self.string())??;
        self.takes("]").then_some((first, second))
    }

    fn link(&mut self) -> Option<Link<'a>> {
        let kind = match &*self.text("{\"kind\":")?? {
            "login" => LinkKind::Login,
            "refresh" => LinkKind::Refresh,
            "both" => LinkKind::Both,
            "policy_change" => LinkKind::PolicyChange,
            _ => return None,
        };
        let link = Link {
            kind,
            session: self.id(",\"session\":")??,
            key: self.text(",\"key\":")??,
        };
        self.takes("}").then_some(link)
    }

    fn param(&mut self) -> Option<Param<'a>> {
        let param = Param {
            name: self.text("{\"name\":")??,
            value: self.text(",\"value\":")??,
            kind: match self.text(",\"kind\":")?.as_deref() {
                None | Some("plain") => ParameterKind::Plain,
                Some("user") => ParameterKind::User,
                Some("role") => ParameterKind::Role,
                Some(_) => return None,
            },
            forgeable: self.takes(",\"forgeable\":true"),
        };
        self.takes("}").then_some(param)
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// The top bit of each byte of `word` that is `byte`. What lies above the first one found may be
/// wrong: the subtraction borrows.
fn equal(word: u64, byte: u8) -> u64 {
    let differs = word ^ (ONES * u64::from(byte));
    differs.wrapping_sub(ONES) & !differs & TOPS
}

/// Where the string ends; `None` where something is escaped, or must be, before that.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let (words, tail) = text.as_chunks::<8>();
    for (number, bytes) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*bytes);
        let control = word.wrapping_sub(ONES * 0x20) & !word & TOPS;
        let found = equal(word, b'"') | equal(word, b'\\') | control;
        if found != 0 {
            let at = (found.trailing_zeros() / 8) as usize;
            return (bytes.get(at) == Some(&b'"')).then_some(number * 8 + at);
        }
    }
    let special = |byte: &u8| matches!(*byte, b'"' | b'\\' | 0..0x20);
    let at = tail.iter().position(special)?;
    (tail.get(at) == Some(&b'"')).then_some(words.len() * 8 + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: &str = r#"{"index":3,"start_us":1000,"application":"a","request_id":"r","trace_id":"t","method":"GET","scheme":"https","host":"h","path":"/é\/{x}","query_names":["a","b"],"query_values":[["a","1"],["b",""]],"query_hash":"00000000000000ff","protocol":"HTTP/2","status":200,"flags":9,"request_bytes":0,"response_bytes":18446744073709551615,"duration_us":5,"upstream_us":4,"client_ip":"10.0.0.1","user_agent":"Mozilla/5.0 (X11; Linux x86_64) \u00e9","referer_host":"r","header_shape":"0000000000000001","header_marks":4294967295,"content_type":"text/html","key":"k","request_session":"00000000000000000000000000000001","session":"00000000000000000000000000000002","links":[{"kind":"login","session":"00000000000000000000000000000003","key":"ip"},{"kind":"policy_change","session":"00000000000000000000000000000004","key":""}],"params":[{"name":"u","value":"ann","kind":"user"},{"name":"r","value":"x","kind":"role","forgeable":true},{"name":"c","value":"1"}],"extract_failed":[["a","json"]],"truncated":["path"]}"#;

    /// As the filter would write it.
    fn written(line: &str) -> String {
        serde_json::to_string(&serde_json::from_str::<Record<'_>>(line).unwrap()).unwrap()
    }

    fn agrees(line: &str) {
        if let Some(record) = as_written(line) {
            let by_serde = serde_json::from_str::<Record<'_>>(line);
            assert_eq!(by_serde.ok(), Some(record), "{line}");
        }
    }

    #[test]
    fn what_the_filter_writes_is_read_here() {
        let plain = WHOLE.replace(r"\/", "/").replace(r"\u00e9", "é");
        for line in [plain.clone(), written(&plain)] {
            assert!(as_written(&line).is_some(), "{line}");
            agrees(&line);
        }
        // Without any of the fields that may be absent.
        let mut short: serde_json::Value = serde_json::from_str(&plain).unwrap();
        for (name, _) in short.clone().as_object().unwrap() {
            let mut less = short.clone();
            less.as_object_mut().unwrap().remove(name);
            let text = less.to_string();
            if serde_json::from_str::<Record<'_>>(&text).is_ok() {
                short = less;
                let line = written(&text);
                assert!(as_written(&line).is_some(), "{line}");
                agrees(&line);
            }
        }
    }

    #[test]
    fn everything_else_is_left_to_serde() {
        let plain = WHOLE.replace(r"\/", "/").replace(r"\u00e9", "é");
        let escaped = [WHOLE.to_owned(), plain.replace("GET", "G\u{7}ET")];
        let spaced = [plain.replace(",\"key", ", \"key"), format!("{plain} ")];
        let odd = [
            plain.replace(":200", ":0200"),
            plain.replace(":200", ":70000"),
            plain.replace(":200", ":2e2"),
            plain.replace(":200", ":null"),
            plain.replace(":1000", ":-1000"),
            plain.replace("18446744073709551615", "18446744073709551616"),
            plain.replace("\"index\":3,", ""),
            plain.replace("\"method\"", "\"colour\""),
            plain.replace("[\"path\"]", "[]"),
            plain.replace("\"login\"", "\"logout\""),
            plain.replace("00ff", "00FF"),
            plain.replace("}]", "}"),
        ];
        for line in escaped.iter().chain(&spaced).chain(&odd) {
            assert_eq!(as_written(line), None, "{line}");
        }
        assert_eq!(read_record(WHOLE).unwrap(), read_record(&plain).unwrap());
        assert!(
            read_record(&odd[7])
                .unwrap_err()
                .to_string()
                .contains("colour")
        );
    }

    proptest! {
        #[test]
        fn agrees_with_serde(cuts in proptest::collection::vec((0_usize..2000, any::<u8>()), 1..4)) {
            let mut line = WHOLE.replace(r"\/", "/").replace(r"\u00e9", "é").into_bytes();
            for (at, byte) in cuts {
                let at = at % line.len();
                line[at] = byte;
            }
            if let Ok(line) = String::from_utf8(line) {
                agrees(&line);
            }
        }

        #[test]
        fn finds_the_first_quote(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let special = |byte: &u8| matches!(*byte, b'"' | b'\\' | 0..0x20);
            let plain = text.iter().position(special).filter(|at| text[*at] == b'"');
            prop_assert_eq!(closing_quote(&text), plain);
        }
    }
}
