//! Whatever happens to a run, in whatever order: what must always hold, holds (the rig checks it after every step), and
//! to be dropped from memory and loaded again makes no difference.
#![allow(clippy::unwrap_used, unreachable_pub)]
mod commands;
mod dice;
mod driver;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;

use abide_engine::api::{Attributes, history::HistoryEvent};
use dice::Dice;
use driver::Driver;
use proptest::prelude::*;

/// What the steps must lead to, lest the properties hold for want of trying.
const KINDS: [&str; 46] = [
    "ACTIVITY_TASK_CANCELED",
    "ACTIVITY_TASK_CANCEL_REQUESTED",
    "ACTIVITY_TASK_COMPLETED",
    "ACTIVITY_TASK_FAILED CancelRequested",
    "ACTIVITY_TASK_FAILED MaximumAttemptsReached",
    "ACTIVITY_TASK_FAILED NonRetryableFailure",
    "ACTIVITY_TASK_TIMED_OUT CancelRequested",
    "ACTIVITY_TASK_TIMED_OUT MaximumAttemptsReached",
    "ACTIVITY_TASK_TIMED_OUT Timeout",
    "MARKER_RECORDED",
    "TIMER_CANCELED",
    "TIMER_FIRED",
    "WORKFLOW_EXECUTION_CANCELED",
    "WORKFLOW_EXECUTION_CANCEL_REQUESTED",
    "WORKFLOW_EXECUTION_COMPLETED",
    "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
    "WORKFLOW_EXECUTION_FAILED InProgress",
    "WORKFLOW_EXECUTION_FAILED RetryPolicyNotSet",
    "WORKFLOW_EXECUTION_OPTIONS_UPDATED",
    "WORKFLOW_EXECUTION_SIGNALED",
    "WORKFLOW_EXECUTION_STARTED CronSchedule",
    "WORKFLOW_EXECUTION_STARTED Retry",
    "WORKFLOW_EXECUTION_STARTED Unspecified",
    "WORKFLOW_EXECUTION_STARTED Workflow",
    "WORKFLOW_EXECUTION_TERMINATED GrpcMessageTooLarge",
    "WORKFLOW_EXECUTION_TERMINATED TerminateIfRunning WorkflowIdReusePolicy",
    "WORKFLOW_EXECUTION_TERMINATED Workflow history count exceeds limit.",
    "WORKFLOW_EXECUTION_TERMINATED Workflow history size exceeds limit.",
    "WORKFLOW_EXECUTION_TERMINATED Workflow mutable state size exceeds limit.",
    "WORKFLOW_EXECUTION_TERMINATED enough",
    "WORKFLOW_EXECUTION_TIMED_OUT InProgress",
    "WORKFLOW_EXECUTION_TIMED_OUT MaximumAttemptsReached",
    "WORKFLOW_EXECUTION_TIMED_OUT RetryPolicyNotSet",
    "WORKFLOW_EXECUTION_TIMED_OUT Timeout",
    "WORKFLOW_PROPERTIES_MODIFIED",
    "WORKFLOW_TASK_COMPLETED",
    "WORKFLOW_TASK_FAILED BadCancelTimerAttributes",
    "WORKFLOW_TASK_FAILED BadRequestCancelActivityAttributes",
    "WORKFLOW_TASK_FAILED BadScheduleActivityAttributes",
    "WORKFLOW_TASK_FAILED ForceCloseCommand",
    "WORKFLOW_TASK_FAILED PendingActivitiesLimitExceeded",
    "WORKFLOW_TASK_FAILED ScheduleActivityDuplicateId",
    "WORKFLOW_TASK_FAILED StartTimerDuplicateId",
    "WORKFLOW_TASK_FAILED UnhandledCommand",
    "WORKFLOW_TASK_TIMED_OUT ScheduleToStart",
    "WORKFLOW_TASK_TIMED_OUT StartToClose",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_sequence_keeps_the_invariants(setup in any::<u64>(), steps in prop::collection::vec(any::<u64>(), 0..120)) {
        let mut driver = Driver::new(setup);
        for step in steps {
            driver.step(step);
        }
        driver.leave_alone();
    }
}

#[test]
fn long_lives_keep_the_invariants_and_see_everything() {
    let mut seen = BTreeSet::new();
    for seed in 0..24 {
        let mut dice = Dice::new(seed);
        let mut driver = Driver::new(dice.next());
        for _ in 0..1000 {
            driver.step(dice.next());
        }
        driver.leave_alone();
        seen.extend(driver.events().map(kind_of));
    }
    let missed: Vec<_> = KINDS.iter().filter(|kind| !seen.contains(**kind)).collect();
    assert!(missed.is_empty(), "the steps never lead to {missed:?}");
}

/// The type, and the cause or retry state of what failed.
fn kind_of(event: &HistoryEvent) -> String {
    let name = event.event_type().as_str_name().trim_start_matches("EVENT_TYPE_");
    match event.attributes.as_ref().unwrap() {
        Attributes::WorkflowTaskFailedEventAttributes(a) => format!("{name} {:?}", a.cause()),
        Attributes::WorkflowTaskTimedOutEventAttributes(a) => format!("{name} {:?}", a.timeout_type()),
        Attributes::WorkflowExecutionFailedEventAttributes(a) => format!("{name} {:?}", a.retry_state()),
        Attributes::WorkflowExecutionTimedOutEventAttributes(a) => format!("{name} {:?}", a.retry_state()),
        Attributes::WorkflowExecutionTerminatedEventAttributes(a) => format!("{name} {}", a.reason),
        Attributes::ActivityTaskFailedEventAttributes(a) => format!("{name} {:?}", a.retry_state()),
        Attributes::ActivityTaskTimedOutEventAttributes(a) => format!("{name} {:?}", a.retry_state()),
        Attributes::WorkflowExecutionStartedEventAttributes(a) => format!("{name} {:?}", a.initiator()),
        _ => name.to_owned(),
    }
}
