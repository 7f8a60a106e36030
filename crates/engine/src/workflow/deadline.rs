//! Everything of a run that becomes due at some time, derived from its records. A run has one timer row in the store,
//! at or before its earliest deadline.
use super::records::{Activity, Header, Profile, Timer};
use crate::{Time, time::Span};

/// What is due. The order of the variants breaks ties between equal times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deadline {
    ExecutionTimeout,
    RunTimeout,
    FirstWorkflowTask,
    /// Carries the event id that the timer started with: timers that are due together fire in order of their start.
    Timer {
        started_event_id: i64,
        timer_id: String,
    },
    WorkflowTaskStartToClose,
    WorkflowTaskScheduleToStart,
    ActivityRetry(i64),
    ActivityScheduleToClose(i64),
    ActivityScheduleToStart(i64),
    ActivityStartToClose(i64),
    ActivityHeartbeat(i64),
}

fn after(nanos: i64, span: i64) -> Time {
    Time(nanos) + Span(span)
}

/// The deadlines of the run as a whole and of its workflow task.
pub(crate) fn of_header(header: &Header, profile: &Profile) -> Vec<(Time, Deadline)> {
    let mut found = Vec::new();
    if !header.is_running() {
        return found;
    }
    if profile.execution_expiration != 0 {
        found.push((Time(profile.execution_expiration), Deadline::ExecutionTimeout));
    }
    if profile.run_expiration != 0 {
        found.push((Time(profile.run_expiration), Deadline::RunTimeout));
    }
    if header.first_task_at != 0 {
        found.push((Time(header.first_task_at), Deadline::FirstWorkflowTask));
    }
    if let Some(task) = &header.workflow_task {
        if task.is_started() {
            found.push((after(task.started_time, task.timeout), Deadline::WorkflowTaskStartToClose));
        } else if task.schedule_to_start_timeout != 0 {
            let due = after(task.scheduled_time, task.schedule_to_start_timeout);
            found.push((due, Deadline::WorkflowTaskScheduleToStart));
        }
    }
    found
}

pub(crate) fn of_timer(timer_id: &str, timer: &Timer) -> (Time, Deadline) {
    let what = Deadline::Timer { started_event_id: timer.started_event_id, timer_id: timer_id.to_owned() };
    (Time(timer.fire_time), what)
}

/// The deadlines of one activity: of its present attempt, and of the whole.
pub(crate) fn of_activity(activity: &Activity) -> Vec<(Time, Deadline)> {
    let id = activity.scheduled_event_id;
    let mut found = Vec::new();
    if activity.schedule_to_close != 0 {
        let due = after(activity.first_scheduled_time, activity.schedule_to_close);
        found.push((due, Deadline::ActivityScheduleToClose(id)));
    }
    if activity.backing_off {
        found.push((Time(activity.scheduled_time), Deadline::ActivityRetry(id)));
    } else if activity.is_started() {
        if activity.start_to_close != 0 {
            let due = after(activity.started_time, activity.start_to_close);
            found.push((due, Deadline::ActivityStartToClose(id)));
        }
        if activity.heartbeat != 0 {
            let last = activity.started_time.max(activity.last_heartbeat_time);
            found.push((after(last, activity.heartbeat), Deadline::ActivityHeartbeat(id)));
        }
    } else if activity.schedule_to_start != 0 {
        let due = after(activity.scheduled_time, activity.schedule_to_start);
        found.push((due, Deadline::ActivityScheduleToStart(id)));
    }
    found
}
