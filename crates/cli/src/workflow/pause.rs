//! `workflow pause` and `workflow unpause`

use abide_proto::temporal::api::workflowservice::v1::{PauseWorkflowExecutionRequest, UnpauseWorkflowExecutionRequest};
use clap::Args;

use crate::{context::Context, done::Done, error::CliError, flags::WorkflowReference, ids};

#[derive(Debug, Args)]
pub(crate) struct Pause {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// Why
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Unpause {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// Why
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
}

impl Pause {
    pub(super) async fn run(self, context: &Context) -> Done {
        let client = context.connect().await?;
        let request = PauseWorkflowExecutionRequest {
            namespace: client.namespace().to_owned(),
            workflow_id: self.workflow.workflow_id,
            run_id: self.workflow.run_id,
            identity: client.identity().to_owned(),
            reason: self.reason,
            request_id: ids::uuid(),
        };
        client.workflows().pause_workflow_execution(request).await.map_err(CliError::call("pausing workflow"))?;
        context.out.say("Pause workflow succeeded");
        Ok(())
    }
}

impl Unpause {
    pub(super) async fn run(self, context: &Context) -> Done {
        let client = context.connect().await?;
        let request = UnpauseWorkflowExecutionRequest {
            namespace: client.namespace().to_owned(),
            workflow_id: self.workflow.workflow_id,
            run_id: self.workflow.run_id,
            identity: client.identity().to_owned(),
            reason: self.reason,
            request_id: ids::uuid(),
        };
        client.workflows().unpause_workflow_execution(request).await.map_err(CliError::call("unpausing workflow"))?;
        context.out.say("Unpause workflow succeeded");
        Ok(())
    }
}
