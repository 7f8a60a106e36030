//! `workflow query`

use abide_proto::{
    json::{self, Style, enum_short_name},
    temporal::api::{
        common::v1::{Header, Payloads, WorkflowExecution},
        enums::v1::QueryRejectCondition,
        query::v1::WorkflowQuery,
        workflowservice::v1::QueryWorkflowRequest,
    },
};
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::{
    context::Context,
    done::Done,
    error::CliError,
    flags::{PayloadFlags, WorkflowReference},
    outcome::result_value,
    pairs,
    print::Card,
};

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// Query name
    #[arg(long, alias = "type")]
    name: String,
    #[command(flatten)]
    workflow: WorkflowReference,
    #[command(flatten)]
    input: PayloadFlags,
    /// In which state of the run the query is refused
    #[arg(long, value_name = "STATE")]
    reject_condition: Option<RejectCondition>,
    /// Header for the query; may be repeated
    #[arg(long, value_name = "KEY=JSON")]
    headers: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum RejectCondition {
    NotOpen,
    NotCompletedCleanly,
}

impl Query {
    pub(super) async fn run(self, context: &Context) -> Done {
        let query = WorkflowQuery {
            query_type: self.name,
            query_args: self.input.payloads()?,
            header: pairs::payloads("--headers", &self.headers)?.map(|fields| Header { fields }),
        };
        ask(context, self.workflow, query, self.reject_condition).await
    }
}

/// Asks one run and prints what it answers.
pub(super) async fn ask(
    context: &Context,
    workflow: WorkflowReference,
    query: WorkflowQuery,
    reject: Option<RejectCondition>,
) -> Done {
    let client = context.connect().await?;
    let reject = reject.map_or(QueryRejectCondition::None, |condition| match condition {
        RejectCondition::NotOpen => QueryRejectCondition::NotOpen,
        RejectCondition::NotCompletedCleanly => QueryRejectCondition::NotCompletedCleanly,
    });
    let request = QueryWorkflowRequest {
        namespace: client.namespace().to_owned(),
        execution: Some(WorkflowExecution { workflow_id: workflow.workflow_id, run_id: workflow.run_id }),
        query: Some(query),
        query_reject_condition: reject.into(),
    };
    let reply = client.workflows().query_workflow(request).await;
    let reply = reply.map_err(CliError::call("to query workflow: query failed"))?.into_inner();
    if let Some(rejected) = reply.query_rejected {
        let status = enum_short_name("temporal.api.enums.v1.WorkflowExecutionStatus", rejected.status);
        return Err(CliError::options(format!("query was rejected, workflow has status {status}")));
    }
    let answer: Payloads = reply.query_result.unwrap_or_default();
    context.out.heading("Query result:");
    let shown = result_value(&answer.payloads, Style::Shorthand);
    context.out.card(&Card::new().field("QueryResult", shown.to_string()));
    context.out.document(&json!({"queryResult": json::encode(&answer, context.out.payloads())}));
    Ok(())
}
