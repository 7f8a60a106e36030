//! The run's timer row fired: everything that is due happens, in the order of the deadlines, in one transition.
use super::{
    activity, close,
    deadline::{self, Deadline},
    limits, timer,
    transition::Transition,
    workflow_task,
};

/// Handles what is due now. The caller removes the timer row that fired; the transition arms the next one.
pub fn wake(tx: &mut Transition<'_, '_>) {
    let now = tx.now();
    if tx.run.header.wakeup_ms != 0 {
        tx.run.header.get_mut().wakeup_ms = 0;
    }
    if end_if_too_large(tx) {
        return;
    }
    let due: Vec<Deadline> =
        tx.run.deadlines.iter().take_while(|(at, _)| *at <= now).map(|(_, what)| what.clone()).collect();
    for deadline in due {
        if !tx.run.is_running() {
            return;
        }
        handle(tx, deadline);
    }
}

fn handle(tx: &mut Transition<'_, '_>, what: Deadline) {
    let now = tx.now();
    // An earlier deadline of the same wake-up may have taken this one's reason away.
    let stands = |tx: &Transition<'_, '_>| {
        deadline::of_header(&tx.run.header, &tx.run.profile).iter().any(|(at, w)| *w == what && *at <= now)
    };
    match &what {
        Deadline::ExecutionTimeout if stands(tx) => close::execution_timed_out(tx),
        Deadline::RunTimeout if stands(tx) => close::run_timed_out(tx),
        Deadline::FirstWorkflowTask if stands(tx) => {
            tx.run.header.get_mut().first_task_at = 0;
            workflow_task::ensure_scheduled(tx);
        }
        Deadline::WorkflowTaskStartToClose if stands(tx) => workflow_task::start_to_close_timed_out(tx),
        Deadline::WorkflowTaskScheduleToStart if stands(tx) => workflow_task::schedule_to_start_timed_out(tx),
        Deadline::ExecutionTimeout
        | Deadline::RunTimeout
        | Deadline::FirstWorkflowTask
        | Deadline::WorkflowTaskStartToClose
        | Deadline::WorkflowTaskScheduleToStart => {}
        Deadline::Timer { timer_id, .. } => timer::due(tx, timer_id),
        Deadline::ActivityRetry(id) => activity::retry_due(tx, *id),
        Deadline::ActivityScheduleToClose(id) => activity::schedule_to_close_due(tx, *id),
        Deadline::ActivityScheduleToStart(id) => activity::schedule_to_start_due(tx, *id),
        Deadline::ActivityStartToClose(id) => activity::start_to_close_due(tx, *id),
        Deadline::ActivityHeartbeat(id) => activity::heartbeat_due(tx, *id),
    }
}

/// Ends a run that has grown too large. Says whether it has.
fn end_if_too_large(tx: &mut Transition<'_, '_>) -> bool {
    let Some(reason) = limits::exceeded(tx.run, tx.cx.settings) else { return false };
    close::terminate(tx, reason, None, workflow_task::HISTORY_SERVICE, Vec::new());
    true
}
