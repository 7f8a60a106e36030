//! `workflow count`

use abide_proto::{
    json,
    temporal::api::workflowservice::v1::{CountWorkflowExecutionsRequest, CountWorkflowExecutionsResponse},
};
use clap::Args;

use crate::{context::Context, done::Done, error::CliError};

#[derive(Debug, Args)]
pub(crate) struct Count {
    /// List filter
    #[arg(long, short, default_value = "", hide_default_value = true)]
    query: String,
}

impl Count {
    pub(super) async fn run(self, context: &Context) -> Done {
        let client = context.connect().await?;
        let request = CountWorkflowExecutionsRequest { namespace: client.namespace().to_owned(), query: self.query };
        let reply = client.workflows().count_workflow_executions(request).await;
        let reply: CountWorkflowExecutionsResponse = reply.map_err(CliError::call("counting workflows"))?.into_inner();
        context.out.say(&format!("Total: {}", reply.count));
        context.out.document(&json::encode(&reply, context.out.payloads()));
        Ok(())
    }
}
