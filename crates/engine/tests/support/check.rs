//! What holds after every transition, whatever led there.
use std::collections::{BTreeMap, BTreeSet};

use abide_engine::{
    Settings, Time,
    api::{
        Attributes,
        enums::{EventType, TimeoutType},
        failure::{Failure, failure::FailureInfo},
        history::{self as h, HistoryEvent},
    },
    time::Span,
    workflow::{NewRun, OutboxKey, Run, TaskKind, workflow_task::start::StartedWorkflowTask},
};
use uuid::Uuid;

use super::{Stored, key};

/// The run as its records in the store make it.
pub fn load(run: &Run, stored: &Stored) -> Run {
    let records = stored.records.iter().map(|((class, suffix), value)| (*class, &suffix[..], &value[..]));
    Run::load(run.key.clone(), records).unwrap()
}

/// Whether two runs are alike. A number that is none differs from itself, but not in its text, which takes long to write.
pub fn same(one: &Run, other: &Run) -> bool {
    one == other || format!("{one:?}") == format!("{other:?}")
}

/// Checks a run against its store; gives the run as loaded. Where the clock was set back, times say little.
pub fn all(run: &Run, stored: &Stored, now: Time, settings: &Settings, clock_is_steady: bool) -> Run {
    let ids: Vec<i64> = stored.events.iter().map(|e| e.event_id).collect();
    assert_eq!(ids, (1..=ids.len() as i64).collect::<Vec<_>>(), "event ids are gap-free");
    assert_eq!(run.header.next_event_id, ids.len() as i64 + 1);
    order(&stored.events, clock_is_steady);
    batches(stored);
    let loaded = load(run, stored);
    assert!(same(&loaded, run), "the store holds {loaded:?}\nand memory {run:?}");
    assert_eq!(run.header.wakeup_ms, stored.wakeup_ms, "the run knows its timer row");
    outbox(run, stored);
    if run.is_running() {
        if let Some(due) = run.next_deadline() {
            // One that fired is followed by another row, if only a millisecond later.
            let latest = due.ceil_ms().max(now.floor_ms()) + 1;
            assert!(stored.wakeup_ms != 0 && stored.wakeup_ms <= latest, "a timer is never late");
        }
    } else {
        let retention = Time(run.header.close_time) + settings.retention;
        assert_eq!((run.next_deadline(), stored.wakeup_ms), (None, retention.ceil_ms()), "only retention remains");
        assert_eq!(run.header.close_batch_event_id, *stored.batches.last().unwrap(), "the close is in the last batch");
    }
    loaded
}

/// The run that closed names the one that follows, and the other way round.
pub fn link(close: &HistoryEvent, run_id: Uuid, new: &NewRun) {
    use Attributes as A;
    let named = match close.attributes.as_ref().unwrap() {
        A::WorkflowExecutionCompletedEventAttributes(a) => &a.new_execution_run_id,
        A::WorkflowExecutionFailedEventAttributes(a) => &a.new_execution_run_id,
        A::WorkflowExecutionTimedOutEventAttributes(a) => &a.new_execution_run_id,
        A::WorkflowExecutionContinuedAsNewEventAttributes(a) => &a.new_execution_run_id,
        other => panic!("nothing follows {other:?}"),
    };
    assert_eq!(*named, new.key.run_id.to_string());
    assert_eq!(new.attributes.continued_execution_run_id, run_id.to_string());
    let wait = Span::of(new.attributes.first_workflow_task_backoff.as_ref());
    assert!(wait >= Span::ZERO, "nothing waits for the past");
}

/// A worker gets a history without gaps that ends with its task's Started event.
pub fn task(task: &StartedWorkflowTask, stored: &Stored) {
    let shown = stored.events.iter().filter(|e| (task.from_event_id..=task.to_event_id).contains(&e.event_id));
    let shown: Vec<&HistoryEvent> = shown.chain(&task.transient_events).collect();
    let ids: Vec<i64> = shown.iter().map(|e| e.event_id).collect();
    assert_eq!(ids, (task.from_event_id..=task.started_event_id).collect::<Vec<_>>(), "the history has no gap");
    assert_eq!(shown.last().unwrap().event_type(), EventType::WorkflowTaskStarted);
    assert!(task.previous_started_event_id < task.started_event_id);
    assert!(task.from_event_id <= task.previous_started_event_id + 1, "nothing that is new is left out");
}

/// A row waits exactly as long as its task does.
fn outbox(run: &Run, stored: &Stored) {
    let mut want = Vec::new();
    if run.is_running() {
        let task = run.header.workflow_task.as_ref().filter(|t| !t.is_started());
        want.extend(task.map(|t| row(TaskKind::Workflow, t.scheduled_time, t.scheduled_event_id)));
        let waiting = run.activities.values().filter(|a| !a.is_started() && !a.backing_off);
        want.extend(waiting.map(|a| row(TaskKind::Activity, a.scheduled_time, a.scheduled_event_id)));
    }
    let mut found: Vec<OutboxKey> = stored.outbox.iter().map(key).collect();
    for rows in [&mut want, &mut found] {
        rows.sort_by_key(|row| (row.kind, row.event_id));
    }
    assert_eq!(found, want, "a row waits exactly as long as its task does");
    for row in &stored.outbox {
        let attempt = match row.task_kind() {
            TaskKind::Workflow => run.header.workflow_task.as_ref().map(|t| t.attempt),
            TaskKind::Activity => run.activities.get(&row.scheduled_event_id).map(|a| a.attempt),
        };
        assert_eq!(Some(row.attempt), attempt, "a row offers the present attempt");
    }
}

fn row(kind: TaskKind, scheduled_time: i64, event_id: i64) -> OutboxKey {
    OutboxKey { scheduled_ms: Time(scheduled_time).floor_ms(), kind, event_id }
}

/// A Started event of a workflow task ends its batch (spec §3.1).
fn batches(stored: &Stored) {
    assert!(stored.batches.is_sorted_by(|a, b| a < b) && stored.batches[0] == 1, "batches follow each other");
    for pair in stored.events.windows(2) {
        if pair[0].event_type() == EventType::WorkflowTaskStarted {
            assert!(stored.batches.contains(&pair[1].event_id), "a Started event ends its batch");
        }
    }
}

/// What the events so far allow to follow.
#[derive(Default)]
struct Order<'e> {
    clock_is_steady: bool,
    /// The Scheduled event of the pending workflow task, and its Started event.
    task: Option<(i64, Option<i64>)>,
    last_completed: i64,
    cancel_requested: bool,
    closed: bool,
    timers: BTreeMap<i64, (&'e h::TimerStartedEventAttributes, Time)>,
    activities: BTreeMap<i64, (&'e h::ActivityTaskScheduledEventAttributes, Time)>,
    /// Started events by id, until their activity ends: activity, time.
    started: BTreeMap<i64, (i64, Time)>,
    cancels: BTreeMap<i64, i64>,
    ended: BTreeSet<i64>,
}

/// Legal order: Started first, at most one close and nothing after it; workflow tasks one at a time; what ends has
/// begun, ends once, and not before its time.
pub fn order(events: &[HistoryEvent], clock_is_steady: bool) {
    assert_eq!(events[0].event_type(), EventType::WorkflowExecutionStarted);
    let mut order = Order { clock_is_steady, ..Order::default() };
    for event in events {
        assert!(!order.closed, "nothing follows the close event");
        order.add(event);
    }
    assert!(order.started.is_empty(), "a Started event of an activity comes with its end");
}

impl<'e> Order<'e> {
    fn add(&mut self, event: &'e HistoryEvent) {
        use Attributes as A;
        let (id, at) = (event.event_id, Time::of(event.event_time.as_ref().unwrap()));
        match event.attributes.as_ref().unwrap() {
            A::WorkflowExecutionStartedEventAttributes(_) => assert_eq!(id, 1),
            A::WorkflowTaskScheduledEventAttributes(_) => {
                assert_eq!(self.task, None, "one workflow task at a time");
                self.task = Some((id, None));
            }
            A::WorkflowTaskStartedEventAttributes(a) => {
                assert_eq!(self.task, Some((a.scheduled_event_id, None)), "what starts was scheduled");
                self.task = Some((a.scheduled_event_id, Some(id)));
            }
            A::WorkflowTaskCompletedEventAttributes(a) => {
                self.end_task(a.scheduled_event_id, a.started_event_id);
                self.last_completed = id;
            }
            A::WorkflowTaskFailedEventAttributes(a) => self.end_task(a.scheduled_event_id, a.started_event_id),
            A::WorkflowTaskTimedOutEventAttributes(a) => {
                assert_eq!(a.started_event_id == 0, a.timeout_type() == TimeoutType::ScheduleToStart);
                self.end_task(a.scheduled_event_id, a.started_event_id);
            }
            A::TimerStartedEventAttributes(a) => {
                self.commanded(a.workflow_task_completed_event_id);
                self.timers.insert(id, (a, at));
            }
            A::TimerFiredEventAttributes(a) => {
                let (timer, since) = self.timers.remove(&a.started_event_id).expect("what fires has started");
                assert_eq!(timer.timer_id, a.timer_id);
                assert!(at >= since + Span::of(timer.start_to_fire_timeout.as_ref()), "no timer fires early");
            }
            A::TimerCanceledEventAttributes(a) => {
                self.commanded(a.workflow_task_completed_event_id);
                let (timer, _) = self.timers.remove(&a.started_event_id).expect("what is canceled has started");
                assert_eq!(timer.timer_id, a.timer_id);
            }
            A::ActivityTaskScheduledEventAttributes(a) => {
                self.commanded(a.workflow_task_completed_event_id);
                self.activities.insert(id, (a, at));
            }
            A::ActivityTaskCancelRequestedEventAttributes(a) => {
                self.commanded(a.workflow_task_completed_event_id);
                assert!(self.activities.contains_key(&a.scheduled_event_id));
                self.cancels.entry(a.scheduled_event_id).or_insert(id);
            }
            A::ActivityTaskStartedEventAttributes(a) => {
                let running = self.started.values().any(|(activity, _)| *activity == a.scheduled_event_id);
                assert!(!running, "an activity starts once");
                self.started.insert(id, (a.scheduled_event_id, at));
            }
            A::ActivityTaskCompletedEventAttributes(a) => {
                assert_ne!(a.started_event_id, 0, "what completes has started");
                self.end_activity(a.scheduled_event_id, a.started_event_id, id);
            }
            A::ActivityTaskFailedEventAttributes(a) => {
                assert_ne!(a.started_event_id, 0, "what fails has started");
                self.end_activity(a.scheduled_event_id, a.started_event_id, id);
            }
            A::ActivityTaskTimedOutEventAttributes(a) => {
                self.in_time(a, at);
                self.end_activity(a.scheduled_event_id, a.started_event_id, id);
            }
            A::ActivityTaskCanceledEventAttributes(a) => {
                let asked = self.cancels.get(&a.scheduled_event_id);
                assert_eq!(asked, Some(&a.latest_cancel_requested_event_id), "what is canceled was asked to");
                self.end_activity(a.scheduled_event_id, a.started_event_id, id);
            }
            A::WorkflowExecutionCancelRequestedEventAttributes(_) => {
                assert!(!self.cancel_requested, "a cancellation is requested once");
                self.cancel_requested = true;
            }
            A::MarkerRecordedEventAttributes(a) => self.commanded(a.workflow_task_completed_event_id),
            A::WorkflowPropertiesModifiedEventAttributes(a) => self.commanded(a.workflow_task_completed_event_id),
            A::WorkflowExecutionCompletedEventAttributes(a) => self.close(Some(a.workflow_task_completed_event_id)),
            A::WorkflowExecutionFailedEventAttributes(a) => self.close(Some(a.workflow_task_completed_event_id)),
            A::WorkflowExecutionCanceledEventAttributes(a) => self.close(Some(a.workflow_task_completed_event_id)),
            A::WorkflowExecutionContinuedAsNewEventAttributes(a) => {
                self.close(Some(a.workflow_task_completed_event_id));
            }
            A::WorkflowExecutionTerminatedEventAttributes(_) | A::WorkflowExecutionTimedOutEventAttributes(_) => {
                self.close(None);
            }
            _ => {}
        }
    }

    fn end_task(&mut self, scheduled: i64, started: i64) {
        let started = (started != 0).then_some(started);
        assert_eq!(self.task.take(), Some((scheduled, started)), "what ends is what was pending");
    }

    fn commanded(&self, completed_event_id: i64) {
        assert_eq!(completed_event_id, self.last_completed, "a command's event names its completion");
    }

    fn close(&mut self, completed_event_id: Option<i64>) {
        assert!(self.task.is_none_or(|(_, started)| started.is_none()), "a started task ends before its run");
        if let Some(completed) = completed_event_id {
            self.commanded(completed);
        }
        self.closed = true;
    }

    fn end_activity(&mut self, scheduled: i64, started: i64, id: i64) {
        assert!(self.activities.contains_key(&scheduled), "what ends was scheduled");
        assert!(self.ended.insert(scheduled), "activity {scheduled} ends once");
        assert!(started < id);
        if started != 0 {
            let (of, _) = self.started.remove(&started).expect("the Started event that is named is there");
            assert_eq!(of, scheduled, "an activity names its own Started event");
        }
    }

    /// No timeout comes early.
    fn in_time(&self, a: &h::ActivityTaskTimedOutEventAttributes, at: Time) {
        let (scheduled, since) = self.activities[&a.scheduled_event_id];
        let (kind, message) = timeout(a.failure.as_ref().unwrap());
        // Given up, for the next attempt would not end in time.
        if !self.clock_is_steady || message.starts_with("Not enough time") {
            return;
        }
        let started = self.started.get(&a.started_event_id).map(|(_, at)| *at);
        let (from, limit) = match kind {
            TimeoutType::ScheduleToClose => (Some(since), &scheduled.schedule_to_close_timeout),
            TimeoutType::ScheduleToStart => (Some(since), &scheduled.schedule_to_start_timeout),
            TimeoutType::StartToClose => (started, &scheduled.start_to_close_timeout),
            TimeoutType::Heartbeat => (started, &scheduled.heartbeat_timeout),
            TimeoutType::Unspecified => panic!("a timeout has its type"),
        };
        let limit = Span::of(limit.as_ref());
        assert!(
            !limit.is_zero() && at >= from.unwrap() + limit,
            "no {kind:?} timeout comes early: {from:?} {limit:?} {at:?}"
        );
    }
}

fn timeout(failure: &Failure) -> (TimeoutType, &str) {
    match &failure.failure_info {
        Some(FailureInfo::TimeoutFailureInfo(info)) => (info.timeout_type(), &failure.message),
        _ => panic!("a timeout's failure says so"),
    }
}
