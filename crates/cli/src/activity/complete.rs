//! `activity complete`

use abide_proto::temporal::api::workflowservice::v1::RespondActivityTaskCompletedByIdRequest;
use clap::Args;

use super::ActivityReference;
use crate::{context::Context, done::Done, error::CliError, pairs};

#[derive(Debug, Args)]
pub(crate) struct Complete {
    #[command(flatten)]
    activity: ActivityReference,
    /// Result
    #[arg(long, value_name = "JSON")]
    result: String,
}

impl Complete {
    pub(super) async fn run(self, context: &Context) -> Done {
        let result = pairs::json_payloads("--result", self.result)?;
        let client = context.connect().await?;
        let request = RespondActivityTaskCompletedByIdRequest {
            namespace: client.namespace().to_owned(),
            workflow_id: self.activity.workflow_id,
            run_id: self.activity.run_id,
            activity_id: self.activity.activity_id,
            result: Some(result),
            identity: client.identity().to_owned(),
            ..RespondActivityTaskCompletedByIdRequest::default()
        };
        let reply = client.workflows().respond_activity_task_completed_by_id(request).await;
        reply.map_err(CliError::call("completing activity"))?;
        Ok(())
    }
}
