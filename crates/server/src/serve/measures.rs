//! What the store and the committer count, as metrics.
use std::sync::Arc;

use crate::{metrics::Metrics, shard::Shared};

/// Registers the families. They read the counters when somebody asks.
pub(super) fn register(metrics: &Metrics, shared: &Arc<Shared>) {
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
}
