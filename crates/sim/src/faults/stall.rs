//! The server process stands still, and goes on as if nothing had been.
use std::time::Duration;

use super::Fault;

const LASTS: Duration = Duration::from_secs(40);

pub(super) const STALL: Fault = Fault {
    name: "stall",
    run: |sim| {
        Box::pin(async move {
            let Some(group) = sim.node.group() else { return };
            sim.world.note("server stalls".into());
            sim.world.stall(group, true);
            sim.world.sleep(sim.world.span(Duration::from_secs(1), LASTS)).await;
            sim.world.stall(group, false);
            sim.world.note("server goes on".into());
        })
    },
    lasts: LASTS,
    moves_clock: false,
};
