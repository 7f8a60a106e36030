//! The waiting time before another attempt, for activities, workflows and workflow tasks alike.
use crate::{api::common::RetryPolicy, time::Span};

/// `initial × coefficient^(attempt−1)`, cut to the policy's maximum; an overflow is the maximum (§3.9).
pub fn interval(policy: &RetryPolicy, attempt: i32) -> Span {
    let initial = Span::of(policy.initial_interval.as_ref());
    let limit = Span::of(policy.maximum_interval.as_ref()).or(crate::time::LONGEST);
    let grown = initial.0 as f64 * policy.backoff_coefficient.powi(attempt.saturating_sub(1));
    if !grown.is_finite() || grown <= 0.0 || grown >= limit.0 as f64 { limit } else { Span(grown as i64) }
}

/// Fills what a policy leaves out: 1 s, coefficient 2, 100 times the first interval, attempts without limit (§4.3).
pub fn with_defaults(policy: &mut RetryPolicy) {
    if Span::of(policy.initial_interval.as_ref()).is_zero() {
        policy.initial_interval = Some(Span::seconds(1).duration());
    }
    if Span::of(policy.maximum_interval.as_ref()).is_zero() {
        let initial = Span::of(policy.initial_interval.as_ref());
        policy.maximum_interval = Some(Span(initial.0.saturating_mul(100)).duration());
    }
    if policy.backoff_coefficient == 0.0 {
        policy.backoff_coefficient = 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(initial: i64, coefficient: f64, maximum: i64) -> RetryPolicy {
        RetryPolicy {
            initial_interval: Some(Span::seconds(initial).duration()),
            backoff_coefficient: coefficient,
            maximum_interval: Span::seconds(maximum).optional(),
            ..Default::default()
        }
    }

    #[test]
    fn grows_up_to_the_maximum() {
        let policy = policy(1, 2.0, 5);
        let seconds: Vec<_> = (1..=5).map(|n| interval(&policy, n).0 / 1_000_000_000).collect();
        assert_eq!(seconds, [1, 2, 4, 5, 5]);
    }

    #[test]
    fn an_overflow_is_the_maximum() {
        assert_eq!(interval(&policy(1, 10.0, 60), i32::MAX), Span::seconds(60));
        assert_eq!(interval(&policy(1, 10.0, 0), i32::MAX), crate::time::LONGEST);
    }

    #[test]
    fn what_is_left_out_is_filled() {
        let mut policy = RetryPolicy::default();
        with_defaults(&mut policy);
        assert_eq!(Span::of(policy.maximum_interval.as_ref()), Span::seconds(100));
        assert_eq!(policy.backoff_coefficient, 2.0);
    }
}
