//! START_TIMER: a timeout of zero or none fires at once; a negative one, or an id that is taken, is refused.
use super::applying::{Applying, Failed, check_length, required};
use crate::{
    api::{Attributes, command::StartTimerCommandAttributes, enums::WorkflowTaskFailedCause as Cause, history as h},
    time::Span,
    workflow::{records::Timer, transition::Transition},
};

pub(super) fn apply(
    tx: &mut Transition<'_, '_>,
    batch: &Applying,
    attributes: Option<StartTimerCommandAttributes>,
) -> Result<(), Failed> {
    const CAUSE: Cause = Cause::BadStartTimerAttributes;
    let a = required(attributes, CAUSE, "StartTimer")?;
    if a.timer_id.is_empty() {
        return Err(Failed::task(CAUSE, "TimerId is not set on StartTimerCommand."));
    }
    check_length(tx, CAUSE, "StartTimer", "TimerId", &a.timer_id)?;
    if let Some(why) = crate::workflow::validate::duration(a.start_to_fire_timeout.as_ref()) {
        let id = &a.timer_id;
        return Err(Failed::task(
            CAUSE,
            format!("An invalid StartToFireTimeout is set on StartTimerCommand: {why}. TimerId={id}"),
        ));
    }
    if tx.run.timers.contains(&a.timer_id) {
        let id = &a.timer_id;
        let text = format!("invalid history builder state for action: add-timer-started-event, TimerID: {id}");
        return Err(Failed::task(Cause::StartTimerDuplicateId, text));
    }
    let fire_time = tx.now() + Span::of(a.start_to_fire_timeout.as_ref());
    #[cfg(feature = "planted")]
    let fire_time = match abide_planted::is(abide_planted::Fault::TimerEarly) {
        true => crate::Time(fire_time.0 - 500_000_000),
        false => fire_time,
    };
    let event = tx.append(Attributes::TimerStartedEventAttributes(h::TimerStartedEventAttributes {
        timer_id: a.timer_id.clone(),
        start_to_fire_timeout: a.start_to_fire_timeout,
        workflow_task_completed_event_id: batch.completed_event_id,
    }));
    event.user_metadata = batch.user_metadata.clone();
    let started_event_id = event.event_id;
    tx.run.timers.insert(a.timer_id, Timer { started_event_id, fire_time: fire_time.0 });
    Ok(())
}
