//! PollNexusTaskQueue: what is wrong with a request is told, but there are no Nexus tasks yet.
use abide_matching::TaskKind;
use abide_proto::temporal::api::workflowservice::v1 as ws;
use tonic::Status;

use super::queue;
use crate::{
    frontend::{Call, Frontend},
    status,
};

pub(crate) async fn poll(
    frontend: &Frontend,
    call: Call,
    request: ws::PollNexusTaskQueueRequest,
) -> Result<ws::PollNexusTaskQueueResponse, Status> {
    queue::of(frontend, &call, request.task_queue.as_ref(), TaskKind::Nexus)?;
    queue::check_identity(frontend, &request.identity)?;
    #[allow(deprecated)]
    let (capabilities, deployment) = (&request.worker_version_capabilities, &request.deployment_options);
    queue::check_version(frontend, capabilities.as_ref(), deployment.as_ref())?;
    Err(status::unimplemented(format!("{} not implemented", call.method)))
}
