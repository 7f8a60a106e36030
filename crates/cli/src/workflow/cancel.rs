//! `workflow cancel`

use abide_proto::temporal::api::{
    common::v1::WorkflowExecution, workflowservice::v1::RequestCancelWorkflowExecutionRequest,
};
use clap::Args;

use super::batch;
use crate::{
    context::Context,
    done::Done,
    error::CliError,
    flags::{Allowed, Chosen, RunOrQuery},
    ids,
};

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    target: RunOrQuery,
}

impl Cancel {
    pub(super) async fn run(self, context: &Context) -> Done {
        let (workflow_id, run_id) = match self.target.chosen(Allowed::default())? {
            Chosen::Run { workflow_id, run_id } => (workflow_id, run_id),
            Chosen::Query(query) => return batch::refuse(context, query).await,
        };
        let client = context.connect().await?;
        let request = RequestCancelWorkflowExecutionRequest {
            namespace: client.namespace().to_owned(),
            workflow_execution: Some(WorkflowExecution { workflow_id, run_id }),
            identity: client.identity().to_owned(),
            request_id: ids::uuid(),
            ..RequestCancelWorkflowExecutionRequest::default()
        };
        let reply = client.workflows().request_cancel_workflow_execution(request).await;
        reply.map_err(CliError::call("canceling workflow"))?;
        context.out.say("Cancellation of workflow requested");
        Ok(())
    }
}
