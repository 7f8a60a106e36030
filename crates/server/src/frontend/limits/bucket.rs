//! A token bucket in one atomic number: the time at which it is full again.
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Holds `burst` tokens and gains `per_second` of them.
pub(super) struct Bucket {
    interval_ns: u64,
    burst_ns: u64,
    full_at_ns: AtomicU64,
}

impl Bucket {
    /// Both are above zero; a burst of less than one token is one.
    pub(super) fn new(per_second: f64, burst: f64) -> Self {
        let interval_ns = (1e9 / per_second).clamp(1.0, 1e15);
        let burst_ns = (interval_ns * burst.max(1.0)).min(1e18) as u64;
        Self { interval_ns: interval_ns as u64, burst_ns, full_at_ns: AtomicU64::new(0) }
    }

    /// Takes a token if there is one. `now` never goes back by much.
    pub(super) fn take(&self, now: Duration) -> bool {
        let now_ns = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX / 2);
        let latest_ns = now_ns.saturating_add(self.burst_ns);
        let taken = self.full_at_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at_ns| {
            let next_ns = full_at_ns.max(now_ns).saturating_add(self.interval_ns);
            (next_ns <= latest_ns).then_some(next_ns)
        });
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bucket: &Bucket, at_ms: u64) -> usize {
        (0..1000).take_while(|_| bucket.take(Duration::from_millis(at_ms))).count()
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let bucket = Bucket::new(10.0, 20.0);
        assert_eq!(taken(&bucket, 5_000), 20);
        assert_eq!(taken(&bucket, 5_099), 0);
        assert_eq!(taken(&bucket, 5_100), 1);
        assert_eq!(taken(&bucket, 5_400), 3);
        assert_eq!(taken(&bucket, 60_000), 20, "tokens over the burst are lost");
    }

    #[test]
    fn a_small_burst_is_one_token() {
        let bucket = Bucket::new(0.2, 0.2);
        assert_eq!(taken(&bucket, 0), 1);
        assert_eq!(taken(&bucket, 4_999), 0);
        assert_eq!(taken(&bucket, 5_000), 1);
    }
}
