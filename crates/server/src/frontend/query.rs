//! QueryWorkflow and RespondQueryTaskCompleted (spec §3.11): on the run's next workflow task, or put to a worker
//! directly.
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use abide_engine::workflow::{Run, RunKey, TaskToken};
use abide_matching::{Entry, Offer, QueueId, TaskKind};
use abide_proto::temporal::api::{
    common::v1::WorkflowType,
    enums::v1::{QueryRejectCondition, QueryResultType, TaskQueueKind, WorkflowExecutionStatus as Status_},
    history::v1::History,
    query::v1::{QueryRejected, WorkflowQuery},
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as ws,
};
use rustc_hash::FxHashMap;
use tonic::Status;
use uuid::Uuid;

use super::{
    Call, Frontend, token,
    workflow::{HistoryToken, target},
};
use crate::{
    shard::{Answer, PageLimits, QueryTask, Target, Task},
    status,
};

/// The answer leaves this long before the caller stops waiting.
const MARGIN: Duration = Duration::from_secs(1);
/// The attempt of a workflow task from which on a run counts as failing.
const FAILING_ATTEMPT: i32 = 3;

/// The direct queries that wait for a worker's answer, by id.
#[derive(Default)]
pub struct DirectQueries {
    by_id: Mutex<FxHashMap<String, Arc<QueryTask>>>,
}

impl DirectQueries {
    fn insert(&self, task: &Arc<QueryTask>) {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner).insert(task.id.to_string(), Arc::clone(task));
    }

    fn remove(&self, id: &str) -> Option<Arc<QueryTask>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner).remove(id)
    }
}

/// Takes the query out of the registry however the asking ends.
struct Registered<'f> {
    queries: &'f DirectQueries,
    id: String,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.queries.remove(&self.id);
    }
}

/// What a query needs to know of the run.
struct Seen {
    key: RunKey,
    status: i32,
    task_queue: String,
    sticky: Option<(String, Duration)>,
    has_completed_task: bool,
    has_task: bool,
    attempt: i32,
    first_task_at: i64,
}

fn look(run: &Run, _: &abide_engine::Context<'_>) -> Seen {
    let header = run.header.get();
    let sticky = header.sticky.as_ref();
    Seen {
        key: run.key.clone(),
        status: header.status,
        task_queue: run.profile.task_queue.clone(),
        sticky: sticky.map(|s| (s.queue.clone(), Duration::from_nanos(s.schedule_to_start_timeout.unsigned_abs()))),
        has_completed_task: header.last_completed_started_event_id != 0,
        has_task: header.workflow_task.is_some(),
        attempt: header.workflow_task.as_ref().map_or(header.workflow_task_attempt, |t| t.attempt),
        first_task_at: header.first_task_at,
    }
}

pub(crate) async fn query(
    frontend: &Frontend,
    call: Call,
    request: ws::QueryWorkflowRequest,
) -> Result<ws::QueryWorkflowResponse, Status> {
    let target = target::of(request.execution, "")?;
    let Some(query) = request.query else {
        return Err(status::invalid_argument("WorkflowQuery is not set on request."));
    };
    if query.query_type.is_empty() {
        return Err(status::invalid_argument("QueryType is not set on request."));
    }
    let limit = frontend.dynamic_config.blob_size_limit_error;
    if abide_engine::payload::size_bytes(query.query_args.as_ref()) > limit {
        return Err(status::invalid_argument("Blob data size exceeds limit."));
    }
    let shard = frontend.shards.of(Uuid::from_bytes(call.namespace.id), &target.workflow_id);
    let seen = shard.read(&call.namespace, &target, look).await?.value;
    let running = seen.status == Status_::Running as i32;
    if let Some(rejected) = rejected(seen.status, request.query_reject_condition) {
        return Ok(ws::QueryWorkflowResponse { query_rejected: Some(rejected), ..Default::default() });
    }
    check_ready(frontend, &call, &seen, running)?;
    let direct = seen.has_completed_task && (!running || !seen.has_task);
    let answer = if direct {
        ask_directly(frontend, &call, &seen, &query).await?
    } else {
        let id = Uuid::from_bytes(frontend.env.uuid()).to_string();
        let most = frontend.dynamic_config.buffered_queries_max;
        let waiting = shard.buffer_query(&seen.key, id, query.clone(), most)?;
        match wait(frontend, &call, waiting, MARGIN).await? {
            Answer::Unblocked => {
                let again = Target::run(&seen.key);
                let seen = shard.read(&call.namespace, &again, look).await?.value;
                ask_directly(frontend, &call, &seen, &query).await?
            }
            answer => answer,
        }
    };
    reply(answer)
}

fn rejected(status: i32, condition: i32) -> Option<QueryRejected> {
    let not_open = condition == QueryRejectCondition::NotOpen as i32;
    let not_clean = condition == QueryRejectCondition::NotCompletedCleanly as i32;
    let closed = status != Status_::Running as i32;
    let reject = closed && (not_open || (not_clean && status != Status_::Completed as i32));
    reject.then_some(QueryRejected { status })
}

fn check_ready(frontend: &Frontend, call: &Call, seen: &Seen, running: bool) -> Result<(), Status> {
    if !running && !seen.has_completed_task {
        let text = "Workflow execution closed before WorkflowTaskStarted event";
        return Err(status::workflow_not_ready(text));
    }
    if running && seen.first_task_at != 0 {
        let left = call.deadline.remaining(frontend.env.monotonic()).unwrap_or(Duration::MAX);
        let wait = u64::try_from(seen.first_task_at - frontend.env.wall_ns()).unwrap_or(0);
        if Duration::from_nanos(wait) > left {
            return Err(status::workflow_not_ready("Workflow task is not scheduled yet."));
        }
    }
    if running && seen.attempt >= FAILING_ATTEMPT {
        return Err(status::workflow_not_ready("Unable to query workflow due to Workflow Task in failed state."));
    }
    Ok(())
}

async fn wait(
    frontend: &Frontend,
    call: &Call,
    waiting: tokio::sync::oneshot::Receiver<Answer>,
    margin: Duration,
) -> Result<Answer, Status> {
    let end = call.deadline.end_of_wait(frontend.env.monotonic(), Duration::from_secs(3600), Duration::ZERO);
    let end = end.saturating_sub(margin.min(Duration::from_millis(50)));
    tokio::select! {
        answer = waiting => answer.map_err(|_| status::unavailable("buffered query cleared, please retry")),
        () = frontend.env.sleep_until(end) => {
            Err(status::deadline_exceeded("query timed out before a worker could process it"))
        }
    }
}

/// First the sticky worker, for as long as its timeout; then any worker of the normal queue.
async fn ask_directly(
    frontend: &Frontend,
    call: &Call,
    seen: &Seen,
    query: &WorkflowQuery,
) -> Result<Answer, Status> {
    if let Some((queue, timeout)) = &seen.sticky {
        let queue = QueueId::sticky(call.namespace.id, queue.as_str());
        let (_registered, waiting) = match offer(frontend, seen, query, &queue) {
            Some(offered) => offered,
            None => return ask_normal(frontend, call, seen, query).await,
        };
        let now = frontend.env.monotonic();
        let end = call.deadline.end_of_wait(now, *timeout, Duration::ZERO);
        tokio::select! {
            answer = waiting => {
                if let Ok(answer) = answer {
                    return Ok(answer);
                }
            }
            () = frontend.env.sleep_until(end) => {}
        }
        if seen.status == Status_::Running as i32 {
            forget_sticky(frontend, call, seen).await?;
        }
    }
    ask_normal(frontend, call, seen, query).await
}

async fn forget_sticky(frontend: &Frontend, call: &Call, seen: &Seen) -> Result<(), Status> {
    let shard = frontend.shards.of_run(&seen.key);
    let change = |tx: &mut abide_engine::workflow::Transition<'_, '_>| {
        if tx.run.is_running() && tx.run.header.sticky.is_some() {
            tx.run.header.get_mut().sticky = None;
        }
        Ok(())
    };
    shard.update(&call.namespace, &Target::run(&seen.key), change).await?;
    Ok(())
}

async fn ask_normal(
    frontend: &Frontend,
    call: &Call,
    seen: &Seen,
    query: &WorkflowQuery,
) -> Result<Answer, Status> {
    let queue = QueueId::normal(call.namespace.id, TaskKind::Workflow, seen.task_queue.as_str());
    let Some((_registered, waiting)) = offer(frontend, seen, query, &queue) else {
        return Err(status::unavailable("the query could not be queued, please retry"));
    };
    let now = frontend.env.monotonic();
    let end = call.deadline.end_of_wait(now, Duration::from_secs(3600), MARGIN);
    tokio::select! {
        answer = waiting => {
            return answer.map_err(|_| status::unavailable("the query was lost, please retry"));
        }
        () = frontend.env.sleep_until(end) => {}
    }
    let window_ms = i64::try_from(frontend.dynamic_config.query_poller_unavailable_window.as_millis()).unwrap_or(0);
    let seen_since = frontend.env.wall_ms() - window_ms;
    if frontend.matching.last_poll_ms(&queue).is_none_or(|at| at < seen_since) {
        let text = "no poller seen for task queue recently, worker may be down";
        return Err(status::failed_precondition(text));
    }
    Err(status::deadline_exceeded("query timed out before a worker could process it"))
}

type Offered<'f> = (Registered<'f>, tokio::sync::oneshot::Receiver<Answer>);

/// Puts the query in a queue; none if the queue's sticky worker is gone.
fn offer<'f>(frontend: &'f Frontend, seen: &Seen, query: &WorkflowQuery, queue: &QueueId) -> Option<Offered<'f>> {
    let id = Uuid::from_bytes(frontend.env.uuid());
    let (task, waiting) = QueryTask::new(id, seen.key.clone(), query.clone());
    frontend.direct_queries.insert(&task);
    let registered = Registered { queries: &frontend.direct_queries, id: id.to_string() };
    let entry = Entry { task: Task::Query(task), priority: 1, scheduled_time_ms: frontend.env.wall_ms() };
    match frontend.matching.offer(queue, entry) {
        Offer::StickyUnavailable(_) | Offer::Overflow(_) => None,
        _ => Some((registered, waiting)),
    }
}

fn reply(answer: Answer) -> Result<ws::QueryWorkflowResponse, Status> {
    match answer {
        Answer::Answered(result) => Ok(ws::QueryWorkflowResponse {
            query_result: result,
            ..Default::default()
        }),
        Answer::Failed { message, failure } => Err(status::query_failed(message, failure)),
        Answer::TooLarge { direct: true } => Err(status::query_failed("Blob data size exceeds limit.", None)),
        Answer::TooLarge { direct: false } => Err(status::invalid_argument("Blob data size exceeds limit.")),
        Answer::Unblocked => Err(status::unavailable("buffered query cleared, please retry")),
    }
}

/// A direct query as a worker gets it: with the whole history, but for its sticky worker.
pub(super) async fn task(
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
        let page = shard.history(asked.key.run_id, limits)?;
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

pub(crate) async fn completed(
    frontend: &Frontend,
    _: Call,
    request: ws::RespondQueryTaskCompletedRequest,
) -> Result<ws::RespondQueryTaskCompletedResponse, Status> {
    let token = token::of_request(&request.task_token)?;
    let gone = || status::not_found("query task not found, or already expired");
    let asked = frontend.direct_queries.remove(&token.query_id).ok_or_else(gone)?;
    let limit = frontend.dynamic_config.blob_size_limit_error;
    let answered = request.completed_type == QueryResultType::Answered as i32;
    let answer = if answered && abide_engine::payload::size_bytes(request.query_result.as_ref()) > limit {
        Answer::TooLarge { direct: true }
    } else if answered {
        Answer::Answered(request.query_result)
    } else {
        Answer::Failed { message: request.error_message.clone(), failure: request.failure }
    };
    let known = answered || request.completed_type == QueryResultType::Failed as i32;
    if !asked.answer(answer) {
        return Err(gone());
    }
    if !known {
        return Err(status::invalid_argument("CompletedType is not set to an answer or a failure on request."));
    }
    Ok(ws::RespondQueryTaskCompletedResponse {})
}
