//! Whether there is too much to do: from when it shows until it seems to be over.
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// How long an overload is believed in after the last sign of it.
const SPAN: Duration = Duration::from_secs(4);
/// How long it is believed in whatever the signs: they come of keeping new work low, which may be what is wrong.
const LONGEST: Duration = Duration::from_secs(60);
/// Arrivals are counted in windows of this length.
const WINDOW: Duration = Duration::from_millis(250);
/// It is over as soon as so many times less arrives than at the worst of it.
const RELIEF: u64 = 2;
/// One of so many refused in a window is a sign that it goes on.
const SIGN: u64 = 4;

/// An overload, or none. Times are those of the monotonic clock.
///
/// That little is at work does not tell when it ends: new work is kept low meanwhile, and a machine that is slow may
/// need more than that at work for what is its usual load. What arrives does. To end it is to let a burst in, which
/// takes long if it was not over; hence not before there is a chance.
#[derive(Default)]
pub(super) struct Overload {
    /// 0 if there is none.
    until_ns: AtomicU64,
    latest_ns: AtomicU64,
    window_end_ns: AtomicU64,
    arrived: AtomicU64,
    refused: AtomicU64,
    most_arrived: AtomicU64,
}

impl Overload {
    /// There is one, unless it was known.
    pub(super) fn show(&self, now: Duration) {
        if !self.is_on(now) {
            self.most_arrived.store(0, Ordering::Relaxed);
            self.arrived.store(0, Ordering::Relaxed);
            self.refused.store(0, Ordering::Relaxed);
            self.window_end_ns.store(nanoseconds(now + WINDOW), Ordering::Relaxed);
            self.latest_ns.store(nanoseconds(now + LONGEST), Ordering::Relaxed);
            self.until_ns.store(nanoseconds(now + SPAN), Ordering::Relaxed);
        }
    }

    /// Whether there was one lately, which costs less to ask than the time.
    pub(super) fn may_be_on(&self) -> bool {
        self.until_ns.load(Ordering::Relaxed) > 0
    }

    pub(super) fn is_on(&self, now: Duration) -> bool {
        nanoseconds(now) < self.until_ns.load(Ordering::Relaxed)
    }

    /// Counts new work that arrives during an overload, whether it is let in or not.
    pub(super) fn count(&self, now: Duration) {
        let (now_ns, window_end_ns) = (nanoseconds(now), self.window_end_ns.load(Ordering::Relaxed));
        if now_ns >= window_end_ns {
            let next_ns = nanoseconds(now + WINDOW);
            let (done, other) = (Ordering::Relaxed, Ordering::Relaxed);
            // One of those who see the end of the window looks at it.
            if self.window_end_ns.compare_exchange(window_end_ns, next_ns, done, other).is_ok() {
                let was_silent = now_ns - window_end_ns >= nanoseconds(WINDOW);
                self.look_back(now, was_silent);
            }
        }
        self.arrived.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts what was refused of it.
    pub(super) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn look_back(&self, now: Duration, was_silent: bool) {
        let (arrived, refused) = (self.arrived.swap(0, Ordering::Relaxed), self.refused.swap(0, Ordering::Relaxed));
        let most = self.most_arrived.fetch_max(arrived, Ordering::Relaxed);
        if was_silent || arrived < most / RELIEF {
            self.end();
        } else if self.is_on(now) && refused.saturating_mul(SIGN) >= arrived {
            let until_ns = nanoseconds(now + SPAN).min(self.latest_ns.load(Ordering::Relaxed));
            self.until_ns.store(until_ns, Ordering::Relaxed);
        }
    }

    pub(super) fn end(&self) {
        self.until_ns.store(0, Ordering::Relaxed);
    }
}

fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Duration = Duration::from_secs(1);

    /// `count` arrivals in window number `window`; whether there is an overload after the first of them.
    fn arrivals(overload: &Overload, window: u32, count: u64) -> bool {
        let now = BEGIN + WINDOW * window;
        overload.count(now);
        let is_on = overload.is_on(now);
        (1..count).for_each(|_| overload.count(now));
        is_on
    }

    fn shown() -> Overload {
        let overload = Overload::default();
        assert!(!overload.may_be_on() && !overload.is_on(BEGIN));
        overload.show(BEGIN);
        overload
    }

    #[test]
    fn it_ends_when_half_as_much_arrives() {
        let overload = shown();
        assert!(arrivals(&overload, 0, 100));
        assert!(arrivals(&overload, 1, 60));
        assert!(arrivals(&overload, 2, 40), "sixty were not less than half");
        assert!(!arrivals(&overload, 3, 1), "forty were");
        overload.show(BEGIN + WINDOW * 4);
        assert!(arrivals(&overload, 5, 40), "another one counts anew");
    }

    #[test]
    fn it_ends_when_nothing_arrives() {
        let overload = shown();
        assert!(arrivals(&overload, 0, 100));
        assert!(!arrivals(&overload, 2, 100));
    }

    #[test]
    fn it_is_not_believed_in_for_long_without_a_sign() {
        let overload = shown();
        assert!((0..15).all(|window| arrivals(&overload, window, 10)));
        overload.show(BEGIN + WINDOW * 15);
        assert!(!overload.is_on(BEGIN + SPAN), "what was known does not begin again");
    }

    #[test]
    fn it_goes_on_while_a_part_is_refused() {
        let overload = shown();
        let refused = |window, count| {
            let is_on = arrivals(&overload, window, 10);
            (0..count).for_each(|_| overload.count_refused());
            is_on
        };
        assert!((0..32).all(|window| refused(window, 3)), "a quarter is more than enough");
        assert!((32..48).all(|window| refused(window, 2)), "for four seconds after that was seen last");
        assert!(!refused(48, 2), "two of ten are no sign");
    }

    #[test]
    fn it_is_not_believed_in_for_ever() {
        let overload = shown();
        let windows = u32::try_from(LONGEST.as_nanos() / WINDOW.as_nanos()).expect("few");
        let all_refused = |window| {
            let is_on = arrivals(&overload, window, 10);
            (0..10).for_each(|_| overload.count_refused());
            is_on
        };
        assert!((0..windows).all(all_refused));
        assert!(!all_refused(windows));
    }
}
