//! Rows for people: columns as wide as their longest value, two spaces between them.

use std::fmt;

/// Longest text of a cell, letters; the last column has no limit.
const CELL_LEN_MAX: usize = 48;

/// Rows with a heading each.
#[derive(Debug, Default)]
pub(crate) struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns of numbers, which stand at the right.
    right: Vec<bool>,
}

impl Table {
    /// A table with these headings; one that begins with `>` stands at the right.
    pub(crate) fn new<T: AsRef<str>>(headings: &[T]) -> Self {
        let is_right = |heading: &T| heading.as_ref().starts_with('>');
        let plain = |heading: &T| heading.as_ref().trim_start_matches('>').to_owned();
        Self {
            right: headings.iter().map(is_right).collect(),
            headings: headings.iter().map(plain).collect(),
            rows: Vec::new(),
        }
    }

    /// Another row. Control characters, which could move a terminal's cursor, become `·`.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let last = self.headings.len().saturating_sub(1);
        let clean = |(index, cell): (usize, String)| {
            let mut letters = cell
                .chars()
                .map(|it| if it.is_control() { '·' } else { it });
            if index == last {
                return letters.collect();
            }
            let kept: String = letters.by_ref().take(CELL_LEN_MAX).collect();
            if letters.next().is_none() {
                return kept;
            }
            kept.chars().take(CELL_LEN_MAX - 1).chain(['…']).collect()
        };
        self.rows
            .push(cells.into_iter().enumerate().map(clean).collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let all = cells.chain(self.headings.get(column));
        all.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<_> = (0..self.headings.len()).map(|it| self.width(it)).collect();
        let lines = std::iter::once(&self.headings).chain(&self.rows);
        for (index, line) in lines.enumerate() {
            let mut text = String::new();
            for ((cell, width), right) in line.iter().zip(&widths).zip(&self.right) {
                let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
                let (before, after) = if *right {
                    (padding, String::new())
                } else {
                    (String::new(), padding)
                };
                text.extend([&before, cell.as_str(), &after, "  "]);
            }
            let end = if index == 0 { "" } else { "\n" };
            write!(formatter, "{end}{}", text.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let mut table = Table::new(&["id", ">requests", "says"]);
        table.row(["a".into(), "7".into(), "one\u{1b}[2J".into()]);
        table.row(["x".repeat(60), "1234".into(), "two".into()]);
        let text = table.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("id  "), "{text}");
        assert!(lines[1].ends_with("  7  one·[2J"), "{text}");
        assert!(
            lines[2].starts_with(&format!("{}…  ", "x".repeat(47))),
            "{text}"
        );
        let place = |line: &str, word| line.split_once(word).unwrap().0.chars().count();
        assert_eq!(place(lines[1], "one"), place(lines[2], "two"));
    }
}
