//! Flags of the commands that start a workflow.

use abide_proto::temporal::api::{
    common::v1::{Header, Memo, Priority, SearchAttributes, WorkflowType},
    enums::v1::{WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
    sdk::v1::UserMetadata,
    taskqueue::v1::TaskQueue,
    workflowservice::v1::StartWorkflowExecutionRequest,
};
use clap::{Args, ValueEnum};

use crate::{error::CliError, ids, pairs, span::Span};

use super::PayloadFlags;

/// What kind of run is started, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct WorkflowStartFlags {
    /// Workflow id; a new UUID if not given
    #[arg(long, short)]
    pub(crate) workflow_id: Option<String>,
    /// Workflow type
    #[arg(long, alias = "name")]
    pub(crate) r#type: String,
    /// Task queue of the workflow
    #[arg(long, short)]
    pub(crate) task_queue: String,
    /// Limit of one run
    #[arg(long, value_name = "DURATION", default_value = "0s", hide_default_value = true)]
    pub(crate) run_timeout: Span,
    /// Limit of all runs, retries and continuations
    #[arg(long, value_name = "DURATION", default_value = "0s", hide_default_value = true)]
    pub(crate) execution_timeout: Span,
    /// Limit of a workflow task
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub(crate) task_timeout: Span,
    /// Search attribute; may be repeated
    #[arg(long, value_name = "KEY=JSON")]
    pub(crate) search_attribute: Vec<String>,
    /// Header for the workflow; may be repeated
    #[arg(long, value_name = "KEY=JSON")]
    pub(crate) headers: Vec<String>,
    /// Memo entry; may be repeated
    #[arg(long, value_name = "KEY=JSON")]
    pub(crate) memo: Vec<String>,
    /// One line about the run, for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) static_summary: Option<String>,
    /// More about the run, for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) static_details: Option<String>,
    /// Priority, from 1, the highest, to 5
    #[arg(long, value_name = "NUMBER")]
    pub(crate) priority_key: Option<i32>,
    /// Tasks with the same fairness key share their part of the queue
    #[arg(long, value_name = "TEXT")]
    pub(crate) fairness_key: Option<String>,
    /// Weight of the fairness key
    #[arg(long, value_name = "NUMBER")]
    pub(crate) fairness_weight: Option<f32>,
}

/// What becomes of other runs of the id, and when the run begins.
#[derive(Clone, Debug, Args)]
pub(crate) struct StartOptions {
    /// Cron schedule; use schedules instead
    #[arg(long, hide = true)]
    pub(crate) cron: Option<String>,
    /// A run that exists already is an error
    #[arg(long)]
    pub(crate) fail_existing: bool,
    /// Time until the first workflow task
    #[arg(long, value_name = "DURATION")]
    pub(crate) start_delay: Option<Span>,
    /// Whether the id of a closed run may be used again
    #[arg(long, value_name = "POLICY")]
    pub(crate) id_reuse_policy: Option<ReusePolicy>,
    /// What becomes of an open run of the id
    #[arg(long, value_name = "POLICY")]
    pub(crate) id_conflict_policy: Option<ConflictPolicy>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum ReusePolicy {
    AllowDuplicate,
    AllowDuplicateFailedOnly,
    RejectDuplicate,
    TerminateIfRunning,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum ConflictPolicy {
    Fail,
    UseExisting,
    TerminateExisting,
}

impl WorkflowStartFlags {
    /// The call that starts the run; everything in the flags is checked here.
    pub(crate) fn request(
        &self,
        options: &StartOptions,
        input: &PayloadFlags,
        namespace: &str,
        identity: &str,
    ) -> Result<StartWorkflowExecutionRequest, CliError> {
        #[expect(deprecated, reason = "an old policy that the flag still offers")]
        let reuse = options.id_reuse_policy.map_or(WorkflowIdReusePolicy::Unspecified, |policy| match policy {
            ReusePolicy::AllowDuplicate => WorkflowIdReusePolicy::AllowDuplicate,
            ReusePolicy::AllowDuplicateFailedOnly => WorkflowIdReusePolicy::AllowDuplicateFailedOnly,
            ReusePolicy::RejectDuplicate => WorkflowIdReusePolicy::RejectDuplicate,
            ReusePolicy::TerminateIfRunning => WorkflowIdReusePolicy::TerminateIfRunning,
        });
        let conflict =
            options.id_conflict_policy.map_or(WorkflowIdConflictPolicy::Unspecified, |policy| match policy {
                ConflictPolicy::Fail => WorkflowIdConflictPolicy::Fail,
                ConflictPolicy::UseExisting => WorkflowIdConflictPolicy::UseExisting,
                ConflictPolicy::TerminateExisting => WorkflowIdConflictPolicy::TerminateExisting,
            });
        Ok(StartWorkflowExecutionRequest {
            namespace: namespace.to_owned(),
            workflow_id: self.workflow_id.clone().unwrap_or_else(ids::uuid),
            workflow_type: Some(WorkflowType { name: self.r#type.clone() }),
            task_queue: Some(TaskQueue { name: self.task_queue.clone(), ..TaskQueue::default() }),
            input: input.payloads()?,
            workflow_execution_timeout: Some(self.execution_timeout.into()),
            workflow_run_timeout: Some(self.run_timeout.into()),
            workflow_task_timeout: Some(self.task_timeout.into()),
            identity: identity.to_owned(),
            request_id: ids::uuid(),
            workflow_id_reuse_policy: reuse.into(),
            workflow_id_conflict_policy: conflict.into(),
            cron_schedule: options.cron.clone().unwrap_or_default(),
            memo: pairs::payloads("--memo", &self.memo)?.map(|fields| Memo { fields }),
            search_attributes: pairs::payloads("--search-attribute", &self.search_attribute)?
                .map(|indexed_fields| SearchAttributes { indexed_fields }),
            header: Some(Header { fields: pairs::payloads("--headers", &self.headers)?.unwrap_or_default() }),
            workflow_start_delay: options.start_delay.map(Into::into),
            user_metadata: self.user_metadata(),
            priority: self.priority(),
            ..StartWorkflowExecutionRequest::default()
        })
    }

    fn user_metadata(&self) -> Option<UserMetadata> {
        let payload = |text: &Option<String>| text.as_ref().map(|text| pairs::json_payload(&text.as_str().into()));
        let metadata = UserMetadata { summary: payload(&self.static_summary), details: payload(&self.static_details) };
        (metadata != UserMetadata::default()).then_some(metadata)
    }

    fn priority(&self) -> Option<Priority> {
        let priority = Priority {
            priority_key: self.priority_key.unwrap_or_default(),
            fairness_key: self.fairness_key.clone().unwrap_or_default(),
            fairness_weight: self.fairness_weight.unwrap_or_default(),
        };
        (priority != Priority::default()).then_some(priority)
    }
}
