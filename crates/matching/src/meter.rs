//! How many tasks a second, over the last half minute.

const WINDOW_S: i64 = 30;

/// Counts per second in a ring over the window.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    counts: [u32; WINDOW_S as usize],
    /// Whole seconds since the Unix epoch; `None` before the first count.
    newest_s: Option<i64>,
    oldest_s: i64,
}

impl Meter {
    pub(crate) fn count(&mut self, now_ms: i64) {
        let now_s = self.advance(now_ms);
        let count = &mut self.counts[now_s.rem_euclid(WINDOW_S) as usize];
        *count = count.saturating_add(1);
    }

    /// Tasks per second, averaged over the window or over the meter's age if that is shorter.
    pub(crate) fn per_second(&mut self, now_ms: i64) -> f32 {
        if self.newest_s.is_none() {
            return 0.0;
        }
        let now_s = self.advance(now_ms);
        let seconds = (now_s - self.oldest_s + 1).clamp(1, WINDOW_S);
        let total: u64 = self.counts.iter().map(|&count| u64::from(count)).sum();
        total as f32 / seconds as f32
    }

    /// Clears the seconds that passed; a clock that went back counts in the newest second.
    fn advance(&mut self, now_ms: i64) -> i64 {
        let now_s = now_ms.div_euclid(1000);
        let Some(newest_s) = self.newest_s else {
            (self.newest_s, self.oldest_s) = (Some(now_s), now_s);
            return now_s;
        };
        if now_s <= newest_s {
            return newest_s;
        }
        if now_s - newest_s >= WINDOW_S {
            self.counts = [0; WINDOW_S as usize];
        } else {
            for second in newest_s + 1..=now_s {
                self.counts[second.rem_euclid(WINDOW_S) as usize] = 0;
            }
        }
        self.newest_s = Some(now_s);
        now_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_over_its_age_and_then_over_the_window() {
        let mut meter = Meter::default();
        assert_eq!(meter.per_second(0), 0.0);
        for _ in 0..60 {
            meter.count(5_000);
        }
        assert_eq!(meter.per_second(5_900), 60.0);
        assert_eq!(meter.per_second(6_000), 30.0);
        assert_eq!(meter.per_second(34_999), 2.0);
        assert_eq!(meter.per_second(35_000), 0.0);
        assert_eq!(meter.per_second(4_000), 0.0, "a clock that went back brings nothing back");
    }

    #[test]
    fn a_long_pause_clears_everything() {
        let mut meter = Meter::default();
        meter.count(0);
        meter.count(1_000_000);
        assert_eq!(meter.per_second(1_000_000), 1.0 / 30.0);
    }
}
