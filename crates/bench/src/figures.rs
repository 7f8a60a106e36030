//! What one workload showed about one server.
use std::time::Duration;

use serde::Serialize;

use crate::{
    measure::{Latency, Window},
    target::Target,
};

const MIB: f64 = 1024.0 * 1024.0;

/// The figures of one workload against one server. What cannot be read is None.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// The workload's name.
    pub workload: String,
    /// The server's name.
    pub server: String,
    /// What is counted: workflows, activities or signals.
    pub unit: &'static str,
    /// How many of them were completed.
    pub count: u64,
    /// In how long, in seconds.
    pub seconds: f64,
    /// Units per second.
    pub rate_per_s: f64,
    /// What `latency` is the time of.
    pub latency_of: &'static str,
    /// The spread of those times.
    pub latency: Option<Latency>,
    /// Processor time of the server per unit, in milliseconds.
    pub server_cpu_ms: Option<f64>,
    /// Processor time of the load generator per unit, in milliseconds.
    pub generator_cpu_ms: Option<f64>,
    /// Memory of the server at the end, in MiB.
    pub resident_mib: Option<f64>,
    /// The most memory that the server ever used, in MiB.
    pub peak_mib: Option<f64>,
    /// What the server's files take on disk at the end.
    pub disk_bytes: Option<u64>,
    /// Syncs of files.
    pub syncs: Option<u64>,
    /// Groups of transitions that were committed together.
    pub commit_groups: Option<u64>,
    /// Processor time of everything else on the machine, in percent of one processor. Above a few percent the other
    /// figures tell little.
    pub other_cpu_percent: Option<f64>,
    /// Workflow tasks that came with the whole history although the worker knew the run.
    pub full_histories: u64,
    /// Workflow tasks that the server failed because more than 100 events came during them (spec §3.1).
    pub overflows: u64,
    /// From the start of the server's program to its first answer, in milliseconds.
    pub cold_start_ms: Option<f64>,
    /// Memory of the server when it had answered its first call, in MiB.
    pub resident_at_start_mib: Option<f64>,
    /// The median time of one sync of the disk, measured right before.
    pub sync_p50_ms: Option<f64>,
    /// Figures that only this workload has.
    pub more: Vec<Figure>,
}

/// A figure that only one workload has.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What it is.
    pub name: &'static str,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
}

/// What was counted and timed, before it is set in relation to what it cost.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) workload: String,
    pub(crate) unit: &'static str,
    pub(crate) count: u64,
    pub(crate) latency_of: &'static str,
    pub(crate) latencies: Vec<Duration>,
    pub(crate) full_histories: u64,
    pub(crate) overflows: u64,
}

impl Figures {
    /// The figures of what was done in `window`. Memory and disk are read now.
    pub(crate) fn new(done: Done, window: &Window, target: &Target) -> Self {
        let seconds = window.length.as_secs_f64();
        let count = done.count as f64;
        let each = |time: Option<Duration>| Some(time?.as_secs_f64() * 1e3 / count).filter(|ms| ms.is_finite());
        let memory = target.process.and_then(|process| process.memory());
        Figures {
            workload: done.workload,
            server: target.name.clone(),
            unit: done.unit,
            count: done.count,
            seconds,
            rate_per_s: count / seconds,
            latency_of: done.latency_of,
            latency: Latency::of(done.latencies),
            server_cpu_ms: each(window.server_cpu),
            generator_cpu_ms: each(window.generator_cpu),
            resident_mib: memory.map(|m| m.resident_bytes as f64 / MIB),
            peak_mib: memory.map(|m| m.peak_bytes as f64 / MIB),
            disk_bytes: target.disk_bytes(),
            syncs: window.syncs,
            commit_groups: window.commit_groups,
            other_cpu_percent: window.other_cpu.map(|time| 100.0 * time.as_secs_f64() / seconds),
            full_histories: done.full_histories,
            overflows: done.overflows,
            cold_start_ms: target.cold_start.map(|time| time.as_secs_f64() * 1e3),
            resident_at_start_mib: target.resident_at_start_bytes.map(|bytes| bytes as f64 / MIB),
            sync_p50_ms: None,
            more: Vec::new(),
        }
    }

    /// Adds a figure that only this workload has, if there is a value.
    pub(crate) fn with(mut self, name: &'static str, value: Option<f64>, unit: &'static str) -> Self {
        self.more.extend(value.filter(|value| value.is_finite()).map(|value| Figure { name, value, unit }));
        self
    }
}
