//! Metrics in the Prometheus text format, without a library: atomics that are written out when somebody asks.
//!
//! A module registers its families once and keeps the handles; updating one is one relaxed atomic operation.
use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

mod histogram;
mod process;
mod rpc;

pub use histogram::{Histogram, LATENCY_BOUNDS_MS};
pub use rpc::RpcMetrics;

/// Labels with their values, as they are written: `{a="b"}`, or nothing.
type Labels = String;

/// All families of a process.
#[derive(Default)]
pub struct Metrics {
    families: Mutex<BTreeMap<&'static str, Family>>,
    pub rpc: RpcMetrics,
}

struct Family {
    help: &'static str,
    kind: &'static str,
    series: BTreeMap<Labels, Source>,
}

enum Source {
    Counter(Counter),
    Gauge(Gauge),
    Read(Box<dyn Fn() -> f64 + Send + Sync>),
    Histogram(Arc<Histogram>),
}

/// A number that only grows.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicI64>);

impl Gauge {
    pub fn add(&self, amount: i64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Metrics {
    /// The counter of this family and these labels, made when it is not there. Names end in `_total`.
    pub fn counter(&self, name: &'static str, help: &'static str, labels: &[(&str, &str)]) -> Counter {
        let source = self.series(
            name,
            help,
            "counter",
            labels,
            || Source::Counter(Counter::default()),
            |source| match source {
                Source::Counter(counter) => Some(counter.clone()),
                _ => None,
            },
        );
        source.expect("a family has one kind")
    }

    pub fn gauge(&self, name: &'static str, help: &'static str, labels: &[(&str, &str)]) -> Gauge {
        let source = self.series(
            name,
            help,
            "gauge",
            labels,
            || Source::Gauge(Gauge::default()),
            |source| match source {
                Source::Gauge(gauge) => Some(gauge.clone()),
                _ => None,
            },
        );
        source.expect("a family has one kind")
    }

    /// A histogram of times, in seconds. Names end in `_seconds`.
    pub fn histogram(&self, name: &'static str, help: &'static str, labels: &[(&str, &str)]) -> Arc<Histogram> {
        let make = || Source::Histogram(Arc::default());
        let source = self.series(name, help, "histogram", labels, make, |source| match source {
            Source::Histogram(histogram) => Some(histogram.clone()),
            _ => None,
        });
        source.expect("a family has one kind")
    }

    /// A gauge whose value is worked out when somebody asks.
    pub fn gauge_of(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&str, &str)],
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) {
        self.series(name, help, "gauge", labels, || Source::Read(Box::new(read)), |_| Some(()));
    }

    /// A counter that is kept elsewhere and read when somebody asks.
    pub fn counter_of(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&str, &str)],
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        self.series(name, help, "counter", labels, || Source::Read(Box::new(move || read() as f64)), |_| Some(()));
    }

    fn series<T>(
        &self,
        name: &'static str,
        help: &'static str,
        kind: &'static str,
        labels: &[(&str, &str)],
        make: impl FnOnce() -> Source,
        handle: impl FnOnce(&Source) -> Option<T>,
    ) -> Option<T> {
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let family = families.entry(name).or_insert_with(|| Family { help, kind, series: BTreeMap::new() });
        handle(family.series.entry(labels_text(labels)).or_insert_with(make))
    }

    /// Everything, as Prometheus reads it.
    pub fn exposition(&self) -> String {
        let mut text = String::with_capacity(16 << 10);
        process::write(&mut text);
        self.rpc.write(&mut text);
        for (name, family) in &*self.families.lock().unwrap_or_else(PoisonError::into_inner) {
            write_head(&mut text, name, family.kind, family.help);
            for (labels, source) in &family.series {
                match source {
                    Source::Counter(counter) => write_line(&mut text, name, labels, counter.get()),
                    Source::Gauge(gauge) => write_line(&mut text, name, labels, gauge.get()),
                    Source::Read(read) => write_line(&mut text, name, labels, read()),
                    Source::Histogram(histogram) => histogram.write(&mut text, name, labels),
                }
            }
        }
        text
    }
}

fn labels_text(labels: &[(&str, &str)]) -> Labels {
    if labels.is_empty() {
        return String::new();
    }
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

fn write_head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn write_line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = writeln!(text, "{name}{labels} {value}");
}

fn seconds(span: Duration) -> f64 {
    span.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_written_with_their_series() {
        let metrics = Metrics::default();
        let tasks = metrics.counter("abide_tasks_total", "Tasks.", &[("queue", "a\"b")]);
        tasks.add(2);
        metrics.counter("abide_tasks_total", "Tasks.", &[("queue", "a\"b")]).add(1);
        metrics.gauge("abide_open", "Open runs.", &[]).set(-1);
        metrics.gauge_of("abide_share", "A share.", &[], || 0.5);
        let text = metrics.exposition();
        for line in [
            "# TYPE abide_tasks_total counter",
            "abide_tasks_total{queue=\"a\\\"b\"} 3",
            "# HELP abide_open Open runs.",
            "abide_open -1",
            "abide_share 0.5",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing from\n{text}");
        }
    }
}
