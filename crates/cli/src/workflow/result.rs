//! `workflow result`

use abide_proto::temporal::api::{
    common::v1::WorkflowExecution, workflowservice::v1::DescribeWorkflowExecutionRequest,
};
use clap::Args;
use serde_json::{Map, Value};

use crate::{
    connect::Client,
    context::Context,
    done::Done,
    error::CliError,
    flags::WorkflowReference,
    history::{HistoryReader, Until},
    outcome::Outcome,
    print::Card,
};

#[derive(Debug, Args)]
pub(crate) struct WorkflowResult {
    #[command(flatten)]
    workflow: WorkflowReference,
}

const DOING: &str = "getting workflow result";

impl WorkflowResult {
    pub(super) async fn run(self, context: &Context) -> Done {
        let client = context.connect().await?;
        let workflow_id = self.workflow.workflow_id.clone();
        let run_id = self.run_id(&client).await?;
        let event = HistoryReader::of_close(&client, &workflow_id, &run_id, Until::Close).last().await?;
        let ended = event.and_then(|event| Some((Outcome::of(&event)?, event)));
        let (outcome, event) =
            ended.ok_or_else(|| CliError::options("the server ended the wait before the workflow ended"))?;
        context.out.heading("Results:");
        context.out.card(&outcome.onto(Card::new()));
        let names = [("workflowId", workflow_id.as_str()), ("runId", &run_id), ("namespace", client.namespace())];
        let mut object: Map<_, _> =
            names.map(|(key, value)| (key.to_owned(), Value::from(value))).into_iter().collect();
        outcome.clone().into_object(&event, &mut object, context.out.payloads());
        context.out.document(&Value::Object(object));
        outcome.into_done()
    }

    /// The run that is waited for; a wait alone would not tell which one is the latest.
    async fn run_id(&self, client: &Client) -> Result<String, CliError> {
        if !self.workflow.run_id.is_empty() {
            return Ok(self.workflow.run_id.clone());
        }
        let request = DescribeWorkflowExecutionRequest {
            namespace: client.namespace().to_owned(),
            execution: Some(WorkflowExecution {
                workflow_id: self.workflow.workflow_id.clone(),
                run_id: String::new(),
            }),
        };
        let reply = client.workflows().describe_workflow_execution(request).await.map_err(CliError::call(DOING))?;
        let execution = reply.into_inner().workflow_execution_info.and_then(|info| info.execution);
        Ok(execution.unwrap_or_default().run_id)
    }
}
