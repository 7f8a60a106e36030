//! `workflow describe`

mod cards;

use abide_proto::{
    json,
    temporal::api::{
        common::v1::WorkflowExecution,
        history::v1::HistoryEvent,
        workflow::v1::ResetPointInfo,
        workflowservice::v1::{DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse},
    },
};
use clap::Args;
use serde_json::{Value, json};

use crate::{
    connect::Client,
    context::Context,
    done::Done,
    error::CliError,
    flags::WorkflowReference,
    history::{HistoryReader, Until},
    outcome::Outcome,
    print::Table,
};

#[derive(Debug, Args)]
pub(crate) struct Describe {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// Show the points that the workflow may be reset to
    #[arg(long)]
    reset_points: bool,
    /// In JSON, show the server's reply and nothing else
    #[arg(long)]
    raw: bool,
}

impl Describe {
    pub(super) async fn run(self, context: &Context) -> Done {
        let client = context.connect().await?;
        let request = DescribeWorkflowExecutionRequest {
            namespace: client.namespace().to_owned(),
            execution: Some(WorkflowExecution {
                workflow_id: self.workflow.workflow_id.clone(),
                run_id: self.workflow.run_id.clone(),
            }),
        };
        let reply = client.workflows().describe_workflow_execution(request).await;
        let reply = reply.map_err(CliError::call("describing workflow"))?.into_inner();
        if self.reset_points {
            print_reset_points(&reply, context);
            return Ok(());
        }
        let close = close_event(&client, &reply).await?;
        if context.out.is_text() {
            let outcome = close.as_ref().and_then(Outcome::of);
            cards::print(&reply, outcome.as_ref(), client.namespace(), &context.out);
            return Ok(());
        }
        let mut document = json::encode(&reply, context.out.payloads());
        if let (Value::Object(object), Some(event), false) = (&mut document, close, self.raw)
            && let Some(outcome) = Outcome::of(&event)
        {
            outcome.into_describe(&event, object, context.out.payloads());
        }
        context.out.document(&document);
        Ok(())
    }
}

/// The event that closed the run; none while it is open.
async fn close_event(
    client: &Client,
    reply: &DescribeWorkflowExecutionResponse,
) -> Result<Option<HistoryEvent>, CliError> {
    let Some(info) = &reply.workflow_execution_info else { return Ok(None) };
    let Some(execution) = info.execution.as_ref().filter(|_| info.close_time.is_some()) else { return Ok(None) };
    HistoryReader::of_close(client, &execution.workflow_id, &execution.run_id, Until::Now).last().await
}

fn print_reset_points(reply: &DescribeWorkflowExecutionResponse, context: &Context) {
    let info = reply.workflow_execution_info.clone().unwrap_or_default();
    let points = info.auto_reset_points.unwrap_or_default().points;
    let time = |point: &ResetPointInfo| point.create_time.map(|time| time.to_string());
    let document = |point: &ResetPointInfo| json!({"EventId": point.first_workflow_task_completed_id, "EventTime": time(point), "BuildId": point.build_id, "RunId": point.run_id, "Resettable": point.resettable});
    context.out.documents(points.iter().map(document).collect());
    if points.is_empty() {
        return;
    }
    let mut table = Table::new(&["EventId", "EventTime", "BuildId", "RunId", "Resettable"]);
    for point in points {
        table.row([
            point.first_workflow_task_completed_id.to_string(),
            point.create_time.as_ref().map(|time| context.out.time(time)).unwrap_or_default(),
            point.build_id,
            point.run_id,
            point.resettable.to_string(),
        ]);
    }
    context.out.table(&table);
}
