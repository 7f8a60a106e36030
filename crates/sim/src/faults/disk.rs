//! The disk fails, is full, or is slow.
use std::{sync::Arc, time::Duration};

use abide_store::simulated;

use super::Fault;
use crate::sim::Sim;

/// The store writes nothing more after it, and the process ends.
pub(super) const SYNC_FAILED: Fault = Fault {
    name: "sync failed",
    run: |sim| Box::pin(several(sim, simulated::Fault::SyncFailed, 1)),
    lasts: Duration::from_secs(10),
    moves_clock: false,
};

pub(super) const DISK_FULL: Fault = Fault {
    name: "disk full",
    run: |sim| Box::pin(several(sim, simulated::Fault::DiskFull, 20)),
    lasts: Duration::from_secs(10),
    moves_clock: false,
};

pub(super) const COMMIT_REFUSED: Fault = Fault {
    name: "commit refused",
    run: |sim| Box::pin(several(sim, simulated::Fault::CommitRefused, 3)),
    lasts: Duration::from_secs(10),
    moves_clock: false,
};

pub(super) const COMMIT_AMBIGUOUS: Fault = Fault {
    name: "commit ambiguous",
    run: |sim| Box::pin(several(sim, simulated::Fault::CommitAmbiguous, 3)),
    lasts: Duration::from_secs(10),
    moves_clock: false,
};

pub(super) const READ_UNAVAILABLE: Fault = Fault {
    name: "read unavailable",
    run: |sim| Box::pin(several(sim, simulated::Fault::ReadUnavailable, 10)),
    lasts: Duration::from_secs(10),
    moves_clock: false,
};

pub(super) const SLOW: Fault = Fault {
    name: "slow disk",
    run: |sim| {
        Box::pin(async move {
            sim.node.slow_syncs(sim.world.span(Duration::from_millis(10), Duration::from_secs(2)));
            sim.world.sleep(sim.world.span(Duration::ZERO, Duration::from_secs(20))).await;
            sim.node.slow_syncs(Duration::ZERO);
        })
    },
    lasts: Duration::from_secs(20),
    moves_clock: false,
};

/// The next operations of a sort fail, up to `most` of them, on a disk that is slow, so that others wait behind.
async fn several(sim: Arc<Sim>, fault: simulated::Fault, most: u64) {
    sim.node.slow_syncs(sim.world.span(Duration::ZERO, Duration::from_millis(500)));
    sim.world.sleep(sim.world.span(Duration::ZERO, Duration::from_secs(2))).await;
    for _ in 0..=sim.world.below(most) {
        sim.node.store.fail_next(fault);
    }
    sim.world.sleep(sim.world.span(Duration::ZERO, Duration::from_secs(2))).await;
    sim.node.slow_syncs(Duration::ZERO);
}
