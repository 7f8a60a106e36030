//! The numbers to hold: what a server must reach on a quiet machine of two processors.
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Ratio, SdkFigures};
use crate::figures::Figures;

/// Most that the server's processor may take for a workflow at 64 at a time, in milliseconds.
const CPU_MS: [(&str, f64); 3] =
    [("activities_3_at_64", 0.7), ("local_activities_3_at_64", 0.35), ("activities_0_at_64", 0.25)];
/// Most of that time as a multiple of the ceiling's under the load of an SDK, for workflows of three activities.
const CPU_OF_CEILING: (&str, f64) = ("activities_3_at_64", 2.0);
/// Least throughput, of the ceiling's.
const RATE_OF_CEILING: f64 = 0.5;
/// Most syncs, and milliseconds more, from start to result of one activity when nothing else runs.
const LATENCY: (f64, f64) = (6.0, 2.0);
const SIGNALS_PER_S: f64 = 5_000.0;
const RESIDENT_AT_START_MIB: f64 = 25.0;
const COLD_START_MS: f64 = 50.0;
const DISK_BYTES_PER_IDLE_RUN: f64 = 1_000.0;

/// One number to hold, and what was reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Workload and quantity.
    pub what: String,
    /// What was measured.
    pub measured: f64,
    /// What it may be at the worst.
    pub bar: f64,
    /// Whether more is better.
    pub at_least: bool,
}

impl Bar {
    /// Whether the number holds.
    pub fn holds(&self) -> bool {
        if self.at_least { self.measured >= self.bar } else { self.measured <= self.bar }
    }

    fn at_most(what: String, measured: Option<f64>, bar: f64) -> Option<Self> {
        Some(Bar { what, measured: measured?, bar, at_least: false })
    }
}

/// The bars that the figures of one server say something about.
pub fn of_figures(figures: &Figures) -> Vec<Bar> {
    let name = &figures.workload;
    let mut bars = Vec::new();
    if let Some(bar) = cpu_ms(name) {
        bars.extend(Bar::at_most(format!("{name}: server CPU per workflow, ms"), figures.server_cpu_ms, bar));
    }
    match name.as_str() {
        "activities_1_at_1" => {
            let bar = figures.sync_p50_ms.map(|sync_ms| LATENCY.0 * sync_ms + LATENCY.1);
            let p50 = figures.latency.map(|l| l.p50_ms);
            bars.extend(bar.and_then(|bar| Bar::at_most(format!("{name}: p50 of 6 fsyncs plus 2 ms, ms"), p50, bar)));
            let resident = figures.resident_at_start_mib;
            bars.extend(Bar::at_most("idle server: memory, MiB".to_owned(), resident, RESIDENT_AT_START_MIB));
            bars.extend(Bar::at_most(
                "cold start to first answer, ms".to_owned(),
                figures.cold_start_ms,
                COLD_START_MS,
            ));
        }
        "signals" => {
            let what = "signals to one run, per s".to_owned();
            bars.push(Bar { what, measured: figures.rate_per_s, bar: SIGNALS_PER_S, at_least: true });
        }
        "idle_runs" => {
            let disk = figures.more.iter().find(|figure| figure.name == "disk per run").map(|figure| figure.value);
            bars.extend(Bar::at_most("idle run: bytes on disk".to_owned(), disk, DISK_BYTES_PER_IDLE_RUN));
        }
        _ => {}
    }
    bars
}

/// The bar of processor time per workflow, if the workload has one, in milliseconds.
pub(super) fn cpu_ms(workload: &str) -> Option<f64> {
    CPU_MS.iter().find(|(name, _)| *name == workload).map(|(_, bar)| *bar)
}

/// The bars of one workload under the load of an SDK: on the server, and on the ceiling if that was measured too.
pub fn of_sdk(round: &[SdkFigures]) -> Vec<Bar> {
    let Some(figures) = round.first() else { return Vec::new() };
    let (name, cpu) = (figures.name(), figures.server_cpu_ms);
    let what = format!("{name} with an SDK: server CPU per workflow");
    let own = cpu_ms(&name).and_then(|bar| Bar::at_most(format!("{what}, ms"), cpu, bar));
    let ceiling = round.get(1).and_then(|ceiling| ceiling.server_cpu_ms);
    let ratio = cpu.zip(ceiling).map(|(cpu, ceiling)| cpu / ceiling).filter(|ratio| ratio.is_finite());
    let to_ceiling = Bar::at_most(format!("{what}, of the ceiling's"), ratio, CPU_OF_CEILING.1);
    own.into_iter().chain(to_ceiling.filter(|_| name == CPU_OF_CEILING.0)).collect()
}

/// The bar of throughput, for a ratio of a server to the ceiling under many workflows at a time.
pub fn of_ratio(ratio: &Ratio) -> Option<Bar> {
    let what = format!("{}: rate, of the ceiling's", ratio.workload);
    let bar = Bar { what, measured: ratio.rate, bar: RATE_OF_CEILING, at_least: true };
    ratio.workload.ends_with("_at_64").then_some(bar)
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.holds() { "holds" } else { "MISSED" };
        let relation = if self.at_least { "at least" } else { "at most" };
        write!(f, "{verdict:<7} {}: {:.3}, {relation} {:.3}", self.what, self.measured, self.bar)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bar, of_ratio, of_sdk};
    use crate::report::{Ratio, SdkFigures};

    #[test]
    fn a_bar_holds_on_its_good_side() {
        let bar = |measured, at_least| Bar { what: String::new(), measured, bar: 2.0, at_least };
        assert!(bar(1.0, false).holds() && bar(2.0, false).holds() && !bar(2.1, false).holds());
        assert!(bar(3.0, true).holds() && bar(2.0, true).holds() && !bar(1.9, true).holds());
    }

    #[test]
    fn three_activities_with_an_sdk_are_held_against_the_ceiling_too() {
        let figures = |workload: &str, server_cpu_ms| SdkFigures {
            workload: workload.to_owned(),
            server: String::new(),
            concurrency: 64,
            count: 1,
            seconds: 1.0,
            rate_per_s: 1.0,
            p50_ms: 1.0,
            p90_ms: 1.0,
            p99_ms: 1.0,
            server_cpu_ms: Some(server_cpu_ms),
        };
        let holds = |workload: &str| {
            let bars = of_sdk(&[figures(workload, 0.5), figures(workload, 0.2)]);
            bars.iter().map(Bar::holds).collect::<Vec<_>>()
        };
        assert_eq!(holds("activities_3"), [true, false]);
        assert_eq!(holds("activities_0"), [false]);
    }

    #[test]
    fn throughput_is_held_against_the_ceiling_only_under_load() {
        let ratio = |workload: &str| Ratio {
            workload: workload.to_owned(),
            of: String::new(),
            to: String::new(),
            rate: 0.4,
            server_cpu: None,
            latency_p50: None,
        };
        assert!(of_ratio(&ratio("activities_1_at_1")).is_none());
        assert_eq!(of_ratio(&ratio("activities_1_at_64")).map(|bar| bar.holds()), Some(false));
    }
}
