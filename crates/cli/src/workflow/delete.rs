//! `workflow delete`

use abide_proto::temporal::api::{common::v1::WorkflowExecution, workflowservice::v1::DeleteWorkflowExecutionRequest};
use clap::Args;

use super::batch;
use crate::{
    context::Context,
    done::Done,
    error::CliError,
    flags::{Allowed, Chosen, RunOrQuery},
};

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    target: RunOrQuery,
}

impl Delete {
    pub(super) async fn run(self, context: &Context) -> Done {
        let (workflow_id, run_id) = match self.target.chosen(Allowed { yes: true, ..Allowed::default() })? {
            Chosen::Run { workflow_id, run_id } => (workflow_id, run_id),
            Chosen::Query(query) => return batch::refuse(context, query).await,
        };
        context.out.confirm(&format!("Delete workflow {workflow_id}"), self.target.yes)?;
        let client = context.connect().await?;
        let request = DeleteWorkflowExecutionRequest {
            namespace: client.namespace().to_owned(),
            workflow_execution: Some(WorkflowExecution { workflow_id, run_id }),
        };
        client.workflows().delete_workflow_execution(request).await.map_err(CliError::call("deleting workflow"))?;
        context.out.say("Delete workflow succeeded");
        Ok(())
    }
}
