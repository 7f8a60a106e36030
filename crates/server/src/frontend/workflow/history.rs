//! GetWorkflowExecutionHistory and its reverse (spec §3.20).
use abide_engine::workflow::{Run, RunKey, workflow_task::transient_events};
use abide_proto::temporal::api::{
    enums::v1::{EventType, HistoryEventFilterType, TimeoutType},
    failure::v1::{Failure, TimeoutFailureInfo, failure::FailureInfo},
    history::v1::{History, HistoryEvent, WorkflowExecutionContinuedAsNewEventAttributes, history_event::Attributes},
    workflowservice::v1 as ws,
};
use bytes::Bytes;
use tonic::Status;
use uuid::Uuid;

use super::{HistoryToken, target};
use crate::{
    frontend::{Call, Frontend, limits::LongCall},
    shard::{PageLimits, Target},
    status,
};

/// What a read needs to know of the run besides its events.
struct Snapshot {
    key: RunKey,
    next_event_id: i64,
    running: bool,
    close_batch_event_id: i64,
    transient: Vec<HistoryEvent>,
}

/// The target, pinned to the token's run if there is a token.
fn parse(
    execution: Option<abide_proto::temporal::api::common::v1::WorkflowExecution>,
    token: &Bytes,
) -> Result<(Target, Option<HistoryToken>), Status> {
    let mut target = target::of(execution, "")?;
    if token.is_empty() {
        return Ok((target, None));
    }
    let token = HistoryToken::decoded(token).ok_or_else(|| status::invalid_argument("Invalid NextPageToken."))?;
    if target.run_id.is_some_and(|run_id| run_id != token.run_id()) {
        return Err(status::invalid_argument("RunId in the request does not match the NextPageToken."));
    }
    target.run_id = Some(token.run_id());
    Ok((target, Some(token)))
}

fn page_size(frontend: &Frontend, asked: i32) -> usize {
    let most = frontend.dynamic_config.history_page_size_max;
    usize::try_from(asked).ok().filter(|n| *n > 0).map_or(most, |n| n.min(most))
}

async fn snapshot(frontend: &Frontend, call: &Call, target: &Target) -> Result<Snapshot, Status> {
    let shard = frontend.shards.of(Uuid::from_bytes(call.namespace.id), &target.workflow_id);
    let look = |run: &Run, _: &abide_engine::Context<'_>| Snapshot {
        key: run.key.clone(),
        next_event_id: run.header.next_event_id,
        running: run.is_running(),
        close_batch_event_id: run.header.close_batch_event_id,
        transient: transient_events(run, None),
    };
    Ok(shard.read(&call.namespace, target, look).await?.value)
}

/// Waits until the run is as `ready` says, or the wait is over. `None` is the latter.
async fn wait_until(
    frontend: &Frontend,
    call: &Call,
    key: &RunKey,
    ready: impl Fn(&Snapshot) -> bool,
) -> Result<Option<Snapshot>, Status> {
    let _place = frontend.limits.long_call(call, LongCall::History)?;
    let now = frontend.env.monotonic();
    let span = frontend.dynamic_config.history_long_poll;
    let end = call.deadline.end_of_wait(now, span, std::time::Duration::from_secs(1));
    let shard = frontend.shards.of_run(key);
    let target = Target::run(key);
    loop {
        // What came before the watch is seen now, what comes later wakes it.
        let changed = shard.watch(key);
        let seen = snapshot(frontend, call, &target).await?;
        if ready(&seen) {
            return Ok(Some(seen));
        }
        tokio::select! {
            biased;
            () = changed => {}
            () = frontend.env.sleep_until(end) => return Ok(None),
            () = frontend.drain.started() => return Ok(None),
        }
    }
}

pub(crate) async fn get(
    frontend: &Frontend,
    call: Call,
    request: ws::GetWorkflowExecutionHistoryRequest,
) -> Result<ws::GetWorkflowExecutionHistoryResponse, Status> {
    let (target, token) = parse(request.execution, &request.next_page_token)?;
    let wait = request.wait_new_event;
    if request.history_event_filter_type == HistoryEventFilterType::CloseEvent as i32 {
        return close_event(frontend, &call, target, token, wait).await;
    }
    let batches = page_size(frontend, request.maximum_page_size);
    let from = token.as_ref().map_or(1, |t| t.next_event_id);
    let seen = match token.as_ref().filter(|_| wait) {
        Some(token) => {
            let (namespace_id, workflow_id) = (Uuid::from_bytes(call.namespace.id), target.workflow_id.clone());
            let key = RunKey { namespace_id, workflow_id, run_id: token.run_id() };
            let grown = |s: &Snapshot| !s.running || s.next_event_id > from;
            match wait_until(frontend, &call, &key, grown).await? {
                Some(seen) => seen,
                None => return Ok(page(History::default(), request.next_page_token)),
            }
        }
        None => snapshot(frontend, &call, &target).await?,
    };
    // A worker's pages end with its task; those of others go on as far as the history does by then.
    let end = match &token {
        Some(token) if !wait && token.end_event_id != 0 => token.end_event_id.min(seen.next_event_id),
        _ => seen.next_event_id,
    };
    let keep_end = token.as_ref().map_or(0, |t| t.end_event_id);
    let limits = PageLimits { from_event_id: from, to_event_id: end - 1, batches };
    let read = frontend.shards.of_run(&seen.key).history(&seen.key, limits)?;
    let mut history = History { events: read.events };
    let run_id = seen.key.run_id;
    let next_page_token = match read.next_event_id {
        Some(next) => HistoryToken::new(run_id, next, keep_end).encoded(),
        None => {
            if end == seen.next_event_id && shows_transient(&call) {
                history.events.extend(seen.transient);
            }
            if wait && seen.running { HistoryToken::new(run_id, end, 0).encoded() } else { Bytes::new() }
        }
    };
    Ok(page(history, next_page_token))
}

/// Tools that show histories to people are spared events that may never be stored.
fn shows_transient(call: &Call) -> bool {
    !matches!(call.header("client-name"), Some("temporal-cli" | "temporal-ui"))
}

fn page(history: History, next_page_token: Bytes) -> ws::GetWorkflowExecutionHistoryResponse {
    ws::GetWorkflowExecutionHistoryResponse { history: Some(history), next_page_token, ..Default::default() }
}

/// The feature by which a client says that it reads the next run's id from any close event.
const FOLLOWS_NEXT_RUN_ID: &str = "follows-next-run-id";

/// For clients that know only continue-as-new: a close that another run follows looks like one.
#[allow(deprecated)] // the attributes are those that such clients read
fn as_continued(event: HistoryEvent) -> HistoryEvent {
    let mut shown = WorkflowExecutionContinuedAsNewEventAttributes::default();
    match &event.attributes {
        Some(Attributes::WorkflowExecutionCompletedEventAttributes(a)) => {
            shown.new_execution_run_id = a.new_execution_run_id.clone();
            shown.last_completion_result = a.result.clone();
        }
        Some(Attributes::WorkflowExecutionFailedEventAttributes(a)) => {
            shown.new_execution_run_id = a.new_execution_run_id.clone();
            shown.failure = a.failure.clone();
        }
        Some(Attributes::WorkflowExecutionTimedOutEventAttributes(a)) => {
            shown.new_execution_run_id = a.new_execution_run_id.clone();
            let timeout_type = TimeoutType::StartToClose as i32;
            let info = TimeoutFailureInfo { timeout_type, ..Default::default() };
            shown.failure = Some(Failure {
                message: "workflow timeout".into(),
                source: "Server".into(),
                failure_info: Some(FailureInfo::TimeoutFailureInfo(info)),
                ..Default::default()
            });
        }
        _ => return event,
    }
    if shown.new_execution_run_id.is_empty() {
        return event;
    }
    HistoryEvent {
        event_type: EventType::WorkflowExecutionContinuedAsNew as i32,
        attributes: Some(Attributes::WorkflowExecutionContinuedAsNewEventAttributes(Box::new(shown))),
        ..event
    }
}

/// Only the event that ends the run; waiting for it if asked to.
async fn close_event(
    frontend: &Frontend,
    call: &Call,
    target: Target,
    token: Option<HistoryToken>,
    wait: bool,
) -> Result<ws::GetWorkflowExecutionHistoryResponse, Status> {
    let first = snapshot(frontend, call, &target).await?;
    let closed = match (first.running, wait) {
        (false, _) => first,
        (true, false) => return Ok(page(History::default(), Bytes::new())),
        (true, true) => match wait_until(frontend, call, &first.key, |s| !s.running).await? {
            Some(closed) => closed,
            None => {
                let next = token.map_or(1, |t| t.next_event_id);
                let token = HistoryToken::new(first.key.run_id, next, 0).encoded();
                return Ok(page(History::default(), token));
            }
        },
    };
    let limits = PageLimits {
        from_event_id: closed.close_batch_event_id,
        to_event_id: closed.next_event_id - 1,
        batches: usize::MAX,
    };
    let read = frontend.shards.of_run(&closed.key).history(&closed.key, limits)?;
    let follows = call.header("supported-features").is_some_and(|features| features.contains(FOLLOWS_NEXT_RUN_ID));
    let last = read.events.into_iter().next_back();
    let events = last.map(|event| if follows { event } else { as_continued(event) }).into_iter().collect();
    Ok(page(History { events }, Bytes::new()))
}

pub(crate) async fn get_reverse(
    frontend: &Frontend,
    call: Call,
    request: ws::GetWorkflowExecutionHistoryReverseRequest,
) -> Result<ws::GetWorkflowExecutionHistoryReverseResponse, Status> {
    let (target, token) = parse(request.execution, &request.next_page_token)?;
    let seen = snapshot(frontend, &call, &target).await?;
    let newest = token.map_or(seen.next_event_id - 1, |t| t.next_event_id.min(seen.next_event_id - 1));
    let batches = page_size(frontend, request.maximum_page_size);
    let limits = PageLimits { from_event_id: 1, to_event_id: newest, batches };
    let read = frontend.shards.of_run(&seen.key).history_reverse(seen.key.run_id, limits)?;
    let next = read.next_event_id.map(|next| HistoryToken::new(seen.key.run_id, next, 0).encoded());
    Ok(ws::GetWorkflowExecutionHistoryReverseResponse {
        history: Some(History { events: read.events }),
        next_page_token: next.unwrap_or_default(),
    })
}
