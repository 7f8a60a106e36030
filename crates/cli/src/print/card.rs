//! `Key  value` lines, the keys as wide as the widest.

/// The fields of one thing, in order.
#[derive(Debug, Default)]
pub(crate) struct Card {
    fields: Vec<(String, String)>,
}

const GAP: &str = "  ";

impl Card {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn field(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((key.into(), value.into()));
        self
    }

    /// A field that is only there with a value.
    pub(crate) fn optional(self, key: &str, value: Option<String>) -> Self {
        match value {
            Some(value) if !value.is_empty() => self.field(key, value),
            _ => self,
        }
    }

    pub(super) fn render(&self, paint: &dyn Fn(&str) -> String) -> String {
        let width = self.fields.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
        let mut out = String::new();
        for (key, value) in &self.fields {
            let pad = if value.is_empty() { 0 } else { width - key.chars().count() + GAP.len() };
            let value = value.replace('\n', &format!("\n{GAP}{GAP}"));
            out.push_str(&format!("{GAP}{}{:pad$}{value}\n", paint(key), ""));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_padded_and_empty_values_leave_no_blanks() {
        let card = Card::new().field("Id", "1").field("LongKey", "").optional("None", None).field("Type", "a\nb");
        assert_eq!(card.render(&str::to_owned), "  Id       1\n  LongKey\n  Type     a\n    b\n");
    }
}
