//! Which task queue a poll means, and who polls.
use abide_engine::workflow::validate;
use abide_matching::{PollerInfo, QueueId, TaskKind};
use abide_proto::temporal::api::{enums::v1::TaskQueueKind, taskqueue::v1::TaskQueue};
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
