//! How long calls stand in line for a processor, and whether that is a burst or too much for the server.
//!
//! A burst makes a line that goes away; a line that stays is nothing but delay, however many are served. So waiting
//! counts only when it has lasted, and then whoever has waited long is refused until nobody has to wait any more.
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

pub(super) struct Line {
    wait_max: Duration,
    patience_ns: u64,
    /// When the waits over the limit began that have had none below it since; 0 if there are none.
    long_since_ns: AtomicU64,
    last_long_ns: AtomicU64,
    stands: AtomicBool,
}

impl Line {
    /// A line stands when for `patience` all waits were over `wait_max`, until for as long none was.
    pub(super) fn new(wait_max: Duration, patience: Duration) -> Self {
        Self {
            wait_max,
            patience_ns: nanoseconds(patience),
            long_since_ns: AtomicU64::new(0),
            last_long_ns: AtomicU64::new(0),
            stands: AtomicBool::new(false),
        }
    }

    /// A call gets its turn after it has waited. Says whether it is one too many.
    pub(super) fn turn(&self, now: Duration, waited: Duration) -> bool {
        let now_ns = nanoseconds(now);
        let last_long_ns = self.last_long_ns.load(Ordering::Relaxed);
        let rested = now_ns.saturating_sub(last_long_ns) > self.patience_ns;
        if rested && self.stands.load(Ordering::Relaxed) {
            self.stands.store(false, Ordering::Relaxed);
        }
        if waited <= self.wait_max {
            if self.long_since_ns.load(Ordering::Relaxed) != 0 {
                self.long_since_ns.store(0, Ordering::Relaxed);
            }
            return false;
        }
        let long_since_ns = self.long_since_ns.load(Ordering::Relaxed);
        self.last_long_ns.store(now_ns, Ordering::Relaxed);
        // After a rest nobody knows how it was meanwhile: it counts anew.
        if long_since_ns == 0 || rested {
            self.long_since_ns.store(now_ns, Ordering::Relaxed);
        } else if now_ns.saturating_sub(long_since_ns) >= self.patience_ns {
            self.stands.store(true, Ordering::Relaxed);
        }
        self.stands.load(Ordering::Relaxed)
    }
}

fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn line() -> Line {
        Line::new(ms(5), ms(200))
    }

    #[test]
    fn a_burst_is_no_line_that_stands() {
        let line = line();
        for at in 0..200 {
            assert!(!line.turn(ms(1000 + at), ms(at)), "{at}");
        }
        assert!(!line.turn(ms(1250), ms(5)), "it is over");
        assert!(!line.turn(ms(1260), ms(80)), "the next one counts anew");
    }

    #[test]
    fn waits_are_cut_short_while_it_stands_and_for_as_long_after() {
        let line = line();
        for at in 0..10 {
            assert!(!line.turn(ms(1000 + at * 20), ms(50)));
        }
        assert!(line.turn(ms(1200), ms(50)));
        assert!(!line.turn(ms(1201), ms(4)), "who has not waited is served");
        assert!(line.turn(ms(1202), ms(6)));
        assert!(line.turn(ms(1400), ms(6)));
        assert!(!line.turn(ms(1601), ms(6)), "nobody had to wait for long enough");
    }

    #[test]
    fn two_waits_long_after_one_another_are_no_line() {
        let line = line();
        assert!(!line.turn(ms(1000), ms(50)));
        assert!(!line.turn(ms(9000), ms(50)));
    }
}
