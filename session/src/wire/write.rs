//! record → its line, byte for byte as serde would write it, at a fraction of the price.
//!
//! The filter writes a record for every request. serde escapes the names of fields letter by
//! letter and hands on a few bytes at a time; here names are written whole, and a text without
//! anything to escape, which is nearly every one, is copied in one go. What few records have is
//! left to serde. That both give the same is a property that the tests hold.

use std::borrow::Cow;

use serde::Serialize;

use super::Record;
use super::record::ParameterKind;
use crate::hex::Hex;

/// What a usual record takes, without its longer texts.
const USUAL_BYTES: usize = 1_024;

impl Record<'_> {
    /// Appends the record as JSON, without a line's end.
    ///
    /// # Errors
    /// When serde cannot write one of the rare fields; `line` may then end in half a record.
    pub fn write(&self, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        line.reserve(USUAL_BYTES);
        line.extend_from_slice(b"{\"index\":");
        number(line, u64::from(self.index));
        line.extend_from_slice(b",\"start_us\":");
        if self.start_us < 0 {
            line.push(b'-');
        }
        number(line, self.start_us.unsigned_abs());
        line.extend_from_slice(b",\"application\":");
        text(line, &self.application);
        self.write_request(line)?;
        self.write_response(line);
        self.write_client(line);
        self.write_session(line)?;
        line.push(b'}');
        Ok(())
    }

    fn write_request(&self, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        some_text(line, b",\"request_id\":", self.request_id.as_ref());
        some_text(line, b",\"trace_id\":", self.trace_id.as_ref());
        some_text(line, b",\"method\":", self.method.as_ref());
        some_text(line, b",\"scheme\":", self.scheme.as_ref());
        some_text(line, b",\"host\":", self.host.as_ref());
        some_text(line, b",\"path\":", self.path.as_ref());
        list(
            line,
            b",\"query_names\":[",
            &self.query_names,
            |line, name| {
                text(line, name);
                Ok(())
            },
        )?;
        list(
            line,
            b",\"query_values\":[",
            &self.query_values,
            |line, pair| {
                line.push(b'[');
                text(line, &pair.0);
                line.push(b',');
                text(line, &pair.1);
                line.push(b']');
                Ok(())
            },
        )?;
        if let Some(hash) = &self.query_hash {
            line.extend_from_slice(b",\"query_hash\":");
            hex(line, hash);
        }
        Ok(())
    }

    fn write_response(&self, line: &mut Vec<u8>) {
        some_text(line, b",\"protocol\":", self.protocol.as_ref());
        some_number(line, b",\"status\":", self.status.map(u64::from));
        some_number(
            line,
            b",\"flags\":",
            Some(self.flags).filter(|flags| *flags != 0),
        );
        some_number(line, b",\"request_bytes\":", Some(self.request_bytes));
        some_number(line, b",\"response_bytes\":", Some(self.response_bytes));
        some_number(line, b",\"duration_us\":", Some(self.duration_us));
        some_number(line, b",\"upstream_us\":", self.upstream_us);
    }

    fn write_client(&self, line: &mut Vec<u8>) {
        some_text(line, b",\"client_ip\":", self.client_ip.as_ref());
        some_text(line, b",\"user_agent\":", self.user_agent.as_ref());
        some_text(line, b",\"referer_host\":", self.referer_host.as_ref());
        if let Some(shape) = &self.header_shape {
            line.extend_from_slice(b",\"header_shape\":");
            hex(line, shape);
        }
        some_number(
            line,
            b",\"header_marks\":",
            self.header_marks.map(u64::from),
        );
        some_text(line, b",\"content_type\":", self.content_type.as_ref());
    }

    fn write_session(&self, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        line.extend_from_slice(b",\"key\":");
        text(line, &self.key);
        line.extend_from_slice(b",\"request_session\":");
        hex(line, &self.request_session);
        line.extend_from_slice(b",\"session\":");
        hex(line, &self.session);
        list(line, b",\"links\":[", &self.links, |line, link| {
            line.extend_from_slice(b"{\"kind\":");
            serde(line, &link.kind)?;
            line.extend_from_slice(b",\"session\":");
            hex(line, &link.session);
            line.extend_from_slice(b",\"key\":");
            text(line, &link.key);
            line.push(b'}');
            Ok(())
        })?;
        list(line, b",\"params\":[", &self.params, |line, param| {
            line.extend_from_slice(b"{\"name\":");
            text(line, &param.name);
            line.extend_from_slice(b",\"value\":");
            text(line, &param.value);
            if param.kind != ParameterKind::default() {
                line.extend_from_slice(b",\"kind\":");
                serde(line, &param.kind)?;
            }
            if param.forgeable {
                line.extend_from_slice(b",\"forgeable\":true");
            }
            line.push(b'}');
            Ok(())
        })?;
        list(line, b",\"extract_failed\":[", &self.extract_failed, serde)?;
        list(line, b",\"trials\":[", &self.trials, serde)?;
        list(line, b",\"finder\":[", &self.finder, serde)?;
        list(line, b",\"truncated\":[", &self.truncated, serde)
    }
}

/// Nothing at all for an empty list.
fn list<T>(
    line: &mut Vec<u8>,
    name: &[u8],
    items: &[T],
    write: impl Fn(&mut Vec<u8>, &T) -> Result<(), serde_json::Error>,
) -> Result<(), serde_json::Error> {
    for (index, item) in items.iter().enumerate() {
        line.extend_from_slice(if index == 0 { name } else { b"," });
        write(line, item)?;
    }
    if !items.is_empty() {
        line.push(b']');
    }
    Ok(())
}

fn serde(line: &mut Vec<u8>, value: &impl Serialize) -> Result<(), serde_json::Error> {
    serde_json::to_writer(line, value)
}

fn some_text(line: &mut Vec<u8>, name: &[u8], value: Option<&Cow<'_, str>>) {
    if let Some(value) = value {
        line.extend_from_slice(name);
        text(line, value);
    }
}

fn some_number(line: &mut Vec<u8>, name: &[u8], value: Option<u64>) {
    if let Some(value) = value {
        line.extend_from_slice(name);
        number(line, value);
    }
}

fn text(line: &mut Vec<u8>, value: &str) {
    line.push(b'"');
    // Runs of what needs no escape, whole.
    let mut rest = value.as_bytes();
    while let Some(at) = rest.iter().position(needs_escape) {
        let Some((plain, after)) = rest.split_at_checked(at) else {
            break;
        };
        line.extend_from_slice(plain);
        let Some((byte, after)) = after.split_first() else {
            break;
        };
        escaped(line, *byte);
        rest = after;
    }
    line.extend_from_slice(rest);
    line.push(b'"');
}

fn needs_escape(byte: &u8) -> bool {
    *byte < b' ' || matches!(*byte, b'"' | b'\\')
}

fn escaped(line: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            line.extend_from_slice(b"\\u00");
            line.extend_from_slice(Hex([byte]).digits().as_bytes());
            return;
        }
    };
    line.extend_from_slice(&[b'\\', short]);
}

fn hex<const N: usize>(line: &mut Vec<u8>, id: &Hex<N>) {
    line.push(b'"');
    line.extend_from_slice(id.digits().as_bytes());
    line.push(b'"');
}

fn number(line: &mut Vec<u8>, value: u64) {
    // The longest has 20 digits.
    let mut digits = [0; 20];
    let mut rest = value;
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    let start = digits.len().saturating_sub(used);
    line.extend_from_slice(digits.get(start..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{Link, LinkKind, Param, Trial};

    fn check(record: &Record<'_>) {
        let mut line = b"before".to_vec();
        record.write(&mut line).unwrap();
        let expected = format!("before{}", serde_json::to_string(record).unwrap());
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }

    fn cow() -> impl Strategy<Value = Cow<'static, str>> {
        // Everything that JSON escapes among letters of one to four bytes.
        "[a-z0-9\"\\\\/\u{0}-\u{1f}\u{7f}\u{2028}é€😀]{0,12}".prop_map(Cow::Owned)
    }

    fn id<const N: usize>() -> impl Strategy<Value = Hex<N>> {
        any::<u64>().prop_map(|seed| {
            let bytes = seed.to_le_bytes();
            Hex(std::array::from_fn(|at| bytes[at % 8]))
        })
    }

    fn link() -> impl Strategy<Value = Link<'static>> {
        let kinds = proptest::sample::select(vec![
            LinkKind::Login,
            LinkKind::Refresh,
            LinkKind::Both,
            LinkKind::PolicyChange,
        ]);
        (kinds, id(), cow()).prop_map(|(kind, session, key)| Link { kind, session, key })
    }

    fn param() -> impl Strategy<Value = Param<'static>> {
        let kinds = proptest::sample::select(vec![
            ParameterKind::User,
            ParameterKind::Role,
            ParameterKind::Plain,
        ]);
        (cow(), cow(), kinds, any::<bool>()).prop_map(|(name, value, kind, forgeable)| Param {
            name,
            value,
            kind,
            forgeable,
        })
    }

    fn trial() -> impl Strategy<Value = Trial<'static>> {
        let links = proptest::collection::vec(link(), 0..2);
        let sessions = (id(), proptest::option::of(id()));
        (cow(), sessions, links).prop_map(|(name, (session, request_session), links)| Trial {
            policy_version: name.clone(),
            application: name.clone(),
            key: name,
            session,
            request_session,
            links,
        })
    }

    /// A record without lists.
    fn plain() -> impl Strategy<Value = Record<'static>> {
        let texts = proptest::array::uniform12(proptest::option::of(cow()));
        let numbers = (any::<[u64; 5]>(), any::<[Option<u32>; 3]>(), any::<i64>());
        let hashes = (proptest::option::of(id()), proptest::option::of(id()));
        let ids = (id(), id(), hashes);
        (texts, numbers, ids, cow()).prop_map(|(texts, (large, small, start_us), ids, name)| {
            let [request_id, trace_id, method, scheme, host, path, ..] = texts.clone();
            let [
                ..,
                protocol,
                client_ip,
                user_agent,
                referer_host,
                content_type,
            ] = texts;
            let (session, request_session, (query_hash, header_shape)) = ids;
            Record {
                index: small[0].unwrap_or(0),
                start_us,
                application: name.clone(),
                request_id,
                trace_id,
                method,
                scheme,
                host,
                path,
                query_names: Vec::new(),
                query_values: Vec::new(),
                query_hash,
                protocol,
                status: small[1].and_then(|status| u16::try_from(status & 0xffff).ok()),
                flags: small[1].map_or(0, |_| large[0]),
                request_bytes: large[1],
                response_bytes: large[2],
                duration_us: large[3],
                upstream_us: small[1].map(|_| large[4]),
                client_ip,
                user_agent,
                referer_host,
                header_shape,
                header_marks: small[2],
                content_type,
                key: name,
                request_session,
                session,
                links: Vec::new(),
                params: Vec::new(),
                extract_failed: Vec::new(),
                trials: Vec::new(),
                finder: Vec::new(),
                truncated: Vec::new(),
            }
        })
    }

    fn record() -> impl Strategy<Value = Record<'static>> {
        let many = || proptest::collection::vec(cow(), 0..3);
        let pairs = || proptest::collection::vec((cow(), cow()), 0..3);
        let links = proptest::collection::vec(link(), 0..3);
        let params = proptest::collection::vec(param(), 0..3);
        let trials = proptest::collection::vec(trial(), 0..3);
        let finder = proptest::collection::vec((cow(), id()), 0..3);
        let query = (many(), pairs());
        let lists = (query, links, params, pairs(), trials, finder, many());
        (plain(), lists).prop_map(|(record, lists)| {
            let (query, links, params, extract_failed, trials, finder, truncated) = lists;
            let (query_names, query_values) = query;
            Record {
                query_names,
                query_values,
                links,
                params,
                extract_failed,
                trials,
                finder,
                truncated,
                ..record
            }
        })
    }

    proptest! {
        #[test]
        fn is_what_serde_writes(record in record()) {
            check(&record);
        }

        #[test]
        fn every_number_is_what_serde_writes(value: u64, shift in 0_u32..64) {
            let mut line = Vec::new();
            number(&mut line, value >> shift);
            prop_assert_eq!(String::from_utf8(line).unwrap(), (value >> shift).to_string());
        }
    }
}
