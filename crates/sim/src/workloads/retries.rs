//! Chains of runs that the server makes: by a retry policy, by a cron schedule.
use std::sync::Arc;

use abide_proto::temporal::api::{
    common::v1::RetryPolicy, enums::v1::WorkflowExecutionStatus, workflowservice::v1 as ws,
};

use super::Workload;
use crate::{calls, sim::Sim};

pub(super) const WORKFLOW_RETRY: Workload =
    Workload { name: "workflow retry", run: |sim, id| Box::pin(retry(sim, id)) };
pub(super) const CRON: Workload = Workload { name: "cron", run: |sim, id| Box::pin(cron(sim, id)) };

async fn retry(sim: Arc<Sim>, id: String) {
    let attempts = 1 + sim.world.below(4) as i32;
    let retry_policy = RetryPolicy {
        initial_interval: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
        maximum_attempts: attempts,
        ..RetryPolicy::default()
    };
    let request =
        ws::StartWorkflowExecutionRequest { retry_policy: Some(retry_policy), ..calls::start(&sim, &id, "A1 E") };
    let Some(run_id) = calls::begin(&sim, &request).await else { return };
    let ended = calls::result(&sim, &id, &run_id).await;
    let is_right = ended.status == WorkflowExecutionStatus::Failed && ended.run_ids.len() == attempts as usize;
    sim.violations.check(is_right, || format!("{id} with {attempts} attempts ended as {ended:?}"));
}

/// Every minute, until it is terminated.
async fn cron(sim: Arc<Sim>, id: String) {
    let request = ws::StartWorkflowExecutionRequest {
        cron_schedule: "* * * * *".into(),
        ..calls::start(&sim, &id, ["A1", "A1 E"][sim.world.below(2) as usize])
    };
    let Some(run_id) = calls::begin(&sim, &request).await else { return };
    calls::ends(&sim, &id, &run_id, 2).await;
    calls::terminate(&sim, &id).await;
    let ended = calls::result(&sim, &id, &run_id).await;
    let is_right = ended.status == WorkflowExecutionStatus::Terminated && ended.run_ids.len() >= 3;
    sim.violations.check(is_right, || format!("{id}, every minute, ended as {ended:?}"));
    // Some may be held up, none is doubled.
    if sim.clock_is_steady {
        let most = (sim.world.now().as_secs() / 60 + 2) as usize;
        sim.violations.check(ended.run_ids.len() <= most, || format!("{id} ran {} times", ended.run_ids.len()));
    }
}
