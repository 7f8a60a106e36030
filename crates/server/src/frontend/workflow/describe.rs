//! DescribeWorkflowExecution and ResetStickyTaskQueue.
use abide_engine::{Refusal, workflow::describe::describe as of_run};
use abide_proto::temporal::api::workflowservice::v1 as ws;
use tonic::Status;
use uuid::Uuid;

use super::target;
use crate::frontend::{Call, Frontend};

pub(crate) async fn describe(
    frontend: &Frontend,
    call: Call,
    request: ws::DescribeWorkflowExecutionRequest,
) -> Result<ws::DescribeWorkflowExecutionResponse, Status> {
    let target = target::of(request.execution, "")?;
    let shard = frontend.shards.of(Uuid::from_bytes(call.namespace.id), &target.workflow_id);
    Ok(shard.read(&call.namespace, &target, of_run).await?.value)
}

/// Forgets the worker that the run prefers; a task that is already on its queue stays there (spec §3.7).
pub(crate) async fn reset_sticky(
    frontend: &Frontend,
    call: Call,
    request: ws::ResetStickyTaskQueueRequest,
) -> Result<ws::ResetStickyTaskQueueResponse, Status> {
    let target = target::of(request.execution, "")?;
    let shard = frontend.shards.of(Uuid::from_bytes(call.namespace.id), &target.workflow_id);
    let change = |tx: &mut abide_engine::workflow::Transition<'_, '_>| {
        if !tx.run.is_running() {
            return Err(Refusal::already_completed().into());
        }
        if tx.run.header.sticky.is_some() {
            tx.run.header.get_mut().sticky = None;
        }
        Ok(())
    };
    shard.update(&call.namespace, &target, change).await?;
    Ok(ws::ResetStickyTaskQueueResponse {})
}
