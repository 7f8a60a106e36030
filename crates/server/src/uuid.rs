//! The text form of UUIDs. Inside, ids are 16 bytes.

const DASHES: [usize; 4] = [8, 13, 18, 23];

/// The lower-case form with dashes, 36 characters.
pub fn text(id: [u8; 16]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(36);
    for byte in id {
        if DASHES.contains(&text.len()) {
            text.push('-');
        }
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

/// The id of a text of 36 characters with dashes, in small or capital letters; none for anything else.
pub fn parse(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 || DASHES.iter().any(|&at| bytes[at] != b'-') {
        return None;
    }
    let mut digits = (0..36).filter(|at| !DASHES.contains(at)).map(|at| char::from(bytes[at]).to_digit(16));
    let mut id = [0; 16];
    for byte in &mut id {
        let (high, low) = (digits.next()??, digits.next()??);
        *byte = (high << 4 | low) as u8;
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let id = std::array::from_fn(|i| (i * 17) as u8);
        assert_eq!(text(id), "00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(parse(&text(id)), Some(id));
        assert_eq!(parse("00112233-4455-6677-8899-AABBCCDDEEFF"), Some(id));
    }

    #[test]
    fn other_texts_are_no_ids() {
        for bad in [
            "",
            "nope",
            "00112233445566778899aabbccddeeff",
            "00112233-4455-6677-8899-aabbccddeefg",
            "é0112233-4455-6677-8899-aabbccddeef",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
