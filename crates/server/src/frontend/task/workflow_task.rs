//! A started workflow task as its worker gets it (spec §3.8).
use abide_engine::workflow::workflow_task::start::StartedWorkflowTask;
use abide_proto::temporal::api::{
    common::v1::WorkflowType, enums::v1::TaskQueueKind, history::v1::History, query::v1::WorkflowQuery,
    taskqueue::v1::TaskQueue, workflowservice::v1 as ws,
};
use tonic::Status;

use crate::{
    frontend::{Call, Frontend, workflow::HistoryToken},
    shard::PageLimits,
    status,
};

/// The reply to a poll. The start must be durable.
pub(crate) fn reply(
    frontend: &Frontend,
    _call: &Call,
    task: StartedWorkflowTask,
    queries: std::collections::BTreeMap<String, WorkflowQuery>,
) -> Result<ws::PollWorkflowTaskQueueResponse, Status> {
    let key = task.token.run_key().ok_or_else(|| status::unavailable("the task has gone, please retry"))?;
    let batches = frontend.dynamic_config.history_page_size_max;
    let limits = PageLimits { from_event_id: task.from_event_id, to_event_id: task.to_event_id, batches };
    let page = frontend.shards.of_run(&key).history(&key, limits)?;
    let mut events = page.events;
    // A full page that ends the history needs no other one.
    let next = page.next_event_id.filter(|next| *next <= task.to_event_id);
    let next_page_token = match next {
        Some(next) => HistoryToken::new(key.run_id, next, task.to_event_id + 1).encoded(),
        None => {
            events.extend(task.transient_events);
            Default::default()
        }
    };
    let task_queue = TaskQueue { name: task.task_queue, kind: TaskQueueKind::Normal as i32, ..Default::default() };
    Ok(ws::PollWorkflowTaskQueueResponse {
        task_token: task.token.encoded(),
        workflow_execution: Some(key.execution()),
        workflow_type: Some(WorkflowType { name: task.workflow_type }),
        previous_started_event_id: task.previous_started_event_id,
        started_event_id: task.started_event_id,
        attempt: task.attempt,
        history: Some(History { events }),
        next_page_token,
        workflow_execution_task_queue: Some(task_queue),
        scheduled_time: Some(task.scheduled_time.timestamp()),
        started_time: Some(task.started_time.timestamp()),
        queries: queries.into_iter().collect(),
        ..Default::default()
    })
}
