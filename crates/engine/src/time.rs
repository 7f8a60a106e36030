//! Points in time and spans, as nanoseconds in 64 bits: enough until the year 2262, cheap to compare and to store.
use std::ops::{Add, Sub};

use prost_types::{Duration, Timestamp};

const NANOS: i64 = 1_000_000_000;
/// The longest span that a user can ask for; longer ones are cut to it (spec §3.14).
pub const LONGEST: Span = Span(100 * 365 * 24 * 3600 * NANOS);

/// Nanoseconds since the Unix epoch. Zero means "not set" in stored records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

/// A span of nanoseconds. Zero means "none" in stored records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub i64);

impl Time {
    /// The first whole millisecond that is not before this time, so that nothing armed by it fires early.
    pub fn ceil_ms(self) -> i64 {
        self.0.div_euclid(1_000_000) + i64::from(self.0.rem_euclid(1_000_000) != 0)
    }

    /// The whole millisecond that this time lies in.
    pub fn floor_ms(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    pub fn from_ms(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000_000))
    }

    pub fn is_set(self) -> bool {
        self.0 != 0
    }

    pub fn timestamp(self) -> Timestamp {
        Timestamp { seconds: self.0.div_euclid(NANOS), nanos: self.0.rem_euclid(NANOS) as i32 }
    }

    /// The wire form, or none for a time that is not set.
    pub fn optional(self) -> Option<Timestamp> {
        self.is_set().then(|| self.timestamp())
    }

    pub fn of(timestamp: &Timestamp) -> Self {
        Self(timestamp.seconds.saturating_mul(NANOS).saturating_add(i64::from(timestamp.nanos)))
    }
}

impl Span {
    pub const ZERO: Self = Self(0);

    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds * NANOS)
    }

    pub const fn millis(ms: i64) -> Self {
        Self(ms * 1_000_000)
    }

    /// The span of a wire duration, cut to [`LONGEST`]; none is zero.
    pub fn of(duration: Option<&Duration>) -> Self {
        let Some(d) = duration else { return Self::ZERO };
        Self(d.seconds.saturating_mul(NANOS).saturating_add(i64::from(d.nanos)).min(LONGEST.0))
    }

    pub fn duration(self) -> Duration {
        Duration { seconds: self.0 / NANOS, nanos: (self.0 % NANOS) as i32 }
    }

    /// The wire form, or none for a span of zero.
    pub fn optional(self) -> Option<Duration> {
        (self.0 != 0).then(|| self.duration())
    }

    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This span if it is set, else the other.
    pub fn or(self, other: Self) -> Self {
        if self.is_zero() { other } else { self }
    }

    /// The smaller of two spans, where zero is "no limit".
    pub fn min_set(self, other: Self) -> Self {
        match (self.is_zero(), other.is_zero()) {
            (_, true) => self,
            (true, false) => other,
            _ => self.min(other),
        }
    }
}

impl Add<Span> for Time {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub for Time {
    type Output = Span;
    fn sub(self, other: Self) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_never_rounds_down() {
        assert_eq!(Time(1_000_001).ceil_ms(), 2);
        assert_eq!(Time(2_000_000).ceil_ms(), 2);
        assert_eq!(Time(1_999_999).floor_ms(), 1);
    }

    #[test]
    fn durations_are_cut_to_a_century() {
        let long = Duration { seconds: i64::MAX, nanos: 0 };
        assert_eq!(Span::of(Some(&long)), LONGEST);
        assert_eq!(Span::of(None), Span::ZERO);
    }

    #[test]
    fn zero_is_no_limit() {
        assert_eq!(Span::ZERO.min_set(Span(5)), Span(5));
        assert_eq!(Span(7).min_set(Span(5)), Span(5));
        assert_eq!(Span(7).min_set(Span::ZERO), Span(7));
    }
}
