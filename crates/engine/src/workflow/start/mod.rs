//! StartWorkflowExecution and SignalWithStartWorkflowExecution: which run answers, and what a new one is made from
//! (spec §3.14, §3.15, §3.18).
mod attach;
mod policy;
mod validate;
mod versioning_override;

pub use attach::attach;
pub use policy::{Decision, decide};
pub use validate::{links, start as validate_start};

use uuid::Uuid;

use super::{
    close,
    new_run::{NewRun, new_key},
    records::Profile,
    transition::Transition,
    workflow_task::{HISTORY_SERVICE, start::Taker},
};
use crate::{
    Context, Refusal, Settings, Time,
    api::{
        common::Payloads,
        enums::{ContinueAsNewInitiator, TaskQueueKind},
        history::{WorkflowExecutionSignaledEventAttributes, WorkflowExecutionStartedEventAttributes},
        service::{SignalWithStartWorkflowExecutionRequest, StartWorkflowExecutionRequest},
    },
    backoff, cron, payload,
    time::Span,
};

/// The three timeouts as they hold: run by the execution's, task by default, cap and the run's.
fn timeouts(settings: &Settings, request: &StartWorkflowExecutionRequest) -> (Span, Span, Span) {
    let execution = Span::of(request.workflow_execution_timeout.as_ref());
    let run = Span::of(request.workflow_run_timeout.as_ref()).min_set(execution);
    let task = Span::of(request.workflow_task_timeout.as_ref())
        .or(settings.default_workflow_task_timeout)
        .min(settings.workflow_task_timeout_max)
        .min_set(run);
    (execution, run, task)
}

/// What a valid start asks for.
pub fn new_run(cx: &mut Context<'_>, namespace_id: Uuid, request: StartWorkflowExecutionRequest) -> NewRun {
    let (execution, run, task) = timeouts(cx.settings, &request);
    let is_cron = !request.cron_schedule.is_empty();
    let backoff = first_backoff(cx.now, &request);
    let expiration = if execution.is_zero() { None } else { Some((cx.now + backoff + execution).timestamp()) };
    let eager = request.request_eager_execution && backoff.is_zero();
    let taker = eager.then(|| Taker {
        identity: request.identity.clone(),
        request_id: request.request_id.clone(),
        sticky_queue: String::new(),
    });
    let mut task_queue = request.task_queue;
    if let Some(queue) = task_queue.as_mut().filter(|queue| queue.kind == 0) {
        queue.kind = TaskQueueKind::Normal as i32;
    }
    let mut retry_policy = request.retry_policy;
    if let Some(policy) = &mut retry_policy {
        backoff::with_defaults(policy);
    }
    let initiator = if is_cron { ContinueAsNewInitiator::CronSchedule as i32 } else { 0 };
    let attributes = WorkflowExecutionStartedEventAttributes {
        workflow_type: request.workflow_type,
        task_queue,
        input: request.input,
        workflow_execution_timeout: request.workflow_execution_timeout.map(|_| execution.duration()),
        workflow_run_timeout: run.optional().or_else(|| request.workflow_run_timeout.map(|_| run.duration())),
        workflow_task_timeout: Some(task.duration()),
        initiator,
        continued_failure: request.continued_failure,
        last_completion_result: request.last_completion_result,
        identity: request.identity,
        retry_policy,
        attempt: 1,
        workflow_execution_expiration_time: expiration,
        cron_schedule: request.cron_schedule,
        first_workflow_task_backoff: Some(backoff.duration()),
        memo: request.memo,
        search_attributes: request.search_attributes,
        header: request.header,
        priority: request.priority,
        eager_execution_accepted: eager,
        ..Default::default()
    };
    let create_request_id = if request.request_id.is_empty() { cx.uuid() } else { request.request_id };
    NewRun {
        key: new_key(cx, namespace_id, &request.workflow_id),
        attributes,
        create_request_id,
        user_metadata: request.user_metadata,
        links: request.links,
        chain_start_time: None,
        signal: None,
        eager: taker,
    }
}

fn first_backoff(now: Time, request: &StartWorkflowExecutionRequest) -> Span {
    let delay = Span::of(request.workflow_start_delay.as_ref());
    if request.cron_schedule.is_empty() {
        return delay;
    }
    cron::Schedule::parse(&request.cron_schedule)
        .ok()
        .and_then(|schedule| cron::backoff(&schedule, now, now))
        .unwrap_or(delay)
}

/// The two halves of a SignalWithStart. Its links belong to the signal's event and to the start's.
pub fn split(
    request: SignalWithStartWorkflowExecutionRequest,
) -> (StartWorkflowExecutionRequest, WorkflowExecutionSignaledEventAttributes) {
    let signal = WorkflowExecutionSignaledEventAttributes {
        signal_name: request.signal_name,
        input: request.signal_input,
        identity: request.identity.clone(),
        header: request.header.clone(),
        request_id: request.request_id.clone(),
        ..Default::default()
    };
    let start = StartWorkflowExecutionRequest {
        namespace: request.namespace,
        workflow_id: request.workflow_id,
        workflow_type: request.workflow_type,
        task_queue: request.task_queue,
        input: request.input,
        workflow_execution_timeout: request.workflow_execution_timeout,
        workflow_run_timeout: request.workflow_run_timeout,
        workflow_task_timeout: request.workflow_task_timeout,
        identity: request.identity,
        request_id: request.request_id,
        workflow_id_reuse_policy: request.workflow_id_reuse_policy,
        workflow_id_conflict_policy: request.workflow_id_conflict_policy,
        retry_policy: request.retry_policy,
        cron_schedule: request.cron_schedule,
        memo: request.memo,
        search_attributes: request.search_attributes,
        header: request.header,
        workflow_start_delay: request.workflow_start_delay,
        user_metadata: request.user_metadata,
        links: request.links,
        versioning_override: request.versioning_override,
        priority: request.priority,
        time_skipping_config: request.time_skipping_config,
        ..Default::default()
    };
    (start, signal)
}

/// Checks a SignalWithStart, which complains in an order and in words of its own (§3.37.1).
pub fn validate_signal_with_start(
    settings: &Settings,
    namespace: &str,
    start: &StartWorkflowExecutionRequest,
    signal: &WorkflowExecutionSignaledEventAttributes,
) -> Result<(), Refusal> {
    validate::signal_with_start(settings, namespace, start, signal)
}

/// Ends the run that holds the id, for a new one that takes its place.
pub fn terminate_existing(tx: &mut Transition<'_, '_>, new_run_id: &str) {
    let why = serde_json::Value::from(format!("terminated by new runID: {new_run_id}"));
    let details = Payloads { payloads: vec![payload::json(&why)] };
    close::terminate(tx, "TerminateIfRunning WorkflowIdReusePolicy", Some(details), HISTORY_SERVICE, Vec::new());
}

/// A signal that finds a run which still waits for its first task wakes it, if it came as SignalWithStart.
pub fn wake_delayed(tx: &mut Transition<'_, '_>) {
    if tx.run.header.first_task_at != 0 {
        super::workflow_task::ensure_scheduled(tx);
    }
}

/// The event that made the run, as describe tells it: a SignalWithStart is told by its signal.
pub(crate) fn create_event_id(profile: &Profile) -> i64 {
    if profile.started_by_signal { 2 } else { 1 }
}
