//! Commands for all runs that a query finds.

use abide_proto::temporal::api::workflowservice::v1::CountWorkflowExecutionsRequest;

use crate::{context::Context, done::Done, error::CliError};

/// Says what the server says to the query, as a batch begins with a count; batches themselves are not there yet.
pub(super) async fn refuse(context: &Context, query: String) -> Done {
    let client = context.connect().await?;
    let request = CountWorkflowExecutionsRequest { namespace: client.namespace().to_owned(), query };
    client.workflows().count_workflow_executions(request).await.map_err(CliError::call("counting workflows"))?;
    Err(CliError::options("batches by --query are not supported yet"))
}
