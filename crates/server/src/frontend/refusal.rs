//! What the engine and the shards refuse, as gRPC statuses.
use abide_engine::Refusal;
use tonic::Status;

use crate::{shard, status};

impl From<shard::Error> for Status {
    fn from(error: shard::Error) -> Self {
        match error {
            shard::Error::Refused(refusal) => of(refusal),
            shard::Error::Unavailable(text) => status::unavailable(text),
            // Logged on its way out, where it becomes UNAVAILABLE.
            shard::Error::Damaged(text) => Status::data_loss(text),
        }
    }
}

/// The one mapping from the engine's categories to statuses (spec §3.37).
pub(crate) fn of(refusal: Refusal) -> Status {
    match refusal {
        Refusal::InvalidArgument(text) => status::invalid_argument(text),
        Refusal::NotFound(text) => status::not_found(text),
        Refusal::FailedPrecondition(text) => status::failed_precondition(text),
        Refusal::WorkflowNotReady(text) => status::workflow_not_ready(text),
        Refusal::Unimplemented(text) => status::unimplemented(text),
        Refusal::AlreadyStarted { message, run_id, start_request_id } => {
            status::already_started(message, start_request_id, run_id)
        }
        Refusal::ResourceExhausted { message, cause, scope } => status::resource_exhausted(message, cause, scope),
        // Obsolete tasks are dropped where they are polled; a caller that sees one has lost a race.
        Refusal::Obsolete => status::unavailable("the task has gone, please retry"),
    }
}
