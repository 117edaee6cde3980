//! The values of a term: read by the kind of its field, each as a test.

use std::net::IpAddr;

use super::FilterError;
use super::words::{Operator, Value};
use crate::config::units;

/// What kind of value a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text: equal, or with its beginning when `*` is at the end.
    Text,
    /// Text that is nearly always in capitals, such as a method: small letters are taken for capitals,
    /// unless in quotes.
    Capitals,
    /// One of some words with commas between them, in capitals: Envoy's response flags.
    Flags,
    /// A part of a text, in capitals or not.
    Part,
    /// The beginning of an id in hex digits.
    Id,
    /// A session, request or trace id.
    AnyId,
    /// An address, or a network such as `10.0.0.0/8`.
    Address,
    /// A status (`404`), a class (`4xx`) or a range (`400..418`).
    Status,
    /// A whole number.
    Count,
    /// Bytes, such as `512` or `8MiB`.
    Bytes,
    /// How long, such as `500ms` or `10m`: microseconds.
    Duration,
    /// 0 to 1: millionths.
    Share,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    /// This text.
    Is(String),
    /// A text that begins so.
    StartsWith(String),
    /// A text with this in it, in small letters.
    Contains(String),
    /// A text with this in it, where a comma stands before and behind it.
    Among(String),
    /// An address of this network.
    Within(IpAddr, u8),
    /// A number in this range, its ends included.
    Between(Option<i64>, Option<i64>),
}

/// How all addresses of a network begin, as they are written; `None` where they have nothing in common.
pub(super) fn beginning(network: IpAddr, bits: u8) -> Option<String> {
    let whole = |size: u8| usize::from(bits / size);
    let begin: String = match network {
        // The last octet or group has nothing behind it.
        IpAddr::V4(network) => {
            let told = network.octets().into_iter().take(whole(8).min(3));
            told.map(|it| format!("{it}.")).collect()
        }
        // Groups of zeros may be written as `::`.
        IpAddr::V6(network) => {
            let told = network.segments().into_iter().take(whole(16).min(7));
            told.take_while(|it| *it != 0)
                .map(|it| format!("{it:x}:"))
                .collect()
        }
    };
    (!begin.is_empty()).then_some(begin)
}

/// In small letters as DuckDB makes them: each for itself, and one of one.
fn small(text: &str) -> String {
    let one = |letter: char| letter.to_lowercase().next().unwrap_or(letter);
    text.chars().map(one).collect()
}

impl Kind {
    /// Numbers can be compared, and have ranges.
    fn is_number(self) -> bool {
        let numbers = [
            Self::Status,
            Self::Count,
            Self::Bytes,
            Self::Duration,
            Self::Share,
        ];
        numbers.contains(&self)
    }

    /// Examples of values, for error messages and docs.
    pub(super) fn examples(self) -> String {
        match self {
            Self::Text => "`shop`, `\"two words\"`, or `sho*` for what begins so".into(),
            Self::Capitals => "`POST`".into(),
            Self::Flags => "`UF`, or `U*` for one that begins so".into(),
            Self::Part => "`firefox`: a part of it, in capitals or not".into(),
            Self::Id => "hex digits, the first of the id: `3f2a`".into(),
            Self::AnyId => "a session, request or trace id".into(),
            Self::Address => "`192.0.2.7`, `10.0.0.0/8` or `2001:db8::/32`".into(),
            Self::Status => "`404`, `4xx` or `400..418`".into(),
            Self::Count => "`50` or `10..20`".into(),
            Self::Bytes => "`512`, `8MiB` or `1KiB..1MiB`".into(),
            Self::Duration => "`500ms`, `10m`, `1h30m` or `1m..10m`".into(),
            Self::Share => "`0.8` or `0.5..0.9`".into(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// A number of this kind.
    fn number(self, text: &str) -> Option<i64> {
        match self {
            Self::Bytes => units::bytes(text)
                .ok()
                .and_then(|bytes| i64::try_from(bytes).ok())
                .or_else(|| units::whole(text)),
            Self::Duration if text == "0" => Some(0),
            Self::Duration => units::duration(text).ok().map(units::micros),
            Self::Share => millionths(text),
            _ => units::whole(text),
        }
        .filter(|number| *number >= 0)
    }

    fn range(self, text: &str) -> Option<Test> {
        if let Some((low, high)) = text.split_once("..") {
            let end = |text: &str| match text {
                "" => Some(None),
                text => self.number(text).map(Some),
            };
            let (low, high) = (end(low)?, end(high)?);
            let empty = low.zip(high).is_some_and(|(low, high)| low > high);
            let open = low.is_none() && high.is_none();
            return (!empty && !open).then_some(Test::Between(low, high));
        }
        if self == Self::Status
            && let Some(class) = text.strip_suffix("xx")
        {
            let class: i64 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
            return Some(Test::Between(Some(class * 100), Some(class * 100 + 99)));
        }
        let number = self.number(text)?;
        Some(Test::Between(Some(number), Some(number)))
    }

    /// Exactly `text`.
    fn named(self, text: String) -> Test {
        match self {
            Self::Flags => Test::Among(format!(",{text},")),
            _ => Test::Is(text),
        }
    }

    fn equal(self, value: &Value) -> Option<Test> {
        let text = value.text.clone();
        let begins = |text: &str| {
            text.strip_suffix('*')
                .map(|start| Test::StartsWith(start.into()))
        };
        match self {
            Self::Text | Self::Capitals | Self::Flags if value.quoted => Some(self.named(text)),
            Self::Text => begins(&text).or(Some(Test::Is(text))),
            Self::Capitals => {
                let text = text.to_uppercase();
                begins(&text).or(Some(Test::Is(text)))
            }
            Self::Flags => {
                let text = text.to_uppercase();
                let start = text.strip_suffix('*').map(|start| format!(",{start}"));
                Some(start.map_or_else(|| self.named(text.clone()), Test::Among))
            }
            Self::Part => {
                let part = if value.quoted {
                    text.as_str()
                } else {
                    text.trim_end_matches('*')
                };
                Some(Test::Contains(small(part)))
            }
            Self::Id => {
                let id = text.trim_end_matches('*').to_lowercase();
                let hex = !id.is_empty() && id.chars().all(|letter| letter.is_ascii_hexdigit());
                hex.then_some(Test::StartsWith(id))
            }
            Self::AnyId => Some(Test::Is(text)),
            Self::Address => network(&text),
            Self::OneOf(words) => words.contains(&text.as_str()).then_some(Test::Is(text)),
            _ => self.range(&text),
        }
    }

    fn compared(self, operator: Operator, text: &str) -> Option<Test> {
        let number = self.number(text)?;
        Some(match operator {
            Operator::Above => Test::Between(Some(number.saturating_add(1)), None),
            Operator::AtLeast => Test::Between(Some(number), None),
            Operator::Below => Test::Between(None, Some(number.saturating_sub(1))),
            _ => Test::Between(None, Some(number)),
        })
    }

    /// Reads `value`, which stands behind `operator` and the field `name`.
    pub(super) fn read(
        self,
        name: &str,
        operator: Operator,
        value: &Value,
    ) -> Result<Test, FilterError> {
        if value.text.is_empty() {
            let remedy = format!("give a value: {}", self.examples());
            return Err(FilterError::new(
                value.column,
                format!("`{name}` has no value"),
                remedy,
            ));
        }
        if operator != Operator::Is && !self.is_number() {
            let problem = format!("`{name}` is no number and cannot be compared");
            return Err(FilterError::new(
                value.column,
                problem,
                format!("write `{name}:…`"),
            ));
        }
        let test = match operator {
            Operator::Is => self.equal(value),
            _ => self.compared(operator, &value.text),
        };
        test.ok_or_else(|| {
            let problem = format!("`{}` is no value of `{name}`", value.text);
            FilterError::new(value.column, problem, format!("give {}", self.examples()))
        })
    }
}

fn millionths(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.chars().all(|it| it.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let number = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    let number = number.checked_add(format!("{fraction:0<6}").parse().ok()?)?;
    (number <= 1_000_000).then_some(number)
}

/// An address, or a network with its length in bits. Of IPv6 networks whole groups are known.
pub(super) fn network(text: &str) -> Option<Test> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let Some(bits) = bits else {
        return Some(Test::Is(address.to_string()));
    };
    let bits: u8 = bits.parse().ok().filter(|bits| *bits <= most)?;
    let whole = address.is_ipv4() || bits.is_multiple_of(16);
    whole.then_some(Test::Within(address, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_letters_are_those_of_duckdb() {
        let text = "MoZilla ΑΣ/2 Σ. İx ÀÉß Ǆ ẞ ŉ \u{1f88}";
        let connection = duckdb::Connection::open_in_memory().unwrap();
        let lower: String = connection
            .query_row("SELECT lower(?)", [text], |row| row.get(0))
            .unwrap();
        assert_eq!(small(text), lower);
    }

    #[test]
    fn tells_how_addresses_of_a_network_begin() {
        for (text, begin) in [
            ("10.11.0.0/16", Some("10.11.")),
            ("10.11.128.0/17", Some("10.11.")),
            ("10.0.0.0/7", None),
            ("10.11.12.13/32", Some("10.11.12.")),
            ("2001:db8::/32", Some("2001:db8:")),
            ("2001:db8::/64", Some("2001:db8:")),
            ("2001:0:1::/48", Some("2001:")),
            ("2001:db8:1:2:3:4:5:6/128", Some("2001:db8:1:2:3:4:5:")),
            ("::/16", None),
        ] {
            let Some(Test::Within(network, bits)) = network(text) else {
                panic!("{text}");
            };
            assert_eq!(beginning(network, bits).as_deref(), begin, "{text}");
        }
    }
}
