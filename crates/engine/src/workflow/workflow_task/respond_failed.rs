//! RespondWorkflowTaskFailed (spec §3.3).
use super::{HISTORY_SERVICE, check_token, fail::fail, schedule};
use crate::{
    Refusal,
    api::{enums::WorkflowTaskFailedCause as Cause, service::RespondWorkflowTaskFailedRequest},
    workflow::{close, problems, token::TaskToken, transition::Transition},
};

/// Records the failure and schedules the next attempt at once.
pub fn respond(
    tx: &mut Transition<'_, '_>,
    token: &TaskToken,
    request: RespondWorkflowTaskFailedRequest,
) -> Result<(), Refusal> {
    if !tx.run.is_running() {
        return Err(Refusal::already_completed());
    }
    check_token(&tx.run.header, token)?;
    if request.cause == Cause::GrpcMessageTooLarge as i32 {
        fail(tx, Cause::ForceCloseCommand as i32, None, HISTORY_SERVICE);
        close::terminate(tx, "GrpcMessageTooLarge", None, HISTORY_SERVICE, Vec::new());
        return Ok(());
    }
    problems::failed(tx, request.cause);
    fail(tx, request.cause, request.failure, &request.identity);
    schedule(tx, None);
    Ok(())
}
