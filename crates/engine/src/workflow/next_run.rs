//! Whether and when another run follows a close: workflow retry and cron (spec §3.15), and what it is made from.
use super::{
    new_run::{NewRun, new_key},
    transition::Transition,
};
use crate::{
    Time,
    api::{
        common::Payloads,
        enums::{ContinueAsNewInitiator as Initiator, RetryState, TimeoutType},
        failure::{Failure, TimeoutFailureInfo, failure::FailureInfo},
        workflow::ResetPoints,
    },
    backoff, cron,
    time::Span,
};

/// The run id of a successor, for the close event.
pub(crate) fn id(successor: Option<&NewRun>) -> String {
    successor.map(|new| new.key.run_id.to_string()).unwrap_or_default()
}

/// After a Fail command: retry first; once attempts are spent, cron.
pub(crate) fn after_failure(tx: &mut Transition<'_, '_>, failure: &Failure) -> (RetryState, Option<Box<NewRun>>) {
    let (state, wait) = retry(tx, Some(failure));
    follow(tx, state, wait, failure.clone())
}

/// After the run timeout: as after a failure.
pub(crate) fn after_timeout(tx: &mut Transition<'_, '_>) -> (RetryState, Option<Box<NewRun>>) {
    let (state, wait) = retry(tx, None);
    let info = TimeoutFailureInfo { timeout_type: TimeoutType::StartToClose as i32, ..Default::default() };
    let failure = Failure {
        message: "workflow timeout".into(),
        source: "Server".into(),
        failure_info: Some(FailureInfo::TimeoutFailureInfo(info)),
        ..Default::default()
    };
    follow(tx, state, wait, failure)
}

/// After a Complete command: only cron goes on.
pub(crate) fn after_completion(tx: &mut Transition<'_, '_>, result: Option<Payloads>) -> Option<Box<NewRun>> {
    let wait = cron_wait(tx)?;
    let mut new = same_again(tx, Initiator::CronSchedule, wait)?;
    new.attributes.last_completion_result = result;
    Some(new)
}

fn follow(
    tx: &mut Transition<'_, '_>,
    state: RetryState,
    wait: Option<Span>,
    failure: Failure,
) -> (RetryState, Option<Box<NewRun>>) {
    if let Some(wait) = wait {
        let Some(mut new) = same_again(tx, Initiator::Retry, wait) else { return (state, None) };
        new.attributes.attempt = tx.run.profile.attempt + 1;
        new.attributes.continued_failure = Some(failure);
        return (state, Some(new));
    }
    let Some(mut new) = cron_wait(tx).and_then(|wait| same_again(tx, Initiator::CronSchedule, wait)) else {
        return (state, None);
    };
    let kept = tx.run.start.as_ref().and_then(|s| s.attributes.as_ref());
    new.attributes.last_completion_result = kept.and_then(|a| a.last_completion_result.clone());
    new.attributes.continued_failure = Some(failure);
    (state, Some(new))
}

/// Whether the retry policy allows another attempt, and after which wait. No failure means a timeout.
fn retry(tx: &Transition<'_, '_>, failure: Option<&Failure>) -> (RetryState, Option<Span>) {
    let profile = tx.run.profile.get();
    let Some(policy) = &profile.retry_policy else { return (RetryState::RetryPolicyNotSet, None) };
    let mut delay = None;
    match failure.and_then(|f| f.failure_info.as_ref()) {
        Some(FailureInfo::ApplicationFailureInfo(info)) => {
            if info.non_retryable || policy.non_retryable_error_types.contains(&info.r#type) {
                return (RetryState::NonRetryableFailure, None);
            }
            delay = info.next_retry_delay.as_ref().map(|d| Span::of(Some(d)));
        }
        Some(FailureInfo::ServerFailureInfo(info)) if info.non_retryable => {
            return (RetryState::NonRetryableFailure, None);
        }
        Some(FailureInfo::TerminatedFailureInfo(_) | FailureInfo::CanceledFailureInfo(_)) => {
            return (RetryState::NonRetryableFailure, None);
        }
        _ => {}
    }
    if policy.maximum_attempts > 0 && profile.attempt >= policy.maximum_attempts {
        return (RetryState::MaximumAttemptsReached, None);
    }
    let wait = match delay.filter(|d| *d > Span::ZERO) {
        Some(delay) => delay.min_set(Span::of(policy.maximum_interval.as_ref())),
        None => backoff::interval(policy, profile.attempt),
    };
    if profile.execution_expiration != 0 && tx.now() + wait > Time(profile.execution_expiration) {
        return (RetryState::Timeout, None);
    }
    (RetryState::InProgress, Some(wait.max(rest_of_interval(tx, wait))))
}

/// What is left of the least time between the starts of two runs, if `wait` ends before it.
pub(crate) fn rest_of_interval(tx: &Transition<'_, '_>, wait: Span) -> Span {
    let (least, lived) = (tx.cx.settings.run_interval_min, lifetime(tx));
    if lived.0 + wait.0 < least.0 { Span(least.0 - lived.0) } else { wait }
}

fn cron_wait(tx: &Transition<'_, '_>) -> Option<Span> {
    let profile = tx.run.profile.get();
    if profile.cron_schedule.is_empty() {
        return None;
    }
    let schedule = cron::Schedule::parse(&profile.cron_schedule).ok()?;
    cron::backoff(&schedule, Time(profile.execution_time), tx.now())
}

/// A run like this one was at its start: its input, memo, search attributes and header are those of the start event.
fn same_again(tx: &mut Transition<'_, '_>, initiator: Initiator, wait: Span) -> Option<Box<NewRun>> {
    let mut attributes = tx.run.start.as_ref()?.attributes.clone()?;
    let points = roll_over_reset_points(tx);
    attributes.continued_execution_run_id = tx.run.run_id();
    attributes.initiator = initiator as i32;
    attributes.identity = String::new();
    attributes.attempt = 1;
    attributes.continued_failure = None;
    attributes.last_completion_result = None;
    attributes.first_workflow_task_backoff = Some(wait.duration());
    attributes.prev_auto_reset_points = points;
    attributes.eager_execution_accepted = false;
    let links = tx.run.start.as_ref().map(|s| s.links.clone()).unwrap_or_default();
    Some(successor(tx, attributes, links))
}

/// Wraps the attributes of a chain's next run.
pub(crate) fn successor(
    tx: &mut Transition<'_, '_>,
    attributes: crate::api::history::WorkflowExecutionStartedEventAttributes,
    links: Vec<crate::api::common::Link>,
) -> Box<NewRun> {
    let key = tx.run.key.clone();
    Box::new(NewRun {
        key: new_key(tx.cx, key.namespace_id, &key.workflow_id),
        attributes,
        create_request_id: tx.cx.uuid(),
        user_metadata: None,
        links,
        chain_start_time: Some(Time(tx.run.profile.chain_start_time)),
        signal: None,
        eager: None,
    })
}

/// The reset points go over to the next run; those of this run expire with it.
pub(crate) fn roll_over_reset_points(tx: &mut Transition<'_, '_>) -> Option<ResetPoints> {
    let expires = (tx.now() + tx.cx.settings.retention).timestamp();
    let run_id = tx.run.run_id();
    if tx.run.profile.reset_points.is_none() {
        return Some(ResetPoints::default());
    }
    let points = tx.run.profile.get_mut().reset_points.as_mut()?;
    for point in points.points.iter_mut().filter(|p| p.run_id == run_id) {
        point.expire_time = Some(expires);
    }
    Some(points.clone())
}

/// How long the run has been executing.
fn lifetime(tx: &Transition<'_, '_>) -> Span {
    tx.now() - Time(tx.run.profile.execution_time)
}
