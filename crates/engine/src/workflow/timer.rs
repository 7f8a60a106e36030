//! A user timer fires (spec §3.9 "Timers").
use super::{transition::Transition, workflow_task};
use crate::api::{Attributes, history::TimerFiredEventAttributes};

/// Fires the timer if it is due.
pub(crate) fn due(tx: &mut Transition<'_, '_>, timer_id: &str) {
    let is_due = tx.run.timers.get(&timer_id.to_owned()).is_some_and(|timer| timer.fire_time <= tx.now().0);
    if !is_due {
        return;
    }
    let timer = tx.run.timers.remove(&timer_id.to_owned()).expect("it was just seen");
    tx.buffer(Attributes::TimerFiredEventAttributes(TimerFiredEventAttributes {
        timer_id: timer_id.to_owned(),
        started_event_id: timer.started_event_id,
    }));
    workflow_task::ensure_scheduled(tx);
}
