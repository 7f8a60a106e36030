//! Encoded messages without their descriptors: what a stored record may turn into and still decode.
use crate::choices::Choices;

const EXTREMES: [u64; 10] =
    [0, 1, u64::MAX, i64::MAX as u64, i64::MIN as u64, 2, 5, i32::MAX as u64, 1_700_000_000_000_000_000, 1 << 40];

/// A field: where it begins, where its value does, where it ends.
struct Field {
    start: usize,
    value: usize,
    end: usize,
    is_number: bool,
}

/// Changes a number in a message, or leaves a field out, or writes one twice.
pub(crate) fn disturb(choices: &mut Choices<'_>, message: &mut Vec<u8>, depth: usize) {
    let fields = fields(message);
    let Some(field) = fields.get(choices.below(fields.len().max(1))) else { return };
    match choices.byte() {
        0..=39 => drop(message.drain(field.start..field.end)),
        40..=59 => {
            let copy = message[field.start..field.end].to_vec();
            message.extend(copy);
        }
        _ if field.is_number => {
            let mut number = choices.pick(&EXTREMES);
            let mut encoded = Vec::new();
            while number >= 0x80 {
                encoded.push(number as u8 | 0x80);
                number >>= 7;
            }
            encoded.push(number as u8);
            message.splice(field.value..field.end, encoded);
        }
        _ if depth < 4 => {
            let mut inner = message[field.value..field.end].to_vec();
            let before = inner.len();
            disturb(choices, &mut inner, depth + 1);
            // Only what keeps its length in one byte is put back whole; the rest is damage of another kind.
            if before < 0x80 && inner.len() < 0x80 && field.value > field.start {
                message[field.value - 1] = inner.len() as u8;
            }
            message.splice(field.value..field.end, inner);
        }
        _ => {}
    }
}

/// The fields of a message, up to what is none.
fn fields(message: &[u8]) -> Vec<Field> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < message.len() {
        let start = at;
        let Some((tag, value)) = number(message, at) else { break };
        let (value, end) = match tag & 7 {
            0 => (value, number(message, value).map(|(_, end)| end)),
            1 => (value, Some(value + 8)),
            2 => match number(message, value) {
                Some((length, inner)) => (inner, inner.checked_add(length as usize)),
                None => break,
            },
            5 => (value, Some(value + 4)),
            _ => break,
        };
        let Some(end) = end.filter(|end| *end <= message.len()) else { break };
        found.push(Field { start, value, end, is_number: tag & 7 == 0 });
        at = end;
    }
    found
}

/// A varint, and where it ends.
fn number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0;
    for (place, byte) in bytes.get(at..)?.iter().take(10).enumerate() {
        number |= u64::from(byte & 0x7f).wrapping_shl(7 * place as u32);
        if byte & 0x80 == 0 {
            return Some((number, at + place + 1));
        }
    }
    None
}
