//! RespondWorkflowTaskCompleted and RespondWorkflowTaskFailed (spec §3.3, §3.5).
use abide_engine::workflow::{
    TaskToken,
    workflow_task::{complete, respond_failed},
};
use abide_proto::temporal::api::workflowservice::v1 as ws;
use tonic::Status;

use super::{activity_poll, queue, workflow_task};
use crate::{
    frontend::{Call, Frontend, token},
    shard::{QueryAnswers, Shard, Target},
    status,
};
use std::sync::Arc;

/// The run that a workflow task's token names, and its shard.
fn target<'f>(frontend: &'f Frontend, token: &TaskToken) -> Result<(&'f Arc<Shard>, Target), Status> {
    let key = token.run_key().ok_or_else(|| status::not_found("Workflow task not found."))?;
    Ok((frontend.shards.of_run(&key), Target::run(&key)))
}

pub(crate) async fn completed(
    frontend: &Frontend,
    call: Call,
    mut request: ws::RespondWorkflowTaskCompletedRequest,
) -> Result<ws::RespondWorkflowTaskCompletedResponse, Status> {
    let token = token::of_request(&request.task_token)?;
    queue::check_identity(frontend, &request.identity)?;
    let (shard, target) = target(frontend, &token)?;
    let results = std::mem::take(&mut request.query_results);
    let limit_bytes = frontend.dynamic_config.blob_size_limit_error;
    let answers = token.run_key().map(|key| QueryAnswers { key, results, limit_bytes });
    let change = |tx: &mut abide_engine::workflow::Transition<'_, '_>| complete::complete(tx, &token, request);
    let outcome = shard.update_and_answer(&call.namespace, &target, answers, change).await;
    let found = match outcome {
        Ok(found) => found,
        Err(error) => return Err(not_found_as(error, "Workflow task not found.")),
    };
    let workflow_task = match found.value.next_task {
        Some(task) => {
            let queries = shard.waiting_queries(&found.key, &task);
            Some(workflow_task::reply(frontend, &call, task, queries)?)
        }
        None => None,
    };
    let activity_tasks =
        found.value.eager_activities.into_iter().map(|task| activity_poll::reply(&call, task)).collect();
    Ok(ws::RespondWorkflowTaskCompletedResponse { workflow_task, activity_tasks, ..Default::default() })
}

pub(crate) async fn failed(
    frontend: &Frontend,
    call: Call,
    request: ws::RespondWorkflowTaskFailedRequest,
) -> Result<ws::RespondWorkflowTaskFailedResponse, Status> {
    let token = token::of_request(&request.task_token)?;
    queue::check_identity(frontend, &request.identity)?;
    let (shard, target) = target(frontend, &token)?;
    let change =
        |tx: &mut abide_engine::workflow::Transition<'_, '_>| Ok(respond_failed::respond(tx, &token, request)?);
    match shard.update(&call.namespace, &target, change).await {
        Ok(_) => Ok(ws::RespondWorkflowTaskFailedResponse {}),
        Err(error) => Err(not_found_as(error, "Workflow task not found.")),
    }
}

/// A token whose run is not there any more names a task that is not there.
fn not_found_as(error: crate::shard::Error, text: &str) -> Status {
    use abide_engine::Refusal;
    match error {
        crate::shard::Error::Refused(Refusal::NotFound(why)) if why.starts_with("workflow execution not found") => {
            status::not_found(text)
        }
        other => other.into(),
    }
}
