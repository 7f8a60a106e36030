//! Which run a request means.
use abide_proto::temporal::api::common::v1::WorkflowExecution;
use tonic::Status;
use uuid::Uuid;

use crate::{shard::Target, status};

/// The run that a request names; its first run id counts more than its run id.
pub(crate) fn of(execution: Option<WorkflowExecution>, first_run_id: &str) -> Result<Target, Status> {
    let Some(execution) = execution else {
        return Err(status::invalid_argument("Execution is not set on request."));
    };
    if execution.workflow_id.is_empty() {
        return Err(status::invalid_argument("WorkflowId is not set on request."));
    }
    let run_id = match execution.run_id.as_str() {
        "" => None,
        text => Some(Uuid::parse_str(text).map_err(|_| status::invalid_argument("Invalid RunId."))?),
    };
    let first_run_id = first_run_id.to_owned();
    Ok(Target { workflow_id: execution.workflow_id, run_id, run_id_text: execution.run_id, first_run_id })
}
