//! `workflow start`

use abide_proto::{
    google::rpc,
    temporal::api::{
        errordetails::v1::WorkflowExecutionAlreadyStartedFailure, workflowservice::v1::StartWorkflowExecutionRequest,
    },
};
use clap::Args;
use prost::Message;
use serde_json::{Map, Value};
use tonic::{Code, Status};

use crate::{
    connect::Client,
    context::Context,
    done::Done,
    error::CliError,
    flags::{PayloadFlags, StartOptions, WorkflowStartFlags},
    print::{Card, Printer},
};

#[derive(Debug, Args)]
pub(crate) struct Start {
    #[command(flatten)]
    workflow: WorkflowStartFlags,
    #[command(flatten)]
    options: StartOptions,
    #[command(flatten)]
    input: PayloadFlags,
}

impl Start {
    pub(super) async fn run(self, context: &Context) -> Done {
        let (_, started) = start(context, &self.workflow, &self.options, &self.input).await?;
        started.print_card(&context.out);
        context.out.document(&Value::Object(started.object()));
        Ok(())
    }
}

/// The run that a start made, or found.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) workflow_id: String,
    pub(super) run_id: String,
    workflow_type: String,
    namespace: String,
    task_queue: String,
}

impl Started {
    pub(super) fn print_card(&self, out: &Printer) {
        out.heading("Running execution:");
        let card = Card::new()
            .field("WorkflowId", &self.workflow_id)
            .field("RunId", &self.run_id)
            .field("Type", &self.workflow_type)
            .field("Namespace", &self.namespace)
            .field("TaskQueue", &self.task_queue);
        out.card(&card);
    }

    pub(super) fn object(&self) -> Map<String, Value> {
        let fields = [
            ("workflowId", &self.workflow_id),
            ("runId", &self.run_id),
            ("type", &self.workflow_type),
            ("namespace", &self.namespace),
            ("taskQueue", &self.task_queue),
        ];
        fields.map(|(key, value)| (key.to_owned(), value.as_str().into())).into_iter().collect()
    }
}

/// Starts a run. One that exists already is taken instead, unless the user wants that to fail.
pub(super) async fn start(
    context: &Context,
    workflow: &WorkflowStartFlags,
    options: &StartOptions,
    input: &PayloadFlags,
) -> Result<(Client, Started), CliError> {
    let request = workflow.request(options, input, context.namespace(), context.identity())?;
    if options.cron.is_some() {
        context.warn("--cron is deprecated, use schedules instead");
    }
    let client = context.connect().await?;
    let run_id = match client.workflows().start_workflow_execution(request.clone()).await {
        Ok(reply) => reply.into_inner().run_id,
        Err(status) => match existing_run(&status) {
            Some(run_id) if !options.fail_existing => run_id,
            _ => return Err(CliError::call("starting workflow")(status)),
        },
    };
    Ok((client, started(request, run_id)))
}

fn started(request: StartWorkflowExecutionRequest, run_id: String) -> Started {
    Started {
        workflow_id: request.workflow_id,
        run_id,
        workflow_type: request.workflow_type.unwrap_or_default().name,
        namespace: request.namespace,
        task_queue: request.task_queue.unwrap_or_default().name,
    }
}

/// The run that stands in the way of a start.
fn existing_run(status: &Status) -> Option<String> {
    if status.code() != Code::AlreadyExists {
        return None;
    }
    let details = rpc::Status::decode(status.details()).ok()?.details;
    let found = details.iter().find(|detail| detail.type_url.ends_with("WorkflowExecutionAlreadyStartedFailure"))?;
    let run_id = WorkflowExecutionAlreadyStartedFailure::decode(found.value.as_slice()).ok()?.run_id;
    Some(run_id).filter(|run_id| !run_id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: Code, type_url: &str, run_id: &str) -> Status {
        let failure = WorkflowExecutionAlreadyStartedFailure { run_id: run_id.to_owned(), ..Default::default() };
        let detail = prost_types::Any { type_url: type_url.to_owned(), value: failure.encode_to_vec() };
        let status = rpc::Status { details: vec![detail], ..Default::default() };
        Status::with_details(code, "already started", status.encode_to_vec().into())
    }

    #[test]
    fn the_run_in_the_way_is_read_from_the_error() {
        let url = "type.googleapis.com/temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure";
        assert_eq!(existing_run(&refused(Code::AlreadyExists, url, "r")).as_deref(), Some("r"));
        assert_eq!(existing_run(&refused(Code::AlreadyExists, url, "")), None);
        assert_eq!(existing_run(&refused(Code::AlreadyExists, "other", "r")), None);
        assert_eq!(existing_run(&refused(Code::NotFound, url, "r")), None);
    }
}
