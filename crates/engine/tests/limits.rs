//! Golden histories of runs that meet a limit (spec §4.1, §4.2).
#![allow(clippy::unwrap_used)]
mod support;

use abide_engine::{Refusal, Settings, api::enums::WorkflowTaskFailedCause as Cause, time::Span};
use support::{
    Rig, cmd, start_request,
    steps::{boom, payloads},
};

const LARGE: usize = (2 << 20) + 1;

#[test]
fn a_task_that_the_worker_cannot_receive_ends_the_run() {
    let mut rig = Rig::start();
    let task = rig.workflow_task().unwrap();
    rig.signal("s").unwrap();
    rig.fail_with(&task.token, Cause::GrpcMessageTooLarge as i32).unwrap();
    rig.expect_from(
        4,
        "4 WORKFLOW_TASK_FAILED ForceCloseCommand
         5 WORKFLOW_EXECUTION_SIGNALED s
         6 WORKFLOW_EXECUTION_TERMINATED GrpcMessageTooLarge",
    );
}

#[test]
fn a_hundred_held_back_events_fail_the_task_that_holds_them_back() {
    let mut rig = Rig::start();
    rig.workflow_task().unwrap();
    for n in 0..101 {
        rig.signal(&n.to_string()).unwrap();
    }
    assert!(rig.history().contains("4 WORKFLOW_TASK_FAILED ForceCloseCommand\n5 WORKFLOW_EXECUTION_SIGNALED 0\n"));
    assert!(rig.history().ends_with("106 WORKFLOW_TASK_SCHEDULED attempt=2\n"));
}

#[test]
fn held_back_events_also_count_by_their_size_and_whatever_they_are() {
    let mut rig = Rig::start();
    rig.workflow_task().unwrap();
    rig.signal_with("s", "", payloads(2 << 20)).unwrap();
    assert!(rig.history().ends_with("6 WORKFLOW_TASK_SCHEDULED attempt=2\n"), "{}", rig.history());

    let mut rig = Rig::with_settings(Settings { buffered_events: 1, ..Settings::default() }, |_| {});
    rig.workflow_task().unwrap();
    for request_id in ["a", "b"] {
        let mut request = start_request();
        request.request_id = request_id.into();
        request.workflow_id_conflict_policy = 2;
        request.on_conflict_options = Some(Default::default());
        rig.start_again(request, None).unwrap();
    }
    rig.expect_from(
        4,
        "4 WORKFLOW_TASK_FAILED ForceCloseCommand
         5 WORKFLOW_EXECUTION_OPTIONS_UPDATED
         6 WORKFLOW_EXECUTION_OPTIONS_UPDATED
         7 WORKFLOW_TASK_SCHEDULED attempt=2",
    );
}

#[test]
fn timers_that_fire_together_are_let_go_together() {
    let mut rig = Rig::with_settings(Settings { buffered_events: 2, ..Settings::default() }, |_| {});
    rig.turn((0..4).map(|n| cmd::timer(&n.to_string(), Span::seconds(1))).collect()).unwrap();
    rig.signal("s").unwrap();
    rig.workflow_task().unwrap();
    rig.pass(Span::seconds(1));
    rig.expect_from(
        11,
        "11 WORKFLOW_TASK_STARTED
         12 WORKFLOW_TASK_FAILED ForceCloseCommand
         13 TIMER_FIRED 0
         14 TIMER_FIRED 1
         15 TIMER_FIRED 2
         16 TIMER_FIRED 3
         17 WORKFLOW_TASK_SCHEDULED attempt=2",
    );
}

#[test]
fn an_oversized_payload_of_a_command_ends_the_run() {
    let bad_activity = cmd::activity_with("a", |a| a.input = payloads(LARGE));
    let bad_next = cmd::continue_as_new(|a| a.input = payloads(LARGE));
    for (command, cause, text) in [
        (bad_activity, Cause::BadScheduleActivityAttributes, "ScheduleActivityTaskCommandAttributes.Input"),
        (
            cmd::memo("k", LARGE),
            Cause::BadModifyWorkflowPropertiesAttributes,
            "ModifyWorkflowPropertiesCommandAttributes",
        ),
        (
            cmd::done_with(payloads(LARGE)),
            Cause::BadScheduleActivityAttributes,
            "CompleteWorkflowExecutionCommandAttributes.Result",
        ),
        (
            cmd::give_up(boom(&"x".repeat(LARGE))),
            Cause::BadFailWorkflowExecutionAttributes,
            "FailWorkflowExecutionCommandAttributes.Failure",
        ),
        (bad_next, Cause::BadContinueAsNewAttributes, "ContinueAsNewWorkflowExecutionCommandAttributes. Input"),
    ] {
        let mut rig = Rig::start();
        let text = format!("{cause:?}: {text} exceeds size limit.");
        let refused = rig.turn(vec![cmd::timer("t", Span::seconds(1)), command]).unwrap_err();
        assert_eq!(refused, Refusal::InvalidArgument(text.clone()));
        rig.expect_from(4, &format!("4 WORKFLOW_TASK_FAILED {cause:?}\n5 WORKFLOW_EXECUTION_TERMINATED {text}"));
    }
}

#[test]
fn a_history_of_too_many_events_is_ended_by_a_wake_up_of_its_own() {
    let mut rig = Rig::with_settings(Settings { history_count: 6, ..Settings::default() }, |_| {});
    rig.workflow_task().unwrap();
    for _ in 0..3 {
        rig.signal("held back").unwrap();
    }
    rig.pass(Span::seconds(9));
    assert!(rig.run().is_running());
    rig.pass(Span::seconds(2));
    rig.expect_from(
        4,
        "4 WORKFLOW_TASK_TIMED_OUT StartToClose
         5 WORKFLOW_EXECUTION_SIGNALED held back
         6 WORKFLOW_EXECUTION_SIGNALED held back
         7 WORKFLOW_EXECUTION_SIGNALED held back
         8 WORKFLOW_TASK_SCHEDULED attempt=1
         9 WORKFLOW_EXECUTION_TERMINATED Workflow history count exceeds limit.",
    );
}

#[test]
fn a_history_that_is_too_large_is_ended_and_its_running_task_fails() {
    let mut rig = Rig::with_settings(Settings { history_size_bytes: 4000, ..Settings::default() }, |_| {});
    rig.signal_with("s", "", payloads(5000)).unwrap();
    rig.workflow_task().unwrap();
    rig.pass(Span::millis(2));
    rig.expect_from(
        3,
        "3 WORKFLOW_EXECUTION_SIGNALED s
         4 WORKFLOW_TASK_STARTED
         5 WORKFLOW_TASK_FAILED ForceCloseCommand
         6 WORKFLOW_EXECUTION_TERMINATED Workflow history size exceeds limit.",
    );
}

#[test]
fn a_state_that_is_too_large_is_ended_and_one_that_shrinks_is_not() {
    let settings = || Settings { mutable_state_size_bytes: 3000, ..Settings::default() };
    let activities = |n: i32| (0..n).map(|n| cmd::activity(&n.to_string(), Span::seconds(10))).collect::<Vec<_>>();
    let mut rig = Rig::with_settings(settings(), |_| {});
    rig.turn(activities(60)).unwrap();
    rig.pass(Span::millis(2));
    assert!(rig.history().ends_with("TERMINATED Workflow mutable state size exceeds limit.\n"));

    let mut rig = Rig::with_settings(settings(), |_| {});
    for _ in 0..6 {
        rig.turn(activities(10)).unwrap();
        for n in 0..10 {
            rig.activity_completed(&support::steps::by_id(&n.to_string()), None).unwrap();
        }
    }
    rig.pass(Span::seconds(1));
    assert!(rig.run().is_running());
}

#[test]
fn signals_and_pending_activities_are_counted() {
    let mut rig =
        Rig::with_settings(Settings { signals_per_run: 1, pending_activities: 1, ..Settings::default() }, |_| {});
    rig.signal("s").unwrap();
    let text = "exceeded workflow execution limit for signal events";
    assert_eq!(rig.signal("s"), Err(Refusal::InvalidArgument(text.into())));
    rig.turn(vec![cmd::activity("a", Span::seconds(1)), cmd::activity("b", Span::seconds(1))]).unwrap_err();
    assert!(rig.history().contains("5 WORKFLOW_TASK_FAILED PendingActivitiesLimitExceeded\n"));
}
