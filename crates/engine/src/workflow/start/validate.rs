//! What a start must be, in the order in which the complaints come (spec §3.37.1 "Which complaint wins").
use super::versioning_override;
use crate::{
    Refusal, Settings,
    api::{
        common::{Link, link::Variant},
        enums::{WorkflowIdConflictPolicy as Conflict, WorkflowIdReusePolicy as Reuse},
        history::WorkflowExecutionSignaledEventAttributes,
        service::StartWorkflowExecutionRequest,
    },
    cron, payload,
    workflow::{search_attributes, validate},
};

const LINKS_MAX: usize = 10;
const LINK_BYTES_MAX: usize = 4000;

fn refuse<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::invalid(text))
}

/// Checks a StartWorkflowExecution.
pub fn start(settings: &Settings, namespace: &str, request: &StartWorkflowExecutionRequest) -> Result<(), Refusal> {
    let limit = settings.id_length_bytes;
    workflow_id(request, limit)?;
    validate::retry_policy(request.retry_policy.as_ref()).map_err(Refusal::invalid)?;
    delay_and_cron(request)?;
    let name = request.workflow_type.as_ref().map_or("", |t| &t.name);
    if name.is_empty() {
        return refuse("WorkflowType is not set on request.");
    }
    if name.len() > limit {
        return refuse("WorkflowType length exceeds limit.");
    }
    validate::task_queue(request.task_queue.as_ref(), settings).map_err(Refusal::invalid)?;
    timeouts(request)?;
    if request.request_id.len() > limit {
        return refuse("RequestId length exceeds limit.");
    }
    policies(request)?;
    rest(settings, namespace, request)
}

/// Checks a SignalWithStart, given as its two halves.
pub(super) fn signal_with_start(
    settings: &Settings,
    namespace: &str,
    request: &StartWorkflowExecutionRequest,
    signal: &WorkflowExecutionSignaledEventAttributes,
) -> Result<(), Refusal> {
    let limit = settings.id_length_bytes;
    delay_and_cron(request)?;
    workflow_id(request, limit)?;
    if signal.signal_name.is_empty() {
        return refuse("signal not set");
    }
    too_long("signal name", &signal.signal_name, limit)?;
    let name = request.workflow_type.as_ref().map_or("", |t| &t.name);
    if name.is_empty() {
        return refuse("workflow type not set");
    }
    too_long("workflow type name", name, limit)?;
    validate::task_queue(request.task_queue.as_ref(), settings).map_err(Refusal::invalid)?;
    too_long("Request ID", &request.request_id, limit)?;
    timeouts(request)?;
    validate::retry_policy(request.retry_policy.as_ref()).map_err(Refusal::invalid)?;
    if request.workflow_id_conflict_policy == Conflict::Fail as i32 {
        return refuse(format!(
            "Invalid WorkflowIDConflictPolicy: {} is not supported for this operation.",
            Conflict::Fail.as_str_name()
        ));
    }
    policies(request)?;
    if payload::size_bytes(signal.input.as_ref()) > settings.blob_size_bytes {
        return refuse("Blob data size exceeds limit.");
    }
    rest(settings, namespace, request)
}

fn too_long(what: &str, value: &str, limit: usize) -> Result<(), Refusal> {
    if value.len() <= limit {
        return Ok(());
    }
    refuse(format!("{what} exceeds maximum allowed length ({}/{limit})", value.len()))
}

fn workflow_id(request: &StartWorkflowExecutionRequest, limit: usize) -> Result<(), Refusal> {
    if request.workflow_id.is_empty() {
        return refuse("WorkflowId is not set on request.");
    }
    too_long("WorkflowId", &request.workflow_id, limit)
}

fn delay_and_cron(request: &StartWorkflowExecutionRequest) -> Result<(), Refusal> {
    if !request.cron_schedule.is_empty() && request.workflow_start_delay.is_some() {
        return refuse("CronSchedule and WorkflowStartDelay may not be used together.");
    }
    if let Some(why) = validate::duration(request.workflow_start_delay.as_ref()) {
        return refuse(format!("An invalid WorkflowStartDelaySeconds is set on request. cause: {why}"));
    }
    if !request.cron_schedule.is_empty() && cron::Schedule::parse(&request.cron_schedule).is_err() {
        return refuse("invalid CronSchedule.");
    }
    Ok(())
}

fn timeouts(request: &StartWorkflowExecutionRequest) -> Result<(), Refusal> {
    for (field, value) in [
        ("WorkflowExecutionTimeoutSeconds", &request.workflow_execution_timeout),
        ("WorkflowRunTimeoutSeconds", &request.workflow_run_timeout),
        ("WorkflowTaskTimeoutSeconds", &request.workflow_task_timeout),
    ] {
        if let Some(why) = validate::duration(value.as_ref()) {
            return refuse(format!("An invalid {field} is set on request. cause: {why}"));
        }
    }
    Ok(())
}

fn policies(request: &StartWorkflowExecutionRequest) -> Result<(), Refusal> {
    #[allow(deprecated)]
    let terminate_if_running = Reuse::TerminateIfRunning;
    let (reuse, conflict) = (request.workflow_id_reuse_policy, request.workflow_id_conflict_policy);
    if reuse == terminate_if_running as i32 && conflict != Conflict::Unspecified as i32 {
        return refuse(format!(
            "Invalid WorkflowIDReusePolicy: {} cannot be used together with a WorkflowIDConflictPolicy",
            terminate_if_running.as_str_name()
        ));
    }
    if reuse == Reuse::RejectDuplicate as i32 && conflict == Conflict::TerminateExisting as i32 {
        return refuse(format!(
            "Invalid WorkflowIDReusePolicy: {} cannot be used together with WorkflowIdConflictPolicy {}",
            Reuse::RejectDuplicate.as_str_name(),
            Conflict::TerminateExisting.as_str_name()
        ));
    }
    Ok(())
}

fn rest(settings: &Settings, namespace: &str, request: &StartWorkflowExecutionRequest) -> Result<(), Refusal> {
    search_attributes::validate(settings, namespace, request.search_attributes.as_ref()).map_err(Refusal::invalid)?;
    validate::priority(request.priority.as_ref()).map_err(Refusal::invalid)?;
    links(&request.links)?;
    not_built(request)?;
    if payload::size_bytes(request.input.as_ref()) > settings.blob_size_bytes {
        return refuse("Blob data size exceeds limit.");
    }
    if request.memo.as_ref().map_or(0, prost::Message::encoded_len) > settings.memo_size_bytes {
        return refuse("Memo size exceeds limit.");
    }
    Ok(())
}

/// Checks the links of any request.
pub fn links(links: &[Link]) -> Result<(), Refusal> {
    if links.len() > LINKS_MAX {
        return refuse(format!("cannot attach more than {LINKS_MAX} links per request, got {}", links.len()));
    }
    for link in links {
        let size_bytes = prost::Message::encoded_len(link);
        if size_bytes > LINK_BYTES_MAX {
            return refuse(format!("link exceeds allowed size of {LINK_BYTES_MAX}, got {size_bytes}"));
        }
        match &link.variant {
            Some(Variant::WorkflowEvent(event)) => {
                let fields =
                    [("namespace", &event.namespace), ("workflow ID", &event.workflow_id), ("run ID", &event.run_id)];
                if let Some((field, _)) = fields.into_iter().find(|(_, value)| value.is_empty()) {
                    return refuse(format!("workflow event link must not have an empty {field} field"));
                }
            }
            Some(Variant::BatchJob(job)) if job.job_id.is_empty() => {
                return refuse("batch job link must not have an empty job ID");
            }
            Some(_) => {}
            None => return refuse("unsupported link variant"),
        }
    }
    Ok(())
}

/// Fields whose features are not there yet are refused rather than ignored.
fn not_built(request: &StartWorkflowExecutionRequest) -> Result<(), Refusal> {
    if let Some(wanted) = &request.versioning_override {
        let task_queue = request.task_queue.as_ref().map_or("", |queue| &queue.name);
        return Err(versioning_override::refusal(wanted, task_queue));
    }
    let what = if !request.completion_callbacks.is_empty() {
        "completion callbacks are"
    } else if request.time_skipping_config.is_some() {
        "time skipping is"
    } else {
        return Ok(());
    };
    Err(Refusal::Unimplemented(format!("{what} not supported by this server")))
}
