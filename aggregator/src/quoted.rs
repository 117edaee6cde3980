//! Texts within SQL.

use std::path::Path;

/// `text` between quotes. A zero byte would end the SQL: whoever has texts of strangers sees to that.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `path` between quotes.
pub(crate) fn quoted_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}
