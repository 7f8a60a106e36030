//! What workers answer about activities: heartbeats and the four ends, by token or by id (spec §3.9).
use abide_engine::workflow::{
    Transition,
    activity::{self, CanceledAnswer, CompletedAnswer, FailedAnswer, HeartbeatReply, Selector},
    workflow_task::complete::Stop,
};
use abide_proto::temporal::api::{common::v1::Payloads, failure::v1::Failure, workflowservice::v1 as ws};
use bytes::Bytes;
use tonic::Status;
use uuid::Uuid;

use super::queue::check_identity;
use crate::{
    frontend::{Call, Frontend, token},
    shard::Target,
    status,
};

/// The activity that an answer is about.
struct Addressed {
    target: Target,
    selector: Selector,
}

fn by_token(token: &Bytes) -> Result<Addressed, Status> {
    let token = token::of_request(token)?;
    let gone = || Status::from(crate::shard::Error::Refused(abide_engine::Refusal::activity_not_found()));
    let key = token.run_key().ok_or_else(gone)?;
    Ok(Addressed { target: Target::run(&key), selector: Selector::ByToken(token) })
}

fn by_id(workflow_id: String, run_id_text: &str, activity_id: String) -> Result<Addressed, Status> {
    if activity_id.is_empty() {
        return Err(status::invalid_argument("ActivityId is not set on request."));
    }
    let run_id = match run_id_text {
        "" => None,
        text => Some(Uuid::parse_str(text).map_err(|_| status::invalid_argument("RunId is not valid UUID."))?),
    };
    // Without a workflow an activity of its own is meant.
    if workflow_id.is_empty() {
        return Err(status::not_found(format!("activity not found for ID: {activity_id}")));
    }
    let (run_id_text, first_run_id) = (run_id_text.to_owned(), String::new());
    let target = Target { workflow_id, run_id, run_id_text, first_run_id };
    Ok(Addressed { target, selector: Selector::ById { activity_id } })
}

async fn apply<R>(
    frontend: &Frontend,
    call: &Call,
    addressed: &Addressed,
    change: impl FnOnce(&mut Transition<'_, '_>, &Selector) -> Result<R, abide_engine::Refusal>,
) -> Result<R, Status> {
    let shard = frontend.shards.of(Uuid::from_bytes(call.namespace.id), &addressed.target.workflow_id);
    let change = |tx: &mut Transition<'_, '_>| change(tx, &addressed.selector).map_err(Stop::Refused);
    Ok(shard.update(&call.namespace, &addressed.target, change).await?.value)
}

async fn record_heartbeat(
    frontend: &Frontend,
    call: &Call,
    addressed: &Addressed,
    details: Option<Payloads>,
    identity: &str,
) -> Result<HeartbeatReply, Status> {
    apply(frontend, call, addressed, |tx, which| activity::heartbeat(tx, which, details, identity)).await
}

async fn complete(
    frontend: &Frontend,
    call: &Call,
    addressed: &Addressed,
    answer: CompletedAnswer,
) -> Result<(), Status> {
    check_identity(frontend, &answer.identity)?;
    apply(frontend, call, addressed, |tx, which| activity::complete(tx, which, answer)).await
}

/// The answer is what was wrong with the reported failure.
async fn fail(
    frontend: &Frontend,
    call: &Call,
    addressed: &Addressed,
    answer: FailedAnswer,
) -> Result<Vec<Failure>, Status> {
    check_identity(frontend, &answer.identity)?;
    apply(frontend, call, addressed, |tx, which| activity::fail(tx, which, answer)).await
}

async fn cancel(frontend: &Frontend, call: &Call, addressed: &Addressed, answer: CanceledAnswer) -> Result<(), Status> {
    check_identity(frontend, &answer.identity)?;
    apply(frontend, call, addressed, |tx, which| activity::canceled(tx, which, answer)).await
}

pub(crate) async fn heartbeat(
    frontend: &Frontend,
    call: Call,
    request: ws::RecordActivityTaskHeartbeatRequest,
) -> Result<ws::RecordActivityTaskHeartbeatResponse, Status> {
    let addressed = by_token(&request.task_token)?;
    let beat = record_heartbeat(frontend, &call, &addressed, request.details, &request.identity).await?;
    Ok(ws::RecordActivityTaskHeartbeatResponse { cancel_requested: beat.cancel_requested, ..Default::default() })
}

pub(crate) async fn heartbeat_by_id(
    frontend: &Frontend,
    call: Call,
    request: ws::RecordActivityTaskHeartbeatByIdRequest,
) -> Result<ws::RecordActivityTaskHeartbeatByIdResponse, Status> {
    let addressed = by_id(request.workflow_id, &request.run_id, request.activity_id)?;
    let beat = record_heartbeat(frontend, &call, &addressed, request.details, &request.identity).await?;
    Ok(ws::RecordActivityTaskHeartbeatByIdResponse { cancel_requested: beat.cancel_requested, ..Default::default() })
}

pub(crate) async fn completed(
    frontend: &Frontend,
    call: Call,
    request: ws::RespondActivityTaskCompletedRequest,
) -> Result<ws::RespondActivityTaskCompletedResponse, Status> {
    let addressed = by_token(&request.task_token)?;
    let answer = CompletedAnswer { result: request.result, identity: request.identity };
    complete(frontend, &call, &addressed, answer).await?;
    Ok(ws::RespondActivityTaskCompletedResponse {})
}

pub(crate) async fn completed_by_id(
    frontend: &Frontend,
    call: Call,
    request: ws::RespondActivityTaskCompletedByIdRequest,
) -> Result<ws::RespondActivityTaskCompletedByIdResponse, Status> {
    let addressed = by_id(request.workflow_id, &request.run_id, request.activity_id)?;
    let answer = CompletedAnswer { result: request.result, identity: request.identity };
    complete(frontend, &call, &addressed, answer).await?;
    Ok(ws::RespondActivityTaskCompletedByIdResponse {})
}

pub(crate) async fn failed(
    frontend: &Frontend,
    call: Call,
    request: ws::RespondActivityTaskFailedRequest,
) -> Result<ws::RespondActivityTaskFailedResponse, Status> {
    let addressed = by_token(&request.task_token)?;
    let answer = FailedAnswer {
        failure: request.failure,
        last_heartbeat_details: request.last_heartbeat_details,
        identity: request.identity,
        cause: request.cause,
    };
    let failures = fail(frontend, &call, &addressed, answer).await?;
    Ok(ws::RespondActivityTaskFailedResponse { failures })
}

pub(crate) async fn failed_by_id(
    frontend: &Frontend,
    call: Call,
    request: ws::RespondActivityTaskFailedByIdRequest,
) -> Result<ws::RespondActivityTaskFailedByIdResponse, Status> {
    let addressed = by_id(request.workflow_id, &request.run_id, request.activity_id)?;
    let answer = FailedAnswer {
        failure: request.failure,
        last_heartbeat_details: request.last_heartbeat_details,
        identity: request.identity,
        cause: request.cause,
    };
    let failures = fail(frontend, &call, &addressed, answer).await?;
    Ok(ws::RespondActivityTaskFailedByIdResponse { failures })
}

pub(crate) async fn canceled(
    frontend: &Frontend,
    call: Call,
    request: ws::RespondActivityTaskCanceledRequest,
) -> Result<ws::RespondActivityTaskCanceledResponse, Status> {
    let addressed = by_token(&request.task_token)?;
    let answer = CanceledAnswer { details: request.details, identity: request.identity };
    cancel(frontend, &call, &addressed, answer).await?;
    Ok(ws::RespondActivityTaskCanceledResponse {})
}

pub(crate) async fn canceled_by_id(
    frontend: &Frontend,
    call: Call,
    request: ws::RespondActivityTaskCanceledByIdRequest,
) -> Result<ws::RespondActivityTaskCanceledByIdResponse, Status> {
    let addressed = by_id(request.workflow_id, &request.run_id, request.activity_id)?;
    let answer = CanceledAnswer { details: request.details, identity: request.identity };
    cancel(frontend, &call, &addressed, answer).await?;
    Ok(ws::RespondActivityTaskCanceledByIdResponse {})
}
