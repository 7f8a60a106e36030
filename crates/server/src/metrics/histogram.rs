//! Times, counted in buckets.
use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{seconds, write_line};

/// The upper bounds of the buckets; longer times fall into a last one.
pub const LATENCY_BOUNDS_MS: [u64; 14] = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 20_000, 60_000];

/// How many times fell into each bucket, and their sum.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; LATENCY_BOUNDS_MS.len() + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    pub fn observe(&self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = LATENCY_BOUNDS_MS.partition_point(|bound_ms| bound_ms * 1000 < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    pub(super) fn write(&self, text: &mut String, name: &str, labels: &str) {
        let others =
            labels.strip_prefix('{').and_then(|l| l.strip_suffix('}')).map_or(String::new(), |l| format!("{l},"));
        let mut below = 0;
        for (at, bucket) in self.buckets.iter().enumerate() {
            below += bucket.load(Ordering::Relaxed);
            let bound = LATENCY_BOUNDS_MS
                .get(at)
                .map_or_else(|| "+Inf".into(), |ms| seconds(Duration::from_millis(*ms)).to_string());
            let _ = writeln!(text, "{name}_bucket{{{others}le=\"{bound}\"}} {below}");
        }
        write_line(
            text,
            &format!("{name}_sum"),
            labels,
            seconds(Duration::from_micros(self.sum_us.load(Ordering::Relaxed))),
        );
        write_line(text, &format!("{name}_count"), labels, below);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_all_that_is_below_them() {
        let histogram = Histogram::default();
        for ms in [1, 4, 5, 100_000] {
            histogram.observe(Duration::from_millis(ms));
        }
        let mut text = String::new();
        histogram.write(&mut text, "t_seconds", "{a=\"b\"}");
        for line in [
            "t_seconds_bucket{a=\"b\",le=\"0.001\"} 1",
            "t_seconds_bucket{a=\"b\",le=\"0.003\"} 1",
            "t_seconds_bucket{a=\"b\",le=\"0.005\"} 3",
            "t_seconds_bucket{a=\"b\",le=\"60\"} 3",
            "t_seconds_bucket{a=\"b\",le=\"+Inf\"} 4",
            "t_seconds_sum{a=\"b\"} 100.01",
            "t_seconds_count{a=\"b\"} 4",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing from\n{text}");
        }
    }
}
