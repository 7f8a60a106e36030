//! Golden histories of sticky queues, and of workflow tasks that go wrong in ways that do not count.
#![allow(clippy::unwrap_used)]
mod support;

use abide_engine::{
    Refusal,
    time::Span,
    workflow::{TaskKind, workflow_task::start::Taker},
};
use support::{
    Rig, cmd,
    steps::{completion, sticky},
};

/// A run that prefers the sticky queue, and whose second task waits there.
fn waiting_on_sticky() -> Rig {
    let mut rig = Rig::start();
    let task = rig.workflow_task().unwrap();
    rig.complete_sticky(&task, vec![], Span::seconds(5)).unwrap();
    rig.signal("s").unwrap();
    let waiting = rig.waiting(TaskKind::Workflow).unwrap();
    assert_eq!((waiting.queue.as_str(), waiting.normal_queue.as_str()), ("sticky", "tq"));
    rig
}

#[test]
fn the_sticky_worker_gets_what_is_new() {
    let mut rig = waiting_on_sticky();
    let task = rig.workflow_task().unwrap();
    assert_eq!((task.from_event_id, task.to_event_id, task.previous_started_event_id), (4, 7, 3));
    rig.complete(&task, vec![cmd::done()]).unwrap();
}

#[test]
fn a_sticky_worker_that_does_not_come_gives_way_to_the_normal_queue() {
    let mut rig = waiting_on_sticky();
    rig.pass(Span::millis(4999));
    assert_eq!(rig.events().len(), 6);
    rig.pass(Span::millis(1));
    assert!(!rig.waiting(TaskKind::Workflow).unwrap().is_sticky());
    let task = rig.workflow_task().unwrap();
    assert_eq!((task.from_event_id, task.attempt), (1, 1));
    rig.complete(&task, vec![cmd::done()]).unwrap();
    rig.expect_from(
        5,
        "5 WORKFLOW_EXECUTION_SIGNALED s
         6 WORKFLOW_TASK_SCHEDULED attempt=1
         7 WORKFLOW_TASK_TIMED_OUT ScheduleToStart
         8 WORKFLOW_TASK_SCHEDULED attempt=1
         9 WORKFLOW_TASK_STARTED
         10 WORKFLOW_TASK_COMPLETED
         11 WORKFLOW_EXECUTION_COMPLETED",
    );
}

#[test]
fn a_normal_worker_that_takes_the_task_ends_stickiness() {
    let mut rig = waiting_on_sticky();
    let waiting = rig.waiting(TaskKind::Workflow).unwrap();
    let taker = Taker { identity: "other".into(), request_id: "x".into(), ..Default::default() };
    let task = rig.take_workflow_task(waiting.scheduled_event_id, &taker).unwrap();
    assert_eq!((task.from_event_id, rig.run().header.sticky.clone()), (1, None));
    let late = Taker { sticky_queue: "sticky".into(), request_id: "y".into(), ..taker };
    assert_eq!(rig.take_workflow_task(waiting.scheduled_event_id, &late), Err(Refusal::Obsolete));
}

#[test]
fn a_failure_or_timeout_on_the_sticky_queue_does_not_count_as_an_attempt() {
    let mut rig = waiting_on_sticky();
    let task = rig.workflow_task().unwrap();
    rig.fail(&task).unwrap();
    let task = rig.workflow_task().unwrap();
    assert_eq!((task.attempt, task.transient_events.len(), task.from_event_id), (1, 0, 1));
    rig.fail(&task).unwrap();
    assert_eq!(rig.workflow_task().unwrap().attempt, 2);
    rig.expect_from(
        6,
        "6 WORKFLOW_TASK_SCHEDULED attempt=1
         7 WORKFLOW_TASK_STARTED
         8 WORKFLOW_TASK_FAILED NonDeterministicError
         9 WORKFLOW_TASK_SCHEDULED attempt=1
         10 WORKFLOW_TASK_STARTED
         11 WORKFLOW_TASK_FAILED NonDeterministicError",
    );
}

#[test]
fn a_close_stays_unhandled_as_long_as_results_come_but_signals_are_refused() {
    let mut rig = Rig::start();
    rig.turn(vec![cmd::activity("a", Span::seconds(10)), cmd::activity("b", Span::seconds(10))]).unwrap();
    let (a, b) = (rig.activity().unwrap(), rig.activity().unwrap());
    rig.signal("first").unwrap();
    for activity in [a, b] {
        let task = rig.workflow_task().unwrap();
        rig.activity_completed(&support::steps::by_token(&activity), None).unwrap();
        let refused = rig.complete(&task, vec![cmd::done()]).unwrap_err();
        assert_eq!(refused, Refusal::InvalidArgument("UnhandledCommand".into()));
    }
    rig.signal("while the task only waits").unwrap();
    let task = rig.workflow_task().unwrap();
    assert_eq!(rig.signal("while it runs"), Err(Refusal::closing()));
    rig.complete(&task, vec![cmd::done()]).unwrap();
    assert!(rig.history().ends_with("WORKFLOW_EXECUTION_COMPLETED\n"));
}

#[test]
fn a_completion_that_does_not_close_ends_the_refusal_of_signals() {
    let mut rig = Rig::start();
    let task = rig.workflow_task().unwrap();
    rig.signal("s").unwrap();
    rig.complete(&task, vec![cmd::done()]).unwrap_err();
    let task = rig.workflow_task().unwrap();
    assert_eq!(rig.signal("s"), Err(Refusal::closing()));
    let request = abide_engine::api::service::RespondWorkflowTaskCompletedRequest {
        force_create_new_workflow_task: true,
        return_new_workflow_task: true,
        ..completion(vec![])
    };
    assert!(rig.complete_with(&task.token, request).unwrap().next_task.is_some());
    rig.signal("s").unwrap();
}

#[test]
fn a_chain_of_heartbeats_ends_as_a_timeout() {
    let mut rig = Rig::start();
    let mut task = rig.workflow_task().unwrap();
    let heartbeat = || abide_engine::api::service::RespondWorkflowTaskCompletedRequest {
        force_create_new_workflow_task: true,
        return_new_workflow_task: true,
        sticky_attributes: Some(sticky(Span::seconds(5))),
        ..completion(vec![])
    };
    for _ in 0..225 {
        rig.pass(Span::seconds(8));
        task = rig.complete_with(&task.token, heartbeat()).unwrap().next_task.unwrap();
    }
    rig.pass(Span::seconds(8));
    let refused = rig.complete_with(&task.token, heartbeat()).unwrap_err();
    assert_eq!(refused, Refusal::NotFound("workflow task heartbeat timeout".into()));
    let tail: Vec<_> = rig.history().lines().rev().take(2).map(|l| l.split_once(' ').unwrap().1.to_owned()).collect();
    assert_eq!(tail, ["WORKFLOW_TASK_SCHEDULED attempt=1", "WORKFLOW_TASK_TIMED_OUT StartToClose"]);
    assert!(!rig.waiting(TaskKind::Workflow).unwrap().is_sticky());
}
