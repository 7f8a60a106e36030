//! `workflow signal-with-start`

use abide_proto::temporal::api::workflowservice::v1::SignalWithStartWorkflowExecutionRequest;
use clap::Args;
use serde_json::json;

use crate::{
    context::Context,
    done::Done,
    error::CliError,
    flags::{PayloadFlags, StartOptions, WorkflowStartFlags},
    print::Card,
};

#[derive(Debug, Args)]
pub(crate) struct SignalWithStart {
    #[command(flatten)]
    workflow: WorkflowStartFlags,
    #[command(flatten)]
    options: StartOptions,
    #[command(flatten)]
    input: PayloadFlags,
    /// Signal name
    #[arg(long, alias = "signal-type", value_name = "NAME")]
    signal_name: String,
    /// Input value of the signal, JSON unless --signal-input-meta says otherwise; may be repeated
    #[arg(long, value_name = "JSON")]
    signal_input: Vec<String>,
    /// File with an input value of the signal; may be repeated
    #[arg(long, value_name = "PATH")]
    signal_input_file: Vec<String>,
    /// Metadata of the signal's inputs; a repeated key goes to the inputs in their order
    #[arg(long, value_name = "KEY=VALUE")]
    signal_input_meta: Vec<String>,
    /// The signal's inputs are base64
    #[arg(long)]
    signal_input_base64: bool,
}

impl SignalWithStart {
    pub(super) async fn run(self, context: &Context) -> Done {
        let signal_input = PayloadFlags {
            input: self.signal_input,
            input_file: self.signal_input_file,
            input_meta: self.signal_input_meta,
            input_base64: self.signal_input_base64,
        };
        let start = self.workflow.request(&self.options, &self.input, context.namespace(), context.identity())?;
        let (namespace, workflow_id) = (start.namespace.clone(), start.workflow_id.clone());
        let request = SignalWithStartWorkflowExecutionRequest {
            namespace: start.namespace,
            workflow_id: start.workflow_id,
            workflow_type: start.workflow_type,
            task_queue: start.task_queue,
            input: start.input,
            workflow_execution_timeout: start.workflow_execution_timeout,
            workflow_run_timeout: start.workflow_run_timeout,
            workflow_task_timeout: start.workflow_task_timeout,
            identity: start.identity,
            request_id: start.request_id,
            workflow_id_reuse_policy: start.workflow_id_reuse_policy,
            workflow_id_conflict_policy: start.workflow_id_conflict_policy,
            signal_name: self.signal_name,
            signal_input: signal_input.payloads()?,
            cron_schedule: start.cron_schedule,
            memo: start.memo,
            search_attributes: start.search_attributes,
            header: start.header,
            workflow_start_delay: start.workflow_start_delay,
            user_metadata: start.user_metadata,
            priority: start.priority,
            ..SignalWithStartWorkflowExecutionRequest::default()
        };
        let client = context.connect().await?;
        let reply = client.workflows().signal_with_start_workflow_execution(request).await;
        let run_id = reply.map_err(CliError::call("signaling with start"))?.into_inner().run_id;
        let workflow_type = self.workflow.r#type;
        context.out.heading("Running execution:");
        let card = Card::new()
            .field("WorkflowId", &workflow_id)
            .field("RunId", &run_id)
            .field("Type", &workflow_type)
            .field("Namespace", &namespace);
        context.out.card(&card);
        let ids = json!({"workflowId": workflow_id, "runId": run_id, "type": workflow_type, "namespace": namespace});
        context.out.document(&ids);
        Ok(())
    }
}
