//! What the command that schedules an activity must be.
use crate::{
    Settings,
    api::{command::ScheduleActivityTaskCommandAttributes, common::RetryPolicy, enums::TimeoutType},
    workflow::{names, validate},
};

/// What the name of a timeout is led in by among the error types that are not retried.
pub(super) const TIMEOUT_TYPE_PREFIX: &str = "TemporalTimeout:";

/// Checks the command; its retry policy is to have its defaults already. `workflow_queue` is named in a complaint.
pub(super) fn schedule(
    settings: &Settings,
    workflow_queue: &str,
    a: &ScheduleActivityTaskCommandAttributes,
) -> Result<(), String> {
    let limit = settings.id_length_bytes;
    let activity_type = a.activity_type.as_ref().map_or("", |t| &t.name);
    queue(settings, workflow_queue, a)?;
    if a.activity_id.is_empty() {
        return Err("activityId is not set".into());
    }
    if activity_type.is_empty() {
        return Err("activityType is not set".into());
    }
    retry_policy(a.retry_policy.as_ref())?;
    for (field, value) in [("activityId", a.activity_id.as_str()), ("activityType", activity_type)] {
        if value.len() > limit {
            return Err(format!("{field} exceeds length limit. Length={} Limit={limit}", value.len()));
        }
    }
    for (field, value) in [
        ("ScheduleToCloseTimeout", &a.schedule_to_close_timeout),
        ("ScheduleToStartTimeout", &a.schedule_to_start_timeout),
        ("StartToCloseTimeout", &a.start_to_close_timeout),
        ("HeartbeatTimeout", &a.heartbeat_timeout),
    ] {
        if let Some(why) = validate::duration(value.as_ref()) {
            return Err(format!("invalid {field}: {why}"));
        }
    }
    validate::priority(a.priority.as_ref()).map_err(|why| format!("invalid priorities: {why}"))
}

fn queue(settings: &Settings, workflow_queue: &str, a: &ScheduleActivityTaskCommandAttributes) -> Result<(), String> {
    validate::task_queue(a.task_queue.as_ref(), settings).map_err(|why| {
        // Only this complaint says whose activity it is.
        if why.starts_with("cannot use internal") {
            return format!("{why} (in parent component task queue: {workflow_queue})");
        }
        why
    })
}

fn retry_policy(policy: Option<&RetryPolicy>) -> Result<(), String> {
    validate::retry_policy(policy)?;
    for kind in policy.iter().flat_map(|p| &p.non_retryable_error_types) {
        if let Some(name) = kind.strip_prefix(TIMEOUT_TYPE_PREFIX) {
            let known = (0..=4).filter_map(|n| TimeoutType::try_from(n).ok()).any(|t| names::timeout(t) == name);
            if !known {
                return Err(format!("Invalid timeout type value: {name}."));
            }
        }
    }
    Ok(())
}
