//! Runs that are terminated.
use std::{sync::Arc, time::Duration};

use abide_proto::temporal::api::enums::v1::WorkflowExecutionStatus;

use super::Workload;
use crate::{calls, sim::Sim};

pub(super) const TERMINATE: Workload = Workload { name: "terminate", run: |sim, id| Box::pin(run(sim, id)) };

async fn run(sim: Arc<Sim>, id: String) {
    let Some(run_id) = calls::begin(&sim, &calls::start(&sim, &id, "A1 F2 T100000")).await else { return };
    sim.world.sleep(sim.world.span(Duration::ZERO, Duration::from_secs(10))).await;
    calls::terminate(&sim, &id).await;
    let ended = calls::result(&sim, &id, &run_id).await;
    sim.violations
        .check(ended.status == WorkflowExecutionStatus::Terminated, || format!("terminated {id} ended as {ended:?}"));
}
