//! QueryWorkflow and RespondQueryTaskCompleted (spec §3.11): on the run's next workflow task, or put to a worker
//! directly.
mod answer;
mod direct;

use std::time::Duration;

use abide_engine::workflow::{Run, RunKey};
use abide_proto::temporal::api::{
    enums::v1::{QueryRejectCondition, WorkflowExecutionStatus as Status_},
    query::v1::QueryRejected,
    workflowservice::v1 as ws,
};
use tonic::Status;
use uuid::Uuid;

use super::{Call, Deadline, Frontend, limits::LongCall, workflow::target};
use crate::{
    shard::{Answer, Target},
    status,
};

pub(super) use answer::{completed, task};
pub(super) use direct::DirectQueries;

/// How long a query waits whose caller does not say; who says longer waits no longer.
const LONGEST: Duration = Duration::from_secs(3600);
/// The answer leaves this long before the caller stops waiting.
const MARGIN: Duration = Duration::from_secs(1);
/// The attempt of a workflow task from which on a run counts as failing.
const FAILING_ATTEMPT: i32 = 3;

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

impl Seen {
    fn is_running(&self) -> bool {
        self.status == Status_::Running as i32
    }
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
    mut call: Call,
    request: ws::QueryWorkflowRequest,
) -> Result<ws::QueryWorkflowResponse, Status> {
    let _place = frontend.limits.long_call(&call, LongCall::Query)?;
    // One end for all that follows: a worker's sticky timeout may be of any length.
    call.deadline = Deadline::at(call.deadline.end_of_wait(frontend.env.monotonic(), LONGEST, Duration::ZERO));
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
    let running = seen.is_running();
    if let Some(rejected) = rejected(seen.status, request.query_reject_condition) {
        return Ok(ws::QueryWorkflowResponse { query_rejected: Some(rejected), ..Default::default() });
    }
    check_ready(frontend, &call, &seen, running)?;
    let direct = seen.has_completed_task && (!running || !seen.has_task);
    let answer = if direct {
        direct::ask(frontend, &call, &seen, &query).await?
    } else {
        let id = Uuid::from_bytes(frontend.env.uuid()).to_string();
        let most = frontend.dynamic_config.buffered_queries_max;
        let waiting = shard.buffer_query(&seen.key, id, query.clone(), most)?;
        match wait(frontend, &call, waiting, MARGIN).await? {
            Answer::Unblocked => {
                let again = Target::run(&seen.key);
                let seen = shard.read(&call.namespace, &again, look).await?.value;
                check_ready(frontend, &call, &seen, seen.is_running())?;
                direct::ask(frontend, &call, &seen, &query).await?
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
    let end = call.deadline.end_of_wait(frontend.env.monotonic(), LONGEST, Duration::ZERO);
    let end = end.saturating_sub(margin.min(Duration::from_millis(50)));
    tokio::select! {
        biased;
        answer = waiting => answer.map_err(|_| status::unavailable("buffered query cleared, please retry")),
        () = frontend.env.sleep_until(end) => {
            Err(status::deadline_exceeded("query timed out before a worker could process it"))
        }
    }
}

fn reply(answer: Answer) -> Result<ws::QueryWorkflowResponse, Status> {
    match answer {
        Answer::Answered(result) => Ok(ws::QueryWorkflowResponse { query_result: result, ..Default::default() }),
        Answer::Failed { message, failure } => Err(status::query_failed(message, failure.map(|failure| *failure))),
        Answer::TooLarge { direct: true } => Err(status::query_failed("Blob data size exceeds limit.", None)),
        Answer::TooLarge { direct: false } => Err(status::invalid_argument("Blob data size exceeds limit.")),
        Answer::Unblocked => Err(status::unavailable("buffered query cleared, please retry")),
    }
}
