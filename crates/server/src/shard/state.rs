//! What a shard holds in memory. All of it can be rebuilt from the store.
use std::{collections::BTreeSet, sync::Arc};

use abide_engine::workflow::{Run, RunKey};
use abide_store::Lease;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;
use uuid::Uuid;

use super::{query::Queries, recent::Recent};

/// How many runs a shard keeps in memory when nobody needs them.
const IDLE_RUNS_MAX: usize = 256;

/// A run in memory.
pub(super) struct Entry {
    pub(super) run: Run,
    /// What was written to its history lately.
    pub(super) recent: Recent,
    /// Transitions that are applied here and not yet durable. Such a run is not evicted.
    pub(super) undurable: u32,
    /// On the shard's own count of uses.
    pub(super) last_used: u64,
}

impl Entry {
    pub(super) fn new(run: Run, last_used: u64) -> Self {
        Self { run, recent: Recent::default(), undurable: 0, last_used }
    }
}

/// The newest run of a workflow id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    pub run_id: Uuid,
}

/// Invariants: a run that has transitions under way is in `runs`; `timers` holds every timer row up to `horizon_ms`.
pub(super) struct State {
    pub(super) lease: Lease,
    pub(super) runs: FxHashMap<RunKey, Entry>,
    /// Known pointers; absent ids are looked up in the store.
    pub(super) currents: FxHashMap<(Uuid, String), Current>,
    pub(super) timers: BTreeSet<(i64, RunKey)>,
    pub(super) horizon_ms: i64,
    /// Who waits for a run to change.
    pub(super) watchers: FxHashMap<RunKey, Arc<Notify>>,
    pub(super) queries: FxHashMap<RunKey, Queries>,
    clock: u64,
}

impl State {
    pub(super) fn new(lease: Lease) -> Self {
        Self {
            lease,
            runs: FxHashMap::default(),
            currents: FxHashMap::default(),
            timers: BTreeSet::new(),
            horizon_ms: 0,
            watchers: FxHashMap::default(),
            queries: FxHashMap::default(),
            clock: 0,
        }
    }

    pub(super) fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Drops what is in memory; the store has the truth.
    pub(super) fn forget(&mut self) {
        self.runs.clear();
        self.currents.clear();
        self.timers.clear();
        self.horizon_ms = 0;
        for (_, watcher) in self.watchers.drain() {
            watcher.notify_waiters();
        }
        self.queries.clear();
    }

    /// Forgets watches and queries that nobody waits on any more.
    pub(super) fn prune(&mut self) {
        self.watchers.retain(|_, watcher| Arc::strong_count(watcher) > 1);
        self.queries.retain(|_, queries| {
            queries.prune();
            !queries.waiting.is_empty()
        });
    }

    /// Keeps memory bounded: half of the idle runs go, those not used for longest.
    pub(super) fn evict(&mut self) {
        let is_idle = |entry: &Entry| entry.undurable == 0;
        if self.runs.len() <= IDLE_RUNS_MAX || self.runs.values().filter(|e| is_idle(e)).count() <= IDLE_RUNS_MAX {
            return;
        }
        let mut idle: Vec<(u64, RunKey)> = self
            .runs
            .iter()
            .filter(|(_, entry)| is_idle(entry))
            .map(|(key, entry)| (entry.last_used, key.clone()))
            .collect();
        idle.sort_unstable();
        for (_, key) in &idle[..idle.len() - IDLE_RUNS_MAX / 2] {
            self.runs.remove(key);
            // The pointer may be to a newer run of the id, whose commit is still under way: the store has an older one.
            let id = (key.namespace_id, key.workflow_id.clone());
            if self.currents.get(&id).is_some_and(|current| current.run_id == key.run_id) {
                self.currents.remove(&id);
            }
        }
    }
}
