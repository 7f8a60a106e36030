//! Request-id dedup, conflict policy and reuse policy (spec §3.14).
use crate::{
    Refusal,
    api::enums::{
        WorkflowExecutionStatus as Status, WorkflowIdConflictPolicy as Conflict, WorkflowIdReusePolicy as Reuse,
    },
    workflow::run::Run,
};

/// What a start does about the run that holds its workflow id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing is in the way.
    StartNew,
    /// The run was made by this very request.
    Repeated,
    /// The request id was attached to the run before.
    Attached,
    UseExisting,
    TerminateExisting,
}

/// Decides. `current` is the newest run with the id, running or closed.
pub fn decide(current: Option<&Run>, request_id: &str, reuse: i32, conflict: i32) -> Result<Decision, Refusal> {
    let Some(run) = current else { return Ok(Decision::StartNew) };
    #[cfg(feature = "planted")]
    let request_id = if abide_planted::is(abide_planted::Fault::StartDedupForgotten) { "" } else { request_id };
    if !request_id.is_empty() {
        if run.profile.create_request_id == request_id {
            return Ok(Decision::Repeated);
        }
        if run.request_ids.contains(&request_id.to_owned()) {
            return Ok(Decision::Attached);
        }
    }
    if run.is_running() {
        return while_running(run, reuse, conflict);
    }
    after_close(run, reuse)
}

/// The reuse policy is not asked while a run is open, but for the one that terminates it.
fn while_running(run: &Run, reuse: i32, conflict: i32) -> Result<Decision, Refusal> {
    #[allow(deprecated)]
    let terminate_if_running = Reuse::TerminateIfRunning as i32;
    match Conflict::try_from(conflict) {
        Ok(Conflict::UseExisting) => Ok(Decision::UseExisting),
        Ok(Conflict::TerminateExisting) => Ok(Decision::TerminateExisting),
        _ if reuse == terminate_if_running => Ok(Decision::TerminateExisting),
        _ => Err(taken(run, "Workflow execution is already running.", "")),
    }
}

fn after_close(run: &Run, reuse: i32) -> Result<Decision, Refusal> {
    let status = Status::try_from(run.header.status).unwrap_or(Status::Unspecified);
    let unsuccessful = matches!(status, Status::Failed | Status::Canceled | Status::Terminated | Status::TimedOut);
    match Reuse::try_from(reuse) {
        Ok(Reuse::RejectDuplicate) => Err(taken(
            run,
            "Workflow execution already finished.",
            " Workflow Id reuse policy: reject duplicate workflow Id.",
        )),
        Ok(Reuse::AllowDuplicateFailedOnly) if !unsuccessful => Err(taken(
            run,
            "Workflow execution already finished successfully.",
            " Workflow Id reuse policy: allow duplicate workflow Id if last run failed.",
        )),
        _ => Ok(Decision::StartNew),
    }
}

fn taken(run: &Run, what: &str, policy: &str) -> Refusal {
    let (workflow_id, run_id) = (&run.key.workflow_id, run.run_id());
    Refusal::AlreadyStarted {
        message: format!("{what} WorkflowId: {workflow_id}, RunId: {run_id}.{policy}"),
        run_id,
        start_request_id: run.profile.create_request_id.clone(),
    }
}
