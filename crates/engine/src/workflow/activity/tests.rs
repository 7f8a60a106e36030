//! Golden histories of activities: what is written for each way to end, and what is refused.
#![allow(clippy::unwrap_used)]
mod world;

use world::*;

use super::*;
use crate::{
    Refusal, Settings,
    api::{command as c, common::RetryPolicy, enums::PendingActivityState, failure::Failure, taskqueue::TaskQueue},
    time::Span,
    workflow::close,
};

#[test]
fn attempts_leave_one_started_event() {
    let mut w = World::new(vec![plain("1")]);
    let first = w.take(1);
    w.fail(&first, "one").unwrap();
    assert_eq!(w.complete(&first), Err(Refusal::activity_not_found()));
    w.pass(Span::seconds(1));
    let second = w.take(2);
    w.complete(&second).unwrap();
    assert_eq!(
        w.lines(5),
        [
            "5 scheduled 1",
            "6 started 5 attempt 2 by \"worker\" request \"taken\" after \"one\"",
            "7 completed 5 6",
            "8 workflow_task_scheduled",
        ]
    );
}

#[test]
fn a_start_is_repeatable_by_its_request_id_alone() {
    let mut w = World::new(vec![plain("1")]);
    let first = w.change(|tx| start(tx, 5, 1, "a", "worker"));
    assert_eq!(w.change(|tx| start(tx, 5, 1, "a", "worker")), first);
    assert_eq!(w.change(|tx| start(tx, 5, 1, "b", "other")), Err(Refusal::Obsolete));
    assert_eq!(w.change(|tx| start(tx, 5, 2, "a", "worker")), Err(Refusal::Obsolete));
    assert_eq!(w.change(|tx| start(tx, 6, 1, "a", "worker")), Err(Refusal::Obsolete));
}

#[test]
fn an_attempt_that_backs_off_is_not_handed_out() {
    let mut w = World::new(vec![plain("1")]);
    let first = w.take(1);
    w.fail(&first, "one").unwrap();
    assert_eq!(w.change(|tx| start(tx, 5, 2, "b", "worker")), Err(Refusal::Obsolete));
    assert_eq!(w.beat(&by_id("1"), None), Err(Refusal::activity_not_found()));
}

#[test]
fn timeouts_before_and_after_the_start() {
    let limit = |a: &mut c::ScheduleActivityTaskCommandAttributes| {
        a.schedule_to_close_timeout = Some(Span::seconds(4).duration());
        a.start_to_close_timeout = Some(Span::seconds(2).duration());
    };
    let mut waits = World::new(vec![activity("1", limit)]);
    waits.pass(Span::seconds(4));
    assert_eq!(
        waits.lines(6)[0],
        "6 timed out 5 0 ScheduleToStart Timeout cause \"\": activity ScheduleToStart timeout"
    );

    let mut runs = World::new(vec![activity("1", limit)]);
    let first = runs.take(1);
    runs.beat(&first, payloads(1)).unwrap();
    runs.pass(Span::seconds(2));
    runs.pass(Span::seconds(1));
    runs.take(2);
    runs.pass(Span::seconds(1));
    let text = "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying";
    assert_eq!(
        runs.lines(6),
        [
            "6 started 5 attempt 2 by \"worker\" request \"taken\" after \"activity StartToClose timeout\"".to_owned(),
            format!(
                "7 timed out 5 6 ScheduleToClose Timeout cause \"activity StartToClose timeout\" with details: {text}"
            ),
            "8 workflow_task_scheduled".to_owned(),
        ]
    );
}

#[test]
fn a_missed_heartbeat_ends_the_last_attempt() {
    let mut w = World::new(vec![activity("1", |a| {
        a.heartbeat_timeout = Some(Span::seconds(2).duration());
        a.retry_policy = attempts(1);
    })]);
    let token = w.take(1);
    w.pass(Span::seconds(1));
    w.beat(&token, None).unwrap();
    w.pass(Span::seconds(1));
    assert_eq!(w.lines(6), [""; 0]);
    w.pass(Span::seconds(1));
    assert_eq!(
        w.lines(7)[0],
        "7 timed out 5 6 Heartbeat MaximumAttemptsReached cause \"\": activity Heartbeat timeout"
    );
}

#[test]
fn canceled_before_start_comes_after_all_commands() {
    let mut w = World::new(vec![plain("1"), cancel(5), cancel(5), plain("2")]);
    assert_eq!(
        w.lines(5),
        [
            "5 scheduled 1",
            "6 cancel requested 5",
            "7 cancel requested 5",
            "8 scheduled 2",
            "9 canceled 5 0 asked by 6",
            "10 workflow_task_scheduled",
        ]
    );
    let text = "BadRequestCancelActivityAttributes: invalid history builder state for action: \
                add-activitytask-cancel-requested-event, ScheduledEventID: 5";
    assert_eq!(refusal(w.turn(vec![cancel(5)]).unwrap_err()), text);
}

#[test]
fn a_canceled_activity_gives_up_its_id_at_once() {
    let w = World::new(vec![plain("1"), cancel(5), plain("1"), cancel(5)]);
    assert_eq!(
        w.lines(7),
        ["7 scheduled 1", "8 cancel requested 5", "9 canceled 5 0 asked by 6", "10 workflow_task_scheduled",]
    );
    assert_eq!(w.run.activities.len(), 1);
}

#[test]
fn a_worker_confirms_the_cancellation() {
    let mut w = World::new(vec![plain("1"), plain("2")]);
    let token = w.take(1);
    let no_request = w.change(|tx| canceled(tx, &token, CanceledAnswer::default()));
    let text = "unable to mark activity as canceled without activity being request canceled first";
    assert_eq!(no_request, Err(Refusal::invalid(text)));
    w.complete(&by_id("2")).unwrap();
    w.turn(vec![cancel(5)]).unwrap();
    assert!(w.beat(&token, None).unwrap().cancel_requested);
    assert_eq!(describe(&w.run, w.now)[0].state, PendingActivityState::CancelRequested as i32);
    w.change(|tx| canceled(tx, &token, CanceledAnswer::default())).unwrap();
    assert_eq!(
        w.lines(12),
        [
            "12 cancel requested 5",
            "13 started 5 attempt 1 by \"worker\" request \"taken\" after \"\"",
            "14 canceled 5 13 asked by 12",
            "15 workflow_task_scheduled",
        ]
    );
}

#[test]
fn an_end_that_is_held_back_can_still_be_canceled() {
    let mut w = World::new(vec![plain("1"), plain("2")]);
    let token = w.take(1);
    w.complete(&by_id("2")).unwrap();
    let task = w.start_task();
    w.complete(&token).unwrap();
    assert_eq!(w.run.buffered.len(), 2);
    w.complete_task(&task, vec![cancel(5)]).unwrap();
    assert_eq!(
        w.lines(12),
        [
            "12 cancel requested 5",
            "13 started 5 attempt 1 by \"worker\" request \"taken\" after \"\"",
            "14 completed 5 13",
            "15 workflow_task_scheduled",
        ]
    );
}

#[test]
fn only_completion_by_id_works_before_the_start() {
    let mut w = World::new(vec![plain("1")]);
    assert_eq!(w.beat(&by_id("1"), None), Err(Refusal::activity_not_found()));
    assert_eq!(w.fail(&by_id("1"), "no").unwrap_err(), Refusal::activity_not_found());
    let text = "cannot find pending activity with ActivityID x, check workflow execution history for more details";
    assert_eq!(w.complete(&by_id("x")), Err(Refusal::NotFound(text.into())));
    w.complete(&by_id("1")).unwrap();
    assert_eq!(w.lines(6)[..2], ["6 started 5 attempt 1 by \"worker\" request \"\" after \"\"", "7 completed 5 6",]);
}

#[test]
fn only_by_id_any_kind_of_failure_is_taken() {
    let mut w = World::new(vec![activity("1", |a| a.retry_policy = attempts(1))]);
    let token = w.take(1);
    let bare = || FailedAnswer { failure: Some(Failure::default()), ..Default::default() };
    let refused = w.change(|tx| fail(tx, &token, bare()));
    assert_eq!(refused.unwrap_err(), Refusal::invalid("Failure must have ApplicationFailureInfo."));
    w.change(|tx| fail(tx, &by_id("1"), bare())).unwrap();
    assert_eq!(w.lines(7)[0], "7 failed 5 6 \"\" MaximumAttemptsReached");
}

#[test]
fn what_is_too_large_fails_the_activity() {
    let mut w = World::new(vec![plain("1"), plain("2")]);
    let token = w.take(1);
    let big = || payloads((2 << 20) + 1);
    let answer = CompletedAnswer { result: big(), ..Default::default() };
    w.change(|tx| complete(tx, &token, answer)).unwrap();
    assert_eq!(w.lines(8)[0], "8 failed 5 7 \"Complete result exceeds size limit.\" NonRetryableFailure");
    w.change(|tx| start(tx, 6, 1, "taken", "worker")).unwrap();
    assert!(w.beat(&by_id("2"), big()).unwrap().cancel_requested);
    assert_eq!(w.lines(11)[0], "11 failed 6 10 \"Heartbeat details exceed size limit.\" NonRetryableFailure");
}

#[test]
fn a_large_failure_is_shortened_but_decides_as_a_whole() {
    let mut w = World::new(vec![activity("1", |a| {
        a.retry_policy = Some(RetryPolicy { non_retryable_error_types: vec!["Boom".into()], ..Default::default() });
    })]);
    let token = w.take(1);
    let told = w.fail(&token, &"x".repeat((2 << 20) + 1)).unwrap();
    assert_eq!(told[0].message, "Failure exceeds size limit.");
    assert_eq!(w.lines(7)[0], "7 failed 5 6 \"Failure exceeds size limit.\" NonRetryableFailure");
}

#[test]
fn a_failure_may_bring_the_last_details() {
    let mut w = World::new(vec![plain("1")]);
    let token = w.take(1);
    let answer = FailedAnswer { failure: Some(boom("x")), last_heartbeat_details: payloads(3), ..Default::default() };
    w.change(|tx| fail(tx, &token, answer)).unwrap();
    let shown = &describe(&w.run, w.now)[0];
    assert_eq!(shown.heartbeat_details, payloads(3));
    assert_eq!(shown.state, PendingActivityState::Scheduled as i32);
    assert_eq!(shown.current_retry_interval, Some(Span::seconds(1).duration()));
    assert_eq!(shown.next_attempt_schedule_time, Some((w.now + Span::seconds(1)).timestamp()));
    assert_eq!(shown.last_attempt_complete_time, Some(w.now.timestamp()));
    assert_eq!((shown.last_started_time, shown.last_worker_identity.as_str()), (None, "worker"));
    w.pass(Span::seconds(1));
    let shown = &describe(&w.run, w.now)[0];
    assert_eq!(shown.current_retry_interval, Some(Span::seconds(2).duration()));
    assert_eq!(shown.next_attempt_schedule_time, None);
}

#[test]
fn eager_activities_are_started_by_the_completion() {
    let eager = |id: &str| activity(id, |a| a.request_eager_execution = true);
    let w = World::new(vec![eager("a"), plain("b"), eager("c"), eager("d"), cancel(8)]);
    let ids: Vec<_> = w.eager.iter().map(|a| (a.activity_id.as_str(), a.retry_policy.is_none())).collect();
    assert_eq!(ids, [("a", true), ("c", true)]);
    assert!(w.run.activities.get(&5).unwrap().is_started());
    assert!(!w.run.activities.get(&6).unwrap().is_started());
    let off = World::with(Settings::default(), vec![eager("a")]);
    assert!(off.eager.is_empty());
}

#[test]
fn a_closed_run_keeps_its_activities_to_itself() {
    let mut w = World::new(vec![plain("1"), plain("2")]);
    let token = w.take(1);
    w.change(|tx| close::terminate(tx, "why", None, "me", Vec::new()));
    assert_eq!(w.complete(&token), Err(Refusal::already_completed()));
    assert_eq!(w.beat(&by_id("x"), None), Err(Refusal::already_completed()));
    assert_eq!(w.change(|tx| start(tx, 6, 1, "b", "worker")), Err(Refusal::Obsolete));
    assert_eq!(describe(&w.run, w.now).len(), 2);
}

#[test]
fn refused_schedule_commands() {
    for (change, text) in [
        ((|a| a.activity_id.clear()) as fn(&mut c::ScheduleActivityTaskCommandAttributes), "activityId is not set"),
        (|a| a.activity_type = None, "activityType is not set"),
        (|a| a.task_queue = None, "taskQueue is not set"),
        (|a| a.task_queue = Some(TaskQueue::default()), "missing task queue name"),
        (
            |a| a.task_queue.as_mut().unwrap().name = "temporal-sys-per-ns-tq".into(),
            "cannot use internal per-namespace task queue:temporal-sys-per-ns-tq (in parent component task queue: tq)",
        ),
        (|a| a.activity_id = "x".repeat(1001), "activityId exceeds length limit. Length=1001 Limit=1000"),
        (
            |a| a.start_to_close_timeout = None,
            "a valid StartToClose or ScheduleToCloseTimeout is not set on ScheduleActivityTaskCommand. \
             ActivityId=1 ActivityType=Act",
        ),
        (
            |a| a.heartbeat_timeout = Some(prost_types::Duration { seconds: -1, nanos: 0 }),
            "invalid HeartbeatTimeout: negative duration",
        ),
        (
            |a| a.retry_policy.get_or_insert_default().non_retryable_error_types = vec!["TemporalTimeout:X".into()],
            "Invalid timeout type value: X.",
        ),
        (
            |a| a.priority.get_or_insert_default().priority_key = -1,
            "invalid priorities: priority key can't be negative",
        ),
    ] {
        let mut w = World::new(vec![plain("done")]);
        w.complete(&by_id("done")).unwrap();
        let refused = refusal(w.turn(vec![activity("1", change)]).unwrap_err());
        assert_eq!(refused, format!("BadScheduleActivityAttributes: {text}"));
        assert!(w.run.activities.is_empty());
    }
}

#[test]
fn a_pending_id_is_taken_and_room_is_limited() {
    let settings = Settings { pending_activities: 2, ..Settings::default() };
    let mut w = World::with(settings, vec![plain("1"), plain("done")]);
    w.complete(&by_id("done")).unwrap();
    let text = "ScheduleActivityDuplicateId: invalid history builder state for action: \
                add-activitytask-scheduled-event, ActivityID: 1";
    assert_eq!(refusal(w.turn(vec![plain("1")]).unwrap_err()), text);
    let text = "PendingActivitiesLimitExceeded: the number of pending activities, 2, has reached the \
                per-workflow limit of 2";
    assert_eq!(refusal(w.turn(vec![plain("2"), plain("3")]).unwrap_err()), text);
}
