//! StartWorkflowExecution and SignalWithStartWorkflowExecution (spec §3.14, §3.18).
use abide_engine::workflow::start as engine;
use abide_proto::temporal::api::{enums::v1::EventType, workflowservice::v1 as ws};
use tonic::Status;
use uuid::Uuid;

use super::{event_link, request_link};
use crate::frontend::{Call, Frontend, refusal, task};

pub(crate) async fn start(
    frontend: &Frontend,
    call: Call,
    mut request: ws::StartWorkflowExecutionRequest,
) -> Result<ws::StartWorkflowExecutionResponse, Status> {
    let shards = &frontend.shards;
    let settings = shards.shared.settings.of(&call.namespace);
    engine::validate_start(&settings, &call.namespace.name, &request).map_err(refusal::of)?;
    if request.request_id.is_empty() {
        request.request_id = Uuid::from_bytes(frontend.env.uuid()).to_string();
    }
    request.request_eager_execution &= frontend.dynamic_config.eager_workflow_start;
    let request_id = request.request_id.clone();
    let shard = shards.of(Uuid::from_bytes(call.namespace.id), &request.workflow_id);
    let reply = shard.start(&call.namespace, request, None).await?;
    let eager_workflow_task = match reply.eager_task {
        Some(started) => Some(task::workflow_task::reply(frontend, &call, started, Default::default())?),
        None => None,
    };
    let namespace = &call.namespace.name;
    let link = if reply.attached {
        request_link(namespace, &reply.key, request_id, EventType::WorkflowExecutionOptionsUpdated)
    } else {
        event_link(namespace, &reply.key, 1, EventType::WorkflowExecutionStarted)
    };
    Ok(ws::StartWorkflowExecutionResponse {
        run_id: reply.key.run_id.to_string(),
        started: reply.started,
        status: reply.status,
        eager_workflow_task,
        link: Some(link),
        ..Default::default()
    })
}

pub(crate) async fn signal_with_start(
    frontend: &Frontend,
    call: Call,
    mut request: ws::SignalWithStartWorkflowExecutionRequest,
) -> Result<ws::SignalWithStartWorkflowExecutionResponse, Status> {
    let shards = &frontend.shards;
    let settings = shards.shared.settings.of(&call.namespace);
    if request.request_id.is_empty() {
        request.request_id = Uuid::from_bytes(frontend.env.uuid()).to_string();
    }
    let (start, signal) = engine::split(request);
    engine::validate_signal_with_start(&settings, &call.namespace.name, &start, &signal).map_err(refusal::of)?;
    let request_id = signal.request_id.clone();
    let shard = shards.of(Uuid::from_bytes(call.namespace.id), &start.workflow_id);
    let reply = shard.start(&call.namespace, start, Some(signal)).await?;
    let kind = EventType::WorkflowExecutionSignaled;
    Ok(ws::SignalWithStartWorkflowExecutionResponse {
        run_id: reply.key.run_id.to_string(),
        started: reply.started,
        signal_link: Some(request_link(&call.namespace.name, &reply.key, request_id, kind)),
        ..Default::default()
    })
}
