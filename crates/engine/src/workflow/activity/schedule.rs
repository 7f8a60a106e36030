//! SCHEDULE_ACTIVITY_TASK: the command, and what it leaves open that the server fills in (spec §2.1, §3.9).
use super::{cancel, validate};
use crate::{
    api::{
        Attributes, command::ScheduleActivityTaskCommandAttributes, enums::WorkflowTaskFailedCause as Cause,
        history::ActivityTaskScheduledEventAttributes,
    },
    backoff,
    time::Span,
    workflow::{
        commands::applying::{Applying, Failed, required},
        records::Activity,
        transition::Transition,
        validate::too_large,
        workflow_task::normal_queue,
    },
};

const CAUSE: Cause = Cause::BadScheduleActivityAttributes;

/// Schedules an activity.
pub(crate) fn schedule(
    tx: &mut Transition<'_, '_>,
    batch: &mut Applying,
    attributes: Option<ScheduleActivityTaskCommandAttributes>,
) -> Result<(), Failed> {
    let mut a = required(attributes, CAUSE, "ScheduleActivityTask")?;
    backoff::with_defaults(a.retry_policy.get_or_insert_default());
    validate::schedule(tx.cx.settings, &tx.run.profile.task_queue, &a).map_err(|text| Failed::task(CAUSE, text))?;
    let timeouts = Timeouts::of(&a, Span(tx.run.profile.run_timeout.unwrap_or(0))).ok_or_else(|| {
        let (id, kind) = (&a.activity_id, a.activity_type.as_ref().map_or("", |t| &t.name));
        let text = "a valid StartToClose or ScheduleToCloseTimeout is not set on ScheduleActivityTaskCommand.";
        Failed::task(CAUSE, format!("{text} ActivityId={id} ActivityType={kind}"))
    })?;
    if too_large(tx, a.input.as_ref()) {
        return Err(Failed::terminate(CAUSE, "ScheduleActivityTaskCommandAttributes.Input exceeds size limit."));
    }
    check_room(tx, batch)?;
    free_id(tx, batch, &a.activity_id)?;
    add(tx, batch, a, &timeouts);
    Ok(())
}

fn check_room(tx: &Transition<'_, '_>, batch: &Applying) -> Result<(), Failed> {
    let limit = tx.cx.settings.pending_activities;
    let pending = tx.run.activities.len() - batch.canceled_before_start.len();
    if pending < limit {
        return Ok(());
    }
    let text = format!("the number of pending activities, {pending}, has reached the per-workflow limit of {limit}");
    Err(Failed::task(Cause::PendingActivitiesLimitExceeded, text))
}

/// Refuses an id that a pending activity has. One that this completion has canceled before it started gives it up.
fn free_id(tx: &mut Transition<'_, '_>, batch: &mut Applying, activity_id: &str) -> Result<(), Failed> {
    let Some(&holder) = tx.run.activities.by_name(activity_id) else { return Ok(()) };
    if let Some(at) = batch.canceled_before_start.iter().position(|id| *id == holder) {
        batch.canceled_before_start.remove(at);
        cancel::finish(tx, batch, holder);
        return Ok(());
    }
    let text = "invalid history builder state for action: add-activitytask-scheduled-event, ActivityID";
    Err(Failed::task(Cause::ScheduleActivityDuplicateId, format!("{text}: {activity_id}")))
}

fn add(
    tx: &mut Transition<'_, '_>,
    batch: &mut Applying,
    a: ScheduleActivityTaskCommandAttributes,
    timeouts: &Timeouts,
) {
    let queue = a.task_queue.map(|q| q.name).unwrap_or_default();
    let now = tx.now().0;
    let mut activity = Activity {
        activity_id: a.activity_id.clone(),
        activity_type: a.activity_type.as_ref().map(|t| t.name.clone()).unwrap_or_default(),
        task_queue: queue.clone(),
        header: a.header.clone(),
        input: a.input.clone(),
        schedule_to_close: timeouts.schedule_to_close.0,
        schedule_to_start: timeouts.schedule_to_start.0,
        start_to_close: timeouts.start_to_close.0,
        heartbeat: timeouts.heartbeat.0,
        retry_policy: a.retry_policy.clone(),
        priority: a.priority.clone(),
        first_scheduled_time: now,
        scheduled_time: now,
        attempt: 1,
        ..Default::default()
    };
    let attributes = ActivityTaskScheduledEventAttributes {
        activity_id: a.activity_id,
        activity_type: a.activity_type,
        task_queue: Some(normal_queue(&queue)),
        header: a.header,
        input: a.input,
        // All four are always there, zero for none: one official SDK relies on it.
        schedule_to_close_timeout: Some(timeouts.schedule_to_close.duration()),
        schedule_to_start_timeout: Some(timeouts.schedule_to_start.duration()),
        start_to_close_timeout: Some(timeouts.start_to_close.duration()),
        heartbeat_timeout: Some(timeouts.heartbeat.duration()),
        workflow_task_completed_event_id: batch.completed_event_id,
        retry_policy: a.retry_policy,
        priority: a.priority,
        ..Default::default()
    };
    let event = tx.append(Attributes::ActivityTaskScheduledEventAttributes(attributes));
    event.user_metadata = batch.user_metadata.clone();
    activity.scheduled_event_id = event.event_id;
    if a.request_eager_execution && tx.cx.settings.eager_activities {
        batch.eager.push(activity.scheduled_event_id);
    }
    tx.run.activities.insert(activity.scheduled_event_id, activity);
}

/// The timeouts in force; zero is none.
#[derive(Debug, PartialEq)]
struct Timeouts {
    schedule_to_close: Span,
    schedule_to_start: Span,
    start_to_close: Span,
    heartbeat: Span,
}

impl Timeouts {
    /// Fills in what the command leaves out, and cuts what is longer than the run may be. None if the command says
    /// neither how long an attempt may take nor how long the whole may.
    fn of(a: &ScheduleActivityTaskCommandAttributes, run_timeout: Span) -> Option<Self> {
        let schedule_to_close = Span::of(a.schedule_to_close_timeout.as_ref());
        let schedule_to_start = Span::of(a.schedule_to_start_timeout.as_ref());
        let start_to_close = Span::of(a.start_to_close_timeout.as_ref());
        if schedule_to_close.is_zero() && start_to_close.is_zero() {
            return None;
        }
        // With a whole, the parts are at most that; without one, the run's timeout bounds all.
        let whole = schedule_to_close.min_set(run_timeout);
        let start_to_close = start_to_close.min_set(whole);
        let heartbeat = Span::of(a.heartbeat_timeout.as_ref());
        Some(Self {
            schedule_to_close: whole,
            schedule_to_start: schedule_to_start.min_set(whole),
            start_to_close,
            heartbeat: if heartbeat.is_zero() { heartbeat } else { heartbeat.min_set(start_to_close) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(of: [i64; 4], run_timeout: i64) -> Option<[i64; 4]> {
        let [schedule_to_close, schedule_to_start, start_to_close, heartbeat] =
            of.map(|seconds| Span::seconds(seconds).optional());
        let a = ScheduleActivityTaskCommandAttributes {
            schedule_to_close_timeout: schedule_to_close,
            schedule_to_start_timeout: schedule_to_start,
            start_to_close_timeout: start_to_close,
            heartbeat_timeout: heartbeat,
            ..Default::default()
        };
        let t = Timeouts::of(&a, Span::seconds(run_timeout))?;
        Some(
            [t.schedule_to_close, t.schedule_to_start, t.start_to_close, t.heartbeat]
                .map(|span| span.duration().seconds),
        )
    }

    #[test]
    fn timeouts_are_filled_in() {
        assert_eq!(seconds([0, 0, 10, 0], 0), Some([0, 0, 10, 0]));
        assert_eq!(seconds([20, 0, 0, 0], 0), Some([20, 20, 20, 0]));
        assert_eq!(seconds([20, 40, 30, 0], 0), Some([20, 20, 20, 0]));
        assert_eq!(seconds([0, 7, 3, 0], 0), Some([0, 7, 3, 0]));
        assert_eq!(seconds([0, 0, 4, 20], 0), Some([0, 0, 4, 4]));
        assert_eq!(seconds([9, 0, 0, 20], 0), Some([9, 9, 9, 9]));
    }

    #[test]
    fn the_run_bounds_all_timeouts() {
        assert_eq!(seconds([0, 0, 10, 0], 60), Some([60, 60, 10, 0]));
        assert_eq!(seconds([0, 0, 90, 0], 60), Some([60, 60, 60, 0]));
        assert_eq!(seconds([90, 80, 70, 0], 60), Some([60, 60, 60, 0]));
    }

    #[test]
    fn one_bound_is_needed() {
        assert_eq!(seconds([0, 5, 0, 0], 60), None);
    }
}
