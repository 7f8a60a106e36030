//! What the store, the committer, the shards and the queues count, as metrics.
use std::sync::Arc;

use abide_matching::TaskKind;

use crate::{
    metrics::Metrics,
    shard::{Shards, Shared},
};

/// Registers the families. They read the counters when somebody asks.
pub(super) fn register(metrics: &Metrics, shards: &Shards) {
    let shared = &shards.shared;
    let counter = |name, help, read: fn(&Shared) -> u64| {
        let shared = Arc::clone(shared);
        metrics.counter_of(name, help, &[], move || read(&shared));
    };
    counter("abide_commit_batches_total", "Transitions that were made durable.", |shared| {
        shared.committer.stats().batches
    });
    counter("abide_commit_groups_total", "Groups of transitions that were made durable together.", |shared| {
        shared.committer.stats().syncs
    });
    counter("abide_commit_bytes_total", "Bytes of keys and values in them.", |shared| shared.committer.stats().bytes);
    counter("abide_store_syncs_total", "Syncs of the store's log to disk.", |shared| shared.store.sync_count());
    let gauge = |name, help, read: fn(&Shared) -> f64| {
        let shared = Arc::clone(shared);
        metrics.gauge_of(name, help, &[], move || read(&shared));
    };
    gauge("abide_commit_pending_bytes", "Bytes that wait to be made durable.", |shared| {
        shared.committer.pending_bytes() as f64
    });
    gauge("abide_store_disk_bytes", "Bytes that the store has on disk.", |shared| shared.store.disk_bytes() as f64);
    gauge("abide_task_queues", "Task queues in memory.", |shared| shared.matching.queues().len() as f64);
    for (kind, label) in
        [(TaskKind::Workflow, "workflow"), (TaskKind::Activity, "activity"), (TaskKind::Nexus, "nexus")]
    {
        let shared = Arc::clone(shared);
        let help = "Tasks that wait for a worker, by kind, those included that only the outbox holds.";
        metrics.gauge_of("abide_task_queue_backlog", help, &[("kind", label)], move || backlog(&shared, kind) as f64);
    }
    let all = shards.all().to_vec();
    metrics.gauge_of("abide_runs_in_memory", "Runs that the shards hold in memory.", &[], move || {
        all.iter().map(|shard| shard.runs_in_memory()).sum::<usize>() as f64
    });
}

fn backlog(shared: &Shared, kind: TaskKind) -> u64 {
    let queues = shared.matching.queues().into_iter().filter(|queue| queue.kind == kind);
    queues.map(|queue| shared.matching.backlog(&queue).count).sum()
}
