//! SignalWorkflowExecution (spec §3.18).
use abide_engine::workflow::{signal::signal as apply, start::links};
use abide_proto::temporal::api::{
    enums::v1::EventType, history::v1::WorkflowExecutionSignaledEventAttributes, workflowservice::v1 as ws,
};
use tonic::Status;
use uuid::Uuid;

use super::{request_link, target};
use crate::{
    frontend::{Call, Frontend, refusal},
    status,
};

pub(crate) async fn signal(
    frontend: &Frontend,
    call: Call,
    request: ws::SignalWorkflowExecutionRequest,
) -> Result<ws::SignalWorkflowExecutionResponse, Status> {
    let target = target::of(request.workflow_execution, "")?;
    let limit = frontend.dynamic_config.id_length_max;
    if request.signal_name.is_empty() {
        return Err(status::invalid_argument("SignalName is not set on request."));
    }
    if request.signal_name.len() > limit {
        return Err(status::invalid_argument("SignalName length exceeds limit."));
    }
    if request.request_id.len() > limit {
        return Err(status::invalid_argument("RequestId length exceeds limit."));
    }
    if abide_engine::payload::size_bytes(request.input.as_ref()) > frontend.dynamic_config.blob_size_limit_error {
        return Err(status::invalid_argument("Blob data size exceeds limit."));
    }
    links(&request.links).map_err(refusal::of)?;
    let request_id = request.request_id.clone();
    let attributes = WorkflowExecutionSignaledEventAttributes {
        signal_name: request.signal_name,
        input: request.input,
        identity: request.identity,
        header: request.header,
        request_id: request.request_id,
        ..Default::default()
    };
    let shard = frontend.shards.of(Uuid::from_bytes(call.namespace.id), &target.workflow_id);
    let found = shard.update(&call.namespace, &target, |tx| Ok(apply(tx, attributes, request.links)?)).await?;
    let kind = EventType::WorkflowExecutionSignaled;
    let link = request_link(&call.namespace.name, &found.key, request_id, kind);
    Ok(ws::SignalWorkflowExecutionResponse { link: Some(link) })
}
