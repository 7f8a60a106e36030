//! Spans of time as Go writes them.
use std::time::Duration;

/// Units with their length in nanoseconds; longer names first, so that `ms` is not read as `m`.
const UNITS: [(&str, f64); 8] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// The span of a text such as `1h30m`, `1.5s`, `300ms` or `0`; none for anything else, and for negative ones.
pub fn parse_span(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total_ns = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|&at| at > 0)?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, ns) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit))?;
        total_ns += number * ns;
        rest = &rest[unit.len()..];
    }
    Duration::try_from_secs_f64(total_ns / 1e9).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations() {
        for (text, ms) in [
            ("0", 0),
            ("0s", 0),
            ("5000ms", 5000),
            ("1h30m", 5_400_000),
            ("1.5s", 1500),
            ("2m0.5s", 120_500),
            ("+1s", 1000),
        ] {
            assert_eq!(parse_span(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "1", "s", "-1s", "1x", "1s2", ".s", "1..2s", "1e400h"] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }
}
