//! Time that never goes back.
//!
//! When somebody sets the machine's clock back, the process does not follow at once: its time runs at half speed until
//! the clock has caught up. Deadlines that were set before would otherwise all be late by that step, and histories run
//! backwards.

/// What the wall clock told last, and when that was by the monotonic one, both in nanoseconds.
#[derive(Debug, Default)]
pub struct SlewedClock {
    wall_ns: i64,
    monotonic_ns: i64,
}

impl SlewedClock {
    /// The time to tell now: the wall clock's, or half as much later than the last time as it really is.
    pub fn next(&mut self, wall_ns: i64, monotonic_ns: i64) -> i64 {
        let slowed_ns = self.wall_ns.saturating_add((monotonic_ns - self.monotonic_ns) / 2);
        *self = Self { wall_ns: wall_ns.max(slowed_ns), monotonic_ns };
        self.wall_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_jumps_ahead_with_the_clock_and_slows_when_it_is_set_back() {
        let mut told = SlewedClock { wall_ns: 1000, monotonic_ns: 10 };
        assert_eq!(told.next(1005, 15), 1005);
        assert_eq!(told.next(405, 35), 1015, "set back: half speed");
        assert_eq!(told.next(1005, 635), 1315);
        assert_eq!(told.next(1605, 1235), 1615, "almost there");
        assert_eq!(told.next(1705, 1335), 1705, "caught up");
        assert_eq!(told.next(9000, 1340), 9000, "set ahead: followed at once");
        assert_eq!(told.next(9001, 1340 + 100), 9050, "a pause between the two readings never leads ahead of the time");
    }
}
