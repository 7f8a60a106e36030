//! What the engine refuses, in the categories of the wire; the server maps each to a gRPC status in one place (§3.37).
use crate::api::enums;

/// A request that was not carried out. The run is as it was, but for a bad completion, after which the workflow task's
/// failure is recorded ([`Stop::Recorded`](crate::workflow::workflow_task::complete::Stop::Recorded)).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    InvalidArgument(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    FailedPrecondition(String),
    #[error("{0}")]
    WorkflowNotReady(String),
    #[error("{0}")]
    Unimplemented(String),
    /// A start met a run that holds the workflow id (§3.14).
    #[error("{message}")]
    AlreadyStarted { message: String, run_id: String, start_request_id: String },
    #[error("{message}")]
    ResourceExhausted { message: String, cause: enums::ResourceExhaustedCause, scope: enums::ResourceExhaustedScope },
    /// A task that is no longer what it was when it was queued: matching drops it.
    #[error("the task is obsolete")]
    Obsolete,
}

impl Refusal {
    pub fn workflow_task_not_found() -> Self {
        Self::NotFound("Workflow task not found.".into())
    }

    pub fn already_completed() -> Self {
        Self::NotFound("workflow execution already completed".into())
    }

    pub fn activity_not_found() -> Self {
        Self::NotFound("invalid activityID or activity already timed out or invoking workflow is completed".into())
    }

    /// A signal or update that comes while a close waits for its retry (§3.5).
    pub fn closing() -> Self {
        Self::ResourceExhausted {
            message: "workflow operation can not be applied because workflow is closing".into(),
            cause: enums::ResourceExhaustedCause::BusyWorkflow,
            scope: enums::ResourceExhaustedScope::Namespace,
        }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidArgument(message.into())
    }
}
