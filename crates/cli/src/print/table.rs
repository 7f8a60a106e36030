//! Columns under heads.

const INDENT: &str = "  ";
const GAP: &str = "  ";

/// Rows that are all known, so that columns are as wide as they need be.
#[derive(Debug)]
pub(crate) struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heads: &[&'static str]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(super) fn render(&self, paint: &dyn Fn(&str) -> String) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([self.heads[column].len()]).max().unwrap_or(0)
        };
        let rows = Rows { widths: (0..self.heads.len()).map(width).collect() };
        let mut out = rows.line(self.heads.iter().copied(), paint) + "\n";
        for row in &self.rows {
            out.push_str(&rows.line(row.iter().map(String::as_str), &str::to_owned));
            out.push('\n');
        }
        out
    }
}

/// The columns of a table that is printed row by row.
#[derive(Debug)]
pub(crate) struct Rows {
    widths: Vec<usize>,
}

impl Rows {
    pub(super) fn new(heads: &[(&str, usize)]) -> Self {
        Self { widths: heads.iter().map(|(_, width)| *width).collect() }
    }

    pub(super) fn line<'a>(&self, cells: impl IntoIterator<Item = &'a str>, paint: &dyn Fn(&str) -> String) -> String {
        let mut out = String::from(INDENT);
        let mut blank = 0;
        for (cell, width) in cells.into_iter().zip(&self.widths) {
            if !cell.is_empty() {
                out.push_str(&format!("{:blank$}{}", "", paint(cell)));
                blank = 0;
            }
            blank += width.saturating_sub(cell.chars().count()) + GAP.len();
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_lines_have_no_trailing_blanks() {
        let mut table = Table::new(&["Name", "Value", "Note"]);
        table.row(["a".into(), String::new(), "x".into()]);
        table.row(["longer".into(), "1".into(), String::new()]);
        assert_eq!(table.render(&str::to_owned), "  Name    Value  Note\n  a              x\n  longer  1\n");
    }
}
