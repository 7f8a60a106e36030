//! Messages are lost, late and out of order, connections break.
use std::{sync::Arc, time::Duration};

use super::Fault;
use crate::{network::Weather, sim::Sim};

const LASTS: Duration = Duration::from_secs(30);

pub(super) const LOSSY: Fault = Fault {
    name: "lossy network",
    run: |sim| Box::pin(weather(sim, Weather { request_loss: 0.05, reply_loss: 0.1, ..Weather::FAIR })),
    lasts: LASTS,
    moves_clock: false,
};

pub(super) const RESETS: Fault = Fault {
    name: "resets",
    run: |sim| Box::pin(weather(sim, Weather { reset: 0.3, ..Weather::FAIR })),
    lasts: LASTS,
    moves_clock: false,
};

pub(super) const SLOW: Fault = Fault {
    name: "slow network",
    run: |sim| Box::pin(weather(sim, Weather { delay_max: Duration::from_secs(3), ..Weather::FAIR })),
    lasts: LASTS,
    moves_clock: false,
};

async fn weather(sim: Arc<Sim>, weather: Weather) {
    sim.network.set_weather(weather);
    sim.world.sleep(sim.world.span(Duration::from_secs(1), LASTS)).await;
    sim.network.set_weather(Weather::FAIR);
}
