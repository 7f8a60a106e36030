//! Runs that are asked to cancel.
use std::{sync::Arc, time::Duration};

use abide_proto::temporal::api::{
    enums::v1::WorkflowExecutionStatus, workflowservice::v1::RequestCancelWorkflowExecutionRequest,
};

use super::Workload;
use crate::{calls, client::NAMESPACE, sim::Sim};

pub(super) const CANCEL: Workload = Workload { name: "cancel", run: |sim, id| Box::pin(run(sim, id)) };

async fn run(sim: Arc<Sim>, id: String) {
    let Some(run_id) = calls::begin(&sim, &calls::start(&sim, &id, "A2 T100000")).await else { return };
    sim.world.sleep(sim.world.span(Duration::ZERO, Duration::from_secs(10))).await;
    let request = RequestCancelWorkflowExecutionRequest {
        namespace: NAMESPACE.to_owned(),
        workflow_execution: calls::execution(&id, ""),
        request_id: sim.unique("cancel"),
        ..RequestCancelWorkflowExecutionRequest::default()
    };
    if let Err(status) = sim.client.retrying(&request).await {
        // The first try may have been carried out, the run have ended, and its answer been lost.
        let is_lost = status.code() == tonic::Code::NotFound;
        sim.violations.check(is_lost, || format!("the cancellation of {id} was refused: {status:?}"));
    }
    let ended = calls::result(&sim, &id, &run_id).await;
    sim.violations
        .check(ended.status == WorkflowExecutionStatus::Canceled, || format!("cancelled {id} ended as {ended:?}"));
}
