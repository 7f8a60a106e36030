//! Calls by method: how many, with which code, how long.
use std::{
    fmt::Write,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tonic::Code;

use super::{Histogram, write_head, write_line};

const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// One slot per method that the server has; one for all others.
#[derive(Default)]
pub struct RpcMetrics {
    methods: OnceLock<Vec<(&'static str, Slot)>>,
    unknown: AtomicU64,
}

/// Filled when the method is called for the first time, so that the many that never are cost nothing.
type Slot = OnceLock<Box<Calls>>;

#[derive(Default)]
struct Calls {
    by_code: [AtomicU64; CODES.len()],
    latency: Histogram,
}

impl RpcMetrics {
    /// Sets the names of the methods; a method's place in the list is its index from then on. A second call is ignored.
    pub fn set_methods(&self, names: impl Iterator<Item = &'static str>) {
        let _ = self.methods.set(names.map(|name| (name, Slot::default())).collect());
    }

    /// Counts a finished call.
    pub fn record(&self, method_index: usize, code: Code, latency: Duration) {
        let Some((_, slot)) = self.methods.get().and_then(|methods| methods.get(method_index)) else { return };
        let calls = slot.get_or_init(Box::default);
        calls.by_code[code as usize].fetch_add(1, Ordering::Relaxed);
        calls.latency.observe(latency);
    }

    /// Counts a call of a method or service that the server does not have.
    pub fn record_unknown(&self) {
        self.unknown.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn write(&self, text: &mut String) {
        let called = || {
            let methods = self.methods.get().map(Vec::as_slice).unwrap_or_default();
            methods.iter().filter_map(|(name, slot)| Some((name, slot.get()?)))
        };
        write_head(text, "abide_rpc_total", "counter", "Finished calls, by method and status code.");
        for (name, calls) in called() {
            for (code, count) in CODES.iter().zip(&calls.by_code) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let _ = writeln!(text, "abide_rpc_total{{method=\"{name}\",code=\"{code}\"}} {count}");
                }
            }
        }
        write_head(text, "abide_rpc_unknown_total", "counter", "Calls of methods that the server does not have.");
        write_line(text, "abide_rpc_unknown_total", "", self.unknown.load(Ordering::Relaxed));
        write_head(
            text,
            "abide_rpc_latency_seconds",
            "histogram",
            "Time from request to reply; long polls include the wait.",
        );
        for (name, calls) in called() {
            calls.latency.write(text, "abide_rpc_latency_seconds", &format!("{{method=\"{name}\"}}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_methods_that_were_called_are_written() {
        let metrics = RpcMetrics::default();
        metrics.set_methods(["A", "B"].into_iter());
        metrics.record(1, Code::NotFound, Duration::from_millis(1));
        metrics.record(7, Code::Ok, Duration::ZERO);
        let mut text = String::new();
        metrics.write(&mut text);
        assert!(text.contains("abide_rpc_total{method=\"B\",code=\"NOT_FOUND\"} 1\n"), "{text}");
        assert!(text.contains("abide_rpc_latency_seconds_count{method=\"B\"} 1\n"), "{text}");
        assert!(!text.contains("\"A\""), "{text}");
    }
}
