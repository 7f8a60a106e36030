//! What is the same work on both servers, and how their figures stand side by side.
use std::{path::Path, time::Duration};

use super::server::{self, Idle};
use crate::{
    Workload,
    error::Error,
    options::Load,
    report::{Bar, SdkFigures, Spread},
    target::{Server, Target},
};

/// Work on Restate, and what is the same on Abide.
#[derive(Debug)]
pub struct Pair {
    /// The workload of the program that loads Restate.
    pub steps: &'static str,
    /// How many at a time.
    pub concurrency: usize,
    /// On Abide, each a workload of its own.
    pub abide: &'static [Workload],
}

const fn activities(count: u64, concurrency: usize) -> Workload {
    Workload::Activities { count, concurrency }
}

const fn local(count: u64, concurrency: usize) -> Workload {
    Workload::LocalActivities { count, concurrency }
}

/// Three durable steps are three activities on Abide, or three local activities, which are durable together; no step is a
/// workflow that returns at once.
pub const PAIRS: [Pair; 4] = [
    Pair { steps: "steps_3", concurrency: 64, abide: &[activities(3, 64), local(3, 64)] },
    Pair { steps: "steps_0", concurrency: 64, abide: &[activities(0, 64)] },
    Pair { steps: "steps_3", concurrency: 1, abide: &[activities(3, 1), local(3, 1)] },
    Pair { steps: "steps_0", concurrency: 1, abide: &[activities(0, 1)] },
];

/// Measures a workload on a fresh Abide server, and the server before, when it has nothing to do, if `idle` says for how long.
///
/// # Errors
/// When the server does not start, ends, or errs.
pub async fn abide(
    server: &Server,
    name: &str,
    workload: Workload,
    data_root: &Path,
    load: &Load,
    idle: Option<Duration>,
) -> Result<(SdkFigures, Option<Idle>), Error> {
    let mut target: Target = server.target(data_root).await?;
    let watched = match (idle, target.process) {
        (Some(length), Some(process)) => {
            let cold_start_ms = target.cold_start.map(|time| time.as_secs_f64() * 1e3);
            Some(server::idle(name, process, cold_start_ms, length).await)
        }
        _ => None,
    };
    let figures = workload.run(&target, load).await.map_err(|error| target.ended().unwrap_or(error))?;
    let (full_name, latency) = (workload.name(), figures.latency);
    let (short, concurrency) = full_name.rsplit_once("_at_").unwrap_or((&full_name, ""));
    let at = |get: fn(&crate::measure::Latency) -> f64| latency.as_ref().map_or(f64::NAN, get);
    let figures = SdkFigures {
        workload: short.to_owned(),
        server: name.to_owned(),
        concurrency: concurrency.parse().unwrap_or(0),
        count: figures.count,
        seconds: figures.seconds,
        rate_per_s: figures.rate_per_s,
        p50_ms: at(|l| l.p50_ms),
        p90_ms: at(|l| l.p90_ms),
        p99_ms: at(|l| l.p99_ms),
        server_cpu_ms: figures.server_cpu_ms,
    };
    Ok((figures, watched))
}

/// The medians over all rounds of one workload on one server, as a row of Markdown; None when it was not measured.
pub fn row(figures: &[SdkFigures], workload: &str, server: &str) -> Option<String> {
    let own = || figures.iter().filter(|f| f.name() == workload && f.server == server);
    let median = |get: fn(&SdkFigures) -> f64| Spread::of(own().map(get).collect()).map(|spread| spread.median);
    let cpu = Spread::of(own().filter_map(|f| f.server_cpu_ms).collect());
    let cpu = cpu.map_or_else(|| "n/a".to_owned(), |spread| format!("{:.3}", spread.median));
    let (rate, p50, p99) = (median(|f| f.rate_per_s)?, median(|f| f.p50_ms)?, median(|f| f.p99_ms)?);
    Some(format!("| {workload} | {server} | {rate:.0} | {p50:.2} | {p99:.2} | {cpu} |"))
}

/// Abide must do more workflows of three activities per second than Restate does of three steps, 64 at a time.
pub fn bars(figures: &[SdkFigures]) -> Vec<Bar> {
    let rate = |workload: &str| {
        let rates = figures.iter().filter(|f| f.name() == workload).map(|f| f.rate_per_s).collect();
        Spread::of(rates).map(|spread| spread.median)
    };
    let Some(restate) = rate("steps_3_at_64") else { return Vec::new() };
    let bar = |workload: &str| {
        let what = format!("{workload}: rate, of that of three steps on Restate");
        Some(Bar { what, measured: rate(workload)? / restate, bar: 1.0, at_least: true })
    };
    ["activities_3_at_64", "local_activities_3_at_64"].into_iter().filter_map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::{bars, row};
    use crate::report::SdkFigures;

    fn figures(workload: &str, server: &str, rate_per_s: f64) -> SdkFigures {
        SdkFigures {
            workload: workload.to_owned(),
            server: server.to_owned(),
            concurrency: 64,
            count: 1,
            seconds: 1.0,
            rate_per_s,
            p50_ms: 1.0,
            p90_ms: 2.0,
            p99_ms: 3.0,
            server_cpu_ms: Some(0.5),
        }
    }

    #[test]
    fn the_median_of_all_rounds_is_held_against_that_of_the_other() {
        let rounds: Vec<_> = [900.0, 100.0, 300.0].map(|rate| figures("activities_3", "abide", rate)).into();
        let all = [rounds, vec![figures("steps_3", "restate", 400.0)]].concat();
        assert_eq!(bars(&all).iter().map(|bar| (bar.measured, bar.holds())).collect::<Vec<_>>(), [(0.75, false)]);
        let expected = "| activities_3_at_64 | abide | 300 | 1.00 | 3.00 | 0.500 |";
        assert_eq!(row(&all, "activities_3_at_64", "abide").as_deref(), Some(expected));
        assert!(row(&all, "activities_3_at_64", "restate").is_none());
        assert!(bars(&[]).is_empty());
    }
}
