//! Headers of requests, each sent in full once and by its index from then on (RFC 7541).

/// What HPACK's static table has for `:method: POST` and `:scheme: http`.
const STATIC: [u8; 2] = [0x83, 0x86];
/// The first index of the dynamic table, which is that of its newest entry.
const NEWEST: usize = 62;
const INDEXED: u8 = 0x80;
const LITERAL_TO_INDEX: u8 = 0x40;
/// The largest length and index that need one byte.
const ONE_BYTE_MAX: usize = 126;

/// The headers that one connection has sent, oldest first. They are few, so that the table never gives one up.
#[derive(Debug, Default)]
pub(super) struct Headers {
    sent: Vec<(&'static str, String)>,
}

impl Headers {
    /// Appends the header block of a call of `path`.
    pub(super) fn write(&mut self, path: &str, fields: &[(&'static str, &str)], out: &mut Vec<u8>) {
        out.extend(STATIC);
        for (name, value) in [(":path", path)].iter().chain(fields) {
            self.field(name, value, out);
        }
    }

    fn field(&mut self, name: &'static str, value: &str, out: &mut Vec<u8>) {
        if let Some(at) = self.sent.iter().position(|sent| sent.0 == name && sent.1 == value) {
            out.push(INDEXED | (NEWEST + self.sent.len() - 1 - at) as u8);
            return;
        }
        out.push(LITERAL_TO_INDEX);
        for text in [name, value] {
            debug_assert!(text.len() <= ONE_BYTE_MAX, "{text} is too long");
            out.push(text.len() as u8);
            out.extend(text.as_bytes());
        }
        self.sent.push((name, value.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::Headers;

    #[test]
    fn what_was_sent_is_sent_by_its_index() {
        let mut headers = Headers::default();
        let (mut first, mut second, mut other) = (Vec::new(), Vec::new(), Vec::new());
        headers.write("/a", &[("te", "trailers")], &mut first);
        assert_eq!(first, b"\x83\x86\x40\x05:path\x02/a\x40\x02te\x08trailers");
        headers.write("/a", &[("te", "trailers")], &mut second);
        assert_eq!(second, [0x83, 0x86, 0x80 | 63, 0x80 | 62]);
        headers.write("/b", &[("te", "trailers")], &mut other);
        assert_eq!(other, b"\x83\x86\x40\x05:path\x02/b\xbf", "the newest entry has moved the others on");
    }
}
