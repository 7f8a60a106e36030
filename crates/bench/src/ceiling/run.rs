//! One run: what its next task must say, and who waits for its end.
use abide_proto::temporal::api::{
    command::v1::{ScheduleActivityTaskCommandAttributes, command::Attributes as Command},
    common::v1::{WorkflowExecution, WorkflowType},
    history::v1::{History, HistoryEvent, history_event::Attributes},
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{
        PollActivityTaskQueueResponse, PollWorkflowTaskQueueResponse, RespondActivityTaskCompletedRequest,
        RespondWorkflowTaskCompletedRequest, StartWorkflowExecutionRequest,
    },
};
use prost_types::Timestamp;
use rustc_hash::FxHashSet;
use tokio::sync::oneshot;
use tonic::Status;

use super::{events, token::Token};
use crate::{clock, wire};

/// A run of the load.
pub(super) struct Run {
    execution: WorkflowExecution,
    workflow_type: Option<WorkflowType>,
    normal_queue: TaskQueue,
    /// The sticky queue once a worker has answered a task.
    current_queue: TaskQueue,
    next_event_id: i64,
    /// Events that no task has shown yet.
    fresh: Vec<HistoryEvent>,
    /// Events that came while a task was started; they have no ids yet.
    buffered: Vec<HistoryEvent>,
    previous_started_event_id: i64,
    task: Task,
    open_activities: FxHashSet<i64>,
    end: End,
}

enum Task {
    None,
    Scheduled { event_id: i64, time: Timestamp },
    Started { scheduled_event_id: i64, started_event_id: i64 },
}

enum End {
    Open(Vec<oneshot::Sender<HistoryEvent>>),
    Closed(Box<HistoryEvent>),
}

/// What follows from the answer to a workflow task.
#[derive(Default)]
pub(super) struct Answered {
    /// Activity tasks, with the queues to put them on.
    pub(super) activities: Vec<(String, PollActivityTaskQueueResponse)>,
    /// The next workflow task, already started.
    pub(super) next: Option<PollWorkflowTaskQueueResponse>,
}

impl Run {
    /// A run with its first task scheduled.
    pub(super) fn new(start: StartWorkflowExecutionRequest, run_id: String) -> Self {
        let normal_queue = start.task_queue.clone().unwrap_or_default();
        let mut run = Run {
            execution: WorkflowExecution { workflow_id: start.workflow_id.clone(), run_id },
            workflow_type: start.workflow_type.clone(),
            current_queue: normal_queue.clone(),
            normal_queue,
            next_event_id: 1,
            fresh: Vec::with_capacity(4),
            buffered: Vec::new(),
            previous_started_event_id: 0,
            task: Task::None,
            open_activities: FxHashSet::default(),
            end: End::Open(Vec::new()),
        };
        let started = events::started(start, &run.execution.run_id);
        run.add(started);
        run.schedule_task();
        run
    }

    /// The queue that holds the run's next workflow task.
    pub(super) fn queue(&self) -> &str {
        &self.current_queue.name
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.end, End::Closed(_))
    }

    /// Starts the scheduled task for the poller `identity`; None when nothing is scheduled.
    pub(super) fn start_task(&mut self, identity: String) -> Option<PollWorkflowTaskQueueResponse> {
        let Task::Scheduled { event_id: scheduled_event_id, time } = self.task else { return None };
        let started_event_id = self.add(events::task_started(scheduled_event_id, identity));
        self.task = Task::Started { scheduled_event_id, started_event_id };
        let task = PollWorkflowTaskQueueResponse {
            task_token: Token { workflow_id: &self.execution.workflow_id, event_id: started_event_id }.encode(),
            workflow_execution: Some(self.execution.clone()),
            workflow_type: self.workflow_type.clone(),
            previous_started_event_id: self.previous_started_event_id,
            started_event_id,
            attempt: 1,
            history: Some(History { events: std::mem::take(&mut self.fresh) }),
            workflow_execution_task_queue: Some(self.normal_queue.clone()),
            scheduled_time: Some(time),
            started_time: Some(clock::timestamp()),
            ..Default::default()
        };
        Some(task)
    }

    /// Takes the answer to the task that `event_id` started.
    pub(super) fn answer_task(
        &mut self,
        event_id: i64,
        answer: RespondWorkflowTaskCompletedRequest,
    ) -> Result<Answered, Status> {
        let Task::Started { scheduled_event_id, started_event_id } = self.task else { return Err(no_task()) };
        if started_event_id != event_id || self.is_closed() {
            return Err(no_task());
        }
        if let Some(sticky) = answer.sticky_attributes.and_then(|s| s.worker_task_queue) {
            self.current_queue = sticky;
        }
        self.previous_started_event_id = started_event_id;
        self.task = Task::None;
        let identity = answer.identity;
        let completed_event_id =
            self.add(events::task_completed(scheduled_event_id, started_event_id, identity.clone()));
        let mut answered = Answered::default();
        for command in answer.commands {
            match command.attributes {
                Some(Command::ScheduleActivityTaskCommandAttributes(schedule)) => {
                    let queue = schedule.task_queue.as_ref().map_or("", |q| &q.name).to_owned();
                    let mut task = self.activity_task(&schedule);
                    let event_id = self.add(events::activity_scheduled(schedule, completed_event_id));
                    task.task_token = Token { workflow_id: &self.execution.workflow_id, event_id }.encode();
                    self.open_activities.insert(event_id);
                    answered.activities.push((queue, task));
                }
                Some(Command::RecordMarkerCommandAttributes(record)) => {
                    self.add(events::marker(record, completed_event_id));
                }
                Some(Command::CompleteWorkflowExecutionCommandAttributes(complete)) => {
                    if !self.buffered.is_empty() {
                        return Err(Status::invalid_argument("UnhandledCommand"));
                    }
                    self.close(events::completed(complete, completed_event_id));
                    return Ok(answered);
                }
                _ => return Err(Status::unimplemented("not a command of the load")),
            }
        }
        if !self.buffered.is_empty() {
            for event in std::mem::take(&mut self.buffered) {
                self.add(event);
            }
            self.schedule_task();
            answered.next = self.start_task(identity);
        }
        Ok(answered)
    }

    /// Takes an activity's result. Returns whether a workflow task is now to be put on [`Run::queue`].
    pub(super) fn complete_activity(
        &mut self,
        scheduled_event_id: i64,
        answer: RespondActivityTaskCompletedRequest,
    ) -> Result<bool, Status> {
        if !self.open_activities.remove(&scheduled_event_id) {
            return Err(Status::not_found("invalid activityID or activity already timed out"));
        }
        let started = events::activity_started(scheduled_event_id, answer.identity.clone());
        Ok(self.record([started, events::activity_completed(scheduled_event_id, answer)]))
    }

    /// Adds what came from outside. Returns whether a workflow task is now to be put on [`Run::queue`].
    pub(super) fn record(&mut self, events: impl IntoIterator<Item = HistoryEvent>) -> bool {
        if matches!(self.task, Task::Started { .. }) {
            self.buffered.extend(events);
            return false;
        }
        for event in events {
            self.add(event);
        }
        let to_schedule = matches!(self.task, Task::None);
        if to_schedule {
            self.schedule_task();
        }
        to_schedule
    }

    /// The close event, or a wait for it.
    pub(super) fn close_event(&mut self) -> Result<HistoryEvent, oneshot::Receiver<HistoryEvent>> {
        match &mut self.end {
            End::Closed(event) => Ok((**event).clone()),
            End::Open(waiters) => {
                let (sender, receiver) = oneshot::channel();
                waiters.push(sender);
                Err(receiver)
            }
        }
    }

    fn close(&mut self, mut event: HistoryEvent) {
        event.event_id = self.next_event_id;
        let End::Open(waiters) = std::mem::replace(&mut self.end, End::Closed(Box::new(event.clone()))) else { return };
        for waiter in waiters {
            let _gone = waiter.send(event.clone()); // nobody waits any more
        }
    }

    fn schedule_task(&mut self) {
        let event = events::task_scheduled(self.current_queue.clone());
        let time = event.event_time.unwrap_or_default();
        self.task = Task::Scheduled { event_id: self.add(event), time };
    }

    /// Gives the event the next id. The events of an activity's end come in pairs, so the started one is the one before.
    fn add(&mut self, mut event: HistoryEvent) -> i64 {
        let event_id = self.next_event_id;
        if let Some(Attributes::ActivityTaskCompletedEventAttributes(completed)) = &mut event.attributes {
            completed.started_event_id = event_id - 1;
        }
        event.event_id = event_id;
        self.fresh.push(event);
        self.next_event_id += 1;
        event_id
    }

    fn activity_task(&self, schedule: &ScheduleActivityTaskCommandAttributes) -> PollActivityTaskQueueResponse {
        let now = clock::timestamp();
        PollActivityTaskQueueResponse {
            workflow_namespace: wire::NAMESPACE.to_owned(),
            workflow_type: self.workflow_type.clone(),
            workflow_execution: Some(self.execution.clone()),
            activity_type: schedule.activity_type.clone(),
            activity_id: schedule.activity_id.clone(),
            input: schedule.input.clone(),
            scheduled_time: Some(now),
            current_attempt_scheduled_time: Some(now),
            started_time: Some(now),
            attempt: 1,
            start_to_close_timeout: schedule.start_to_close_timeout,
            ..Default::default()
        }
    }
}

fn no_task() -> Status {
    Status::not_found("Workflow task not found.")
}
