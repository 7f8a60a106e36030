//! How a run ends. Nothing follows the close event, and what was pending is never handed out again.
use super::{transition::Transition, workflow_task::fail::force_close};
use crate::{
    Refusal, Time,
    api::{
        Attributes, common,
        enums::{RetryState, WorkflowExecutionStatus as Status},
        history::{self as h, HistoryEvent},
        service::TerminateWorkflowExecutionRequest,
    },
    workflow::next_run,
};

/// Writes the close event.
pub(crate) fn close<'t>(
    tx: &'t mut Transition<'_, '_>,
    status: Status,
    attributes: Attributes,
) -> &'t mut HistoryEvent {
    let now = tx.now().0;
    let header = tx.run.header.get_mut();
    assert!(header.is_running(), "a run ends once");
    header.status = status as i32;
    header.close_time = now;
    // A task that was only scheduled stays to be described; it is handed out no more.
    if header.workflow_task.as_ref().is_some_and(|t| t.is_started()) {
        header.workflow_task = None;
    }
    header.first_task_at = 0;
    tx.append(attributes)
}

/// TerminateWorkflowExecution.
pub fn respond_terminate(
    tx: &mut Transition<'_, '_>,
    request: TerminateWorkflowExecutionRequest,
) -> Result<(), Refusal> {
    if !tx.run.is_running() {
        return Err(Refusal::already_completed());
    }
    let given = |value: String, default: &str| if value.is_empty() { default.to_owned() } else { value };
    let reason = given(request.reason, "terminated by user via frontend");
    let identity = given(request.identity, "frontend-service");
    terminate(tx, &reason, request.details, &identity, request.links);
    Ok(())
}

/// Ends the run from outside: a started workflow task fails first, what is held back is written, then the end.
pub(crate) fn terminate(
    tx: &mut Transition<'_, '_>,
    reason: &str,
    details: Option<common::Payloads>,
    identity: &str,
    links: Vec<common::Link>,
) {
    force_close(tx);
    tx.flush_buffer();
    let attributes = h::WorkflowExecutionTerminatedEventAttributes {
        reason: reason.to_owned(),
        details,
        identity: identity.to_owned(),
    };
    close(tx, Status::Terminated, Attributes::WorkflowExecutionTerminatedEventAttributes(attributes)).links = links;
}

/// The run's own timeout: it may be retried, or go on with the next cron tick.
pub(crate) fn run_timed_out(tx: &mut Transition<'_, '_>) {
    let expired = tx.run.profile.execution_expiration;
    force_close(tx);
    tx.flush_buffer();
    let (retry_state, successor) = if expired != 0 && tx.now() >= Time(expired) {
        (RetryState::Timeout, None)
    } else {
        next_run::after_timeout(tx)
    };
    timed_out(tx, retry_state, successor);
}

/// The timeout of the whole chain: nothing follows.
pub(crate) fn execution_timed_out(tx: &mut Transition<'_, '_>) {
    force_close(tx);
    tx.flush_buffer();
    timed_out(tx, RetryState::Timeout, None);
}

fn timed_out(tx: &mut Transition<'_, '_>, retry_state: RetryState, successor: Option<Box<super::new_run::NewRun>>) {
    let attributes = h::WorkflowExecutionTimedOutEventAttributes {
        retry_state: retry_state as i32,
        new_execution_run_id: next_run::id(successor.as_deref()),
    };
    close(tx, Status::TimedOut, Attributes::WorkflowExecutionTimedOutEventAttributes(attributes));
    tx.successor = successor;
}
