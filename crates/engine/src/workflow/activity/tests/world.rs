//! One run with activities, driven without a store, and its history in words.
use uuid::Uuid;

use super::super::*;
use crate::{
    Context, Ids, NoWorkers, Refusal, Settings, Time,
    api::{
        Attributes, command as c,
        common::{ActivityType, Payload, Payloads, RetryPolicy, WorkflowType},
        enums::{CommandType, RetryState, TimeoutType},
        failure::{ApplicationFailureInfo, Failure, failure::FailureInfo},
        history::HistoryEvent,
        service::{RespondWorkflowTaskCompletedRequest, StartWorkflowExecutionRequest},
        taskqueue::TaskQueue,
    },
    time::Span,
    workflow::{
        Run, Transition, create, finish, start as starting, wake,
        workflow_task::{complete as task_complete, start as task_start},
    },
};

/// Counts instead of drawing.
pub(super) struct Counter(u128);

impl Ids for Counter {
    fn uuid(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }

    fn fraction(&mut self) -> f64 {
        0.0
    }
}

/// One run whose first workflow task was completed with some commands.
pub(super) struct World {
    pub(super) run: Run,
    settings: Settings,
    ids: Counter,
    pub(super) now: Time,
    history: Vec<HistoryEvent>,
    pub(super) eager: Vec<StartedActivity>,
}

impl World {
    pub(super) fn new(commands: Vec<c::Command>) -> Self {
        Self::with(Settings { eager_activities: true, ..Settings::default() }, commands)
    }

    pub(super) fn with(settings: Settings, commands: Vec<c::Command>) -> Self {
        let (mut ids, now) = (Counter(0), Time(Span::seconds(1000).0));
        let mut cx = Context { now, ids: &mut ids, workers: &mut NoWorkers, settings: &settings, namespace: "default" };
        let request = StartWorkflowExecutionRequest {
            workflow_id: "wf".into(),
            workflow_type: Some(WorkflowType { name: "Flow".into() }),
            task_queue: Some(TaskQueue { name: "tq".into(), ..Default::default() }),
            ..Default::default()
        };
        let new = starting::new_run(&mut cx, Uuid::from_u128(9), request);
        let created = create(&mut cx, new);
        let history = events(&created.finished.commit);
        let mut world = Self { run: created.run, settings, ids, now, history, eager: Vec::new() };
        world.turn(commands).unwrap();
        world
    }

    /// One transition, kept whatever it says.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Transition<'_, '_>) -> T) -> T {
        let mut cx = Context {
            now: self.now,
            ids: &mut self.ids,
            workers: &mut NoWorkers,
            settings: &self.settings,
            namespace: "default",
        };
        let mut tx = Transition::new(&mut self.run, &mut cx);
        let result = change(&mut tx);
        let finished = finish(tx);
        self.history.extend(events(&finished.commit));
        result
    }

    pub(super) fn start_task(&mut self) -> crate::workflow::TaskToken {
        let scheduled = self.run.header.workflow_task.as_ref().unwrap().scheduled_event_id;
        let taker = task_start::Taker { identity: "flow".into(), ..Default::default() };
        self.change(|tx| task_start::start(tx, scheduled, &taker)).unwrap().token
    }

    pub(super) fn complete_task(
        &mut self,
        token: &crate::workflow::TaskToken,
        commands: Vec<c::Command>,
    ) -> Result<(), task_complete::Stop> {
        let request = RespondWorkflowTaskCompletedRequest { commands, identity: "flow".into(), ..Default::default() };
        let completed = self.change(|tx| task_complete::complete(tx, token, request))?;
        self.eager = completed.eager_activities;
        Ok(())
    }

    pub(super) fn turn(&mut self, commands: Vec<c::Command>) -> Result<(), task_complete::Stop> {
        let token = self.start_task();
        self.complete_task(&token, commands)
    }

    /// A worker takes attempt `attempt` of activity 5.
    pub(super) fn take(&mut self, attempt: i32) -> Selector {
        let started = self.change(|tx| start(tx, 5, attempt, "taken", "worker")).unwrap();
        Selector::ByToken(started.token)
    }

    /// Lets this much time pass, and does what became due.
    pub(super) fn pass(&mut self, span: Span) {
        self.now = self.now + span;
        self.change(wake::wake);
    }

    pub(super) fn complete(&mut self, selector: &Selector) -> Result<(), Refusal> {
        let answer = CompletedAnswer { identity: "worker".into(), ..Default::default() };
        self.change(|tx| complete(tx, selector, answer))
    }

    pub(super) fn fail(&mut self, selector: &Selector, message: &str) -> Result<Vec<Failure>, Refusal> {
        let answer = FailedAnswer { failure: Some(boom(message)), identity: "worker".into(), ..Default::default() };
        self.change(|tx| fail(tx, selector, answer))
    }

    pub(super) fn beat(&mut self, selector: &Selector, details: Option<Payloads>) -> Result<HeartbeatReply, Refusal> {
        self.change(|tx| heartbeat(tx, selector, details, "worker"))
    }

    /// The history from this event on, one line each.
    pub(super) fn lines(&self, from: i64) -> Vec<String> {
        self.history.iter().filter(|e| e.event_id >= from).map(line).collect()
    }
}

pub(super) fn events(commit: &crate::workflow::Commit) -> Vec<HistoryEvent> {
    commit.batches.iter().flat_map(|batch| batch.events.clone()).collect()
}

pub(super) fn line(event: &HistoryEvent) -> String {
    use Attributes as A;
    let id = event.event_id;
    let text = |failure: &Option<Failure>| failure.as_ref().map_or("", |f| &f.message).to_owned();
    let state = |state: i32| RetryState::try_from(state).unwrap();
    match event.attributes.as_ref().unwrap() {
        A::ActivityTaskScheduledEventAttributes(a) => format!("{id} scheduled {}", a.activity_id),
        A::ActivityTaskStartedEventAttributes(a) => format!(
            "{id} started {} attempt {} by {:?} request {:?} after {:?}",
            a.scheduled_event_id,
            a.attempt,
            a.identity,
            a.request_id,
            text(&a.last_failure)
        ),
        A::ActivityTaskCompletedEventAttributes(a) => {
            format!("{id} completed {} {}", a.scheduled_event_id, a.started_event_id)
        }
        A::ActivityTaskFailedEventAttributes(a) => {
            let (of, started, state) = (a.scheduled_event_id, a.started_event_id, state(a.retry_state));
            format!("{id} failed {of} {started} {:?} {state:?}", text(&a.failure))
        }
        A::ActivityTaskTimedOutEventAttributes(a) => {
            let failure = a.failure.as_ref().unwrap();
            let Some(FailureInfo::TimeoutFailureInfo(info)) = &failure.failure_info else { panic!("not a timeout") };
            let (of, started, state) = (a.scheduled_event_id, a.started_event_id, state(a.retry_state));
            let kind: TimeoutType = info.timeout_type();
            let beat = if info.last_heartbeat_details.is_some() { " with details" } else { "" };
            let cause = failure.cause.as_ref().map_or("", |f| &f.message);
            format!("{id} timed out {of} {started} {kind:?} {state:?} cause {cause:?}{beat}: {}", failure.message)
        }
        A::ActivityTaskCancelRequestedEventAttributes(a) => format!("{id} cancel requested {}", a.scheduled_event_id),
        A::ActivityTaskCanceledEventAttributes(a) => {
            let (of, started, asked) = (a.scheduled_event_id, a.started_event_id, a.latest_cancel_requested_event_id);
            format!("{id} canceled {of} {started} asked by {asked}")
        }
        _ => format!("{id} {}", event.event_type().as_str_name().trim_start_matches("EVENT_TYPE_").to_lowercase()),
    }
}

pub(super) fn boom(message: &str) -> Failure {
    let info = ApplicationFailureInfo { r#type: "Boom".into(), ..Default::default() };
    let failure_info = Some(FailureInfo::ApplicationFailureInfo(info));
    Failure { message: message.into(), failure_info, ..Default::default() }
}

pub(super) fn payloads(size_bytes: usize) -> Option<Payloads> {
    let payload = Payload { data: vec![b'x'; size_bytes].into(), ..Default::default() };
    Some(Payloads { payloads: vec![payload] })
}

/// Activity `id` with a start-to-close timeout of 10 s, and what the caller changes.
pub(super) fn activity(id: &str, change: impl FnOnce(&mut c::ScheduleActivityTaskCommandAttributes)) -> c::Command {
    let mut a = c::ScheduleActivityTaskCommandAttributes {
        activity_id: id.into(),
        activity_type: Some(ActivityType { name: "Act".into() }),
        task_queue: Some(TaskQueue { name: "tq".into(), ..Default::default() }),
        start_to_close_timeout: Some(Span::seconds(10).duration()),
        ..Default::default()
    };
    change(&mut a);
    command(CommandType::ScheduleActivityTask, c::command::Attributes::ScheduleActivityTaskCommandAttributes(a))
}

pub(super) fn plain(id: &str) -> c::Command {
    activity(id, |_| {})
}

pub(super) fn cancel(scheduled_event_id: i64) -> c::Command {
    let a = c::RequestCancelActivityTaskCommandAttributes { scheduled_event_id };
    let attributes = c::command::Attributes::RequestCancelActivityTaskCommandAttributes(a);
    command(CommandType::RequestCancelActivityTask, attributes)
}

pub(super) fn command(kind: CommandType, attributes: c::command::Attributes) -> c::Command {
    c::Command { command_type: kind as i32, attributes: Some(attributes), ..Default::default() }
}

pub(super) fn attempts(maximum_attempts: i32) -> Option<RetryPolicy> {
    Some(RetryPolicy { maximum_attempts, ..Default::default() })
}

pub(super) fn by_id(id: &str) -> Selector {
    Selector::ById { activity_id: id.into() }
}

pub(super) fn refusal(stop: task_complete::Stop) -> String {
    match stop {
        task_complete::Stop::Refused(refusal) | task_complete::Stop::Recorded(refusal) => refusal.to_string(),
    }
}
