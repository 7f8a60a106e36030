//! `workflow terminate`

use abide_proto::temporal::api::{
    common::v1::WorkflowExecution, workflowservice::v1::TerminateWorkflowExecutionRequest,
};
use clap::Args;

use super::batch;
use crate::{
    context::Context,
    done::Done,
    error::CliError,
    flags::{Allowed, Chosen, RunOrQuery},
    settings,
};

#[derive(Debug, Args)]
#[command(mut_arg("reason", |reason| reason.help("Why, as history shows it")))]
pub(crate) struct Terminate {
    #[command(flatten)]
    target: RunOrQuery,
}

impl Terminate {
    pub(super) async fn run(self, context: &Context) -> Done {
        let (workflow_id, run_id) = match self.target.chosen(Allowed { reason: true, ..Allowed::default() })? {
            Chosen::Run { workflow_id, run_id } => (workflow_id, run_id),
            Chosen::Query(query) => return batch::refuse(context, query).await,
        };
        let client = context.connect().await?;
        let reason = self.target.reason.unwrap_or_else(|| format!("Requested from CLI by {}", settings::user()));
        let request = TerminateWorkflowExecutionRequest {
            namespace: client.namespace().to_owned(),
            workflow_execution: Some(WorkflowExecution { workflow_id, run_id }),
            reason,
            identity: client.identity().to_owned(),
            ..TerminateWorkflowExecutionRequest::default()
        };
        let reply = client.workflows().terminate_workflow_execution(request).await;
        reply.map_err(CliError::call("terminating workflow"))?;
        context.out.say("Workflow terminated at once");
        Ok(())
    }
}
