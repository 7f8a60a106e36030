//! `activity fail`

use abide_proto::temporal::api::{
    failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
    workflowservice::v1::RespondActivityTaskFailedByIdRequest,
};
use clap::Args;

use super::ActivityReference;
use crate::{context::Context, done::Done, error::CliError, pairs};

#[derive(Debug, Args)]
pub(crate) struct Fail {
    #[command(flatten)]
    activity: ActivityReference,
    /// Details of the failure
    #[arg(long, value_name = "JSON")]
    detail: Option<String>,
    /// Message of the failure
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

impl Fail {
    pub(super) async fn run(self, context: &Context) -> Done {
        let details = self.detail.map(|detail| pairs::json_payloads("--detail", detail)).transpose()?;
        // Whoever says so by hand does not want another attempt.
        let info = ApplicationFailureInfo { non_retryable: true, details, ..ApplicationFailureInfo::default() };
        let failure = Failure {
            message: self.reason,
            source: "CLI".to_owned(),
            failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
            ..Failure::default()
        };
        let client = context.connect().await?;
        let request = RespondActivityTaskFailedByIdRequest {
            namespace: client.namespace().to_owned(),
            workflow_id: self.activity.workflow_id,
            run_id: self.activity.run_id,
            activity_id: self.activity.activity_id,
            failure: Some(failure),
            identity: client.identity().to_owned(),
            ..RespondActivityTaskFailedByIdRequest::default()
        };
        let reply = client.workflows().respond_activity_task_failed_by_id(request).await;
        reply.map_err(CliError::call("failing activity"))?;
        Ok(())
    }
}
