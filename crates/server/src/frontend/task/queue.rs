//! Which task queue a poll means, and who polls.
use abide_engine::workflow::validate;
use abide_matching::{PollerInfo, QueueId, TaskKind};
use abide_proto::temporal::api::{
    common::v1::WorkerVersionCapabilities,
    deployment::v1::WorkerDeploymentOptions,
    enums::v1::{TaskQueueKind, WorkerVersioningMode},
    taskqueue::v1::TaskQueue,
};
use tonic::Status;

use crate::{
    frontend::{Call, Frontend},
    status,
};

/// The queue of a poll or a description, checked.
pub(crate) fn of(
    frontend: &Frontend,
    call: &Call,
    queue: Option<&TaskQueue>,
    kind: TaskKind,
) -> Result<QueueId, Status> {
    let settings = frontend.shards.shared.settings.base();
    validate::task_queue(queue, settings).map_err(status::invalid_argument)?;
    let queue = queue.cloned().unwrap_or_default();
    if kind == TaskKind::Workflow && queue.kind == TaskQueueKind::Sticky as i32 {
        return Ok(QueueId::sticky(call.namespace.id, queue.name));
    }
    Ok(QueueId::normal(call.namespace.id, kind, queue.name))
}

/// A worker as matching knows it.
pub(crate) fn poller(identity: &str, worker_instance_key: &str, rate_per_second: Option<f64>) -> PollerInfo<()> {
    PollerInfo {
        identity: identity.to_owned(),
        rate_per_second,
        worker_instance_key: worker_instance_key.to_owned(),
        details: (),
    }
}

/// Refuses an identity that is longer than names may be.
pub(crate) fn check_identity(frontend: &Frontend, identity: &str) -> Result<(), Status> {
    if identity.len() > frontend.dynamic_config.id_length_max {
        return Err(status::invalid_argument("Identity length exceeds limit."));
    }
    Ok(())
}

/// Checks what a poll says of its worker's version.
pub(crate) fn check_version(
    frontend: &Frontend,
    capabilities: Option<&WorkerVersionCapabilities>,
    deployment: Option<&WorkerDeploymentOptions>,
) -> Result<(), Status> {
    let longest = frontend.dynamic_config.build_id_length_max;
    let versioned =
        |options: &&WorkerDeploymentOptions| options.worker_versioning_mode == WorkerVersioningMode::Versioned as i32;
    let deployment = deployment.filter(versioned);
    let build_ids = [capabilities.map(|c| &c.build_id), deployment.map(|d| &d.build_id)];
    if build_ids.into_iter().flatten().any(|id| id.len() > longest) {
        let text = "Build ID exceeds configured limit.workerBuildIdSize, use a shorter build ID.";
        return Err(status::invalid_argument(text));
    }
    let Some(WorkerDeploymentOptions { deployment_name, build_id, .. }) = deployment else { return Ok(()) };
    if deployment_name.is_empty() || build_id.is_empty() {
        return Err(status::invalid_argument("Deployment name and build id must be set together."));
    }
    if let Some(separator) = ['.', ':'].into_iter().find(|separator| deployment_name.contains(*separator)) {
        return Err(status::invalid_argument(format!("worker deployment name cannot contain '{separator}'")));
    }
    if deployment_name.starts_with("__") {
        return Err(status::invalid_argument("WorkerDeploymentName cannot start with '__'"));
    }
    Ok(())
}
