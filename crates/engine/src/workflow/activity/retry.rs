//! Whether an attempt that did not succeed is followed by another, and when (spec §3.9).
use super::{failure, validate::TIMEOUT_TYPE_PREFIX};
use crate::{
    Settings, Time,
    api::{
        enums::{RetryState, TimeoutType},
        failure::{Failure, failure::FailureInfo},
    },
    backoff,
    time::Span,
    workflow::{names, records::Activity},
};

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another attempt after this wait.
    Attempt(Span),
    /// Nothing, for this reason.
    End(RetryState),
}

/// Decides by what went wrong, in the order in which the reasons to give up come.
pub(super) fn decide(activity: &Activity, failure: Option<&Failure>, now: Time) -> Next {
    if activity.cancel_requested {
        return Next::End(RetryState::CancelRequested);
    }
    let policy = activity.retry_policy.as_ref();
    let listed = policy.map_or(&[][..], |p| &p.non_retryable_error_types);
    if let Some(state) = failure.and_then(|f| rules_out(f, listed)) {
        return Next::End(state);
    }
    let Some(policy) = policy else { return Next::End(RetryState::RetryPolicyNotSet) };
    if policy.maximum_attempts > 0 && activity.attempt >= policy.maximum_attempts {
        return Next::End(RetryState::MaximumAttemptsReached);
    }
    let wait = failure.and_then(own_delay).unwrap_or_else(|| backoff::interval(policy, activity.attempt));
    let expires = Time(activity.first_scheduled_time) + Span(activity.schedule_to_close);
    if activity.schedule_to_close != 0 && now + wait > expires {
        return Next::End(RetryState::Timeout);
    }
    Next::Attempt(wait)
}

/// Why a failure of this kind is not retried, if it is not.
fn rules_out(failure: &Failure, listed: &[String]) -> Option<RetryState> {
    let (is_final, kind) = match failure.failure_info.as_ref()? {
        FailureInfo::ApplicationFailureInfo(info) => (info.non_retryable, info.r#type.clone()),
        FailureInfo::ServerFailureInfo(info) => (info.non_retryable, String::new()),
        FailureInfo::CanceledFailureInfo(_) | FailureInfo::TerminatedFailureInfo(_) => (true, String::new()),
        FailureInfo::TimeoutFailureInfo(info) => match info.timeout_type() {
            TimeoutType::ScheduleToStart | TimeoutType::ScheduleToClose => return Some(RetryState::Timeout),
            kind => (false, format!("{TIMEOUT_TYPE_PREFIX}{}", names::timeout(kind))),
        },
        _ => return None,
    };
    let is_listed = !kind.is_empty() && listed.contains(&kind);
    (is_final || is_listed).then_some(RetryState::NonRetryableFailure)
}

/// A failure may say itself when to retry; that may be longer than the policy's longest wait.
fn own_delay(failure: &Failure) -> Option<Span> {
    match failure.failure_info.as_ref()? {
        FailureInfo::ApplicationFailureInfo(info) => {
            info.next_retry_delay.as_ref().map(|delay| Span::of(Some(delay)).max(Span::ZERO))
        }
        _ => None,
    }
}

/// Makes the record that of the next attempt.
pub(super) fn begin_next(
    activity: &mut Activity,
    failure: Option<Failure>,
    wait: Span,
    now: Time,
    settings: &Settings,
) {
    let limit = settings.activity_failure_size_bytes;
    activity.attempt = activity.attempt.saturating_add(1);
    activity.last_failure = failure.map(|f| failure::limited(f, limit, limit));
    activity.scheduled_time = (now + wait).0;
    activity.retry_interval = wait.0;
    activity.backing_off = true;
    activity.started_time = 0;
    activity.request_id.clear();
    activity.identity.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{
        common::RetryPolicy,
        failure::{ApplicationFailureInfo, CanceledFailureInfo, ServerFailureInfo},
    };

    fn activity() -> Activity {
        let policy = RetryPolicy {
            initial_interval: Some(Span::seconds(1).duration()),
            backoff_coefficient: 2.0,
            maximum_interval: Some(Span::seconds(10).duration()),
            maximum_attempts: 3,
            non_retryable_error_types: vec!["Listed".into(), "TemporalTimeout:Heartbeat".into()],
        };
        Activity { attempt: 2, retry_policy: Some(policy), ..Default::default() }
    }

    fn application(kind: &str) -> ApplicationFailureInfo {
        ApplicationFailureInfo { r#type: kind.into(), ..Default::default() }
    }

    fn decided(activity: &Activity, info: FailureInfo) -> Next {
        let failure = Failure { failure_info: Some(info), ..Default::default() };
        decide(activity, Some(&failure), Time(0))
    }

    #[test]
    fn waits_by_the_policy_or_by_the_failure() {
        let info = FailureInfo::ApplicationFailureInfo(application("Boom"));
        assert_eq!(decided(&activity(), info), Next::Attempt(Span::seconds(2)));
        let next_retry_delay = Some(Span::seconds(60).duration());
        let info =
            FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo { next_retry_delay, ..application("Boom") });
        assert_eq!(decided(&activity(), info), Next::Attempt(Span::seconds(60)));
        assert_eq!(decide(&activity(), None, Time(0)), Next::Attempt(Span::seconds(2)));
    }

    #[test]
    fn some_kinds_of_failure_are_final() {
        use RetryState as S;
        let timeout = |kind| failure::timeout(String::new(), kind, None).failure_info.expect("a timeout has its info");
        for (info, state) in [
            (FailureInfo::ApplicationFailureInfo(application("Listed")), S::NonRetryableFailure),
            (FailureInfo::CanceledFailureInfo(CanceledFailureInfo::default()), S::NonRetryableFailure),
            (FailureInfo::ServerFailureInfo(ServerFailureInfo { non_retryable: true }), S::NonRetryableFailure),
            (timeout(TimeoutType::Heartbeat), S::NonRetryableFailure),
            (timeout(TimeoutType::ScheduleToStart), S::Timeout),
        ] {
            assert_eq!(decided(&activity(), info), Next::End(state));
        }
        assert_eq!(decided(&activity(), timeout(TimeoutType::StartToClose)), Next::Attempt(Span::seconds(2)));
    }

    #[test]
    fn attempts_and_time_run_out() {
        let last = Activity { attempt: 3, ..activity() };
        assert_eq!(decide(&last, None, Time(0)), Next::End(RetryState::MaximumAttemptsReached));
        let short = Activity { schedule_to_close: Span::seconds(5).0, ..activity() };
        assert_eq!(decide(&short, None, Time(Span::seconds(3).0)), Next::Attempt(Span::seconds(2)));
        assert_eq!(decide(&short, None, Time(Span::seconds(4).0)), Next::End(RetryState::Timeout));
    }

    #[test]
    fn nothing_is_retried_after_a_cancel_request() {
        let canceled = Activity { cancel_requested: true, ..activity() };
        assert_eq!(decide(&canceled, None, Time(0)), Next::End(RetryState::CancelRequested));
    }
}
