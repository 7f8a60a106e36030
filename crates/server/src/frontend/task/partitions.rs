//! ListTaskQueuePartitions: a queue has one partition, here.
use abide_engine::workflow::validate;
use abide_proto::temporal::api::{taskqueue::v1::TaskQueuePartitionMetadata, workflowservice::v1 as ws};
use tonic::Status;

use crate::{
    frontend::{Call, Frontend},
    status,
};

pub(crate) async fn list(
    frontend: &Frontend,
    _: Call,
    request: ws::ListTaskQueuePartitionsRequest,
) -> Result<ws::ListTaskQueuePartitionsResponse, Status> {
    let settings = frontend.shards.shared.settings.base();
    validate::task_queue(request.task_queue.as_ref(), settings).map_err(status::invalid_argument)?;
    let key = request.task_queue.unwrap_or_default().name;
    let only = TaskQueuePartitionMetadata { key, owner_host_name: String::new() };
    Ok(ws::ListTaskQueuePartitionsResponse {
        activity_task_queue_partitions: vec![only.clone()],
        workflow_task_queue_partitions: vec![only],
    })
}
