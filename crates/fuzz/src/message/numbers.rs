//! Numbers, times and spans: the usual ones, and those at the ends.
use prost_reflect::{EnumDescriptor, FieldDescriptor};

use super::{Generator, put_varint};

const EXTREMES: [i64; 12] = [
    0,
    -1,
    1,
    i32::MAX as i64,
    i32::MIN as i64,
    i32::MAX as i64 + 1,
    i64::MAX,
    i64::MIN,
    i64::MAX - 1,
    1 << 40,
    1_000_000_000,
    -1_000_000_000,
];
/// What protobuf allows at most, and what does not fit nanoseconds.
const SECONDS: [i64; 14] = [
    1,
    0,
    10,
    60,
    3600,
    86_400,
    -1,
    315_576_000_000,
    -315_576_000_000,
    253_402_300_799,
    -62_135_596_800,
    9_223_372_036,
    9_223_372_037,
    9_223_372_036_855,
];
const NANOS: [i32; 8] = [0, 1, 999_999_999, 1_000_000, -1, 1_000_000_000, i32::MAX, i32::MIN];

impl Generator<'_, '_> {
    pub(super) fn integer(&mut self, field: &FieldDescriptor) -> i64 {
        let choice = self.choices.byte();
        match choice {
            0..=99 if field.name().ends_with("event_id") => self.vocabulary.choose_number(self.choices),
            0..=199 => i64::from(choice % 12),
            200..=239 => self.choices.pick(&EXTREMES),
            _ => self.choices.number() as i64,
        }
    }

    pub(super) fn double(&mut self) -> f64 {
        // Without the zero that has a sign: it loses it where it is encoded.
        let of = [2.0, 1.0, 0.0, 0.5, -1.0, 1e300, 1e-300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e9, 0.1];
        self.choices.pick(&of)
    }

    pub(super) fn enum_number(&mut self, of: &EnumDescriptor) -> i32 {
        let values: Vec<i32> = of.values().map(|value| value.number()).collect();
        match self.choices.byte() {
            byte @ 0..=239 => values[(usize::from(byte) + 1) % values.len()],
            byte => [99, -1, i32::MAX, i32::MIN][usize::from(byte) % 4],
        }
    }

    pub(super) fn duration(&mut self) -> Vec<u8> {
        let choice = self.choices.byte();
        let (seconds, nanos) = match choice {
            0..=127 => (1 + i64::from(choice % 32), 0),
            128..=159 => (0, 1_000_000 * i32::from(choice - 127)),
            160..=191 => (0, 0),
            192..=239 => (self.choices.pick(&SECONDS), self.choices.pick(&NANOS)),
            _ => (self.choices.number() as i64, self.choices.number() as i32),
        };
        time(seconds, nanos)
    }

    pub(super) fn timestamp(&mut self) -> Vec<u8> {
        let choice = self.choices.byte();
        let (seconds, nanos) = match choice {
            0..=127 => (1_700_000_000 + i64::from(choice), 0),
            128..=239 => (self.choices.pick(&SECONDS), self.choices.pick(&NANOS)),
            _ => (self.choices.number() as i64, self.choices.number() as i32),
        };
        time(seconds, nanos)
    }
}

fn time(seconds: i64, nanos: i32) -> Vec<u8> {
    let mut out = Vec::new();
    if seconds != 0 {
        put_varint(&mut out, 1, seconds as u64);
    }
    if nanos != 0 {
        put_varint(&mut out, 2, i64::from(nanos) as u64);
    }
    out
}
