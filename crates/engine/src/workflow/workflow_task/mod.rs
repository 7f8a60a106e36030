//! The workflow task machine: scheduled, started, then completed, failed or timed out (spec §3.2 to §3.7).
pub mod complete;
pub mod fail;
pub mod respond_failed;
pub mod start;
pub mod taker;
mod timeout;

pub use timeout::give_back;
pub(crate) use timeout::{schedule_to_start_timed_out, start_to_close_timed_out};

use super::{
    records::{Header, Profile, WorkflowTask},
    run::Run,
    transition::Transition,
};
use crate::{
    Refusal, Time,
    api::{Attributes, enums, history as h, history::HistoryEvent, taskqueue},
    time::Span,
};

/// The identity of what the server does by itself.
pub(crate) const HISTORY_SERVICE: &str = "history-service";

/// Schedules a workflow task if none is pending: what every change that the workflow must hear of ends with (§3.2).
pub(crate) fn ensure_scheduled(tx: &mut Transition<'_, '_>) {
    let header = tx.run.header.get();
    if header.is_running() && header.workflow_task.is_none() {
        schedule(tx, None);
    }
}

/// Schedules the next workflow task. Held-back events are let go first, and make it a first attempt again.
/// `original_scheduled_time` is that of the heartbeat chain it continues.
pub(crate) fn schedule(tx: &mut Transition<'_, '_>, original_scheduled_time: Option<i64>) {
    if tx.flush_buffer() {
        tx.run.header.get_mut().workflow_task_attempt = 1;
    }
    schedule_attempt(tx, original_scheduled_time, false);
}

/// Schedules with the attempt that the header has. `stored` writes a Scheduled event whatever the attempt is.
pub(crate) fn schedule_attempt(tx: &mut Transition<'_, '_>, original_scheduled_time: Option<i64>, stored: bool) {
    let attempt = tx.run.header.workflow_task_attempt.max(1);
    let timeout = start_to_close(tx, attempt);
    let now = tx.now().0;
    let sticky = tx.run.header.sticky.clone().unwrap_or_default();
    let mut task = WorkflowTask {
        attempt,
        scheduled_time: now,
        original_scheduled_time: original_scheduled_time.unwrap_or(now),
        timeout: timeout.0,
        is_transient: attempt > 1 && !stored,
        sticky_queue: sticky.queue,
        schedule_to_start_timeout: sticky.schedule_to_start_timeout,
        ..Default::default()
    };
    task.scheduled_event_id = if task.is_transient {
        tx.run.header.next_event_id
    } else {
        let attributes = scheduled_attributes(&tx.run.profile, &task);
        tx.append(Attributes::WorkflowTaskScheduledEventAttributes(attributes)).event_id
    };
    let header = tx.run.header.get_mut();
    assert!(header.workflow_task.is_none(), "one workflow task at a time");
    header.workflow_task = Some(task);
    header.first_task_at = 0;
}

/// Attempts after the third get longer instead of coming later (§3.3).
fn start_to_close(tx: &mut Transition<'_, '_>, attempt: i32) -> Span {
    let timeout = Span(tx.run.profile.task_timeout);
    if attempt < 4 {
        return timeout;
    }
    let most = tx.cx.settings.workflow_task_retry_interval_max.0 as f64;
    let grown = (5e9 * 2f64.powi(attempt - 4)).min(most);
    let jittered = grown * (1.0 - 0.2 * tx.cx.ids.fraction());
    Span(timeout.0 + jittered as i64)
}

pub(crate) fn normal_queue(name: &str) -> taskqueue::TaskQueue {
    taskqueue::TaskQueue { name: name.to_owned(), kind: enums::TaskQueueKind::Normal as i32, ..Default::default() }
}

fn scheduled_attributes(profile: &Profile, task: &WorkflowTask) -> h::WorkflowTaskScheduledEventAttributes {
    let queue = if task.sticky_queue.is_empty() {
        normal_queue(&profile.task_queue)
    } else {
        taskqueue::TaskQueue {
            name: task.sticky_queue.clone(),
            kind: enums::TaskQueueKind::Sticky as i32,
            normal_name: profile.task_queue.clone(),
        }
    };
    h::WorkflowTaskScheduledEventAttributes {
        task_queue: Some(queue),
        start_to_close_timeout: Some(Span(task.timeout).duration()),
        attempt: task.attempt,
    }
}

fn started_attributes(task: &WorkflowTask, identity: &str) -> h::WorkflowTaskStartedEventAttributes {
    h::WorkflowTaskStartedEventAttributes {
        scheduled_event_id: task.scheduled_event_id,
        identity: identity.to_owned(),
        request_id: task.request_id.clone(),
        suggest_continue_as_new: task.suggest_continue_as_new,
        suggest_continue_as_new_reasons: task.suggest_continue_as_new_reasons.clone(),
        history_size_bytes: task.history_size_bytes,
        ..Default::default()
    }
}

/// The events of a transient task, which are shown but not stored: Scheduled, and Started once it runs. Workers see who
/// took it; readers of the history do not (§3.3).
pub fn transient_events(run: &Run, identity: Option<&str>) -> Vec<HistoryEvent> {
    let shown = run.header.workflow_task.as_ref().filter(|t| t.is_transient && run.is_running());
    let Some(task) = shown else { return Vec::new() };
    // An event came after the task was scheduled: the task becomes a stored one when it starts.
    if !task.is_started() && task.scheduled_event_id != run.header.next_event_id {
        return Vec::new();
    }
    let event = |id, at: i64, kind: enums::EventType, attributes| HistoryEvent {
        event_id: id,
        event_time: Some(Time(at).timestamp()),
        event_type: kind as i32,
        attributes: Some(attributes),
        ..Default::default()
    };
    let scheduled = Attributes::WorkflowTaskScheduledEventAttributes(scheduled_attributes(&run.profile, task));
    let kind = enums::EventType::WorkflowTaskScheduled;
    let mut events = vec![event(task.scheduled_event_id, task.scheduled_time, kind, scheduled)];
    if task.is_started() {
        let started = started_attributes(task, identity.unwrap_or_default());
        let attributes = Attributes::WorkflowTaskStartedEventAttributes(started);
        let kind = enums::EventType::WorkflowTaskStarted;
        events.push(event(task.started_event_id, task.started_time, kind, attributes));
    }
    events
}

/// Takes the pending task away, to close it with an event of the caller's. What a transient one left out is written
/// first if `write_transient` says so.
fn take(tx: &mut Transition<'_, '_>, write_transient: bool, identity: &str) -> WorkflowTask {
    let mut task = tx.run.header.get_mut().workflow_task.take().expect("the caller checked that a task is pending");
    if task.is_transient && write_transient {
        let (scheduled_time, started_time) = (Time(task.scheduled_time), Time(task.started_time));
        let scheduled = scheduled_attributes(&tx.run.profile, &task);
        let event = tx.append(Attributes::WorkflowTaskScheduledEventAttributes(scheduled));
        event.event_time = Some(scheduled_time.timestamp());
        task.scheduled_event_id = event.event_id;
        let started = started_attributes(&task, identity);
        let event = tx.append(Attributes::WorkflowTaskStartedEventAttributes(started));
        event.event_time = Some(started_time.timestamp());
        task.started_event_id = event.event_id;
        tx.end_batch();
    }
    task
}

/// Whether this token's task is the one that runs.
fn check_token(header: &Header, token: &super::token::TaskToken) -> Result<(), Refusal> {
    let current = header.workflow_task.as_ref().filter(|t| {
        t.is_started()
            && t.scheduled_event_id == token.scheduled_event_id
            && t.started_event_id == token.started_event_id
            && t.attempt == token.attempt
            && t.started_time == token.started_time
    });
    current.map(|_| ()).ok_or_else(Refusal::workflow_task_not_found)
}
