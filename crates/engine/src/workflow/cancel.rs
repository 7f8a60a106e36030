//! RequestCancelWorkflowExecution (spec §3.18): one request per run is recorded; more, and closed runs, are no error.
use super::{transition::Transition, workflow_task};
use crate::api::{
    Attributes, history::WorkflowExecutionCancelRequestedEventAttributes,
    service::RequestCancelWorkflowExecutionRequest,
};

pub fn request_cancel(tx: &mut Transition<'_, '_>, request: RequestCancelWorkflowExecutionRequest) {
    if !tx.run.is_running() || tx.run.header.cancel_requested {
        return;
    }
    tx.run.header.get_mut().cancel_requested = true;
    let attributes = WorkflowExecutionCancelRequestedEventAttributes {
        cause: request.reason,
        identity: request.identity,
        ..Default::default()
    };
    tx.buffer(Attributes::WorkflowExecutionCancelRequestedEventAttributes(attributes)).links = request.links;
    workflow_task::ensure_scheduled(tx);
}
