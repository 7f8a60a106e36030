//! Runs that nothing ends but their timeout.
use std::{sync::Arc, time::Duration};

use abide_proto::temporal::api::{enums::v1::WorkflowExecutionStatus, workflowservice::v1 as ws};

use super::Workload;
use crate::{calls, sim::Sim};

pub(super) const RUN_TIMEOUT: Workload = Workload { name: "run timeout", run: |sim, id| Box::pin(run(sim, id)) };

async fn run(sim: Arc<Sim>, id: String) {
    let seconds = 1 + sim.world.below(60) as i64;
    let timeout = Some(prost_types::Duration { seconds, nanos: 0 });
    let by_run = sim.world.chance(0.5);
    let request = ws::StartWorkflowExecutionRequest {
        workflow_run_timeout: timeout.filter(|_| by_run),
        workflow_execution_timeout: timeout.filter(|_| !by_run),
        ..calls::start(&sim, &id, "A1 S1")
    };
    let began = sim.world.now();
    let Some(run_id) = calls::begin(&sim, &request).await else { return };
    let ended = calls::result(&sim, &id, &run_id).await;
    sim.violations.check(ended.status == WorkflowExecutionStatus::TimedOut, || {
        format!("{id} ended as {ended:?}, not by timeout")
    });
    let lasted = sim.world.now() - began;
    if sim.clock_is_steady {
        let at_least = Duration::from_secs(seconds as u64);
        sim.violations.check(lasted >= at_least, || format!("{id} timed out after {lasted:?} of {at_least:?}"));
    }
}
