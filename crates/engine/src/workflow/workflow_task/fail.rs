//! A workflow task that failed, by the worker's word or by a bad completion (spec §3.3).
use super::{HISTORY_SERVICE, schedule_attempt, take};
use crate::{
    api::{
        Attributes,
        enums::WorkflowTaskFailedCause as Cause,
        failure::{Failure, ServerFailureInfo, failure::FailureInfo},
        history as h,
    },
    workflow::transition::Transition,
};

/// A failure that the server states itself.
pub(crate) fn server_failure(message: &str) -> Failure {
    Failure {
        message: message.to_owned(),
        failure_info: Some(FailureInfo::ServerFailureInfo(ServerFailureInfo::default())),
        ..Default::default()
    }
}

/// Ends the running task as failed. The event is stored for a task that is itself stored; the next attempt's number
/// goes up unless the task was sticky or the cause says that nobody is to blame.
pub(crate) fn fail(tx: &mut Transition<'_, '_>, cause: i32, failure: Option<Failure>, identity: &str) {
    let task = take(tx, false, identity);
    if !task.is_transient {
        let attributes = h::WorkflowTaskFailedEventAttributes {
            scheduled_event_id: task.scheduled_event_id,
            started_event_id: task.started_event_id,
            cause,
            failure,
            identity: identity.to_owned(),
            ..Default::default()
        };
        tx.append(Attributes::WorkflowTaskFailedEventAttributes(Box::new(attributes)));
    }
    let header = tx.run.header.get_mut();
    let was_sticky = header.sticky.take().is_some();
    let blameless = cause == Cause::ResetWorkflow as i32 || cause == Cause::FailoverCloseCommand as i32;
    if blameless {
        header.workflow_task_attempt = 1;
    } else if !was_sticky {
        header.workflow_task_attempt = task.attempt + 1;
    }
    if cause == Cause::UnhandledCommand as i32 {
        header.close_attempted = true;
    }
}

/// Too much is held back: the running task is failed so that it can be let go (§3.1). The end of every transition.
pub(crate) fn make_room(tx: &mut Transition<'_, '_>) {
    let (settings, held) = (tx.cx.settings, &tx.run.buffered);
    if held.changes().next().is_none() || tx.run.header.workflow_task.as_ref().is_none_or(|t| !t.is_started()) {
        return;
    }
    let size_bytes: usize = held.values().map(prost::Message::encoded_len).sum();
    if held.len() <= settings.buffered_events && size_bytes <= settings.buffered_size_bytes {
        return;
    }
    fail(tx, Cause::ForceCloseCommand as i32, None, HISTORY_SERVICE);
    tx.flush_buffer();
    schedule_attempt(tx, None, true);
}

/// Before a run is ended from outside: a started task fails, a scheduled one is silently dropped (§3.1).
pub(crate) fn force_close(tx: &mut Transition<'_, '_>) {
    if tx.run.header.workflow_task.as_ref().is_some_and(|t| t.is_started()) {
        fail(tx, Cause::ForceCloseCommand as i32, None, HISTORY_SERVICE);
        tx.flush_buffer();
    }
}
