//! A direct query as a worker gets it, and the worker's answer.
use abide_engine::workflow::{Run, TaskToken};
use abide_proto::temporal::api::{
    common::v1::WorkflowType,
    enums::v1::{QueryResultType, TaskQueueKind},
    history::v1::History,
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as ws,
};
use tonic::Status;

use crate::{
    frontend::{Call, Frontend, token, workflow::HistoryToken},
    shard::{Answer, PageLimits, QueryTask, Target},
    status,
};

/// A direct query as a worker gets it: with the whole history, but for its sticky worker.
pub(crate) async fn task(
    frontend: &Frontend,
    call: &Call,
    asked: &QueryTask,
    sticky: bool,
) -> Result<ws::PollWorkflowTaskQueueResponse, Status> {
    let shard = frontend.shards.of_run(&asked.key);
    let look = |run: &Run, _: &abide_engine::Context<'_>| {
        let header = run.header.get();
        let profile = run.profile.get();
        let last = header.last_completed_started_event_id;
        (header.next_event_id, last, profile.workflow_type.clone(), profile.task_queue.clone())
    };
    let found = shard.read(&call.namespace, &Target::run(&asked.key), look).await?;
    let (next_event_id, previous_started_event_id, workflow_type, task_queue) = found.value;
    let (mut history, mut next_page_token) = (History::default(), Default::default());
    if !sticky {
        let batches = frontend.dynamic_config.history_page_size_max;
        let limits = PageLimits { from_event_id: 1, to_event_id: next_event_id - 1, batches };
        let page = shard.history(&asked.key, limits)?;
        history.events = page.events;
        if let Some(next) = page.next_event_id.filter(|next| *next < next_event_id) {
            next_page_token = HistoryToken::new(asked.key.run_id, next, next_event_id).encoded();
        }
    }
    let token = TaskToken { query_id: asked.id.to_string(), ..TaskToken::for_run(&asked.key) };
    Ok(ws::PollWorkflowTaskQueueResponse {
        task_token: token.encoded(),
        workflow_execution: Some(asked.key.execution()),
        workflow_type: Some(WorkflowType { name: workflow_type }),
        previous_started_event_id,
        attempt: 1,
        history: Some(history),
        next_page_token,
        query: Some(asked.query.clone()),
        workflow_execution_task_queue: Some(TaskQueue {
            name: task_queue,
            kind: TaskQueueKind::Normal as i32,
            ..Default::default()
        }),
        ..Default::default()
    })
}

/// What the asker is told of an answer that is none, and its worker too.
const NO_ANSWER: &str = "CompletedType on request is neither an answer nor a failure.";

pub(crate) async fn completed(
    frontend: &Frontend,
    _: Call,
    request: ws::RespondQueryTaskCompletedRequest,
) -> Result<ws::RespondQueryTaskCompletedResponse, Status> {
    let token = token::of_request(&request.task_token)?;
    let gone = || status::not_found("query task not found, or already expired");
    let asked = frontend.direct_queries.remove(&token.query_id).ok_or_else(gone)?;
    let limit = frontend.dynamic_config.blob_size_limit_error;
    let (answer, outcome) = match QueryResultType::try_from(request.completed_type) {
        Ok(QueryResultType::Answered) => {
            let size = abide_engine::payload::size_bytes(request.query_result.as_ref());
            let fits = size <= limit;
            (if fits { Answer::Answered(request.query_result) } else { Answer::TooLarge { direct: true } }, Ok(()))
        }
        Ok(QueryResultType::Failed) => {
            (Answer::Failed { message: request.error_message, failure: request.failure.map(Box::new) }, Ok(()))
        }
        // The asker must not wait for an answer that will not come (differences.md).
        Ok(QueryResultType::Unspecified) | Err(_) => {
            let failed = Answer::Failed { message: NO_ANSWER.into(), failure: request.failure.map(Box::new) };
            (failed, Err(status::invalid_argument(NO_ANSWER)))
        }
    };
    if !asked.answer(answer) {
        return Err(gone());
    }
    outcome.map(|()| ws::RespondQueryTaskCompletedResponse {})
}
