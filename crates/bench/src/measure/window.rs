//! All counters at one moment, and what they counted between two.
use std::time::{Duration, Instant};

use super::{Process, machine, metrics, metrics::StoreCounters};
use crate::{clock, target::Target};

/// All counters at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Snapshot {
    at: Instant,
    server_cpu: Option<Duration>,
    generator_cpu: Option<Duration>,
    machine_busy: Option<Duration>,
    store: StoreCounters,
}

impl Snapshot {
    pub(crate) async fn take(target: &Target) -> Self {
        let store = match &target.metrics_address {
            Some(address) => metrics::scrape(address).await,
            None => StoreCounters::default(),
        };
        Snapshot {
            at: clock::now(),
            server_cpu: target.process.and_then(Process::cpu),
            generator_cpu: Process::own().cpu(),
            machine_busy: machine::busy(),
            store,
        }
    }
}

/// What was counted between two moments; None where a counter cannot be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) length: Duration,
    pub(crate) server_cpu: Option<Duration>,
    pub(crate) generator_cpu: Option<Duration>,
    /// Busy time of everything on the machine but the server and the load generator.
    pub(crate) other_cpu: Option<Duration>,
    pub(crate) syncs: Option<u64>,
    pub(crate) commit_groups: Option<u64>,
}

impl Window {
    pub(crate) fn between(from: &Snapshot, to: &Snapshot) -> Self {
        let time = |get: fn(&Snapshot) -> Option<Duration>| Some(get(to)?.saturating_sub(get(from)?));
        let count = |get: fn(&StoreCounters) -> Option<u64>| Some(get(&to.store)?.saturating_sub(get(&from.store)?));
        let (server_cpu, generator_cpu) = (time(|s| s.server_cpu), time(|s| s.generator_cpu));
        let busy = time(|s| s.machine_busy);
        let other_cpu = busy.zip(server_cpu).zip(generator_cpu).map(|((b, s), g)| b.saturating_sub(s + g));
        Window {
            length: to.at - from.at,
            server_cpu,
            generator_cpu,
            other_cpu,
            syncs: count(|s| s.syncs),
            commit_groups: count(|s| s.commit_groups),
        }
    }
}
