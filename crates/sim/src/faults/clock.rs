//! The wall clock is set.
use std::{sync::Arc, time::Duration};

use super::Fault;
use crate::sim::Sim;

pub(super) const FORWARD: Fault = Fault {
    name: "clock forward",
    run: |sim| Box::pin(step(sim, 1)),
    lasts: Duration::from_secs(1),
    moves_clock: true,
};

pub(super) const BACK: Fault =
    Fault { name: "clock back", run: |sim| Box::pin(step(sim, -1)), lasts: Duration::from_secs(1), moves_clock: true };

async fn step(sim: Arc<Sim>, sign: i64) {
    let by = sim.world.span(Duration::from_millis(1), Duration::from_secs(60));
    sim.world.note(format!("the clock steps by {} ms", sign * by.as_millis() as i64));
    sim.node.clock.step(sign * by.as_nanos() as i64);
}
