//! A rig that drives one workflow id through the engine as a shard does, with a store of its own, and checks after
//! every step what must always hold.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)] // shared by several test programs
pub mod check;
pub mod cmd;
pub mod steps;
mod text;

use std::collections::BTreeMap;

use abide_engine::{
    Context, Ids, Refusal, Settings, Time, Workers,
    api::{common, history as h, history::HistoryEvent, service, taskqueue},
    time::Span,
    workflow::{
        Commit, Dispatch, Finished, OutboxKey, Run, RunKey, Started, Transition, create, finish, start,
        workflow_task::{
            complete::Stop,
            start::{StartedWorkflowTask, Taker},
        },
    },
};
use uuid::Uuid;

/// Counts up, so that a failing run can be repeated.
#[derive(Clone)]
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

/// The workers that wait.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// Whether any do: they take every task at once then.
    pub wait: bool,
    /// Of every take.
    pub request_id: String,
}

impl Workers for Waiting {
    fn take(&mut self, _: &RunKey, task: &Dispatch) -> Option<Taker> {
        let sticky_queue = if task.is_sticky() { task.queue.clone() } else { String::new() };
        self.wait.then(|| Taker { identity: "worker".into(), request_id: self.request_id.clone(), sticky_queue })
    }
}

/// What the store holds of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    pub records: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
    pub events: Vec<HistoryEvent>,
    /// The first event id of each batch.
    pub batches: Vec<i64>,
    pub wakeup_ms: i64,
    pub outbox: Vec<Dispatch>,
}

pub struct Rig {
    pub settings: Settings,
    pub now: Time,
    /// The clock was never set back.
    pub clock_is_steady: bool,
    ids: Counter,
    pub workers: Waiting,
    /// What workers that waited were given, and did not look at yet; oldest first.
    pub handed_over: Vec<Started>,
    /// Every run of the workflow id, closed ones too.
    runs: BTreeMap<Uuid, Run>,
    /// The newest of them.
    pub current: Uuid,
    pub stored: BTreeMap<Uuid, Stored>,
    /// What the start handed out eagerly.
    pub eager_task: Option<StartedWorkflowTask>,
    /// Load the run anew from its records after every step.
    pub reload: bool,
}

pub const NAMESPACE: Uuid = Uuid::from_u128(0xabcd);

/// The start that rigs begin with.
pub fn start_request() -> service::StartWorkflowExecutionRequest {
    service::StartWorkflowExecutionRequest {
        workflow_id: "wf".into(),
        workflow_type: Some(common::WorkflowType { name: "Flow".into() }),
        task_queue: Some(taskqueue::TaskQueue { name: "tq".into(), kind: 1, ..Default::default() }),
        request_id: "r1".into(),
        identity: "starter".into(),
        ..Default::default()
    }
}

impl Rig {
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub fn start_with(change: impl FnOnce(&mut service::StartWorkflowExecutionRequest)) -> Self {
        Self::with_settings(Settings::default(), change)
    }

    pub fn with_settings(settings: Settings, change: impl FnOnce(&mut service::StartWorkflowExecutionRequest)) -> Self {
        let mut request = start_request();
        change(&mut request);
        let mut rig = Self::empty(settings);
        rig.create(request, None);
        rig
    }

    /// A run whose workers wait from the first, or never.
    pub fn start_with_workers(wait: bool) -> Self {
        let mut rig = Self::empty(Settings::default());
        rig.workers.wait = wait;
        rig.create(start_request(), None);
        rig
    }

    fn empty(settings: Settings) -> Self {
        Self {
            settings,
            now: Time(1_000_000_000_000_000_000),
            clock_is_steady: true,
            ids: Counter(0),
            workers: Waiting { wait: false, request_id: "take".into() },
            handed_over: Vec::new(),
            runs: BTreeMap::new(),
            current: Uuid::nil(),
            stored: BTreeMap::new(),
            eager_task: None,
            reload: false,
        }
    }

    /// Makes a run as a start does; one that still runs ends for it in the same write.
    pub(crate) fn create(
        &mut self,
        request: service::StartWorkflowExecutionRequest,
        signal: Option<h::WorkflowExecutionSignaledEventAttributes>,
    ) {
        let mut cx = Context {
            now: self.now,
            ids: &mut self.ids,
            workers: &mut self.workers,
            settings: &self.settings,
            namespace: "default",
        };
        start::validate_start(&self.settings, "default", &request).unwrap();
        let mut new = start::new_run(&mut cx, NAMESPACE, request);
        new.signal = signal.map(|signal| (signal, Vec::new()));
        let new_run_id = new.key.run_id.to_string();
        let ended = self.runs.get_mut(&self.current).filter(|run| run.is_running()).map(|old| {
            let mut tx = Transition::new(old, &mut cx);
            start::terminate_existing(&mut tx, &new_run_id);
            finish(tx)
        });
        let made = create(&mut cx, new);
        if let Some(ended) = ended {
            assert!(ended.successor.is_none(), "nothing follows a run that was terminated");
            self.write(ended.commit);
            self.check(self.current);
        }
        self.eager_task = made.eager_task;
        self.take_new(made.run, made.finished);
    }

    /// Runs one transition of the newest run, and what follows from it, and checks.
    pub fn step<R>(&mut self, change: impl FnOnce(&mut Transition<'_, '_>) -> Result<R, Stop>) -> Result<R, Refusal> {
        self.step_on(self.current, change)
    }

    /// Runs one transition of any run.
    pub fn step_on<R>(
        &mut self,
        run_id: Uuid,
        change: impl FnOnce(&mut Transition<'_, '_>) -> Result<R, Stop>,
    ) -> Result<R, Refusal> {
        let mut cx = Context {
            now: self.now,
            ids: &mut self.ids,
            workers: &mut self.workers,
            settings: &self.settings,
            namespace: "default",
        };
        let run = self.runs.get_mut(&run_id).unwrap();
        let (before, was_running) = (run.clone(), run.is_running());
        let mut tx = Transition::new(run, &mut cx);
        let outcome = match change(&mut tx) {
            Ok(value) => Ok(value),
            Err(Stop::Recorded(refusal)) => Err(refusal),
            Err(Stop::Refused(refusal)) => {
                tx.abort();
                assert!(check::same(run, &before), "a refusal changes nothing: {before:?}\n{run:?}");
                return Err(refusal);
            }
        };
        let finished = finish(tx);
        if !was_running {
            assert!(check::same(run, &before), "nothing changes after the close: {before:?}\n{run:?}");
            assert!(finished.commit.is_empty(), "nothing is written after the close: {:?}", finished.commit);
        }
        self.take(finished);
        outcome
    }

    fn take(&mut self, finished: Finished) {
        let Finished { commit, successor, started } = finished;
        let run_id = commit.key.run_id;
        self.write(commit);
        for started in &started {
            if let Started::Workflow(task) = started {
                check::task(task, &self.stored[&run_id]);
            }
        }
        self.handed_over.extend(started);
        self.check(run_id);
        if let Some(new) = successor {
            assert!(!self.runs[&run_id].is_running(), "a run is followed only when it is closed");
            check::link(self.stored[&run_id].events.last().unwrap(), run_id, &new);
            let mut cx = Context {
                now: self.now,
                ids: &mut self.ids,
                workers: &mut self.workers,
                settings: &self.settings,
                namespace: "default",
            };
            let made = create(&mut cx, *new);
            self.take_new(made.run, made.finished);
        }
        let running = self.runs.values().filter(|run| run.is_running()).count();
        assert!(running <= 1, "one run at a time");
    }

    fn take_new(&mut self, run: Run, finished: Finished) {
        assert!(finished.commit.is_new_run);
        self.current = run.key.run_id;
        assert!(self.runs.insert(self.current, run).is_none(), "a run id is used once");
        self.take(finished);
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
            // By their bytes: a number that is none equals nothing.
            let events = h::History { events: batch.events.clone() };
            assert_eq!(prost::Message::encode_to_vec(&events), batch.encoded);
            assert_eq!(batch.events[0].event_id, batch.first_event_id);
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

    fn check(&mut self, run_id: Uuid) {
        let (run, stored) = (&self.runs[&run_id], &self.stored[&run_id]);
        let loaded = check::all(run, stored, self.now, &self.settings, self.clock_is_steady);
        if self.reload {
            self.runs.insert(run_id, loaded);
        }
    }

    /// Drops the newest run from memory, and loads it from the store.
    pub fn load(&mut self) {
        let run = check::load(self.run(), self.stored());
        self.runs.insert(self.current, run);
    }

    /// The newest run.
    pub fn run(&self) -> &Run {
        &self.runs[&self.current]
    }

    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.values()
    }

    pub fn stored(&self) -> &Stored {
        &self.stored[&self.current]
    }

    pub fn events(&self) -> &[HistoryEvent] {
        &self.stored().events
    }

    /// The history in one line per event: the id, the type, and what tells two of a type apart.
    pub fn history(&self) -> String {
        self.history_of(self.current)
    }

    pub fn history_of(&self, run_id: Uuid) -> String {
        self.stored[&run_id].events.iter().map(text::line).collect()
    }

    /// Compares the newest run's history; the lines may be indented.
    pub fn expect(&self, want: &str) {
        assert_eq!(self.history(), text::unindented(want));
    }

    /// As [`Rig::expect`], from this event on.
    pub fn expect_from(&self, event_id: i64, want: &str) {
        let lines: String = self.events().iter().filter(|e| e.event_id >= event_id).map(text::line).collect();
        assert_eq!(lines, text::unindented(want));
    }

    /// Lets time pass, waking the run at its timer rows as they come.
    pub fn pass(&mut self, span: Span) {
        let until = self.now + span;
        while self.run().is_running() {
            let at = Time::from_ms(self.stored().wakeup_ms);
            if !at.is_set() || at > until {
                break;
            }
            self.now = self.now.max(at);
            self.wake();
        }
        self.now = until;
    }
}

pub fn key(dispatch: &Dispatch) -> OutboxKey {
    OutboxKey { scheduled_ms: dispatch.outbox_ms(), kind: dispatch.task_kind(), event_id: dispatch.scheduled_event_id }
}
