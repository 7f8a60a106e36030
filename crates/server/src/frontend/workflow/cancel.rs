//! RequestCancelWorkflowExecution (spec §3.18).
use abide_engine::workflow::{cancel::request_cancel as apply, start::links};
use abide_proto::temporal::api::workflowservice::v1 as ws;
use tonic::Status;
use uuid::Uuid;

use super::target;
use crate::frontend::{Call, Frontend, refusal};

pub(crate) async fn request_cancel(
    frontend: &Frontend,
    call: Call,
    mut request: ws::RequestCancelWorkflowExecutionRequest,
) -> Result<ws::RequestCancelWorkflowExecutionResponse, Status> {
    let target = target::of(request.workflow_execution.take(), &request.first_execution_run_id)?;
    links(&request.links).map_err(refusal::of)?;
    let shard = frontend.shards.of(Uuid::from_bytes(call.namespace.id), &target.workflow_id);
    let change = |tx: &mut abide_engine::workflow::Transition<'_, '_>| {
        apply(tx, request);
        Ok(())
    };
    shard.update(&call.namespace, &target, change).await?;
    Ok(ws::RequestCancelWorkflowExecutionResponse {})
}
