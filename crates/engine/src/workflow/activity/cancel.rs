//! REQUEST_CANCEL_ACTIVITY_TASK: a worker that has the activity hears of it by its next heartbeat; an activity that
//! nobody has is canceled by the same completion (spec §2.1).
use serde_json::Value;

use super::closing;
use crate::{
    api::{
        Attributes,
        command::RequestCancelActivityTaskCommandAttributes,
        common::Payloads,
        enums::WorkflowTaskFailedCause as Cause,
        history::{ActivityTaskCancelRequestedEventAttributes, ActivityTaskCanceledEventAttributes},
    },
    payload,
    workflow::{
        commands::applying::{Applying, Failed, required},
        transition::Transition,
    },
};

/// Requests the cancellation of a pending activity, or of one whose end is only held back.
pub(crate) fn request_cancel(
    tx: &mut Transition<'_, '_>,
    batch: &mut Applying,
    attributes: Option<RequestCancelActivityTaskCommandAttributes>,
) -> Result<(), Failed> {
    const CAUSE: Cause = Cause::BadRequestCancelActivityAttributes;
    let id = required(attributes, CAUSE, "RequestCancelActivityTask")?.scheduled_event_id;
    if id <= 0 {
        return Err(Failed::task(CAUSE, "ScheduledEventId is not set on RequestCancelActivityTaskCommand."));
    }
    let is_new = match tx.run.activities.get(&id) {
        Some(activity) => !activity.cancel_requested,
        None => false,
    };
    if !is_new && !batch.canceled_before_start.contains(&id) && !ends_held_back(tx, id) {
        let text = "invalid history builder state for action: add-activitytask-cancel-requested-event";
        return Err(Failed::task(CAUSE, format!("{text}, ScheduledEventID: {id}")));
    }
    let attributes = ActivityTaskCancelRequestedEventAttributes {
        scheduled_event_id: id,
        workflow_task_completed_event_id: batch.completed_event_id,
    };
    let event = tx.append(Attributes::ActivityTaskCancelRequestedEventAttributes(attributes));
    event.user_metadata = batch.user_metadata.clone();
    let event_id = event.event_id;
    if let Some(activity) = tx.run.activities.get_mut(&id).filter(|_| is_new) {
        activity.cancel_requested = true;
        activity.cancel_requested_event_id = event_id;
        if !activity.is_started() {
            batch.canceled_before_start.push(id);
        }
    }
    Ok(())
}

/// Whether the event that ends this activity waits for the running workflow task.
fn ends_held_back(tx: &Transition<'_, '_>, id: i64) -> bool {
    let mut held = tx.run.buffered.values().filter_map(|event| event.attributes.as_ref());
    held.any(|attributes| closing::ended_by(attributes) == Some(id))
}

/// After all commands: ends the activities that were canceled while no worker had them.
pub(crate) fn finish_canceled_before_start(tx: &mut Transition<'_, '_>, batch: &mut Applying) {
    for id in std::mem::take(&mut batch.canceled_before_start) {
        finish(tx, batch, id);
    }
}

/// Ends one activity that was canceled while no worker had it.
pub(super) fn finish(tx: &mut Transition<'_, '_>, batch: &mut Applying, id: i64) {
    let Some(activity) = tx.run.activities.remove(&id) else { return };
    let details = Payloads { payloads: vec![payload::json(&Value::from("ACTIVITY_ID_NOT_STARTED"))] };
    let attributes = ActivityTaskCanceledEventAttributes {
        details: Some(details),
        latest_cancel_requested_event_id: activity.cancel_requested_event_id,
        scheduled_event_id: id,
        identity: batch.identity.clone(),
        ..Default::default()
    };
    closing::write(tx, &activity, Attributes::ActivityTaskCanceledEventAttributes(attributes));
    batch.activity_canceled_before_start = true;
}
