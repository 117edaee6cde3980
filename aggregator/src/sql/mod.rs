//! SQL of users → rows: in a child process that can do nothing else.
//!
//! The service writes what it holds in DuckDB's own file into Parquet files (`snapshot`), and
//! starts `throughline sql-worker` (`child`). That process locks itself up (`sandbox`), opens a
//! DuckDB in memory that reaches nothing but these files and the closed segments, makes the views
//! of `views.sql`, runs one SELECT (`worker`) and writes its rows as JSON (`value`).
//!
//! Architecture invariant: the child gets no environment, no secrets and no network code, and it
//! is killed when its time is over or nobody waits for it any more.

mod child;
mod copy;
mod sandbox;
mod snapshot;
mod value;
mod worker;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::export::Format;

pub use child::{Answer, Sql, SqlError};
pub use copy::Copied;
pub use worker::{run as work, view_select};

/// Longest statement, bytes.
pub const SQL_LEN_MAX: usize = 64 * 1024;
/// Rows of an answer when nothing else is asked for, and at most.
pub const ROWS: u64 = 1_000;
/// Rows of an answer at most.
pub const ROWS_MAX: u64 = 100_000;
/// Bytes of an answer at most.
pub const ANSWER_BYTES_MAX: u64 = 32 << 20;
/// A statement is stopped after this many times `--query-timeout`.
pub const TIMES: u32 = 3;
/// Statements that run at the same time.
pub const WORKERS_MAX: usize = 2;
/// Memory of DuckDB's buffers in the child, MiB.
const MEMORY_MIB: u64 = 512;
/// Threads of DuckDB in the child.
const THREADS: u64 = 2;
/// Newest requests of DuckDB's own file that a snapshot holds at most; those of closed segments are
/// all there.
const HOT_ROWS_MAX: u64 = 1_000_000;

/// What the child is told, as JSON on its standard input.
#[derive(Debug, Serialize, Deserialize)]
struct Job {
    /// The statement.
    sql: String,
    /// Rows at most.
    rows_max: u64,
    /// Process id of the service.
    service: u32,
    /// Processor time at most, seconds.
    cpu_s: u64,
    /// Tables of the service's database as files.
    tables: Vec<(String, PathBuf)>,
    /// Its views, as SQL.
    views: Vec<String>,
    /// The only folders that may be read.
    folders: Vec<PathBuf>,
    /// Its rows are written as a file to the standard output.
    #[serde(default)]
    copy: Option<Copy>,
}

/// How the rows of a statement of the service's own are written as a file.
#[derive(Debug, Serialize, Deserialize)]
struct Copy {
    format: Format,
    /// To be run before the statement.
    prepare: Vec<String>,
    /// The only applications to be seen; all where there are none.
    applications: Option<Vec<String>>,
}

/// A column of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type in DuckDB's words.
    #[serde(rename = "type")]
    pub kind: String,
}

/// What the child says, one line of JSON each: first the columns, or what is wrong; then each row
/// as an array; last how it ended.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    /// What the rows consist of.
    Columns(Vec<Column>),
    /// The statement cannot be run, or broke off.
    Refused(String),
    /// That was all.
    End {
        /// There were more rows.
        cut: bool,
    },
}
