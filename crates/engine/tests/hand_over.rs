//! A task that a worker waits for starts in the transition that schedules it. But for that, nothing can be told apart from a
//! task that was put into its queue and taken from there.
#![allow(clippy::unwrap_used)]
mod support;

use abide_engine::{
    time::Span,
    workflow::{Started, TaskKind},
};
use support::{
    Rig, cmd,
    steps::{boom, by_token, sticky},
};

/// Lives of a run, each with an end.
const LIVES: [fn(&mut Rig); 4] = [activities, sticky_tasks, signals_while_a_task_runs, a_task_that_fails];

fn activities(rig: &mut Rig) {
    rig.turn(vec![cmd::activity("a", Span::seconds(60)), cmd::activity("b", Span::seconds(60))]).unwrap();
    let first = rig.activity().unwrap();
    let second = rig.activity().unwrap();
    rig.activity_completed(&by_token(&first), None).unwrap();
    rig.activity_failed(&by_token(&second), boom("once")).unwrap();
    rig.turn(vec![]).unwrap();
    rig.pass(Span::seconds(1));
    let again = rig.activity().unwrap();
    assert_eq!(again.attempt, 2);
    rig.activity_completed(&by_token(&again), None).unwrap();
    rig.turn(vec![cmd::done()]).unwrap();
}

fn sticky_tasks(rig: &mut Rig) {
    for number in 0..3 {
        let task = rig.workflow_task().unwrap();
        assert_eq!(task.from_event_id > 1, number > 0);
        rig.complete_sticky(&task, vec![], Span::seconds(5)).unwrap();
        rig.signal("s").unwrap();
    }
    rig.turn(vec![cmd::done()]).unwrap();
}

fn signals_while_a_task_runs(rig: &mut Rig) {
    let task = rig.workflow_task().unwrap();
    rig.signal("s").unwrap();
    rig.signal("t").unwrap();
    rig.complete(&task, vec![]).unwrap();
    rig.turn(vec![cmd::done()]).unwrap();
}

fn a_task_that_fails(rig: &mut Rig) {
    let task = rig.workflow_task().unwrap();
    rig.fail(&task).unwrap();
    let again = rig.workflow_task().unwrap();
    assert_eq!(again.attempt, 2);
    rig.complete(&again, vec![cmd::done()]).unwrap();
}

/// The run without the number of its transitions.
fn state(rig: &Rig) -> String {
    format!("{:?}", rig.run())
        .replace(&format!("state_transition_count: {}", rig.run().header.state_transition_count), "")
}

#[test]
fn it_looks_as_if_the_worker_had_come_a_moment_later() {
    for live in LIVES {
        let (mut at_once, mut later) = (Rig::start_with_workers(true), Rig::start_with_workers(false));
        live(&mut at_once);
        live(&mut later);
        assert_eq!(at_once.history(), later.history());
        assert_eq!(at_once.stored().events, later.stored().events, "field by field");
        assert_eq!(at_once.stored().batches, later.stored().batches);
        assert_eq!(state(&at_once), state(&later));
    }
}

#[test]
fn it_is_never_in_the_outbox() {
    let mut rig = Rig::start_with_workers(true);
    assert!(rig.stored().outbox.is_empty());
    rig.turn(vec![cmd::activity("a", Span::seconds(60))]).unwrap();
    assert!(rig.stored().outbox.is_empty());
    assert!(matches!(rig.handed_over[..], [Started::Activity(_)]));
}

#[test]
fn one_that_was_not_taken_at_once_is_not_taken_by_a_later_transition() {
    let mut rig = Rig::start();
    rig.workers.wait = true;
    rig.signal("s").unwrap();
    assert!(rig.handed_over.is_empty(), "it was offered when it was scheduled, and waits in its queue");
    assert!(rig.waiting(TaskKind::Workflow).is_some());
}

#[test]
fn a_worker_of_the_sticky_queue_gets_only_what_is_new() {
    let mut rig = Rig::start();
    let task = rig.workflow_task().unwrap();
    let request = support::steps::completion(vec![]);
    let request = abide_engine::api::service::RespondWorkflowTaskCompletedRequest {
        sticky_attributes: Some(sticky(Span::seconds(5))),
        ..request
    };
    rig.complete_with(&task.token, request).unwrap();
    rig.workers.wait = true;
    rig.signal("s").unwrap();
    let task = rig.workflow_task().unwrap();
    assert_eq!((task.from_event_id, task.to_event_id), (4, 7));
}
