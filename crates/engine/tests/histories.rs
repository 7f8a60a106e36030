//! Golden histories: what the engine writes, event by event.
#![allow(clippy::unwrap_used)]
mod support;

use abide_engine::{Refusal, time::Span};
use support::{Rig, cmd};

#[test]
fn a_workflow_that_completes_at_once() {
    let mut rig = Rig::start();
    let task = rig.workflow_task().unwrap();
    rig.complete(&task, vec![cmd::done()]).unwrap();
    rig.expect(
        "1 WORKFLOW_EXECUTION_STARTED
         2 WORKFLOW_TASK_SCHEDULED attempt=1
         3 WORKFLOW_TASK_STARTED
         4 WORKFLOW_TASK_COMPLETED
         5 WORKFLOW_EXECUTION_COMPLETED",
    );
    assert_eq!(rig.stored().batches, [1, 3, 4], "a Started event ends its batch");
}

#[test]
fn a_signal_is_held_back_while_a_task_runs_and_makes_a_close_unhandled() {
    let mut rig = Rig::start();
    let task = rig.workflow_task().unwrap();
    rig.signal("s").unwrap();
    assert_eq!(rig.events().len(), 3);
    let refused = rig.complete(&task, vec![cmd::timer("t", Span::seconds(60)), cmd::done()]).unwrap_err();
    assert_eq!(refused, Refusal::InvalidArgument("UnhandledCommand".into()));
    let task = rig.workflow_task().unwrap();
    rig.complete(&task, vec![cmd::done()]).unwrap();
    rig.expect(
        "1 WORKFLOW_EXECUTION_STARTED
         2 WORKFLOW_TASK_SCHEDULED attempt=1
         3 WORKFLOW_TASK_STARTED
         4 WORKFLOW_TASK_FAILED UnhandledCommand
         5 WORKFLOW_EXECUTION_SIGNALED s
         6 WORKFLOW_TASK_SCHEDULED attempt=1
         7 WORKFLOW_TASK_STARTED
         8 WORKFLOW_TASK_COMPLETED
         9 WORKFLOW_EXECUTION_COMPLETED",
    );
}

#[test]
fn attempts_after_the_first_are_stored_only_when_they_succeed() {
    let mut rig = Rig::start();
    for _ in 0..3 {
        let task = rig.workflow_task().unwrap();
        rig.fail(&task).unwrap();
    }
    assert_eq!(rig.events().len(), 4);
    let task = rig.workflow_task().unwrap();
    assert_eq!((task.attempt, task.transient_events.len()), (4, 2));
    rig.complete(&task, vec![cmd::done()]).unwrap();
    rig.expect(
        "1 WORKFLOW_EXECUTION_STARTED
         2 WORKFLOW_TASK_SCHEDULED attempt=1
         3 WORKFLOW_TASK_STARTED
         4 WORKFLOW_TASK_FAILED NonDeterministicError
         5 WORKFLOW_TASK_SCHEDULED attempt=4
         6 WORKFLOW_TASK_STARTED
         7 WORKFLOW_TASK_COMPLETED
         8 WORKFLOW_EXECUTION_COMPLETED",
    );
}

#[test]
fn timers_fire_in_the_order_of_their_deadlines() {
    let mut rig = Rig::start();
    let task = rig.workflow_task().unwrap();
    rig.complete(&task, vec![cmd::timer("late", Span::seconds(9)), cmd::timer("soon", Span::seconds(3))]).unwrap();
    rig.pass(Span::millis(2999));
    assert_eq!(rig.events().len(), 6, "nothing fires early");
    rig.pass(Span::seconds(10));
    let task = rig.workflow_task().unwrap();
    rig.complete(&task, vec![cmd::done()]).unwrap();
    rig.expect(
        "1 WORKFLOW_EXECUTION_STARTED
         2 WORKFLOW_TASK_SCHEDULED attempt=1
         3 WORKFLOW_TASK_STARTED
         4 WORKFLOW_TASK_COMPLETED
         5 TIMER_STARTED late
         6 TIMER_STARTED soon
         7 TIMER_FIRED soon
         8 WORKFLOW_TASK_SCHEDULED attempt=1
         9 TIMER_FIRED late
         10 WORKFLOW_TASK_STARTED
         11 WORKFLOW_TASK_COMPLETED
         12 WORKFLOW_EXECUTION_COMPLETED",
    );
}

#[test]
fn a_worker_that_does_not_answer_times_out_and_the_run_goes_on() {
    let mut rig = Rig::start();
    rig.workflow_task().unwrap();
    rig.pass(Span::seconds(11));
    let task = rig.workflow_task().unwrap();
    assert_eq!(task.attempt, 2);
    rig.complete(&task, vec![cmd::done()]).unwrap();
    rig.expect(
        "1 WORKFLOW_EXECUTION_STARTED
         2 WORKFLOW_TASK_SCHEDULED attempt=1
         3 WORKFLOW_TASK_STARTED
         4 WORKFLOW_TASK_TIMED_OUT StartToClose
         5 WORKFLOW_TASK_SCHEDULED attempt=2
         6 WORKFLOW_TASK_STARTED
         7 WORKFLOW_TASK_COMPLETED
         8 WORKFLOW_EXECUTION_COMPLETED",
    );
}

#[test]
fn termination_fails_the_running_task_and_keeps_what_was_held_back() {
    let mut rig = Rig::start();
    rig.workflow_task().unwrap();
    rig.signal("s").unwrap();
    rig.terminate().unwrap();
    assert_eq!(rig.terminate().unwrap_err(), Refusal::already_completed());
    rig.expect(
        "1 WORKFLOW_EXECUTION_STARTED
         2 WORKFLOW_TASK_SCHEDULED attempt=1
         3 WORKFLOW_TASK_STARTED
         4 WORKFLOW_TASK_FAILED ForceCloseCommand
         5 WORKFLOW_EXECUTION_SIGNALED s
         6 WORKFLOW_EXECUTION_TERMINATED enough",
    );
}

#[test]
fn a_delayed_start_waits_and_a_signal_does_not_wake_it() {
    let mut rig = Rig::start_with(|request| request.workflow_start_delay = Some(Span::seconds(5).duration()));
    rig.signal("s").unwrap();
    assert!(rig.workflow_task().is_none());
    rig.pass(Span::seconds(5));
    rig.expect(
        "1 WORKFLOW_EXECUTION_STARTED
         2 WORKFLOW_EXECUTION_SIGNALED s
         3 WORKFLOW_TASK_SCHEDULED attempt=1",
    );
}

#[test]
fn a_canceled_fire_is_taken_back() {
    let mut rig = Rig::start();
    let task = rig.workflow_task().unwrap();
    rig.complete(&task, vec![cmd::timer("t", Span::seconds(1))]).unwrap();
    rig.signal("wake").unwrap();
    let task = rig.workflow_task().unwrap();
    rig.pass(Span::seconds(2));
    rig.complete(&task, vec![cmd::cancel_timer("t"), cmd::done()]).unwrap();
    assert!(rig.history().ends_with("TIMER_CANCELED t\n11 WORKFLOW_EXECUTION_COMPLETED\n"), "{}", rig.history());
}

#[test]
fn calls_on_a_closed_run_leave_it_alone() {
    let mut rig = Rig::start();
    rig.signal_with("s", "q", None).unwrap();
    rig.turn(vec![cmd::done()]).unwrap();
    let before = rig.stored().clone();
    rig.cancel();
    rig.signal_with("s", "q", None).unwrap();
    rig.forget_sticky();
    assert_eq!(rig.signal("s").unwrap_err(), Refusal::already_completed());
    assert_eq!(*rig.stored(), before);
}

#[test]
fn a_run_at_rest_is_not_woken_before_its_next_deadline() {
    let mut rig = Rig::start();
    rig.turn(vec![cmd::timer("t", Span::seconds(3600))]).unwrap();
    let due_ms = rig.now.ceil_ms() + 3_600_000;
    assert_eq!(rig.stored().wakeup_ms, due_ms, "not when the workflow task would have timed out");
    rig.signal("s").unwrap();
    rig.turn(vec![cmd::cancel_timer("t")]).unwrap();
    assert_eq!(rig.stored().wakeup_ms, 0, "nothing is due");
}

#[test]
fn a_look_at_the_run_moves_no_timer_but_always_moves_its_row() {
    let mut rig = Rig::start();
    rig.turn(vec![cmd::timer("t", Span::seconds(5))]).unwrap();
    let row = rig.stored().wakeup_ms;
    rig.wake();
    assert_eq!(rig.stored().wakeup_ms, row + 1, "a row that fired is gone from memory; the next is another");
    rig.wake();
    assert_eq!(rig.stored().wakeup_ms, row);
    rig.pass(Span::seconds(5));
    rig.expect_from(5, "5 TIMER_STARTED t\n6 TIMER_FIRED t\n7 WORKFLOW_TASK_SCHEDULED attempt=1");
}
