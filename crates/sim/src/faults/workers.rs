//! Workers die and stall.
use std::time::Duration;

use super::Fault;

const LASTS: Duration = Duration::from_secs(30);

/// A new one comes later, with another name.
pub(super) const DIE: Fault = Fault {
    name: "worker dies",
    run: |sim| {
        Box::pin(async move {
            if sim.kill_worker() {
                sim.world.sleep(sim.world.span(Duration::ZERO, LASTS)).await;
                sim.start_worker();
            }
        })
    },
    lasts: LASTS,
    moves_clock: false,
};

pub(super) const STALL: Fault = Fault {
    name: "worker stalls",
    run: |sim| {
        Box::pin(async move {
            let Some(group) = sim.some_worker() else { return };
            sim.world.note("a worker stalls".into());
            sim.world.stall(group, true);
            sim.world.sleep(sim.world.span(Duration::from_secs(1), LASTS)).await;
            sim.world.stall(group, false);
        })
    },
    lasts: LASTS,
    moves_clock: false,
};
