//! Golden histories of activities.
#![allow(clippy::unwrap_used)]
mod support;

use abide_engine::{Refusal, api::command::ScheduleActivityTaskCommandAttributes, time::Span};
use support::{
    Rig, cmd,
    steps::{boom, by_id, by_token, payloads},
};

/// A run whose first task scheduled activity 5.
fn with_activity(change: impl FnOnce(&mut ScheduleActivityTaskCommandAttributes)) -> Rig {
    let mut rig = Rig::start();
    rig.turn(vec![cmd::activity_with("a", change)]).unwrap();
    rig
}

#[test]
fn the_started_event_is_written_with_the_end_and_tells_of_the_last_attempt() {
    let mut rig = with_activity(|a| a.retry_policy = cmd::retries(Span::seconds(2), 0));
    for (attempt, wait) in [(1, 2), (2, 4)] {
        let task = rig.activity().unwrap();
        assert_eq!(task.attempt, attempt);
        rig.activity_failed(&by_token(&task), boom(&attempt.to_string())).unwrap();
        assert!(rig.activity().is_none(), "it waits for its next attempt");
        rig.pass(Span::millis(wait * 1000 - 1));
        assert!(rig.activity().is_none());
        rig.pass(Span::millis(1));
    }
    assert_eq!(rig.events().len(), 5, "attempts that fail leave nothing behind");
    let task = rig.activity().unwrap();
    rig.activity_completed(&by_token(&task), None).unwrap();
    rig.expect_from(
        5,
        "5 ACTIVITY_TASK_SCHEDULED a
         6 ACTIVITY_TASK_STARTED of=5 attempt=3 after 2
         7 ACTIVITY_TASK_COMPLETED of=5 started=6
         8 WORKFLOW_TASK_SCHEDULED attempt=1",
    );
}

#[test]
fn a_heartbeat_timeout_keeps_the_details_for_the_next_attempt_and_for_the_end() {
    let mut rig = with_activity(|a| {
        a.heartbeat_timeout = Some(Span::seconds(2).duration());
        a.retry_policy = cmd::retries(Span::seconds(1), 2);
    });
    let task = rig.activity().unwrap();
    rig.pass(Span::millis(1500));
    rig.heartbeat(&by_token(&task), payloads(3)).unwrap();
    rig.pass(Span::millis(1999));
    assert!(rig.run().activities.get(&5).unwrap().is_started(), "the heartbeat counts from the last one");
    rig.pass(Span::millis(1001));
    assert_eq!(rig.heartbeat(&by_token(&task), None), Err(Refusal::activity_not_found()));
    assert_eq!(rig.activity().unwrap().heartbeat_details, payloads(3));
    rig.pass(Span::seconds(3));
    rig.expect_from(
        6,
        "6 ACTIVITY_TASK_STARTED of=5 attempt=2 after [Heartbeat] activity Heartbeat timeout
         7 ACTIVITY_TASK_TIMED_OUT of=5 started=6 MaximumAttemptsReached: [Heartbeat] activity Heartbeat timeout \
            with details because [Heartbeat] activity Heartbeat timeout
         8 WORKFLOW_TASK_SCHEDULED attempt=1",
    );
}

#[test]
fn canceled_before_it_starts_it_ends_with_the_completion() {
    let mut rig = with_activity(|_| {});
    rig.signal("wake").unwrap();
    rig.turn(vec![cmd::cancel_activity(5), cmd::marker("m")]).unwrap();
    rig.expect_from(
        10,
        "10 ACTIVITY_TASK_CANCEL_REQUESTED of=5
         11 MARKER_RECORDED
         12 ACTIVITY_TASK_CANCELED of=5 started=0
         13 WORKFLOW_TASK_SCHEDULED attempt=1",
    );
    assert!(rig.activity().is_none());
}

#[test]
fn canceled_while_it_backs_off_it_has_never_started() {
    let mut rig = with_activity(|_| {});
    let task = rig.activity().unwrap();
    rig.activity_failed(&by_token(&task), boom("once")).unwrap();
    rig.signal("wake").unwrap();
    rig.turn(vec![cmd::cancel_activity(5)]).unwrap();
    assert!(rig.history().contains("11 ACTIVITY_TASK_CANCELED of=5 started=0\n"), "{}", rig.history());
    rig.pass(Span::seconds(60));
    assert!(rig.activity().is_none());
}

#[test]
fn canceled_while_it_runs_the_worker_hears_of_it_and_answers() {
    let mut rig = with_activity(|_| {});
    let task = rig.activity().unwrap();
    rig.signal("wake").unwrap();
    rig.turn(vec![cmd::cancel_activity(5)]).unwrap();
    assert!(rig.heartbeat(&by_token(&task), None).unwrap().cancel_requested);
    rig.activity_canceled(&by_token(&task)).unwrap();
    rig.expect_from(
        10,
        "10 ACTIVITY_TASK_CANCEL_REQUESTED of=5
         11 ACTIVITY_TASK_STARTED of=5 attempt=1
         12 ACTIVITY_TASK_CANCELED of=5 started=11
         13 WORKFLOW_TASK_SCHEDULED attempt=1",
    );
}

#[test]
fn after_a_request_to_cancel_nothing_is_retried() {
    let mut rig = with_activity(|_| {});
    let task = rig.activity().unwrap();
    rig.signal("wake").unwrap();
    rig.turn(vec![cmd::cancel_activity(5)]).unwrap();
    rig.activity_failed(&by_token(&task), boom("no")).unwrap();
    assert!(rig.history().contains("12 ACTIVITY_TASK_FAILED of=5 started=11 CancelRequested: no\n"));
}

#[test]
fn schedule_to_close_bounds_all_attempts() {
    let mut rig = with_activity(|a| {
        a.schedule_to_close_timeout = Some(Span::seconds(5).duration());
        a.start_to_close_timeout = Some(Span::seconds(3).duration());
        a.retry_policy = cmd::retries(Span::seconds(1), 0);
    });
    rig.activity().unwrap();
    rig.pass(Span::seconds(4));
    assert_eq!(rig.activity().unwrap().attempt, 2);
    rig.pass(Span::millis(999));
    assert_eq!(rig.events().len(), 5);
    rig.pass(Span::millis(1));
    rig.expect_from(
        6,
        "6 ACTIVITY_TASK_STARTED of=5 attempt=2 after [StartToClose] activity StartToClose timeout
         7 ACTIVITY_TASK_TIMED_OUT of=5 started=6 Timeout: [ScheduleToClose] Not enough time to schedule next retry \
            before activity ScheduleToClose timeout, giving up retrying \
            because [StartToClose] activity StartToClose timeout
         8 WORKFLOW_TASK_SCHEDULED attempt=1",
    );
}

#[test]
fn nobody_takes_it_in_time() {
    let mut rig = with_activity(|a| a.schedule_to_start_timeout = Some(Span::seconds(2).duration()));
    rig.pass(Span::seconds(2));
    rig.expect_from(
        6,
        "6 ACTIVITY_TASK_TIMED_OUT of=5 started=0 Timeout: [ScheduleToStart] activity ScheduleToStart timeout
         7 WORKFLOW_TASK_SCHEDULED attempt=1",
    );
}

#[test]
fn ends_are_flushed_after_everything_else() {
    let mut rig = with_activity(|_| {});
    let activity = rig.activity().unwrap();
    rig.signal("wake").unwrap();
    let task = rig.workflow_task().unwrap();
    rig.activity_completed(&by_token(&activity), None).unwrap();
    rig.signal("later").unwrap();
    assert_eq!(rig.events().len(), 8, "all is held back while the task runs");
    rig.complete(&task, vec![cmd::marker("m")]).unwrap();
    rig.expect_from(
        9,
        "9 WORKFLOW_TASK_COMPLETED
         10 MARKER_RECORDED
         11 ACTIVITY_TASK_STARTED of=5 attempt=1
         12 WORKFLOW_EXECUTION_SIGNALED later
         13 ACTIVITY_TASK_COMPLETED of=5 started=11
         14 WORKFLOW_TASK_SCHEDULED attempt=1",
    );
}

#[test]
fn completed_by_id_it_need_not_have_started() {
    let mut rig = with_activity(|_| {});
    assert_eq!(rig.activity_failed(&by_id("a"), boom("no")).unwrap_err(), Refusal::activity_not_found());
    rig.activity_completed(&by_id("a"), None).unwrap();
    rig.expect_from(
        6,
        "6 ACTIVITY_TASK_STARTED of=5 attempt=1
         7 ACTIVITY_TASK_COMPLETED of=5 started=6
         8 WORKFLOW_TASK_SCHEDULED attempt=1",
    );
    assert!(rig.activity().is_none(), "what was offered is taken back");
}

#[test]
fn a_large_heartbeat_or_result_fails_it() {
    let mut rig = with_activity(|_| {});
    let task = rig.activity().unwrap();
    assert!(rig.heartbeat(&by_token(&task), payloads(3 << 20)).unwrap().cancel_requested);
    rig.expect_from(
        6,
        "6 ACTIVITY_TASK_STARTED of=5 attempt=1
         7 ACTIVITY_TASK_FAILED of=5 started=6 NonRetryableFailure: Heartbeat details exceed size limit.
         8 WORKFLOW_TASK_SCHEDULED attempt=1",
    );
}

#[test]
fn a_start_that_its_worker_never_heard_of_is_undone() {
    use abide_engine::workflow::activity::{give_back, start};
    let mut rig = with_activity(|_| {});
    rig.step(|tx| Ok(start(tx, 5, 1, "gone", "worker")?)).unwrap();
    let give_back = |rig: &mut Rig, request_id: &'static str| {
        rig.step(|tx| {
            give_back(tx, 5, request_id);
            Ok(())
        })
        .unwrap();
    };
    give_back(&mut rig, "another");
    assert!(rig.activity().is_none(), "another start is left alone");
    give_back(&mut rig, "gone");
    let task = rig.activity().unwrap();
    assert_eq!(task.attempt, 1, "the attempt was never made");
    rig.activity_completed(&by_token(&task), None).unwrap();
    give_back(&mut rig, "gone");
}
