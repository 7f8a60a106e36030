//! CONTINUE_AS_NEW_WORKFLOW_EXECUTION (spec §3.16): the old run's end and the new run's start are one transition.
use super::applying::{Applying, Failed, check_handled, required};
use crate::{
    api::{
        Attributes,
        command::ContinueAsNewWorkflowExecutionCommandAttributes,
        common::WorkflowType,
        enums::{
            ContinueAsNewInitiator as Initiator, WorkflowExecutionStatus as Status, WorkflowTaskFailedCause as Cause,
        },
        history as h,
    },
    backoff,
    time::Span,
    workflow::{
        close::close, next_run, search_attributes, transition::Transition, validate, workflow_task::normal_queue,
    },
};

const CAUSE: Cause = Cause::BadContinueAsNewAttributes;
const COMMAND: &str = "ContinueAsNewWorkflowExecution";

pub(super) fn apply(
    tx: &mut Transition<'_, '_>,
    batch: &Applying,
    attributes: Option<ContinueAsNewWorkflowExecutionCommandAttributes>,
) -> Result<(), Failed> {
    check_handled(batch)?;
    let mut a = required(attributes, CAUSE, COMMAND)?;
    fill_in(tx, &mut a);
    check(tx, &a)?;
    let wait = next_run::rest_of_interval(tx, Span::of(a.backoff_start_interval.as_ref()));
    let new = successor(tx, &a, wait);
    let shown = a.search_attributes.map(|found| search_attributes::typed_event(tx.cx.settings, found));
    #[allow(deprecated)]
    let attributes = h::WorkflowExecutionContinuedAsNewEventAttributes {
        new_execution_run_id: next_run::id(Some(&new)),
        workflow_type: a.workflow_type,
        task_queue: a.task_queue,
        input: a.input,
        workflow_run_timeout: a.workflow_run_timeout,
        workflow_task_timeout: a.workflow_task_timeout,
        workflow_task_completed_event_id: batch.completed_event_id,
        backoff_start_interval: a.backoff_start_interval,
        initiator: a.initiator,
        failure: a.failure,
        last_completion_result: a.last_completion_result,
        header: a.header,
        memo: a.memo,
        search_attributes: shown,
        inherit_build_id: a.inherit_build_id,
        initial_versioning_behavior: a.initial_versioning_behavior,
    };
    let attributes = Attributes::WorkflowExecutionContinuedAsNewEventAttributes(Box::new(attributes));
    let event = close(tx, Status::ContinuedAsNew, attributes);
    event.user_metadata = batch.user_metadata.clone();
    tx.successor = Some(new);
    Ok(())
}

/// What the command leaves out comes from the run that it ends.
fn fill_in(tx: &Transition<'_, '_>, a: &mut ContinueAsNewWorkflowExecutionCommandAttributes) {
    let profile = tx.run.profile.get();
    if a.workflow_type.as_ref().is_none_or(|t| t.name.is_empty()) {
        a.workflow_type = Some(WorkflowType { name: profile.workflow_type.clone() });
    }
    match &mut a.task_queue {
        Some(queue) if !queue.name.is_empty() => {
            queue.kind = crate::api::enums::TaskQueueKind::Normal as i32;
        }
        queue => *queue = Some(normal_queue(&profile.task_queue)),
    }
    let run_timeout = Span::of(a.workflow_run_timeout.as_ref()).or(Span(profile.run_timeout.unwrap_or(0)));
    a.workflow_run_timeout = Some(run_timeout.duration());
    let task_timeout = Span::of(a.workflow_task_timeout.as_ref()).or(Span(profile.task_timeout));
    a.workflow_task_timeout = Some(task_timeout.min(tx.cx.settings.workflow_task_timeout_max).duration());
    if let Some(policy) = &mut a.retry_policy {
        backoff::with_defaults(policy);
    }
}

fn check(tx: &Transition<'_, '_>, a: &ContinueAsNewWorkflowExecutionCommandAttributes) -> Result<(), Failed> {
    let bad = |text: String| Failed::task(CAUSE, text);
    let name = a.workflow_type.as_ref().map_or("", |t| &t.name);
    super::applying::check_length(tx, CAUSE, COMMAND, "WorkflowType", name)?;
    validate::task_queue(a.task_queue.as_ref(), tx.cx.settings).map_err(bad)?;
    for (field, value) in [
        ("WorkflowRunTimeout", &a.workflow_run_timeout),
        ("WorkflowTaskTimeout", &a.workflow_task_timeout),
        ("BackoffStartInterval", &a.backoff_start_interval),
    ] {
        if let Some(why) = validate::duration(value.as_ref()) {
            return Err(bad(format!("Invalid {field} is set on {COMMAND}Command: {why}.")));
        }
    }
    validate::retry_policy(a.retry_policy.as_ref()).map_err(bad)?;
    // The reference accepts a schedule that nothing can follow (differences.md).
    if !a.cron_schedule.is_empty() {
        crate::cron::Schedule::parse(&a.cron_schedule)
            .map_err(|e| bad(format!("Invalid CronSchedule is set on {COMMAND}Command: {e}")))?;
    }
    search_attributes::validate(tx.cx.settings, tx.cx.namespace, a.search_attributes.as_ref())
        .map_err(|text| Failed::task(Cause::BadSearchAttributes, text))?;
    if validate::too_large(tx, a.input.as_ref()) {
        let text = "ContinueAsNewWorkflowExecutionCommandAttributes. Input exceeds size limit.";
        return Err(Failed::terminate(CAUSE, text));
    }
    let memo_bytes = a.memo.as_ref().map_or(0, prost::Message::encoded_len);
    if memo_bytes > tx.cx.settings.memo_size_bytes {
        let text = "ContinueAsNewWorkflowExecutionCommandAttributes. Memo exceeds size limit.";
        return Err(Failed::terminate(CAUSE, text));
    }
    Ok(())
}

fn successor(
    tx: &mut Transition<'_, '_>,
    a: &ContinueAsNewWorkflowExecutionCommandAttributes,
    wait: Span,
) -> Box<crate::workflow::new_run::NewRun> {
    let points = next_run::roll_over_reset_points(tx);
    let profile = tx.run.profile.get();
    let initiator = if a.initiator == 0 { Initiator::Workflow as i32 } else { a.initiator };
    let attributes = h::WorkflowExecutionStartedEventAttributes {
        workflow_type: a.workflow_type.clone(),
        task_queue: a.task_queue.clone(),
        input: a.input.clone(),
        workflow_execution_timeout: profile.execution_timeout.map(|timeout| Span(timeout).duration()),
        workflow_run_timeout: a.workflow_run_timeout,
        workflow_task_timeout: a.workflow_task_timeout,
        continued_execution_run_id: tx.run.run_id(),
        initiator,
        continued_failure: a.failure.clone(),
        last_completion_result: a.last_completion_result.clone(),
        first_execution_run_id: profile.first_run_id.clone(),
        retry_policy: a.retry_policy.clone(),
        attempt: 1,
        workflow_execution_expiration_time: crate::Time(profile.execution_expiration).optional(),
        cron_schedule: a.cron_schedule.clone(),
        first_workflow_task_backoff: wait.optional(),
        memo: a.memo.clone(),
        search_attributes: a.search_attributes.clone(),
        prev_auto_reset_points: points,
        header: a.header.clone(),
        priority: profile.priority.clone(),
        ..Default::default()
    };
    next_run::successor(tx, attributes, Vec::new())
}
