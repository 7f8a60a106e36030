//! The two calls of a workflow that is done at its first task, encoded once.
use abide_proto::temporal::api::{
    common::v1::WorkflowType,
    workflowservice::v1::{
        RespondWorkflowTaskCompletedRequest, StartWorkflowExecutionRequest, StartWorkflowExecutionResponse,
    },
};
use bytes::Bytes;
use prost::Message;

use crate::{
    fault::Fault,
    wire::{self, IDENTITY, NAMESPACE},
};

pub(super) const START: &str = "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution";
pub(super) const ANSWER: &str = "/temporal.api.workflowservice.v1.WorkflowService/RespondWorkflowTaskCompleted";

/// Stands for a workflow's number, in an id of the form of a UUID.
const NUMBER: &str = "000000000000";
const QUEUE: &str = "overload";

/// Starts that differ by a number.
#[derive(Debug)]
pub(super) struct Starts {
    message: Vec<u8>,
    /// Where the number is.
    places: Vec<usize>,
}

impl Starts {
    /// Those of one lane of the load; `tag` has eight hexadecimal digits.
    pub(super) fn new(tag: &str, lane: usize) -> Self {
        let id = format!("{tag}-{lane:04x}-4000-8000-{NUMBER}");
        let message = start(id).encode_to_vec();
        let is_number = |at: &usize| message[*at..].starts_with(NUMBER.as_bytes());
        let places = (0..message.len()).filter(is_number).collect();
        Self { message, places }
    }

    /// The message that starts workflow `number`.
    pub(super) fn message(&mut self, number: u64) -> &[u8] {
        let digits = format!("{number:012}");
        for &at in &self.places {
            self.message[at..at + NUMBER.len()].copy_from_slice(digits.as_bytes());
        }
        &self.message
    }
}

/// A start that is answered with the first task.
pub(super) fn start(id: String) -> StartWorkflowExecutionRequest {
    StartWorkflowExecutionRequest {
        namespace: NAMESPACE.to_owned(),
        workflow_id: id.clone(),
        workflow_type: Some(WorkflowType { name: "Overload".to_owned() }),
        task_queue: Some(wire::normal_queue(QUEUE)),
        input: Some(wire::payloads("1")),
        identity: IDENTITY.to_owned(),
        request_id: id,
        request_eager_execution: true,
        ..Default::default()
    }
}

/// The answer to the task that came with the reply to a start: the workflow is done.
pub(super) fn answer(reply: &[u8]) -> Result<Vec<u8>, Fault> {
    let reply = StartWorkflowExecutionResponse::decode(reply);
    let reply = reply.map_err(|error| Fault::wrong("the reply to a start", "one that can be read", error))?;
    let task = reply.eager_workflow_task.ok_or_else(|| Fault::wrong("the first task", "in the reply", "missing"))?;
    Ok(complete(task.task_token).encode_to_vec())
}

fn complete(task_token: Bytes) -> RespondWorkflowTaskCompletedRequest {
    RespondWorkflowTaskCompletedRequest {
        namespace: NAMESPACE.to_owned(),
        task_token,
        commands: vec![wire::complete_workflow(1)],
        identity: IDENTITY.to_owned(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn starts_differ_by_their_number() {
        let mut starts = Starts::new("0123abcd", 3);
        let first = StartWorkflowExecutionRequest::decode(starts.message(41)).unwrap();
        assert_eq!(first.workflow_id, "0123abcd-0003-4000-8000-000000000041");
        assert_eq!(first.request_id, first.workflow_id);
    }
}
