//! A worker takes an attempt (spec §3.8, §3.10). No event is written yet: the record remembers the start.
use crate::{
    Refusal, Time,
    api::common::{Header, Payloads, Priority, RetryPolicy},
    time::Span,
    workflow::{commands::Applying, records::Activity, run::Run, token::TaskToken, transition::Transition},
};

/// What a worker's task is built from, once the start is durable.
#[derive(Clone, Debug, PartialEq)]
pub struct StartedActivity {
    pub token: TaskToken,
    pub workflow_type: String,
    pub activity_type: String,
    pub activity_id: String,
    pub header: Option<Header>,
    pub input: Option<Payloads>,
    /// Of the last heartbeat of any attempt.
    pub heartbeat_details: Option<Payloads>,
    /// When the first attempt was scheduled.
    pub scheduled_time: Time,
    pub current_attempt_scheduled_time: Time,
    pub started_time: Time,
    pub attempt: i32,
    /// Zero is none; all three are sent all the same.
    pub schedule_to_close_timeout: Span,
    pub start_to_close_timeout: Span,
    pub heartbeat_timeout: Span,
    /// None for an eager activity.
    pub retry_policy: Option<RetryPolicy>,
    /// What the command set, and the run's where the command left a field out.
    pub priority: Option<Priority>,
}

/// Starts the attempt that an offer names. A repetition with the same request id is answered alike; an attempt that is
/// gone, or that somebody else has, is [`Refusal::Obsolete`].
pub fn start(
    tx: &mut Transition<'_, '_>,
    scheduled_event_id: i64,
    attempt: i32,
    request_id: &str,
    identity: &str,
) -> Result<StartedActivity, Refusal> {
    let offered = tx.run.activities.get(&scheduled_event_id).filter(|a| a.attempt == attempt && !a.backing_off);
    let activity = offered.filter(|_| tx.run.is_running()).ok_or(Refusal::Obsolete)?;
    #[cfg(feature = "planted")]
    if activity.is_started() && abide_planted::is(abide_planted::Fault::DoubleDispatch) {
        return Ok(describe(tx.run, activity));
    }
    if activity.is_started() {
        let same = activity.request_id == request_id;
        return if same { Ok(describe(tx.run, activity)) } else { Err(Refusal::Obsolete) };
    }
    take(tx, scheduled_event_id, request_id, identity).ok_or(Refusal::Obsolete)
}

/// Undoes a start whose worker had gone before it heard of it: the attempt waits for a worker again. Anything else than
/// that very start is left alone.
pub fn give_back(tx: &mut Transition<'_, '_>, scheduled_event_id: i64, request_id: &str) {
    let is_it = |a: &&Activity| a.is_started() && a.request_id == request_id;
    if !tx.run.is_running() || tx.run.activities.get(&scheduled_event_id).filter(is_it).is_none() {
        return;
    }
    if let Some(activity) = tx.run.activities.get_mut(&scheduled_event_id) {
        activity.started_time = 0;
        activity.request_id.clear();
        activity.identity.clear();
    }
}

/// Starts the activities that the completing worker wants at once, in the order of their commands.
pub(crate) fn start_eager(tx: &mut Transition<'_, '_>, batch: &Applying) -> Vec<StartedActivity> {
    let mut started = Vec::with_capacity(batch.eager.len());
    for id in &batch.eager {
        let request_id = tx.cx.uuid();
        // One that a later command canceled is gone.
        if let Some(activity) = take(tx, *id, &request_id, &batch.identity) {
            started.push(StartedActivity { retry_policy: None, ..activity });
        }
    }
    started
}

fn take(
    tx: &mut Transition<'_, '_>,
    scheduled_event_id: i64,
    request_id: &str,
    identity: &str,
) -> Option<StartedActivity> {
    let now = tx.now().0;
    let activity = tx.run.activities.get_mut(&scheduled_event_id)?;
    activity.started_time = now;
    activity.request_id = request_id.to_owned();
    activity.identity = identity.to_owned();
    activity.last_worker_identity = identity.to_owned();
    tx.run.activities.get(&scheduled_event_id).map(|activity| describe(tx.run, activity))
}

fn describe(run: &Run, activity: &Activity) -> StartedActivity {
    let token = TaskToken {
        scheduled_event_id: activity.scheduled_event_id,
        attempt: activity.attempt,
        activity_id: activity.activity_id.clone(),
        ..TaskToken::for_run(&run.key)
    };
    StartedActivity {
        token,
        workflow_type: run.profile.workflow_type.clone(),
        activity_type: activity.activity_type.clone(),
        activity_id: activity.activity_id.clone(),
        header: activity.header.clone(),
        input: activity.input.clone(),
        heartbeat_details: activity.heartbeat_details.clone(),
        scheduled_time: Time(activity.first_scheduled_time),
        current_attempt_scheduled_time: Time(activity.scheduled_time),
        started_time: Time(activity.started_time),
        attempt: activity.attempt,
        schedule_to_close_timeout: Span(activity.schedule_to_close),
        start_to_close_timeout: Span(activity.start_to_close),
        heartbeat_timeout: Span(activity.heartbeat),
        retry_policy: activity.retry_policy.clone(),
        priority: merged(activity.priority.as_ref(), run.profile.priority.as_ref()),
    }
}

/// The activity's own priority, with the run's for every field that is not set (spec §3.27).
fn merged(own: Option<&Priority>, inherited: Option<&Priority>) -> Option<Priority> {
    let (Some(own), Some(run)) = (own, inherited) else { return own.or(inherited).cloned() };
    Some(Priority {
        priority_key: if own.priority_key != 0 { own.priority_key } else { run.priority_key },
        fairness_key: if own.fairness_key.is_empty() { &run.fairness_key } else { &own.fairness_key }.clone(),
        fairness_weight: if own.fairness_weight != 0.0 { own.fairness_weight } else { run.fairness_weight },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_merge_field_by_field() {
        let run = Priority { priority_key: 2, fairness_key: "tenant".into(), fairness_weight: 1.5 };
        let own = Priority { priority_key: 5, ..Default::default() };
        assert_eq!(merged(Some(&own), Some(&run)), Some(Priority { priority_key: 5, ..run.clone() }));
        assert_eq!(merged(None, Some(&run)), Some(run));
        assert_eq!(merged(Some(&own), None), Some(own));
        assert_eq!(merged(None, None), None);
    }
}
