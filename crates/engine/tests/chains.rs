//! Golden histories of chains of runs: retry, cron, continue-as-new, and the timeouts that end them.
#![allow(clippy::unwrap_used)]
mod support;

use abide_engine::{
    api::{
        Attributes,
        enums::{ContinueAsNewInitiator as Initiator, WorkflowIdConflictPolicy as Conflict},
        history::WorkflowExecutionStartedEventAttributes,
    },
    time::Span,
    workflow::start::Decision,
};
use support::{
    Rig, cmd, start_request,
    steps::{boom, payloads},
};

fn started(rig: &Rig) -> &WorkflowExecutionStartedEventAttributes {
    match rig.events()[0].attributes.as_ref().unwrap() {
        Attributes::WorkflowExecutionStartedEventAttributes(a) => a,
        other => panic!("a run starts with its Started event, not {other:?}"),
    }
}

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(Span::seconds(seconds).duration())
}

const FRESH: &str = "1 WORKFLOW_EXECUTION_STARTED\n2 WORKFLOW_TASK_SCHEDULED attempt=1";

#[test]
fn a_failed_run_is_retried_after_a_growing_wait_until_its_attempts_are_spent() {
    let mut rig = Rig::start_with(|start| {
        start.retry_policy = cmd::retries(Span::seconds(10), 3);
        start.input = payloads(3);
    });
    let first = rig.current;
    for (attempt, wait) in [(2, 10), (3, 20)] {
        let failed = rig.current;
        rig.turn(vec![cmd::give_up(boom("boom"))]).unwrap();
        assert!(rig.history_of(failed).ends_with("5 WORKFLOW_EXECUTION_FAILED InProgress\n"));
        let a = started(&rig);
        assert_eq!((a.attempt, a.initiator()), (attempt, Initiator::Retry));
        assert_eq!(a.first_workflow_task_backoff, seconds(wait));
        assert_eq!((&a.input, &a.first_execution_run_id), (&payloads(3), &first.to_string()));
        assert_eq!(a.continued_failure, Some(boom("boom")));
        rig.pass(Span::millis(wait * 1000 - 1));
        rig.expect("1 WORKFLOW_EXECUTION_STARTED");
        rig.pass(Span::millis(1));
        rig.expect(FRESH);
    }
    rig.turn(vec![cmd::give_up(boom("boom"))]).unwrap();
    assert!(rig.history().ends_with("5 WORKFLOW_EXECUTION_FAILED MaximumAttemptsReached\n"));
    assert!(!rig.run().is_running());
}

#[test]
fn a_signal_does_not_wake_a_run_that_backs_off_but_a_signal_with_start_does() {
    let mut rig = Rig::start_with(|start| start.retry_policy = cmd::retries(Span::seconds(10), 0));
    rig.turn(vec![cmd::give_up(boom("boom"))]).unwrap();
    rig.signal("s").unwrap();
    rig.expect("1 WORKFLOW_EXECUTION_STARTED\n2 WORKFLOW_EXECUTION_SIGNALED s");
    assert_eq!(rig.start_again(start_request(), Some("w")).unwrap(), Decision::UseExisting);
    rig.expect_from(3, "3 WORKFLOW_EXECUTION_SIGNALED w\n4 WORKFLOW_TASK_SCHEDULED attempt=1");
    rig.pass(Span::seconds(20));
    assert_eq!(rig.events().len(), 4, "the backoff that it no longer needs schedules nothing");
}

#[test]
fn a_negative_delay_of_the_failure_is_none() {
    let mut rig = Rig::start_with(|start| start.retry_policy = cmd::retries(Span::seconds(10), 0));
    let mut failure = boom("boom");
    if let Some(abide_engine::api::failure::failure::FailureInfo::ApplicationFailureInfo(info)) =
        &mut failure.failure_info
    {
        info.next_retry_delay = Some(prost_types::Duration { seconds: -20, nanos: 0 });
    }
    rig.turn(vec![cmd::give_up(failure)]).unwrap();
    assert_eq!(started(&rig).first_workflow_task_backoff, seconds(10));
}

#[test]
fn cron_goes_on_at_the_next_tick_with_the_last_result() {
    // 1,000,000,000 s after the epoch it is 01:46:40.
    let mut rig = Rig::start_with(|start| start.cron_schedule = "*/5 * * * *".into());
    let first = rig.current;
    assert_eq!(started(&rig).first_workflow_task_backoff, seconds(200));
    rig.pass(Span::seconds(201));
    rig.turn(vec![cmd::done_with(payloads(2))]).unwrap();
    assert!(rig.history_of(first).ends_with("5 WORKFLOW_EXECUTION_COMPLETED\n"));
    let a = started(&rig);
    assert_eq!((a.initiator(), a.attempt), (Initiator::CronSchedule, 1));
    assert_eq!(a.first_workflow_task_backoff, seconds(299));
    assert_eq!(a.last_completion_result, payloads(2));
    rig.pass(Span::seconds(299));
    rig.turn(vec![cmd::give_up(boom("boom"))]).unwrap();
    let a = started(&rig);
    assert_eq!((&a.last_completion_result, &a.continued_failure), (&payloads(2), &Some(boom("boom"))));
    rig.pass(Span::seconds(300));
    rig.turn(vec![cmd::canceled()]).unwrap();
    assert!(!rig.run().is_running(), "nothing follows a canceled run");
}

#[test]
fn a_run_that_continues_within_its_first_second_waits_for_the_rest_of_it() {
    let mut rig = Rig::start();
    rig.pass(Span::millis(400));
    let first = rig.current;
    rig.turn(vec![cmd::continue_as_new(|a| a.input = payloads(1))]).unwrap();
    assert!(rig.history_of(first).ends_with("5 WORKFLOW_EXECUTION_CONTINUED_AS_NEW\n"));
    assert_eq!(started(&rig).first_workflow_task_backoff, Some(Span::millis(600).duration()));
    rig.expect("1 WORKFLOW_EXECUTION_STARTED");
    rig.pass(Span::millis(600));
    rig.expect(FRESH);
    rig.pass(Span::seconds(2));
    rig.turn(vec![cmd::continue_as_new(|_| {})]).unwrap();
    rig.expect(FRESH);
    assert_eq!((started(&rig).first_workflow_task_backoff, started(&rig).initiator()), (None, Initiator::Workflow));
}

#[test]
fn a_held_back_signal_is_not_lost_by_continuing() {
    let mut rig = Rig::start();
    let task = rig.workflow_task().unwrap();
    rig.signal("s").unwrap();
    rig.complete(&task, vec![cmd::continue_as_new(|_| {})]).unwrap_err();
    rig.expect_from(
        4,
        "4 WORKFLOW_TASK_FAILED UnhandledCommand
         5 WORKFLOW_EXECUTION_SIGNALED s
         6 WORKFLOW_TASK_SCHEDULED attempt=1",
    );
}

#[test]
fn the_run_timeout_is_retried_and_the_execution_timeout_ends_the_chain() {
    let mut rig = Rig::start_with(|start| {
        start.workflow_run_timeout = seconds(10);
        start.workflow_execution_timeout = seconds(25);
        start.retry_policy = cmd::retries(Span::seconds(5), 0);
    });
    let first = rig.current;
    rig.workflow_task().unwrap();
    rig.signal("s").unwrap();
    rig.pass(Span::millis(9_999));
    assert_eq!(rig.current, first);
    rig.pass(Span::millis(1));
    assert_eq!(
        rig.history_of(first).lines().skip(3).collect::<Vec<_>>(),
        [
            "4 WORKFLOW_TASK_FAILED ForceCloseCommand",
            "5 WORKFLOW_EXECUTION_SIGNALED s",
            "6 WORKFLOW_EXECUTION_TIMED_OUT InProgress"
        ]
    );
    assert_eq!(started(&rig).continued_failure.as_ref().unwrap().message, "workflow timeout");
    rig.pass(Span::millis(14_999));
    rig.expect(FRESH);
    rig.pass(Span::millis(1));
    rig.expect_from(3, "3 WORKFLOW_EXECUTION_TIMED_OUT Timeout");
    assert!(!rig.run().is_running());
}

#[test]
fn a_start_takes_the_place_of_a_run_or_uses_it() {
    let mut rig = Rig::start();
    let first = rig.current;
    rig.workflow_task().unwrap();
    assert_eq!(rig.start_again(start_request(), None).unwrap(), Decision::Repeated);
    let mut request = start_request();
    request.request_id = "r2".into();
    rig.start_again(request.clone(), None).unwrap_err();
    request.workflow_id_conflict_policy = Conflict::UseExisting as i32;
    request.on_conflict_options =
        Some(abide_engine::api::workflow::OnConflictOptions { attach_request_id: true, ..Default::default() });
    assert_eq!(rig.start_again(request.clone(), None).unwrap(), Decision::UseExisting);
    assert_eq!(rig.start_again(request.clone(), None).unwrap(), Decision::Attached);
    assert_eq!(rig.current, first);
    request.request_id = "r3".into();
    request.workflow_id_conflict_policy = Conflict::TerminateExisting as i32;
    assert_eq!(rig.start_again(request, None).unwrap(), Decision::TerminateExisting);
    assert_eq!(
        rig.history_of(first),
        "1 WORKFLOW_EXECUTION_STARTED\n2 WORKFLOW_TASK_SCHEDULED attempt=1\n3 WORKFLOW_TASK_STARTED\n\
         4 WORKFLOW_TASK_FAILED ForceCloseCommand\n5 WORKFLOW_EXECUTION_OPTIONS_UPDATED\n\
         6 WORKFLOW_EXECUTION_TERMINATED TerminateIfRunning WorkflowIdReusePolicy\n"
    );
    rig.expect(FRESH);
}

#[test]
fn an_eager_start_hands_out_the_first_task() {
    let mut rig = Rig::start_with(|start| start.request_eager_execution = true);
    assert!(rig.workflow_task().is_none());
    let task = rig.eager_task.take().unwrap();
    rig.complete(&task, vec![cmd::done()]).unwrap();
    rig.expect(
        "1 WORKFLOW_EXECUTION_STARTED
         2 WORKFLOW_TASK_SCHEDULED attempt=1
         3 WORKFLOW_TASK_STARTED
         4 WORKFLOW_TASK_COMPLETED
         5 WORKFLOW_EXECUTION_COMPLETED",
    );
}
