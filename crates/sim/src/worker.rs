//! Workers, as SDKs build them: pollers of a queue and of a sticky one, a cache of runs, activities.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use abide_proto::temporal::api::{
    enums::v1::{QueryResultType, TaskQueueKind, WorkflowTaskFailedCause},
    history::v1::HistoryEvent,
    query::v1::WorkflowQueryResult,
    taskqueue::v1::{StickyExecutionAttributes, TaskQueue},
    workflowservice::v1 as ws,
};

use crate::{
    client::{Client, NAMESPACE},
    program::{Machine, application_failure, payloads},
    violation::Violations,
    world::Group,
};

/// How long a poll waits: now and then so short that it ends while a task is on its way.
const POLL: (Duration, Duration) = (Duration::from_millis(2200), Duration::from_secs(20));
/// How many polls of each kind a worker has open at most; with one, more tasks have to wait for a poll.
const POLLERS_MAX: u64 = 2;

/// A worker process. All its tasks are of one group, so that it dies as a whole.
pub struct Worker {
    client: Client,
    group: Group,
    name: String,
    queue: String,
    violations: Violations,
    /// What it remembers of runs, by run id.
    cache: Mutex<BTreeMap<String, Vec<HistoryEvent>>>,
}

impl Worker {
    /// Starts a worker of the queue. Its name is one that no other worker has.
    pub fn start(client: &Client, name: String, queue: &str, violations: &Violations) -> Group {
        let group = client.world.new_group();
        client.world.note(format!("worker {name} starts"));
        let worker = Arc::new(Self::new(client, group, name, queue, violations));
        let pollers = if worker.client.world.chance(0.7) { 1 } else { POLLERS_MAX };
        for _ in 0..pollers {
            worker.spawn(Arc::clone(&worker).poll_workflows(false));
            worker.spawn(Arc::clone(&worker).poll_workflows(true));
            worker.spawn(Arc::clone(&worker).poll_activities());
        }
        group
    }

    /// A worker that has no polls and does what it is handed.
    pub fn new(client: &Client, group: Group, name: String, queue: &str, violations: &Violations) -> Self {
        let (client, queue, violations) = (client.clone(), queue.to_owned(), violations.clone());
        Self { client, group, name, queue, violations, cache: Mutex::default() }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.client.world.spawn(self.group, task);
    }

    fn sticky_queue(&self) -> TaskQueue {
        TaskQueue {
            name: format!("{}-sticky", self.name),
            kind: TaskQueueKind::Sticky.into(),
            normal_name: self.queue.clone(),
        }
    }

    fn cache(&self) -> MutexGuard<'_, BTreeMap<String, Vec<HistoryEvent>>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn poll_workflows(self: Arc<Self>, is_sticky: bool) {
        let normal = TaskQueue { name: self.queue.clone(), ..TaskQueue::default() };
        let request = ws::PollWorkflowTaskQueueRequest {
            namespace: NAMESPACE.to_owned(),
            task_queue: Some(if is_sticky { self.sticky_queue() } else { normal }),
            identity: self.name.clone(),
            ..ws::PollWorkflowTaskQueueRequest::default()
        };
        loop {
            match self.client.once(&request, self.client.world.span(POLL.0, POLL.1)).await {
                Ok(task) if !task.task_token.is_empty() => self.run_workflow_task(task).await,
                Ok(_) => {}
                Err(_) => self.client.world.sleep(Duration::from_millis(200)).await,
            }
        }
    }

    pub async fn run_workflow_task(&self, task: ws::PollWorkflowTaskQueueResponse) {
        let Some(execution) = task.workflow_execution.clone() else { return };
        let run_id = execution.run_id.clone();
        let Some(events) = self.events(&task).await else {
            return self.give_up(&task).await;
        };
        let mut machine = Machine::default();
        if let Err(wrong) = events.iter().try_for_each(|event| machine.observe(event)) {
            self.violations.add(format!("replay of {} {run_id}: {wrong}", execution.workflow_id));
            return;
        }
        let written = written(&task, &events);
        self.cache().insert(run_id.clone(), written.to_vec());
        let answer = payloads(&machine.counts.signals_count().to_string());
        if task.query.is_some() {
            let request = ws::RespondQueryTaskCompletedRequest {
                task_token: task.task_token,
                completed_type: QueryResultType::Answered.into(),
                query_result: Some(answer),
                namespace: NAMESPACE.to_owned(),
                ..ws::RespondQueryTaskCompletedRequest::default()
            };
            drop(self.client.retrying(&request).await); // who asked may be gone
            return;
        }
        let commands = machine.advance();
        let answer_of = |id: &String| {
            let answered = WorkflowQueryResult {
                result_type: QueryResultType::Answered.into(),
                answer: Some(answer.clone()),
                ..WorkflowQueryResult::default()
            };
            (id.clone(), answered)
        };
        let request = ws::RespondWorkflowTaskCompletedRequest {
            task_token: task.task_token,
            commands,
            identity: self.name.clone(),
            sticky_attributes: Some(StickyExecutionAttributes {
                worker_task_queue: Some(self.sticky_queue()),
                schedule_to_start_timeout: Some(prost_types::Duration { seconds: 5, nanos: 0 }),
            }),
            namespace: NAMESPACE.to_owned(),
            query_results: task.queries.keys().map(answer_of).collect(),
            ..ws::RespondWorkflowTaskCompletedRequest::default()
        };
        // Sometimes a worker thinks for so long that its task times out.
        if self.client.world.chance(0.01) {
            self.client.world.sleep(Duration::from_secs(15)).await;
        }
        if self.client.retrying(&request).await.is_err() {
            self.cache().remove(&run_id);
        }
    }

    /// The run's whole history up to the task: what is remembered with what the task brings, or from the server.
    async fn events(&self, task: &ws::PollWorkflowTaskQueueResponse) -> Option<Vec<HistoryEvent>> {
        let run_id = &task.workflow_execution.as_ref()?.run_id;
        let brought = task.history.clone().unwrap_or_default().events;
        let remembered = self.cache().get(run_id).cloned().unwrap_or_default();
        let first = brought.first().map_or(0, |event| event.event_id);
        let mut events = if first == 1 || remembered.len() as i64 + 1 != first {
            if first == 1 && task.next_page_token.is_empty() { brought } else { self.fetch(task).await? }
        } else {
            let mut events = remembered.clone();
            events.extend(brought);
            if task.next_page_token.is_empty() { events } else { self.fetch(task).await? }
        };
        // A query on a closed run, or one put directly, brings no task of its own.
        if task.query.is_none() {
            events.truncate(usize::try_from(task.started_event_id).unwrap_or(usize::MAX));
        }
        // A reply that comes late may bring less than what is remembered from a later one.
        let mut both = remembered.iter().zip(written(task, &events));
        if let Some((was, is)) = both.find(|(was, is)| was != is) {
            self.violations.add(format!("event {} of run {run_id} was {was:?} and is {is:?}", was.event_id));
        }
        Some(events)
    }

    async fn fetch(&self, task: &ws::PollWorkflowTaskQueueResponse) -> Option<Vec<HistoryEvent>> {
        let mut request = ws::GetWorkflowExecutionHistoryRequest {
            namespace: NAMESPACE.to_owned(),
            execution: task.workflow_execution.clone(),
            ..ws::GetWorkflowExecutionHistoryRequest::default()
        };
        let mut events = Vec::new();
        loop {
            let page = self.client.retrying(&request).await.ok()?;
            events.extend(page.history.unwrap_or_default().events);
            if page.next_page_token.is_empty() {
                return Some(events);
            }
            request.next_page_token = page.next_page_token;
        }
    }

    async fn give_up(&self, task: &ws::PollWorkflowTaskQueueResponse) {
        if task.query.is_some() {
            return;
        }
        let request = ws::RespondWorkflowTaskFailedRequest {
            task_token: task.task_token.clone(),
            cause: WorkflowTaskFailedCause::ResetStickyTaskQueue.into(),
            identity: self.name.clone(),
            namespace: NAMESPACE.to_owned(),
            ..ws::RespondWorkflowTaskFailedRequest::default()
        };
        drop(self.client.retrying(&request).await); // the task may be gone by now
    }

    async fn poll_activities(self: Arc<Self>) {
        let request = ws::PollActivityTaskQueueRequest {
            namespace: NAMESPACE.to_owned(),
            task_queue: Some(TaskQueue { name: self.queue.clone(), ..TaskQueue::default() }),
            identity: self.name.clone(),
            ..ws::PollActivityTaskQueueRequest::default()
        };
        loop {
            match self.client.once(&request, self.client.world.span(POLL.0, POLL.1)).await {
                Ok(task) if !task.task_token.is_empty() => {
                    let worker = Arc::clone(&self);
                    self.spawn(async move { worker.run_activity(task).await });
                }
                Ok(_) => {}
                Err(_) => self.client.world.sleep(Duration::from_millis(200)).await,
            }
        }
    }

    async fn run_activity(&self, task: ws::PollActivityTaskQueueResponse) {
        let activity_type = task.activity_type.as_ref().map_or("", |of| of.name.as_str());
        let world = &self.client.world;
        match (activity_type, task.attempt) {
            ("never answered", _) | ("lost once", 1) => return,
            ("flaky", 1 | 2) => return self.fail(task).await,
            ("beating", _) => {
                for _ in 0..3 {
                    world.sleep(Duration::from_secs(1)).await;
                    let _ = self.beat(&task).await;
                }
            }
            ("until cancelled", _) => loop {
                world.sleep(Duration::from_secs(1)).await;
                match self.beat(&task).await {
                    Some(true) => return self.cancel(task).await,
                    Some(false) => {}
                    None => return,
                }
            },
            _ => world.sleep(world.span(Duration::ZERO, Duration::from_millis(300))).await,
        }
        let request = ws::RespondActivityTaskCompletedRequest {
            task_token: task.task_token,
            result: Some(payloads("done")),
            identity: self.name.clone(),
            namespace: NAMESPACE.to_owned(),
            ..ws::RespondActivityTaskCompletedRequest::default()
        };
        drop(self.client.retrying(&request).await); // the attempt may be over by now
    }

    /// Whether the activity is to be cancelled; none if it is not wanted any more.
    async fn beat(&self, task: &ws::PollActivityTaskQueueResponse) -> Option<bool> {
        let request = ws::RecordActivityTaskHeartbeatRequest {
            task_token: task.task_token.clone(),
            details: Some(payloads("beat")),
            identity: self.name.clone(),
            namespace: NAMESPACE.to_owned(),
            ..ws::RecordActivityTaskHeartbeatRequest::default()
        };
        Some(self.client.retrying(&request).await.ok()?.cancel_requested)
    }

    async fn fail(&self, task: ws::PollActivityTaskQueueResponse) {
        let request = ws::RespondActivityTaskFailedRequest {
            task_token: task.task_token,
            failure: Some(application_failure("not yet")),
            identity: self.name.clone(),
            namespace: NAMESPACE.to_owned(),
            ..ws::RespondActivityTaskFailedRequest::default()
        };
        drop(self.client.retrying(&request).await); // the attempt may be over by now
    }

    async fn cancel(&self, task: ws::PollActivityTaskQueueResponse) {
        let request = ws::RespondActivityTaskCanceledRequest {
            task_token: task.task_token,
            identity: self.name.clone(),
            namespace: NAMESPACE.to_owned(),
            ..ws::RespondActivityTaskCanceledRequest::default()
        };
        drop(self.client.retrying(&request).await); // the attempt may be over by now
    }
}

/// The events of a task that are in the run's history. From the second attempt on, the task's own two are not written yet,
/// and others may come in their place (spec §3.3).
fn written<'a>(task: &ws::PollWorkflowTaskQueueResponse, events: &'a [HistoryEvent]) -> &'a [HistoryEvent] {
    let own = if task.attempt > 1 { 2 } else { 0 };
    &events[..events.len().saturating_sub(own)]
}
