//! address → country and autonomous system, from databases in MaxMind's format that the operator has.
//!
//! A file is read once, at the start. What it says is never stored: another file answers anew for all
//! that is stored, and nothing is known where there is none.

mod sql;

use std::net::IpAddr;
use std::path::Path;

use maxminddb::{Reader, path};

pub use sql::register;

/// Largest file; a City database has about 65 MiB.
const FILE_MAX: u64 = 1 << 30;

/// A country by its two capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    fn of(text: &str) -> Option<Self> {
        let code: [u8; 2] = text.as_bytes().try_into().ok()?;
        code.iter()
            .all(u8::is_ascii_uppercase)
            .then_some(Self(code))
    }

    /// Its letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    /// It cannot be read.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// It is larger than any such database.
    #[error("{0}: {1} bytes; the limit is {FILE_MAX}: give a database of countries or networks")]
    TooLarge(String, u64),
    /// It is something else.
    #[error(
        "{0}: {1}: give a database in MaxMind's format (.mmdb) of countries, cities or autonomous \
         systems"
    )]
    Format(String, maxminddb::MaxMindDbError),
}

/// What the operator's databases know, asked in their order.
#[derive(Debug, Default)]
pub struct Geo(Vec<Reader<Vec<u8>>>);

impl Geo {
    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be used; the message names it.
    pub fn open<P: AsRef<Path>>(files: &[P]) -> Result<Self, GeoError> {
        let read = |file: &P| {
            let name = file.as_ref().display().to_string();
            let wrong = |error| GeoError::File(name.clone(), error);
            let size = std::fs::metadata(file).map_err(wrong)?.len();
            if size > FILE_MAX {
                return Err(GeoError::TooLarge(name, size));
            }
            let bytes = std::fs::read(file).map_err(wrong)?;
            Reader::from_source(bytes).map_err(|error| GeoError::Format(name, error))
        };
        files.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Where an address is.
    #[must_use]
    pub fn country(&self, address: IpAddr) -> Option<Country> {
        let code = |reader: &Reader<Vec<u8>>| -> Option<Country> {
            let found = reader.lookup(address).ok()?;
            let code: Option<&str> = found.decode_path(&path!["country", "iso_code"]).ok()?;
            Country::of(code?)
        };
        self.0.iter().find_map(code)
    }

    /// The autonomous system that announces it.
    #[must_use]
    pub fn asn(&self, address: IpAddr) -> Option<u32> {
        let number = |reader: &Reader<Vec<u8>>| -> Option<u32> {
            let found = reader.lookup(address).ok()?;
            found.decode_path(&path!["autonomous_system_number"]).ok()?
        };
        self.0.iter().find_map(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_two_capitals() {
        for (text, expected) in [("DE", true), ("de", false), ("DEU", false), ("", false)] {
            assert_eq!(Country::of(text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_database_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes.mmdb");
        let refused = Geo::open(&[&file]).unwrap_err().to_string();
        assert!(refused.contains("notes.mmdb"), "{refused}");
        std::fs::write(&file, "no database").unwrap();
        let refused = Geo::open(&[&file]).unwrap_err().to_string();
        assert!(
            refused.contains("notes.mmdb") && refused.contains(".mmdb)"),
            "{refused}"
        );
    }
}
