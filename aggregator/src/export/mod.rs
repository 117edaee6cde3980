//! Any list → CSV, NDJSON or Parquet, as a stream: however long it is, nobody holds it in memory.
//!
//! `lists` says what there is to export, as SQL; `stream` has a child process run it (`crate::sql`)
//! and hands on what that writes, no faster than whoever asked takes it.

mod lists;
mod stream;

pub use lists::{ALL as ALL_LISTS, List, Wanted};
pub use stream::{Export, Exports};

/// How a list is written.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A header line, then one line per row; times as RFC 3339, lists between brackets.
    Csv,
    /// One JSON object per line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
}

/// All formats.
pub const FORMATS: &[Format] = &[Format::Csv, Format::Ndjson, Format::Parquet];

impl Format {
    /// As users write it, and as a file name ends.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// The media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// Options of DuckDB's COPY.
    #[must_use]
    pub fn options(self) -> &'static str {
        match self {
            Self::Csv => {
                "FORMAT csv, HEADER true, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%fZ', USE_TMP_FILE false"
            }
            Self::Ndjson => {
                "FORMAT json, ARRAY false, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%fZ', USE_TMP_FILE false"
            }
            // Small row groups: two threads hold one each.
            Self::Parquet => {
                "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 40960, WRITE_BLOOM_FILTER false,
                 USE_TMP_FILE false"
            }
        }
    }
}
