//! The events that end an activity. Its Started event is written only now, right before them (spec §3.9).
use crate::{
    Time,
    api::{Attributes, history::ActivityTaskStartedEventAttributes},
    workflow::{records::Activity, transition::Transition, workflow_task},
};

/// Ends an activity that is no longer pending; the workflow hears of it.
pub(super) fn end(tx: &mut Transition<'_, '_>, activity: &Activity, attributes: Attributes) {
    write(tx, activity, attributes);
    workflow_task::ensure_scheduled(tx);
}

/// Writes the Started event of an attempt that a worker has taken, then the event that ends the activity.
pub(super) fn write(tx: &mut Transition<'_, '_>, activity: &Activity, attributes: Attributes) {
    if activity.is_started() {
        let started = ActivityTaskStartedEventAttributes {
            scheduled_event_id: activity.scheduled_event_id,
            identity: activity.identity.clone(),
            request_id: activity.request_id.clone(),
            attempt: activity.attempt,
            last_failure: activity.last_failure.clone(),
            ..Default::default()
        };
        let event = tx.buffer(Attributes::ActivityTaskStartedEventAttributes(started));
        event.event_time = Some(Time(activity.started_time).timestamp());
    }
    tx.buffer(attributes);
}

/// The activity that a held-back event ends; none for every other event.
pub(super) fn ended_by(attributes: &Attributes) -> Option<i64> {
    Some(match attributes {
        Attributes::ActivityTaskCompletedEventAttributes(a) => a.scheduled_event_id,
        Attributes::ActivityTaskFailedEventAttributes(a) => a.scheduled_event_id,
        Attributes::ActivityTaskTimedOutEventAttributes(a) => a.scheduled_event_id,
        Attributes::ActivityTaskCanceledEventAttributes(a) => a.scheduled_event_id,
        _ => return None,
    })
}
