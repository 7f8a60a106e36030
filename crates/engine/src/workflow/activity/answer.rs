//! What a worker, or whoever knows the activity's id, answers: result, failure, cancellation, heartbeat (spec §3.9).
use prost::Message;

use super::{
    closing, failure,
    retry::{self, Next},
};
use crate::{
    Refusal,
    api::{
        Attributes,
        common::Payloads,
        enums::RetryState,
        failure::{Failure, failure::FailureInfo},
        history as h,
    },
    workflow::{token::TaskToken, transition::Transition, validate::too_large},
};

/// A failure that the history cannot hold whole keeps this much of itself.
const FAILURE_KEPT_BYTES: usize = 512 << 10;
const HEARTBEAT_TOO_LARGE: &str = "Heartbeat details exceed size limit.";

/// Names the activity of an answer.
#[derive(Clone, Debug)]
pub enum Selector {
    /// As the worker got it; it fits one attempt only.
    ByToken(TaskToken),
    /// Whatever attempt the pending activity with this id is at.
    ById { activity_id: String },
}

/// RespondActivityTaskCompleted, also by id.
#[derive(Clone, Debug, Default)]
pub struct CompletedAnswer {
    pub result: Option<Payloads>,
    pub identity: String,
}

/// RespondActivityTaskFailed, also by id.
#[derive(Clone, Debug, Default)]
pub struct FailedAnswer {
    pub failure: Option<Failure>,
    /// Taken as a heartbeat before the failure; not heeded by id.
    pub last_heartbeat_details: Option<Payloads>,
    pub identity: String,
    /// `ActivityTaskFailedCause`.
    pub cause: i32,
}

/// RespondActivityTaskCanceled, also by id.
#[derive(Clone, Debug, Default)]
pub struct CanceledAnswer {
    pub details: Option<Payloads>,
    pub identity: String,
}

/// The answer to a heartbeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeartbeatReply {
    pub cancel_requested: bool,
}

/// Ends the activity with a result. By id it need not have been started. A result over the limit fails the activity,
/// and the call succeeds.
pub fn complete(tx: &mut Transition<'_, '_>, selector: &Selector, answer: CompletedAnswer) -> Result<(), Refusal> {
    if too_large(tx, answer.result.as_ref()) {
        return fail_for_good(tx, selector, "Complete result exceeds size limit.", answer.identity);
    }
    let id = find(tx, selector)?;
    let is_started = tx.run.activities.get(&id).is_some_and(|a| a.is_started());
    if !is_started && matches!(selector, Selector::ByToken(_)) {
        return Err(Refusal::activity_not_found());
    }
    let mut activity = tx.run.activities.remove(&id).ok_or_else(Refusal::activity_not_found)?;
    if !is_started {
        // Nobody took it: the history shows a start by who completed it.
        activity.started_time = tx.now().0;
        activity.identity = answer.identity.clone();
    }
    let attributes = h::ActivityTaskCompletedEventAttributes {
        result: answer.result,
        scheduled_event_id: id,
        identity: answer.identity,
        ..Default::default()
    };
    closing::end(tx, &activity, Attributes::ActivityTaskCompletedEventAttributes(attributes));
    Ok(())
}

/// The attempt failed: another follows, or the activity ends. Gives the failures that the reply is to tell of.
pub fn fail(tx: &mut Transition<'_, '_>, selector: &Selector, answer: FailedAnswer) -> Result<Vec<Failure>, Refusal> {
    let by_token = matches!(selector, Selector::ByToken(_));
    if by_token && answer.failure.as_ref().is_some_and(|f| !is_application(f)) {
        return Err(Refusal::invalid("Failure must have ApplicationFailureInfo."));
    }
    let mut told = Vec::new();
    let mut details = answer.last_heartbeat_details.filter(|_| by_token);
    if too_large(tx, details.as_ref()) {
        details = None;
        told.push(failure::final_server_failure(HEARTBEAT_TOO_LARGE));
    }
    let limit = tx.cx.settings.blob_size_bytes;
    if let Some(large) = answer.failure.as_ref().filter(|f| f.encoded_len() > limit) {
        told.push(kept_failure(large.clone(), limit));
    }
    let id = find_started(tx, selector)?;
    if details.is_some() {
        beat(tx, id, details);
    }
    failed(tx, id, answer.failure, answer.identity, answer.cause);
    Ok(told)
}

/// The worker heeded the request to cancel.
pub fn canceled(tx: &mut Transition<'_, '_>, selector: &Selector, answer: CanceledAnswer) -> Result<(), Refusal> {
    if too_large(tx, answer.details.as_ref()) {
        return fail_for_good(tx, selector, "Cancel details exceed size limit.", answer.identity);
    }
    let id = find_started(tx, selector)?;
    if tx.run.activities.get(&id).is_some_and(|a| !a.cancel_requested) {
        let text = "unable to mark activity as canceled without activity being request canceled first";
        return Err(Refusal::invalid(text));
    }
    let activity = tx.run.activities.remove(&id).ok_or_else(Refusal::activity_not_found)?;
    let attributes = h::ActivityTaskCanceledEventAttributes {
        details: answer.details,
        latest_cancel_requested_event_id: activity.cancel_requested_event_id,
        scheduled_event_id: id,
        identity: answer.identity,
        ..Default::default()
    };
    closing::end(tx, &activity, Attributes::ActivityTaskCanceledEventAttributes(attributes));
    Ok(())
}

/// The attempt is alive. Its details replace the earlier ones, also when there are none; details over the limit fail
/// the activity, and the worker is told to stop.
pub fn heartbeat(
    tx: &mut Transition<'_, '_>,
    selector: &Selector,
    details: Option<Payloads>,
    identity: &str,
) -> Result<HeartbeatReply, Refusal> {
    if too_large(tx, details.as_ref()) {
        fail_for_good(tx, selector, HEARTBEAT_TOO_LARGE, identity.to_owned())?;
        return Ok(HeartbeatReply { cancel_requested: true });
    }
    let id = find_started(tx, selector)?;
    beat(tx, id, details);
    let cancel_requested = tx.run.activities.get(&id).is_some_and(|a| a.cancel_requested);
    Ok(HeartbeatReply { cancel_requested })
}

fn is_application(failure: &Failure) -> bool {
    matches!(failure.failure_info, Some(FailureInfo::ApplicationFailureInfo(_)))
}

/// The failure as the history keeps it.
fn kept_failure(failure: Failure, limit_bytes: usize) -> Failure {
    failure::limited(failure, limit_bytes, FAILURE_KEPT_BYTES.min(limit_bytes))
}

fn beat(tx: &mut Transition<'_, '_>, id: i64, details: Option<Payloads>) {
    let now = tx.now().0;
    if let Some(activity) = tx.run.activities.get_mut(&id) {
        activity.heartbeat_details = details;
        activity.last_heartbeat_time = now;
    }
}

fn fail_for_good(
    tx: &mut Transition<'_, '_>,
    selector: &Selector,
    message: &str,
    identity: String,
) -> Result<(), Refusal> {
    let id = find_started(tx, selector)?;
    failed(tx, id, Some(failure::final_server_failure(message)), identity, 0);
    Ok(())
}

fn failed(tx: &mut Transition<'_, '_>, id: i64, failure: Option<Failure>, identity: String, cause: i32) {
    let (now, settings) = (tx.now(), tx.cx.settings);
    let Some(activity) = tx.run.activities.get_mut(&id) else { return };
    match retry::decide(activity, failure.as_ref(), now) {
        Next::Attempt(wait) => {
            retry::begin_next(activity, failure, wait, now, settings);
            activity.last_attempt_complete_time = now.0;
        }
        Next::End(state) => end_failed(tx, id, failure, state, identity, cause),
    }
}

fn end_failed(
    tx: &mut Transition<'_, '_>,
    id: i64,
    failure: Option<Failure>,
    retry_state: RetryState,
    identity: String,
    cause: i32,
) {
    let limit = tx.cx.settings.blob_size_bytes;
    let Some(activity) = tx.run.activities.remove(&id) else { return };
    let attributes = h::ActivityTaskFailedEventAttributes {
        failure: failure.map(|f| kept_failure(f, limit)),
        scheduled_event_id: id,
        identity,
        retry_state: retry_state as i32,
        cause,
        ..Default::default()
    };
    closing::end(tx, &activity, Attributes::ActivityTaskFailedEventAttributes(attributes));
}

/// The pending activity that an answer is for.
fn find(tx: &Transition<'_, '_>, selector: &Selector) -> Result<i64, Refusal> {
    if !tx.run.is_running() {
        return Err(Refusal::already_completed());
    }
    match selector {
        Selector::ByToken(token) => {
            let named = tx.run.activities.get(&token.scheduled_event_id);
            let current = named.filter(|a| a.attempt == token.attempt);
            current.map(|a| a.scheduled_event_id).ok_or_else(Refusal::activity_not_found)
        }
        Selector::ById { activity_id } => tx.run.activities.by_name(activity_id).copied().ok_or_else(|| {
            Refusal::NotFound(format!(
                "cannot find pending activity with ActivityID {activity_id}, \
                 check workflow execution history for more details"
            ))
        }),
    }
}

/// The activity that an answer is for, which a worker must have.
fn find_started(tx: &Transition<'_, '_>, selector: &Selector) -> Result<i64, Refusal> {
    let id = find(tx, selector)?;
    let is_started = tx.run.activities.get(&id).is_some_and(|a| a.is_started());
    if is_started { Ok(id) } else { Err(Refusal::activity_not_found()) }
}
