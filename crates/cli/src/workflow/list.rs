//! `workflow list`

use abide_proto::{
    json::{self, enum_short_name},
    temporal::api::{
        workflow::v1::WorkflowExecutionInfo,
        workflowservice::v1::{ListArchivedWorkflowExecutionsRequest, ListWorkflowExecutionsRequest},
    },
};
use clap::Args;

use crate::{connect::Client, context::Context, done::Done, error::CliError, print::Table};

#[derive(Debug, Args)]
pub(crate) struct List {
    /// List filter
    #[arg(long, short, default_value = "", hide_default_value = true)]
    query: String,
    /// List archived runs
    #[arg(long)]
    archived: bool,
    /// How many at most
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// How many the server gives at once
    #[arg(long, value_name = "NUMBER", default_value = "0", hide_default_value = true)]
    page_size: i32,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Done {
        let client = context.connect().await?;
        let limit = self.limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let mut runs = Vec::new();
        let mut token = Vec::new();
        let ended = loop {
            match self.page(&client, token).await {
                Ok((page, next)) => {
                    runs.extend(page);
                    token = next;
                }
                Err(error) => break Err(error),
            }
            if token.is_empty() || runs.len() >= limit {
                break Ok(());
            }
        };
        runs.truncate(limit);
        print(&runs, context);
        ended
    }

    async fn page(&self, client: &Client, token: Vec<u8>) -> Result<(Vec<WorkflowExecutionInfo>, Vec<u8>), CliError> {
        let failed = CliError::call("listing workflows");
        if self.archived {
            let request = ListArchivedWorkflowExecutionsRequest {
                namespace: client.namespace().to_owned(),
                page_size: self.page_size,
                next_page_token: token.into(),
                query: self.query.clone(),
            };
            let reply =
                client.workflows().list_archived_workflow_executions(request).await.map_err(failed)?.into_inner();
            return Ok((reply.executions, reply.next_page_token.to_vec()));
        }
        let request = ListWorkflowExecutionsRequest {
            namespace: client.namespace().to_owned(),
            page_size: self.page_size,
            next_page_token: token.into(),
            query: self.query.clone(),
        };
        let reply = client.workflows().list_workflow_executions(request).await.map_err(failed)?.into_inner();
        Ok((reply.executions, reply.next_page_token.to_vec()))
    }
}

fn print(runs: &[WorkflowExecutionInfo], context: &Context) {
    context.out.documents(runs.iter().map(|run| json::encode(run, context.out.payloads())).collect());
    if runs.is_empty() {
        return;
    }
    let mut table = Table::new(&["Status", "WorkflowId", "Type", "StartTime"]);
    for run in runs {
        table.row([
            enum_short_name("temporal.api.enums.v1.WorkflowExecutionStatus", run.status),
            run.execution.clone().unwrap_or_default().workflow_id,
            run.r#type.clone().unwrap_or_default().name,
            run.start_time.as_ref().map(|time| context.out.time(time)).unwrap_or_default(),
        ]);
    }
    context.out.table(&table);
}
