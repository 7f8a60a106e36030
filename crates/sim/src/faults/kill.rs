//! The server process dies at any point.
use std::{sync::Arc, time::Duration};

use super::Fault;
use crate::sim::Sim;

pub(super) const KILL: Fault =
    Fault { name: "kill", run: |sim| Box::pin(kill(sim)), lasts: Duration::from_secs(10), moves_clock: false };

/// The second time while it still starts, or has just begun to serve.
pub(super) const DOUBLE_KILL: Fault = Fault {
    name: "double kill",
    run: |sim| {
        Box::pin(async move {
            sim.node.kill();
            let starting = Arc::clone(&sim);
            sim.world.spawn(crate::world::SURROUNDINGS, async move {
                starting.node.start().await;
            });
            sim.world.sleep(sim.world.span(Duration::ZERO, Duration::from_millis(20))).await;
            kill(sim).await;
        })
    },
    lasts: Duration::from_secs(10),
    moves_clock: false,
};

async fn kill(sim: Arc<Sim>) {
    sim.node.kill();
    sim.world.sleep(sim.world.span(Duration::ZERO, Duration::from_secs(5))).await;
    sim.keep_server_up().await;
}
