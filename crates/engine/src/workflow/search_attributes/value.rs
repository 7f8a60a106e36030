//! Values of search attributes: what a payload holds, whether it fits a type, and how a text shows it.
use std::fmt::Write;

use serde_json::Value;

use super::Type;
use crate::api::common::Payload;

/// What the payload holds, if it is encoded as values of search attributes are.
pub(super) fn decoded(payload: &Payload) -> Option<Value> {
    match payload.metadata.get("encoding").map(|encoding| &encoding[..]) {
        Some(b"binary/null") => Some(Value::Null),
        Some(b"json/plain") => serde_json::from_slice(&payload.data).ok(),
        _ => None,
    }
}

/// Null and an empty list take the attribute away.
pub(super) fn is_unset(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// Whether a value that is set may be one of this type.
pub(super) fn fits(value: &Value, kind: Type) -> bool {
    match kind {
        Type::Keyword | Type::Text => match value {
            // A list of one text stands for the text.
            Value::Array(many) => matches!(many.as_slice(), [Value::String(_)]),
            one => one.is_string(),
        },
        Type::Int => value.is_i64(),
        Type::Double => value.is_number(),
        Type::Bool => value.is_boolean(),
        Type::Datetime => value.as_str().is_some_and(is_datetime),
        Type::KeywordList => value.as_array().is_some_and(|many| many.iter().all(Value::is_string)),
        Type::Unspecified => false,
    }
}

/// RFC 3339: date, `T`, time of day, perhaps a fraction, and a zone.
fn is_datetime(text: &str) -> bool {
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let mark = |at: usize, mark: u8| text.as_bytes().get(at) == Some(&mark);
    let marked = mark(4, b'-') && mark(7, b'-') && mark(10, b'T') && mark(13, b':') && mark(16, b':');
    let fields = (number(0, 4), number(5, 7), number(8, 10), number(11, 13), number(14, 16), number(17, 19));
    let (Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)) = fields else { return false };
    let sound = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    marked && sound && is_fraction_and_zone(&text[19..])
}

fn days_of(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_fraction_and_zone(text: &str) -> bool {
    let zone = match text.strip_prefix('.') {
        Some(rest) => {
            let zone = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == rest.len() {
                return false;
            }
            zone
        }
        None => text,
    };
    match zone.as_bytes() {
        [b'Z'] => true,
        [b'+' | b'-', hours @ .., b':', m1, m2] => {
            let [h1, h2] = hours else { return false };
            let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
            let pair = |tens, ones| Some(digit(tens)? * 10 + digit(ones)?);
            pair(h1, h2).is_some_and(|hours| hours < 24) && pair(m1, m2).is_some_and(|minutes| minutes < 60)
        }
        _ => false,
    }
}

/// The value as texts show it: the value itself, or the payload where it could not be read.
pub(super) fn shown(payload: &Payload, value: Option<&Value>) -> String {
    let mut text = String::new();
    match value {
        Some(value) => show(&mut text, value),
        None => show_payload(&mut text, payload),
    }
    text
}

/// Writing to a string cannot fail, so its results are dropped here.
fn show(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("<nil>"),
        Value::Bool(yes) => text.push_str(if *yes { "true" } else { "false" }),
        Value::Number(number) => show_number(text, number.as_f64().unwrap_or_default()),
        Value::String(own) => text.push_str(own),
        Value::Array(many) => {
            text.push('[');
            for (at, one) in many.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { " " });
                show(text, one);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            text.push_str("map[");
            for (at, (name, one)) in sorted.into_iter().enumerate() {
                let space = if at == 0 { "" } else { " " };
                let _ = write!(text, "{space}{name}:");
                show(text, one);
            }
            text.push(']');
        }
    }
}

/// The shortest digits; below 10^-4 and from 10^6 on with an exponent of at least two digits.
fn show_number(text: &mut String, number: f64) {
    let scientific = format!("{number:e}");
    let exponent: i32 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let _ = match scientific.split_once('e') {
        Some((digits, _)) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(text, "{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => write!(text, "{number}"),
    };
}

fn show_payload(text: &mut String, payload: &Payload) {
    let mut metadata: Vec<_> = payload.metadata.iter().collect();
    metadata.sort_unstable_by_key(|(name, _)| *name);
    let mut fields: Vec<String> = metadata
        .into_iter()
        .map(|(name, value)| format!("metadata:{{key:{} value:{}}}", quoted(name.as_bytes()), quoted(value)))
        .collect();
    if !payload.data.is_empty() {
        fields.push(format!("data:{}", quoted(&payload.data)));
    }
    let _ = write!(text, "value from <{}>", fields.join(" "));
}

/// Bytes as the text format of messages quotes them.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            let _ = match letter {
                '"' | '\\' => write!(text, "\\{letter}"),
                '\n' => write!(text, "\\n"),
                '\r' => write!(text, "\\r"),
                '\t' => write!(text, "\\t"),
                '\0'..' ' | '\x7f' => write!(text, "\\x{:02x}", u32::from(letter)),
                _ => write!(text, "{letter}"),
            };
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn text(value: &Value) -> String {
        let mut text = String::new();
        show(&mut text, value);
        text
    }

    #[test]
    fn values_are_shown_without_quotes() {
        assert_eq!(text(&json!("yesterday")), "yesterday");
        assert_eq!(text(&json!(["a", "b", null])), "[a b <nil>]");
        assert_eq!(text(&json!({"b": {}, "a": 1})), "map[a:1 b:map[]]");
        assert_eq!(text(&json!([12, 1.5, true, -0.25])), "[12 1.5 true -0.25]");
    }

    #[test]
    fn long_numbers_have_an_exponent() {
        for (number, shown) in [
            (123_456.0, "123456"),
            (1_234_567.0, "1.234567e+06"),
            (1e21, "1e+21"),
            (0.0001, "0.0001"),
            (1.5e-7, "1.5e-07"),
        ] {
            assert_eq!(text(&json!(number)), shown);
        }
    }

    #[test]
    fn what_cannot_be_read_is_shown_as_a_message() {
        let mut payload = Payload { data: Bytes::from_static(b"v\"\x01\xff\xc3\xa9"), ..Default::default() };
        assert_eq!(shown(&payload, None), "value from <data:\"v\\\"\\x01\\xffé\">");
        payload.metadata.insert("encoding".into(), Bytes::from_static(b"json/plain"));
        payload.data = Bytes::new();
        assert_eq!(shown(&payload, None), "value from <metadata:{key:\"encoding\" value:\"json/plain\"}>");
        assert_eq!(shown(&Payload::default(), None), "value from <>");
    }

    #[test]
    fn each_type_takes_its_own_json() {
        let of = |kind: Type| {
            let samples = [
                json!("abc"),
                json!("12"),
                json!(12),
                json!(1.5),
                json!(true),
                json!(["a", "b"]),
                json!([1, 2]),
                json!(["12"]),
                json!("2026-01-01T00:00:00Z"),
                json!({"a": 1}),
            ];
            samples.iter().map(|sample| if fits(sample, kind) { '1' } else { '0' }).collect::<String>()
        };
        assert_eq!(of(Type::Keyword), "1100000110");
        assert_eq!(of(Type::Text), "1100000110");
        assert_eq!(of(Type::Int), "0010000000");
        assert_eq!(of(Type::Double), "0011000000");
        assert_eq!(of(Type::Bool), "0000100000");
        assert_eq!(of(Type::Datetime), "0000000010");
        assert_eq!(of(Type::KeywordList), "0000010100");
    }

    #[test]
    fn times_are_whole_and_exist() {
        for good in ["2024-02-29T23:59:59Z", "2026-01-01T00:00:00.123456789+14:00", "0001-01-01T00:00:00-23:59"] {
            assert!(is_datetime(good), "{good}");
        }
        for bad in [
            "2026-02-29T00:00:00Z",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01 00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+1:00",
            "2026-01-01T00:00:00Zé",
            "é026-01-01T00:00:00Z",
        ] {
            assert!(!is_datetime(bad), "{bad}");
        }
    }
}
