//! Pending activities as DescribeWorkflowExecution shows them, also those of a closed run (spec §3.9).
use crate::{
    Time,
    api::{
        activity::ActivityOptions, common::ActivityType, enums::PendingActivityState as State, taskqueue::TaskQueue,
        workflow::PendingActivityInfo,
    },
    backoff,
    time::Span,
    workflow::{records::Activity, run::Run},
};

/// Every pending activity of the run.
pub fn describe(run: &Run, now: Time) -> Vec<PendingActivityInfo> {
    run.activities.values().map(|activity| info(activity, now)).collect()
}

fn info(a: &Activity, now: Time) -> PendingActivityInfo {
    // On a closed run nothing ends a backoff but the clock.
    let backing_off = a.backing_off && Time(a.scheduled_time) > now;
    let whole = Span(a.schedule_to_close);
    let expires = (!whole.is_zero()).then(|| (Time(a.first_scheduled_time) + whole).timestamp());
    PendingActivityInfo {
        activity_id: a.activity_id.clone(),
        activity_type: Some(ActivityType { name: a.activity_type.clone() }),
        state: state(a) as i32,
        heartbeat_details: a.heartbeat_details.clone(),
        last_heartbeat_time: Time(a.last_heartbeat_time).optional(),
        last_started_time: Time(a.started_time).optional(),
        attempt: a.attempt,
        maximum_attempts: a.retry_policy.as_ref().map_or(0, |p| p.maximum_attempts),
        scheduled_time: Some(Time(a.scheduled_time).timestamp()),
        expiration_time: expires,
        last_failure: a.last_failure.clone(),
        last_worker_identity: a.last_worker_identity.clone(),
        current_retry_interval: retry_interval(a, backing_off).map(Span::duration),
        last_attempt_complete_time: Time(a.last_attempt_complete_time).optional(),
        next_attempt_schedule_time: backing_off.then(|| Time(a.scheduled_time).timestamp()),
        priority: a.priority.clone(),
        activity_options: Some(options(a)),
        ..Default::default()
    }
}

fn state(a: &Activity) -> State {
    if a.cancel_requested {
        State::CancelRequested
    } else if a.is_started() {
        State::Started
    } else {
        State::Scheduled
    }
}

/// The wait that is going on; while the attempt waits in its queue, the wait that would follow its failure.
fn retry_interval(a: &Activity, backing_off: bool) -> Option<Span> {
    if a.is_started() {
        return None;
    }
    if backing_off {
        return Some(Span(a.retry_interval));
    }
    a.retry_policy.as_ref().map(|policy| backoff::interval(policy, a.attempt))
}

fn options(a: &Activity) -> ActivityOptions {
    ActivityOptions {
        task_queue: Some(TaskQueue {
            name: a.task_queue.clone(),
            normal_name: a.task_queue.clone(),
            ..Default::default()
        }),
        schedule_to_close_timeout: Some(Span(a.schedule_to_close).duration()),
        schedule_to_start_timeout: Some(Span(a.schedule_to_start).duration()),
        start_to_close_timeout: Some(Span(a.start_to_close).duration()),
        heartbeat_timeout: Some(Span(a.heartbeat).duration()),
        retry_policy: a.retry_policy.clone(),
        priority: a.priority.clone(),
        ..Default::default()
    }
}
