//! COMPLETE_, FAIL_ and CANCEL_WORKFLOW_EXECUTION.
use super::applying::{Applying, Failed, check_handled, required};
use crate::{
    api::{
        Attributes,
        command::{
            CancelWorkflowExecutionCommandAttributes, CompleteWorkflowExecutionCommandAttributes,
            FailWorkflowExecutionCommandAttributes,
        },
        enums::{WorkflowExecutionStatus as Status, WorkflowTaskFailedCause as Cause},
        history as h,
    },
    workflow::{close::close, next_run, transition::Transition, validate::too_large},
};

pub(super) fn complete(
    tx: &mut Transition<'_, '_>,
    batch: &Applying,
    attributes: Option<CompleteWorkflowExecutionCommandAttributes>,
) -> Result<(), Failed> {
    check_handled(batch)?;
    let a = required(attributes, Cause::BadCompleteWorkflowExecutionAttributes, "CompleteWorkflowExecution")?;
    if too_large(tx, a.result.as_ref()) {
        let text = "CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.";
        return Err(Failed::terminate(Cause::BadScheduleActivityAttributes, text));
    }
    let successor = next_run::after_completion(tx, a.result.clone());
    let attributes = h::WorkflowExecutionCompletedEventAttributes {
        result: a.result,
        workflow_task_completed_event_id: batch.completed_event_id,
        new_execution_run_id: next_run::id(successor.as_deref()),
    };
    let event = close(tx, Status::Completed, Attributes::WorkflowExecutionCompletedEventAttributes(attributes));
    event.user_metadata = batch.user_metadata.clone();
    tx.successor = successor;
    Ok(())
}

pub(super) fn fail(
    tx: &mut Transition<'_, '_>,
    batch: &Applying,
    attributes: Option<FailWorkflowExecutionCommandAttributes>,
) -> Result<(), Failed> {
    const CAUSE: Cause = Cause::BadFailWorkflowExecutionAttributes;
    check_handled(batch)?;
    let a = required(attributes, CAUSE, "FailWorkflowExecution")?;
    let Some(failure) = a.failure else {
        return Err(Failed::task(CAUSE, "Failure is not set on FailWorkflowExecutionCommand."));
    };
    if prost::Message::encoded_len(&failure) > tx.cx.settings.blob_size_bytes {
        let text = "FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.";
        return Err(Failed::terminate(CAUSE, text));
    }
    let (retry_state, successor) = next_run::after_failure(tx, &failure);
    let attributes = h::WorkflowExecutionFailedEventAttributes {
        failure: Some(failure),
        retry_state: retry_state as i32,
        workflow_task_completed_event_id: batch.completed_event_id,
        new_execution_run_id: next_run::id(successor.as_deref()),
    };
    let event = close(tx, Status::Failed, Attributes::WorkflowExecutionFailedEventAttributes(attributes));
    event.user_metadata = batch.user_metadata.clone();
    tx.successor = successor;
    Ok(())
}

pub(super) fn cancel(
    tx: &mut Transition<'_, '_>,
    batch: &Applying,
    attributes: Option<CancelWorkflowExecutionCommandAttributes>,
) -> Result<(), Failed> {
    check_handled(batch)?;
    let a = required(attributes, Cause::BadCancelWorkflowExecutionAttributes, "CancelWorkflowExecution")?;
    let attributes = h::WorkflowExecutionCanceledEventAttributes {
        workflow_task_completed_event_id: batch.completed_event_id,
        details: a.details,
    };
    let event = close(tx, Status::Canceled, Attributes::WorkflowExecutionCanceledEventAttributes(attributes));
    event.user_metadata = batch.user_metadata.clone();
    Ok(())
}
