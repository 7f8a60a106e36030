//! A worker takes the workflow task (spec §3.3, §3.7, §3.8).
use super::{started_attributes, transient_events};
use crate::{
    Refusal, Time,
    api::{Attributes, enums::SuggestContinueAsNewReason, history::HistoryEvent},
    workflow::{records::WorkflowTask, run::Run, token::TaskToken, transition::Transition},
};

pub use super::taker::Taker;

/// What a worker's task is built from, once the start is durable.
#[derive(Clone, Debug, PartialEq)]
pub struct StartedWorkflowTask {
    pub token: TaskToken,
    pub workflow_type: String,
    pub task_queue: String,
    pub previous_started_event_id: i64,
    pub started_event_id: i64,
    pub attempt: i32,
    pub scheduled_time: Time,
    pub started_time: Time,
    /// The stored events that go with it: `from..=to`.
    pub from_event_id: i64,
    pub to_event_id: i64,
    /// Shown after the stored ones.
    pub transient_events: Vec<HistoryEvent>,
}

/// Starts the scheduled task. `scheduled_event_id` is that of the offer; another, or a taken task, is obsolete.
pub fn start(
    tx: &mut Transition<'_, '_>,
    scheduled_event_id: i64,
    taker: &Taker,
) -> Result<StartedWorkflowTask, Refusal> {
    let header = tx.run.header.get();
    let offered = |t: &&WorkflowTask| header.is_running() && t.scheduled_event_id == scheduled_event_id;
    let task = header.workflow_task.as_ref().filter(offered);
    let task = task.ok_or(Refusal::Obsolete)?;
    if task.is_started() {
        let same = task.request_id == taker.request_id;
        return if same { Ok(describe(tx.run, taker)) } else { Err(Refusal::Obsolete) };
    }
    if !taker.sticky_queue.is_empty() && task.sticky_queue != taker.sticky_queue {
        return Err(Refusal::Obsolete);
    }
    if taker.sticky_queue.is_empty() && header.sticky.is_some() {
        tx.run.header.get_mut().sticky = None;
    }
    start_scheduled(tx, taker);
    Ok(describe(tx.run, taker))
}

/// Starts the pending task, which is scheduled.
pub(crate) fn start_scheduled(tx: &mut Transition<'_, '_>, taker: &Taker) {
    let now = tx.now().0;
    let next_event_id = tx.run.header.next_event_id;
    let mut task = tx.run.header.get_mut().workflow_task.take().expect("the caller checked that a task is scheduled");
    assert!(!task.is_started(), "a task starts once");
    if task.is_transient && task.scheduled_event_id != next_event_id {
        // Something new came in the meantime: the task is stored after all, as a first attempt.
        tx.run.header.get_mut().workflow_task_attempt = 1;
        super::schedule_attempt(tx, Some(task.original_scheduled_time), true);
        task = tx.run.header.get_mut().workflow_task.take().expect("it was just scheduled");
    }
    task.started_time = now;
    task.request_id = taker.request_id.clone();
    task.identity = taker.identity.clone();
    task.history_size_bytes = tx.run.header.history_size_bytes;
    suggest_continue_as_new(tx, &mut task);
    task.started_event_id = if task.is_transient {
        task.scheduled_event_id + 1
    } else {
        let attributes = started_attributes(&task, &taker.identity);
        let id = tx.append(Attributes::WorkflowTaskStartedEventAttributes(attributes)).event_id;
        tx.end_batch();
        id
    };
    tx.run.header.get_mut().workflow_task = Some(task);
}

fn suggest_continue_as_new(tx: &Transition<'_, '_>, task: &mut WorkflowTask) {
    let settings = tx.cx.settings;
    let mut reasons = Vec::new();
    if task.history_size_bytes >= settings.suggest_continue_as_new_size_bytes {
        reasons.push(SuggestContinueAsNewReason::HistorySizeTooLarge as i32);
    }
    if tx.run.header.next_event_id > settings.suggest_continue_as_new_count {
        reasons.push(SuggestContinueAsNewReason::TooManyHistoryEvents as i32);
    }
    task.suggest_continue_as_new = !reasons.is_empty();
    task.suggest_continue_as_new_reasons = reasons;
}

/// The started task as its worker gets it.
pub fn describe(run: &Run, taker: &Taker) -> StartedWorkflowTask {
    let header = run.header.get();
    let task = header.workflow_task.as_ref().expect("the task was started");
    let token = TaskToken {
        scheduled_event_id: task.scheduled_event_id,
        started_event_id: task.started_event_id,
        attempt: task.attempt,
        started_time: task.started_time,
        ..TaskToken::for_run(&run.key)
    };
    let partial = !taker.sticky_queue.is_empty();
    StartedWorkflowTask {
        token,
        workflow_type: run.profile.workflow_type.clone(),
        task_queue: run.profile.task_queue.clone(),
        previous_started_event_id: header.last_completed_started_event_id,
        started_event_id: task.started_event_id,
        attempt: task.attempt,
        scheduled_time: Time(task.scheduled_time),
        started_time: Time(task.started_time),
        from_event_id: if partial { header.last_completed_started_event_id + 1 } else { 1 },
        to_event_id: if task.is_transient { task.scheduled_event_id - 1 } else { task.started_event_id },
        transient_events: transient_events(run, Some(&taker.identity)),
    }
}
