//! What becomes due by itself: the end of a backoff, and the four timeouts (spec §3.9). Each function looks anew whether
//! it is due, since something earlier in the same wake-up may have taken its reason away.
use super::{
    closing, failure,
    retry::{self, Next},
};
use crate::{
    api::{
        Attributes,
        enums::{RetryState, TimeoutType},
        history::ActivityTaskTimedOutEventAttributes,
    },
    workflow::{
        deadline::{self, Deadline},
        names,
        records::Activity,
        transition::Transition,
    },
};

/// The backoff is over: the attempt waits for a worker.
pub(crate) fn retry_due(tx: &mut Transition<'_, '_>, id: i64) {
    if is_due(tx, &Deadline::ActivityRetry(id), id)
        && let Some(activity) = tx.run.activities.get_mut(&id)
    {
        activity.backing_off = false;
    }
}

/// The time for all attempts together is over.
pub(crate) fn schedule_to_close_due(tx: &mut Transition<'_, '_>, id: i64) {
    if !is_due(tx, &Deadline::ActivityScheduleToClose(id), id) {
        return;
    }
    // If nobody took the attempt and that, too, is due now, it is the better reason.
    let kind = if is_due(tx, &Deadline::ActivityScheduleToStart(id), id) {
        TimeoutType::ScheduleToStart
    } else {
        TimeoutType::ScheduleToClose
    };
    timed_out(tx, id, kind);
}

/// No worker took the attempt in time.
pub(crate) fn schedule_to_start_due(tx: &mut Transition<'_, '_>, id: i64) {
    if is_due(tx, &Deadline::ActivityScheduleToStart(id), id) {
        timed_out(tx, id, TimeoutType::ScheduleToStart);
    }
}

/// The worker did not answer in time.
pub(crate) fn start_to_close_due(tx: &mut Transition<'_, '_>, id: i64) {
    if is_due(tx, &Deadline::ActivityStartToClose(id), id) {
        timed_out(tx, id, TimeoutType::StartToClose);
    }
}

/// The worker was not heard of for too long.
pub(crate) fn heartbeat_due(tx: &mut Transition<'_, '_>, id: i64) {
    if is_due(tx, &Deadline::ActivityHeartbeat(id), id) {
        timed_out(tx, id, TimeoutType::Heartbeat);
    }
}

fn is_due(tx: &Transition<'_, '_>, what: &Deadline, id: i64) -> bool {
    let now = tx.now();
    let Some(activity) = tx.run.activities.get(&id) else { return false };
    deadline::of_activity(activity).iter().any(|(at, deadline)| deadline == what && *at <= now)
}

fn timed_out(tx: &mut Transition<'_, '_>, id: i64, kind: TimeoutType) {
    let (now, settings) = (tx.now(), tx.cx.settings);
    let Some(activity) = tx.run.activities.get_mut(&id) else { return };
    let failure = failure::timeout(format!("activity {} timeout", names::timeout(kind)), kind, None);
    match retry::decide(activity, Some(&failure), now) {
        Next::Attempt(wait) => retry::begin_next(activity, Some(failure), wait, now, settings),
        Next::End(state) => {
            if let Some(activity) = tx.run.activities.remove(&id) {
                end(tx, &activity, kind, state);
            }
        }
    }
}

fn end(tx: &mut Transition<'_, '_>, activity: &Activity, kind: TimeoutType, state: RetryState) {
    // An attempt that cannot be retried for lack of time has run into the limit of the whole.
    let (kind, message) = if state == RetryState::Timeout && kind != TimeoutType::ScheduleToStart {
        let text = "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying";
        (TimeoutType::ScheduleToClose, text.to_owned())
    } else {
        (kind, format!("activity {} timeout", names::timeout(kind)))
    };
    let mut failure = failure::timeout(message, kind, activity.heartbeat_details.clone());
    failure.cause = activity.last_failure.clone().map(Box::new);
    let attributes = ActivityTaskTimedOutEventAttributes {
        failure: Some(failure),
        scheduled_event_id: activity.scheduled_event_id,
        retry_state: state as i32,
        ..Default::default()
    };
    closing::end(tx, activity, Attributes::ActivityTaskTimedOutEventAttributes(attributes));
}
