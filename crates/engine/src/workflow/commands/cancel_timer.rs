//! CANCEL_TIMER: takes a timer away, or the fire that is held back.
use super::applying::{Applying, Failed, check_length, required};
use crate::{
    api::{Attributes, command::CancelTimerCommandAttributes, enums::WorkflowTaskFailedCause as Cause, history as h},
    workflow::transition::Transition,
};

pub(super) fn apply(
    tx: &mut Transition<'_, '_>,
    batch: &mut Applying,
    attributes: Option<CancelTimerCommandAttributes>,
) -> Result<(), Failed> {
    const CAUSE: Cause = Cause::BadCancelTimerAttributes;
    let a = required(attributes, CAUSE, "CancelTimer")?;
    if a.timer_id.is_empty() {
        return Err(Failed::task(CAUSE, "TimerId is not set on CancelTimerCommand."));
    }
    check_length(tx, CAUSE, "CancelTimer", "TimerId", &a.timer_id)?;
    let started_event_id = match tx.run.timers.remove(&a.timer_id) {
        Some(timer) => timer.started_event_id,
        None => take_buffered_fire(tx, &a.timer_id).ok_or_else(|| {
            let id = &a.timer_id;
            let text = format!("invalid history builder state for action: add-timer-canceled-event, TimerID: {id}");
            Failed::task(CAUSE, text)
        })?,
    };
    // Without the fire there may be nothing left that a close would overlook.
    batch.has_unhandled = batch.has_unhandled && tx.has_buffered();
    let event = tx.append(Attributes::TimerCanceledEventAttributes(h::TimerCanceledEventAttributes {
        timer_id: a.timer_id,
        started_event_id,
        workflow_task_completed_event_id: batch.completed_event_id,
        identity: batch.identity.clone(),
    }));
    event.user_metadata = batch.user_metadata.clone();
    Ok(())
}

/// Removes the held-back fire of this timer; gives the event that the timer started with.
fn take_buffered_fire(tx: &mut Transition<'_, '_>, timer_id: &str) -> Option<i64> {
    let (sequence, started_event_id) =
        tx.run.buffered.iter().find_map(|(sequence, event)| match &event.attributes {
            Some(Attributes::TimerFiredEventAttributes(fired)) if fired.timer_id == timer_id => {
                Some((*sequence, fired.started_event_id))
            }
            _ => None,
        })?;
    tx.discard_buffered(sequence);
    Some(started_event_id)
}
