//! Checks that requests and commands share.
use prost_types::Duration;

use crate::{
    Settings,
    api::{
        common::{Payloads, Priority, RetryPolicy},
        taskqueue::TaskQueue,
    },
    payload,
    time::Span,
    workflow::transition::Transition,
};

const FAIRNESS_KEY_BYTES_MAX: usize = 64;

/// Why a duration is no duration; out-of-range values are accepted and cut elsewhere (§3.37.1).
pub fn duration(duration: Option<&Duration>) -> Option<&'static str> {
    let d = duration?;
    if (d.seconds > 0 && d.nanos < 0) || (d.seconds < 0 && d.nanos > 0) {
        return Some("duration has seconds and nanos with different signs");
    }
    (d.seconds < 0 || d.nanos < 0).then_some("negative duration")
}

/// Checks a task queue that a user names.
pub fn task_queue(queue: Option<&TaskQueue>, settings: &Settings) -> Result<(), String> {
    let Some(queue) = queue else { return Err("taskQueue is not set".into()) };
    if queue.name.is_empty() {
        return Err("missing task queue name".into());
    }
    if queue.name.len() > settings.id_length_bytes {
        return Err("taskQueue length exceeds limit".into());
    }
    if queue.name.starts_with("/_sys/") {
        return Err("task queue name cannot start with reserved prefix /_sys/".into());
    }
    if queue.name.starts_with("temporal-sys-per-ns-") {
        return Err(format!("cannot use internal per-namespace task queue:{}", queue.name));
    }
    Ok(())
}

/// Checks a retry policy as its sender wrote it.
pub fn retry_policy(policy: Option<&RetryPolicy>) -> Result<(), String> {
    let Some(policy) = policy else { return Ok(()) };
    // A policy that never retries need not make sense otherwise.
    if policy.maximum_attempts == 1 {
        return Ok(());
    }
    if let Some(why) = duration(policy.initial_interval.as_ref()) {
        return Err(format!("invalid InitialInterval set on retry policy: {why}"));
    }
    if policy.backoff_coefficient != 0.0 && policy.backoff_coefficient < 1.0 {
        return Err("BackoffCoefficient cannot be less than 1 on retry policy.".into());
    }
    if let Some(why) = duration(policy.maximum_interval.as_ref()) {
        return Err(format!("invalid MaximumInterval set on retry policy: {why}"));
    }
    let maximum = Span::of(policy.maximum_interval.as_ref());
    if !maximum.is_zero() && maximum < Span::of(policy.initial_interval.as_ref()) {
        return Err("MaximumInterval cannot be less than InitialInterval on retry policy.".into());
    }
    if policy.maximum_attempts < 0 {
        return Err("MaximumAttempts cannot be negative on retry policy.".into());
    }
    Ok(())
}

/// Checks a priority; the text says what is wrong.
pub fn priority(priority: Option<&Priority>) -> Result<(), &'static str> {
    let Some(priority) = priority else { return Ok(()) };
    if priority.priority_key < 0 {
        return Err("priority key can't be negative");
    }
    if priority.fairness_key.len() > FAIRNESS_KEY_BYTES_MAX {
        return Err("fairness key length exceeds limit");
    }
    if priority.fairness_weight < 0.0 {
        return Err("must be greater than zero");
    }
    Ok(())
}

/// Whether a payload-bearing field is over the size limit.
pub(crate) fn too_large(tx: &Transition<'_, '_>, payloads: Option<&Payloads>) -> bool {
    payload::size_bytes(payloads) > tx.cx.settings.blob_size_bytes
}
