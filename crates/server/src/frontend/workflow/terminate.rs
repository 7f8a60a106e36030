//! TerminateWorkflowExecution (spec §3.18).
use abide_engine::workflow::{close::respond_terminate, start::links};
use abide_proto::temporal::api::workflowservice::v1 as ws;
use tonic::Status;
use uuid::Uuid;

use super::target;
use crate::frontend::{Call, Frontend, refusal};

pub(crate) async fn terminate(
    frontend: &Frontend,
    call: Call,
    mut request: ws::TerminateWorkflowExecutionRequest,
) -> Result<ws::TerminateWorkflowExecutionResponse, Status> {
    let target = target::of(request.workflow_execution.take(), &request.first_execution_run_id)?;
    links(&request.links).map_err(refusal::of)?;
    let shard = frontend.shards.of(Uuid::from_bytes(call.namespace.id), &target.workflow_id);
    shard.update(&call.namespace, &target, |tx| Ok(respond_terminate(tx, request)?)).await?;
    Ok(ws::TerminateWorkflowExecutionResponse {})
}
