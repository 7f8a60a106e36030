//! What workers say of themselves.
use abide_matching::{QueueId, TaskKind};
use abide_proto::temporal::api::{enums::v1::TaskQueueType, workflowservice::v1 as ws};
use tonic::Status;

use super::{Call, Frontend};

/// A worker that stops: what waits on its sticky queue goes to the normal queue, and its polls end if the configuration
/// says so (spec §3.31). Nothing is refused, whatever it names.
pub(super) async fn shutdown(
    frontend: &Frontend,
    call: Call,
    request: ws::ShutdownWorkerRequest,
) -> Result<ws::ShutdownWorkerResponse, Status> {
    let namespace = call.namespace.id;
    if !request.sticky_task_queue.is_empty() {
        frontend.shards.unload_sticky(&QueueId::sticky(namespace, request.sticky_task_queue.as_str()));
    }
    if frontend.dynamic_config.end_polls_on_shutdown && !request.task_queue.is_empty() {
        for kind in kinds(&request.task_queue_types) {
            let queue = QueueId::normal(namespace, kind, request.task_queue.as_str());
            frontend.matching.end_polls(&queue, &request.worker_instance_key);
        }
    }
    Ok(ws::ShutdownWorkerResponse {})
}

/// The kinds of queue that the worker polled; all if it does not say.
fn kinds(types: &[i32]) -> Vec<TaskKind> {
    let asked = |of: TaskQueueType| types.is_empty() || types.contains(&(of as i32));
    let all = [
        (TaskKind::Workflow, TaskQueueType::Workflow),
        (TaskKind::Activity, TaskQueueType::Activity),
        (TaskKind::Nexus, TaskQueueType::Nexus),
    ];
    all.into_iter().filter(|(_, of)| asked(*of)).map(|(kind, _)| kind).collect()
}
