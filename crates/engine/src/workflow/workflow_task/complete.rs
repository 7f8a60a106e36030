//! RespondWorkflowTaskCompleted, in the order of spec §3.5.
use super::{
    check_token, fail::server_failure, schedule, start, start::StartedWorkflowTask, start::Taker, take, timeout,
};
use crate::{
    Refusal,
    api::{
        Attributes, enums::WorkflowTaskFailedCause as Cause, history as h, service::RespondWorkflowTaskCompletedRequest,
    },
    workflow::{
        activity, close,
        commands::{self, Failed},
        names, problems,
        records::Sticky,
        search_attributes,
        token::TaskToken,
        transition::Transition,
    },
};

/// The request id of a task that is started in the reply to the completion before it.
const INLINE_REQUEST_ID: &str = "request-from-RespondWorkflowTaskCompleted";

/// What a completion led to.
#[derive(Debug, Default)]
pub struct Completed {
    /// The next task, started for the same worker.
    pub next_task: Option<StartedWorkflowTask>,
    /// Activities started for the same worker.
    pub eager_activities: Vec<activity::StartedActivity>,
}

/// Why a completion did not do what it asked for.
#[derive(Debug)]
pub enum Stop {
    /// Nothing changed.
    Refused(Refusal),
    /// The task's failure was recorded; it is to be committed before the refusal is sent.
    Recorded(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Completes the running task with its commands.
pub fn complete(
    tx: &mut Transition<'_, '_>,
    token: &TaskToken,
    request: RespondWorkflowTaskCompletedRequest,
) -> Result<Completed, Stop> {
    if !tx.run.is_running() {
        return Err(Refusal::workflow_task_not_found().into());
    }
    check_token(&tx.run.header, token)?;
    commands::check_sequence(&request.commands)?;
    let task = tx.run.header.workflow_task.clone().expect("the token named it");
    let heartbeat =
        request.force_create_new_workflow_task && request.commands.is_empty() && request.messages.is_empty();
    if heartbeat {
        let limit = tx.cx.settings.workflow_task_heartbeat_timeout.0;
        if tx.now().0 > task.original_scheduled_time.saturating_add(limit) {
            timeout::heartbeat_timed_out(tx);
            return Err(Stop::Recorded(Refusal::NotFound("workflow task heartbeat timeout".into())));
        }
    }
    let (identity, attempt) = (request.identity.clone(), task.attempt);
    match apply(tx, request, heartbeat.then_some(task.original_scheduled_time)) {
        Ok(completed) => Ok(completed),
        Err(Failed::Refused(refusal)) => Err(Stop::Refused(refusal)),
        Err(Failed::Task { cause, message, terminate }) => {
            tx.restart();
            Err(record_failure(tx, cause, message, terminate, &identity, attempt))
        }
    }
}

/// Everything that the completion asked for is undone; the task has failed instead.
fn record_failure(
    tx: &mut Transition<'_, '_>,
    cause: Cause,
    message: String,
    terminate: bool,
    identity: &str,
    attempt: i32,
) -> Stop {
    let cause_name = names::cause(cause as i32);
    let text = if message.is_empty() { cause_name } else { format!("{cause_name}: {message}") };
    let refusal = Refusal::InvalidArgument(text.clone());
    // Later attempts are only refused: the retry comes with the task's timeout (§3.3).
    if attempt > 1 && cause != Cause::UnhandledCommand && !terminate {
        return Stop::Refused(refusal);
    }
    super::fail::fail(tx, cause as i32, Some(server_failure(&text)), identity);
    if terminate {
        close::terminate(tx, &text, None, super::HISTORY_SERVICE, Vec::new());
    } else {
        problems::failed(tx, cause as i32);
        schedule(tx, None);
    }
    Stop::Recorded(refusal)
}

fn apply(
    tx: &mut Transition<'_, '_>,
    request: RespondWorkflowTaskCompletedRequest,
    heartbeat_since: Option<i64>,
) -> Result<Completed, Failed> {
    let completed_event_id = write_completed(tx, &request);
    set_stickiness(tx, &request);
    problems::cleared(tx);
    let mut batch = commands::Applying::new(completed_event_id, tx.has_buffered(), request.identity.clone());
    for command in request.commands {
        commands::apply(tx, &mut batch, command)?;
    }
    activity::finish_canceled_before_start(tx, &mut batch);
    let mut completed = Completed::default();
    if !tx.run.is_running() {
        return Ok(completed);
    }
    tx.run.header.get_mut().close_attempted = false;
    completed.eager_activities = activity::start_eager(tx, &batch);
    if request.force_create_new_workflow_task || tx.has_buffered() || batch.activity_canceled_before_start {
        let sticky_queue = tx.run.header.sticky.as_ref().map(|s| s.queue.clone()).unwrap_or_default();
        schedule(tx, heartbeat_since);
        if request.return_new_workflow_task {
            let request_id = INLINE_REQUEST_ID.to_owned();
            let taker = Taker { identity: request.identity, request_id, sticky_queue };
            start::start_scheduled(tx, &taker);
            let mut next = start::describe(tx.run, &taker);
            next.from_event_id = tx.run.header.last_completed_started_event_id + 1;
            completed.next_task = Some(next);
        }
    }
    Ok(completed)
}

fn write_completed(tx: &mut Transition<'_, '_>, request: &RespondWorkflowTaskCompletedRequest) -> i64 {
    let identity = tx.run.header.workflow_task.as_ref().map(|t| t.identity.clone()).unwrap_or_default();
    let task = take(tx, true, &identity);
    let attributes = h::WorkflowTaskCompletedEventAttributes {
        scheduled_event_id: task.scheduled_event_id,
        started_event_id: task.started_event_id,
        identity: request.identity.clone(),
        binary_checksum: request.binary_checksum.clone(),
        worker_version: request.worker_version_stamp.clone(),
        sdk_metadata: request.sdk_metadata.clone(),
        metering_metadata: request.metering_metadata,
        ..Default::default()
    };
    let event_id = tx.append(Attributes::WorkflowTaskCompletedEventAttributes(attributes)).event_id;
    let header = tx.run.header.get_mut();
    header.last_completed_started_event_id = task.started_event_id;
    header.workflow_task_attempt = 1;
    let stamp = request.worker_version_stamp.as_ref().map(|s| s.build_id.as_str()).filter(|b| !b.is_empty());
    search_attributes::note_build(tx, event_id, stamp, &request.binary_checksum);
    event_id
}

fn set_stickiness(tx: &mut Transition<'_, '_>, request: &RespondWorkflowTaskCompletedRequest) {
    let wanted = request.sticky_attributes.as_ref().and_then(|attributes| {
        let queue = attributes.worker_task_queue.as_ref().filter(|q| !q.name.is_empty())?;
        let timeout = crate::time::Span::of(attributes.schedule_to_start_timeout.as_ref());
        Some(Sticky { queue: queue.name.clone(), schedule_to_start_timeout: timeout.0 })
    });
    if tx.run.header.sticky != wanted {
        tx.run.header.get_mut().sticky = wanted;
    }
}
