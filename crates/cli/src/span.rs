//! Lengths of time as users write them: `1h30m`, `500ms`, `2d`.

use std::{fmt, str::FromStr, time::Duration};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Units from the longest; a later spelling of the same length is only read.
const UNITS: [(&str, i64); 8] = [
    ("d", 86_400 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("s", NANOS_PER_SECOND),
    ("ms", 1_000_000),
    ("µs", 1_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A length of time in nanoseconds; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(pub(crate) i64);

/// A text that is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration: expected numbers with units, as in 1h30m, 10s or 2d")]
pub(crate) struct BadSpan(String);

impl Span {
    /// None if it is negative.
    pub(crate) fn to_std(self) -> Option<Duration> {
        u64::try_from(self.0).ok().map(Duration::from_nanos)
    }

    /// Without what is below a millisecond, for people.
    pub(crate) fn to_millis(self) -> Self {
        Self(self.0 - self.0 % 1_000_000)
    }

    pub(crate) fn between(from: &prost_types::Timestamp, to: &prost_types::Timestamp) -> Self {
        let seconds = to.seconds.saturating_sub(from.seconds);
        Self(seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(i64::from(to.nanos) - i64::from(from.nanos)))
    }
}

impl From<Span> for prost_types::Duration {
    fn from(span: Span) -> Self {
        Self { seconds: span.0 / NANOS_PER_SECOND, nanos: (span.0 % NANOS_PER_SECOND) as i32 }
    }
}

impl From<&prost_types::Duration> for Span {
    fn from(duration: &prost_types::Duration) -> Self {
        Self(duration.seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(i64::from(duration.nanos)))
    }
}

impl FromStr for Span {
    type Err = BadSpan;

    fn from_str(given: &str) -> Result<Self, BadSpan> {
        let bad = || BadSpan(given.to_owned());
        let (sign, mut rest) = match given.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, given.strip_prefix('+').unwrap_or(given)),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(bad());
        }
        let mut total: i64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
            let (number, after) = rest.split_at(digits);
            let word = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
            let (unit, next) = after.split_at(word);
            let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(bad)?;
            total = scaled(number, *nanos).and_then(|part| total.checked_add(part)).ok_or_else(bad)?;
            rest = next;
        }
        Ok(Self(sign * total))
    }
}

/// A decimal number times a unit, exact in its whole part.
fn scaled(number: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part = if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse::<f64>().ok()? };
    whole.checked_mul(unit)?.checked_add((part * unit as f64).round() as i64)
}

impl fmt::Display for Span {
    /// `1h0m0s`, `2m3s`, `1.5s`, `10ms`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let nanos = self.0.unsigned_abs();
        let second = NANOS_PER_SECOND as u64;
        if nanos < second {
            return match nanos {
                0 => f.write_str("0s"),
                1..1_000 => write!(f, "{nanos}ns"),
                1_000..1_000_000 => write!(f, "{}µs", nanos as f64 / 1e3),
                _ => write!(f, "{}ms", nanos as f64 / 1e6),
            };
        }
        let (hours, minutes) = (nanos / (3_600 * second), nanos / (60 * second) % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        write!(f, "{}s", (nanos % (60 * second)) as f64 / second as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_numbers_with_units() {
        let read = |given: &str| given.parse::<Span>().map(|span| span.to_string());
        for (given, shown) in [
            ("1h", "1h0m0s"),
            ("1h30m", "1h30m0s"),
            ("1.5s", "1.5s"),
            ("500ms", "500ms"),
            ("2d", "48h0m0s"),
            ("0", "0s"),
            ("-10s", "-10s"),
            ("1m0.25s", "1m0.25s"),
            ("3us", "3µs"),
        ] {
            assert_eq!(read(given).as_deref(), Ok(shown), "{given}");
        }
        for given in ["", "5", "forever", "1h5", ".s", "s", "1w", "999999999999h", "1 h", "é"] {
            assert!(read(given).is_err(), "{given}");
        }
    }

    #[test]
    fn the_wire_form_keeps_the_sign_in_both_parts() {
        let wire = prost_types::Duration::from(Span(-1_500_000_000));
        assert_eq!((wire.seconds, wire.nanos), (-1, -500_000_000));
        assert_eq!(Span::from(&wire), Span(-1_500_000_000));
    }
}
