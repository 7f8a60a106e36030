//! A workflow task that nobody took from its sticky queue, or whose worker did not answer (spec §3.3, §3.7).
use super::{schedule, take};
use crate::{
    api::{Attributes, enums::TimeoutType, history as h},
    workflow::{problems, records::WorkflowTask, transition::Transition},
};

fn timed_out(tx: &mut Transition<'_, '_>, task: &WorkflowTask, kind: TimeoutType) {
    let attributes = h::WorkflowTaskTimedOutEventAttributes {
        scheduled_event_id: task.scheduled_event_id,
        started_event_id: task.started_event_id,
        timeout_type: kind as i32,
    };
    tx.append(Attributes::WorkflowTaskTimedOutEventAttributes(attributes));
}

/// The worker did not answer in time: the next attempt goes to the normal queue.
pub(crate) fn start_to_close_timed_out(tx: &mut Transition<'_, '_>) {
    let task = take(tx, false, "");
    if !task.is_transient {
        timed_out(tx, &task, TimeoutType::StartToClose);
    }
    let header = tx.run.header.get_mut();
    if header.sticky.take().is_none() {
        header.workflow_task_attempt = task.attempt + 1;
    }
    problems::timed_out(tx, TimeoutType::StartToClose);
    schedule(tx, None);
}

/// Undoes a start whose worker had gone before it heard of it: the task times out at once instead of in its own time.
/// Anything else than that very start is left alone.
pub fn give_back(tx: &mut Transition<'_, '_>, request_id: &str) {
    let task = tx.run.header.workflow_task.as_ref();
    if tx.run.is_running() && task.is_some_and(|t| t.is_started() && t.request_id == request_id) {
        start_to_close_timed_out(tx);
    }
}

/// The sticky worker did not take the task: it is scheduled anew on the normal queue, as a first attempt.
pub(crate) fn schedule_to_start_timed_out(tx: &mut Transition<'_, '_>) {
    let task = take(tx, false, "");
    if !task.is_transient {
        timed_out(tx, &task, TimeoutType::ScheduleToStart);
    }
    tx.run.header.get_mut().sticky = None;
    schedule(tx, None);
}

/// A chain of heartbeats that went on for too long ends as a timeout (§3.6).
pub(super) fn heartbeat_timed_out(tx: &mut Transition<'_, '_>) {
    let task = take(tx, true, "");
    timed_out(tx, &task, TimeoutType::StartToClose);
    tx.run.header.get_mut().sticky = None;
    schedule(tx, None);
}
