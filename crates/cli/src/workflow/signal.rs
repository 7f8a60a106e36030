//! `workflow signal`

use abide_proto::temporal::api::{common::v1::WorkflowExecution, workflowservice::v1::SignalWorkflowExecutionRequest};
use clap::Args;

use super::batch;
use crate::{
    context::Context,
    done::Done,
    error::CliError,
    flags::{Allowed, Chosen, PayloadFlags, RunOrQuery},
};

#[derive(Debug, Args)]
pub(crate) struct Signal {
    /// Signal name
    #[arg(long, alias = "type")]
    name: String,
    #[command(flatten)]
    target: RunOrQuery,
    #[command(flatten)]
    input: PayloadFlags,
}

impl Signal {
    pub(super) async fn run(self, context: &Context) -> Done {
        let input = self.input.payloads()?;
        let (workflow_id, run_id) = match self.target.chosen(Allowed::default())? {
            Chosen::Run { workflow_id, run_id } => (workflow_id, run_id),
            Chosen::Query(query) => return batch::refuse(context, query).await,
        };
        let client = context.connect().await?;
        let request = SignalWorkflowExecutionRequest {
            namespace: client.namespace().to_owned(),
            workflow_execution: Some(WorkflowExecution { workflow_id, run_id }),
            signal_name: self.name,
            input: Some(input.unwrap_or_default()),
            identity: client.identity().to_owned(),
            ..SignalWorkflowExecutionRequest::default()
        };
        client.workflows().signal_workflow_execution(request).await.map_err(CliError::call("signaling workflow"))?;
        context.out.say("Signal workflow succeeded");
        Ok(())
    }
}
