//! A rig that drives one workflow id through the engine as a shard does, with a store of its own, and checks after
//! every step what must always hold.
#![allow(clippy::unwrap_used, dead_code)]
use std::collections::BTreeMap;

use abide_engine::{
    Context, Ids, Refusal, Settings, Time,
    api::{Attributes, command, common, enums, history as h, history::HistoryEvent, service, taskqueue},
    time::Span,
    workflow::{
        Commit, Dispatch, Finished, OutboxKey, Run, RunKey, TaskKind, TaskToken, Transition, cancel, close, create, signal,
        start, wake,
        workflow_task::{
            complete::{self, Completed, Stop},
            fail,
            start::{StartedWorkflowTask, Taker, start as take_task},
        },
    },
};
use uuid::Uuid;

/// Counts up, so that a failing run can be repeated.
pub struct Counter(u128);

impl Ids for Counter {
    fn uuid(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }

    fn fraction(&mut self) -> f64 {
        0.5
    }
}

/// What the store holds of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    pub records: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
    pub events: Vec<HistoryEvent>,
    pub batches: Vec<i64>,
    pub wakeup_ms: i64,
    pub outbox: Vec<Dispatch>,
}

pub struct Rig {
    pub settings: Settings,
    pub now: Time,
    ids: Counter,
    pub run: Run,
    pub stored: BTreeMap<Uuid, Stored>,
    /// Load the run anew from its records after every step.
    pub reload: bool,
}

pub const NAMESPACE: Uuid = Uuid::from_u128(0xabcd);

impl Rig {
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub fn start_with(change: impl FnOnce(&mut service::StartWorkflowExecutionRequest)) -> Self {
        let settings = Settings::default();
        let mut ids = Counter(0);
        let now = Time(1_000_000_000_000_000_000);
        let mut request = service::StartWorkflowExecutionRequest {
            workflow_id: "wf".into(),
            workflow_type: Some(common::WorkflowType { name: "Flow".into() }),
            task_queue: Some(taskqueue::TaskQueue { name: "tq".into(), kind: 1, ..Default::default() }),
            request_id: "r1".into(),
            identity: "starter".into(),
            ..Default::default()
        };
        change(&mut request);
        let mut cx = Context { now, ids: &mut ids, settings: &settings, namespace: "default" };
        start::validate_start(&settings, "default", &request).unwrap();
        let new = start::new_run(&mut cx, NAMESPACE, request);
        let made = create(&mut cx, new);
        let mut rig = Self { settings, now, ids, run: made.run, stored: BTreeMap::new(), reload: false };
        rig.take(made.finished);
        rig
    }

    /// Runs one transition, and what follows from it, and checks.
    pub fn step<R>(&mut self, change: impl FnOnce(&mut Transition<'_, '_>) -> Result<R, Stop>) -> Result<R, Refusal> {
        let mut cx = Context { now: self.now, ids: &mut self.ids, settings: &self.settings, namespace: "default" };
        let before = format!("{:?}", self.run);
        let mut tx = Transition::new(&mut self.run, &mut cx);
        let outcome = match change(&mut tx) {
            Ok(value) => Ok(value),
            Err(Stop::Recorded(refusal)) => Err(refusal),
            Err(Stop::Refused(refusal)) => {
                tx.abort();
                assert_eq!(format!("{:?}", self.run), before, "a refusal changes nothing");
                return Err(refusal);
            }
        };
        let finished = tx.finish();
        self.take(finished);
        outcome
    }

    fn take(&mut self, finished: Finished) {
        let Finished { commit, successor } = finished;
        self.write(commit);
        self.check();
        if let Some(new) = successor {
            let mut cx = Context { now: self.now, ids: &mut self.ids, settings: &self.settings, namespace: "default" };
            let made = create(&mut cx, *new);
            self.run = made.run;
            self.take(made.finished);
        }
    }

    fn write(&mut self, commit: Commit) {
        let stored = self.stored.entry(commit.key.run_id).or_default();
        for change in commit.records {
            let key = (change.class as u8, change.suffix);
            match change.value {
                Some(value) => stored.records.insert(key, value),
                None => stored.records.remove(&key),
            };
        }
        for batch in commit.batches {
            let decoded: h::History = prost::Message::decode(batch.encoded.as_slice()).unwrap();
            assert_eq!(decoded.events, batch.events);
            stored.batches.push(batch.first_event_id);
            stored.events.extend(batch.events);
        }
        assert_eq!(stored.wakeup_ms, commit.wakeup_ms.0, "the timer row that is moved is the one that is there");
        stored.wakeup_ms = commit.wakeup_ms.1;
        for gone in commit.outbox_removed {
            let at = stored.outbox.iter().position(|d| key(d) == gone);
            stored.outbox.remove(at.expect("an outbox row that goes was there"));
        }
        for added in commit.outbox_added {
            stored.outbox.retain(|d| key(d) != key(&added));
            stored.outbox.push(added);
        }
    }

    /// What holds after every transition.
    fn check(&mut self) {
        let stored = &self.stored[&self.run.key.run_id];
        let ids: Vec<i64> = stored.events.iter().map(|e| e.event_id).collect();
        assert_eq!(ids, (1..=ids.len() as i64).collect::<Vec<_>>(), "event ids are gap-free");
        assert_eq!(self.run.header.next_event_id, ids.len() as i64 + 1);
        check_order(&stored.events);
        let records = stored.records.iter().map(|((class, suffix), value)| (*class, &suffix[..], &value[..]));
        let loaded = Run::load(self.run.key.clone(), records).unwrap();
        assert_eq!(format!("{loaded:?}"), format!("{:?}", self.run), "the store holds what memory holds");
        match loaded.next_deadline() {
            Some(due) => assert!(stored.wakeup_ms != 0 && stored.wakeup_ms <= due.ceil_ms(), "a timer is never late"),
            None => assert!(loaded.is_running() || stored.wakeup_ms != 0, "a closed run has its retention's timer"),
        }
        if !loaded.is_running() {
            assert_eq!(stored.outbox, [], "a closed run hands nothing out");
        }
        if self.reload {
            self.run = loaded;
        }
    }

    pub fn stored(&self) -> &Stored {
        &self.stored[&self.run.key.run_id]
    }

    pub fn events(&self) -> &[HistoryEvent] {
        &self.stored().events
    }

    /// The history in one line per event: the id, the type, and what tells two of a type apart.
    pub fn history(&self) -> String {
        self.events().iter().map(|e| format!("{} {}\n", e.event_id, brief(e))).collect()
    }

    pub fn signal(&mut self, name: &str) -> Result<(), Refusal> {
        let attributes = h::WorkflowExecutionSignaledEventAttributes { signal_name: name.into(), ..Default::default() };
        self.step(|tx| Ok(signal::signal(tx, attributes, vec![])?))
    }

    pub fn cancel(&mut self) {
        self.step(|tx| {
            cancel::request_cancel(tx, Default::default());
            Ok(())
        })
        .unwrap();
    }

    pub fn terminate(&mut self) -> Result<(), Refusal> {
        let request = service::TerminateWorkflowExecutionRequest { reason: "enough".into(), ..Default::default() };
        self.step(|tx| Ok(close::respond_terminate(tx, request)?))
    }

    /// What waits for a worker of this kind, oldest first.
    pub fn waiting(&self, kind: TaskKind) -> Option<Dispatch> {
        self.stored().outbox.iter().find(|d| d.task_kind() == kind).cloned()
    }

    /// Takes the workflow task that waits, from its own queue.
    pub fn workflow_task(&mut self) -> Option<StartedWorkflowTask> {
        let waiting = self.waiting(TaskKind::Workflow)?;
        let sticky_queue = if waiting.is_sticky() { waiting.queue.clone() } else { String::new() };
        let request_id = format!("take-{}", self.now.0);
        let taker = Taker { identity: "worker".into(), request_id, sticky_queue };
        Some(self.step(|tx| Ok(take_task(tx, waiting.scheduled_event_id, &taker)?)).unwrap())
    }

    pub fn complete(
        &mut self,
        task: &StartedWorkflowTask,
        commands: Vec<command::Command>,
    ) -> Result<Completed, Refusal> {
        let request = service::RespondWorkflowTaskCompletedRequest {
            commands,
            identity: "worker".into(),
            ..Default::default()
        };
        self.complete_with(&task.token, request)
    }

    pub fn complete_with(
        &mut self,
        token: &TaskToken,
        request: service::RespondWorkflowTaskCompletedRequest,
    ) -> Result<Completed, Refusal> {
        self.step(|tx| complete::complete(tx, token, request))
    }

    pub fn fail(&mut self, task: &StartedWorkflowTask) -> Result<(), Refusal> {
        let cause = enums::WorkflowTaskFailedCause::NonDeterministicError as i32;
        let request = service::RespondWorkflowTaskFailedRequest { cause, ..Default::default() };
        self.step(|tx| Ok(fail::respond(tx, &task.token, request)?))
    }

    /// Lets time pass, waking the run at its timer rows as they come.
    pub fn pass(&mut self, span: Span) {
        let until = self.now + span;
        while self.run.is_running() {
            let at = Time::from_ms(self.stored().wakeup_ms);
            if !at.is_set() || at > until {
                break;
            }
            self.now = self.now.max(at);
            self.step(|tx| {
                wake::wake(tx);
                Ok(())
            })
            .unwrap();
        }
        self.now = until;
    }
}

fn key(dispatch: &Dispatch) -> OutboxKey {
    OutboxKey {
        scheduled_ms: dispatch.outbox_ms(),
        kind: dispatch.task_kind(),
        event_id: dispatch.scheduled_event_id,
    }
}

/// Legal order: Started first, at most one close and nothing after it, each timer and activity closed at most once.
fn check_order(events: &[HistoryEvent]) {
    use enums::EventType as T;
    assert_eq!(events[0].event_type(), T::WorkflowExecutionStarted);
    let closes = [
        T::WorkflowExecutionCompleted,
        T::WorkflowExecutionFailed,
        T::WorkflowExecutionTimedOut,
        T::WorkflowExecutionCanceled,
        T::WorkflowExecutionTerminated,
        T::WorkflowExecutionContinuedAsNew,
    ];
    let first_close = events.iter().position(|e| closes.contains(&e.event_type()));
    assert!(first_close.is_none_or(|at| at + 1 == events.len()), "nothing follows the close event");
    let mut ended = std::collections::BTreeSet::new();
    for event in events {
        let begun = match event.attributes.as_ref().unwrap() {
            Attributes::TimerFiredEventAttributes(a) => a.started_event_id,
            Attributes::TimerCanceledEventAttributes(a) => a.started_event_id,
            Attributes::ActivityTaskCompletedEventAttributes(a) => a.scheduled_event_id,
            Attributes::ActivityTaskFailedEventAttributes(a) => a.scheduled_event_id,
            Attributes::ActivityTaskTimedOutEventAttributes(a) => a.scheduled_event_id,
            Attributes::ActivityTaskCanceledEventAttributes(a) => a.scheduled_event_id,
            _ => continue,
        };
        assert!(begun < event.event_id, "what ends has begun");
        assert!(ended.insert(begun), "{begun} ends once");
    }
}

fn brief(event: &HistoryEvent) -> String {
    let name = event.event_type().as_str_name().trim_start_matches("EVENT_TYPE_").to_owned();
    match event.attributes.as_ref().unwrap() {
        Attributes::WorkflowTaskScheduledEventAttributes(a) => format!("{name} attempt={}", a.attempt),
        Attributes::WorkflowTaskFailedEventAttributes(a) => format!("{name} {:?}", a.cause()),
        Attributes::WorkflowTaskTimedOutEventAttributes(a) => format!("{name} {:?}", a.timeout_type()),
        Attributes::WorkflowExecutionSignaledEventAttributes(a) => format!("{name} {}", a.signal_name),
        Attributes::TimerStartedEventAttributes(a) => format!("{name} {}", a.timer_id),
        Attributes::TimerFiredEventAttributes(a) => format!("{name} {}", a.timer_id),
        Attributes::TimerCanceledEventAttributes(a) => format!("{name} {}", a.timer_id),
        _ => name,
    }
}

pub mod cmd {
    use abide_engine::api::{
        command::{self, Command, command::Attributes},
        common,
        enums::CommandType,
        taskqueue,
    };
    use abide_engine::time::Span;

    pub fn of(kind: CommandType, attributes: Attributes) -> Command {
        Command { command_type: kind as i32, attributes: Some(attributes), ..Default::default() }
    }

    pub fn timer(id: &str, after: Span) -> Command {
        let attributes = command::StartTimerCommandAttributes {
            timer_id: id.into(),
            start_to_fire_timeout: Some(after.duration()),
        };
        of(CommandType::StartTimer, Attributes::StartTimerCommandAttributes(attributes))
    }

    pub fn cancel_timer(id: &str) -> Command {
        let attributes = command::CancelTimerCommandAttributes { timer_id: id.into() };
        of(CommandType::CancelTimer, Attributes::CancelTimerCommandAttributes(attributes))
    }

    pub fn marker(name: &str) -> Command {
        let attributes = command::RecordMarkerCommandAttributes { marker_name: name.into(), ..Default::default() };
        of(CommandType::RecordMarker, Attributes::RecordMarkerCommandAttributes(attributes))
    }

    pub fn done() -> Command {
        let attributes = command::CompleteWorkflowExecutionCommandAttributes::default();
        of(CommandType::CompleteWorkflowExecution, Attributes::CompleteWorkflowExecutionCommandAttributes(attributes))
    }

    pub fn activity(id: &str, start_to_close: Span) -> Command {
        let attributes = command::ScheduleActivityTaskCommandAttributes {
            activity_id: id.into(),
            activity_type: Some(common::ActivityType { name: "Act".into() }),
            task_queue: Some(taskqueue::TaskQueue { name: "tq".into(), ..Default::default() }),
            start_to_close_timeout: Some(start_to_close.duration()),
            ..Default::default()
        };
        of(CommandType::ScheduleActivityTask, Attributes::ScheduleActivityTaskCommandAttributes(attributes))
    }
}
