//! Whether a history is one that the rules allow.
use std::collections::{BTreeMap, BTreeSet};

use abide_proto::temporal::api::{
    enums::v1::EventType,
    history::v1::{HistoryEvent, history_event::Attributes as Is},
};

/// A second clock cannot be told from the first within this, in nanoseconds: rows are kept in milliseconds.
const GRAIN_NS: i64 = 1_000_000;

/// What is wrong with a run's whole history, if anything.
pub fn check(events: &[HistoryEvent], clock_is_steady: bool) -> Result<(), String> {
    let mut state = State { clock_is_steady, ..State::default() };
    for (at, event) in events.iter().enumerate() {
        let wrong =
            |what: String| Err(format!("event {}, {}: {what}", event.event_id, event.event_type().as_str_name()));
        if event.event_id != at as i64 + 1 {
            return wrong(format!("stands at place {}", at + 1));
        }
        if state.is_closed {
            return wrong("comes after the end".into());
        }
        if (at == 0) != (event.event_type() == EventType::WorkflowExecutionStarted) {
            return wrong("a history begins with its start, and has one".into());
        }
        if !keeps_its_own_time(event.event_type()) {
            if clock_is_steady && nanos(event) < state.last_ns {
                return wrong("is earlier than the event before".into());
            }
            state.last_ns = nanos(event);
        }
        if let Err(what) = state.observe(event) {
            return wrong(what);
        }
    }
    Ok(())
}

/// An activity's start is written with its end, and what comes during a workflow task behind that task; both tell when
/// they were (spec §3.1, §3.8).
fn keeps_its_own_time(kind: EventType) -> bool {
    matches!(
        kind,
        EventType::ActivityTaskStarted
            | EventType::ActivityTaskCompleted
            | EventType::ActivityTaskFailed
            | EventType::ActivityTaskTimedOut
            | EventType::ActivityTaskCanceled
            | EventType::TimerFired
            | EventType::WorkflowExecutionSignaled
            | EventType::WorkflowExecutionCancelRequested
    )
}

#[derive(Default)]
struct State {
    clock_is_steady: bool,
    last_ns: i64,
    is_closed: bool,
    /// The workflow task's scheduled and started events.
    workflow_task: Option<(i64, Option<i64>)>,
    /// Events of activities that are pending, with the started event if it is written.
    activities: BTreeMap<i64, Option<i64>>,
    activity_ids: BTreeSet<String>,
    /// Started event and due time of timers that are pending.
    timers: BTreeMap<String, (i64, i64)>,
    signal_requests: BTreeSet<String>,
}

fn nanos(event: &HistoryEvent) -> i64 {
    event.event_time.as_ref().map_or(0, |time| time.seconds * 1_000_000_000 + i64::from(time.nanos))
}

impl State {
    fn observe(&mut self, event: &HistoryEvent) -> Result<(), String> {
        let Some(is) = &event.attributes else { return Err("has no attributes".into()) };
        match is {
            Is::WorkflowTaskScheduledEventAttributes(_) => match self.workflow_task {
                None => self.workflow_task = Some((event.event_id, None)),
                Some(pending) => return Err(format!("while task {pending:?} is pending")),
            },
            Is::WorkflowTaskStartedEventAttributes(of) => match &mut self.workflow_task {
                Some((scheduled, started @ None)) if *scheduled == of.scheduled_event_id => {
                    *started = Some(event.event_id);
                }
                other => return Err(format!("of {}, where {other:?} is pending", of.scheduled_event_id)),
            },
            Is::WorkflowTaskCompletedEventAttributes(of) => {
                self.end_workflow_task(of.scheduled_event_id, Some(of.started_event_id))?;
            }
            Is::WorkflowTaskFailedEventAttributes(of) => {
                self.end_workflow_task(of.scheduled_event_id, Some(of.started_event_id))?;
            }
            Is::WorkflowTaskTimedOutEventAttributes(of) => {
                let started = Some(of.started_event_id).filter(|id| *id != 0);
                self.end_workflow_task(of.scheduled_event_id, started)?;
            }
            Is::ActivityTaskScheduledEventAttributes(of) => {
                self.activities.insert(event.event_id, None);
                if !self.activity_ids.insert(of.activity_id.clone()) {
                    return Err(format!("activity {} again", of.activity_id));
                }
            }
            Is::ActivityTaskStartedEventAttributes(of) => match self.activities.get_mut(&of.scheduled_event_id) {
                Some(started @ None) => *started = Some(event.event_id),
                other => return Err(format!("of {}, which is {other:?}", of.scheduled_event_id)),
            },
            Is::ActivityTaskCompletedEventAttributes(of) => {
                self.end_activity(of.scheduled_event_id, of.started_event_id)?
            }
            Is::ActivityTaskFailedEventAttributes(of) => {
                self.end_activity(of.scheduled_event_id, of.started_event_id)?
            }
            Is::ActivityTaskTimedOutEventAttributes(of) => {
                self.end_activity(of.scheduled_event_id, of.started_event_id)?
            }
            Is::ActivityTaskCanceledEventAttributes(of) => {
                self.end_activity(of.scheduled_event_id, of.started_event_id)?
            }
            Is::ActivityTaskCancelRequestedEventAttributes(of)
                if !self.activities.contains_key(&of.scheduled_event_id) =>
            {
                return Err(format!("of {}, which is not pending", of.scheduled_event_id));
            }
            Is::TimerStartedEventAttributes(of) => {
                let span = of.start_to_fire_timeout.unwrap_or_default();
                let due = nanos(event) + span.seconds * 1_000_000_000 + i64::from(span.nanos);
                if self.timers.insert(of.timer_id.clone(), (event.event_id, due)).is_some() {
                    return Err(format!("timer {} again", of.timer_id));
                }
            }
            Is::TimerFiredEventAttributes(of) => {
                let (started, due) = self.end_timer(&of.timer_id)?;
                if started != of.started_event_id {
                    return Err(format!("started at {started}, not at {}", of.started_event_id));
                }
                if self.clock_is_steady && nanos(event) + GRAIN_NS < due {
                    return Err(format!("{} ns too early", due - nanos(event)));
                }
            }
            Is::TimerCanceledEventAttributes(of) => drop(self.end_timer(&of.timer_id)?),
            // The name of a workload's signal is its number.
            Is::WorkflowExecutionSignaledEventAttributes(of)
                if !self.signal_requests.insert(of.signal_name.clone()) =>
            {
                return Err(format!("signal {} twice", of.signal_name));
            }
            Is::WorkflowExecutionCompletedEventAttributes(_)
            | Is::WorkflowExecutionFailedEventAttributes(_)
            | Is::WorkflowExecutionTimedOutEventAttributes(_)
            | Is::WorkflowExecutionCanceledEventAttributes(_)
            | Is::WorkflowExecutionTerminatedEventAttributes(_)
            | Is::WorkflowExecutionContinuedAsNewEventAttributes(_) => self.is_closed = true,
            _ => {}
        }
        Ok(())
    }

    fn end_workflow_task(&mut self, scheduled: i64, started: Option<i64>) -> Result<(), String> {
        match self.workflow_task.take() {
            Some(pending) if pending == (scheduled, started) => Ok(()),
            other => Err(format!("of {scheduled} and {started:?}, where {other:?} is pending")),
        }
    }

    fn end_activity(&mut self, scheduled: i64, started: i64) -> Result<(), String> {
        match self.activities.remove(&scheduled) {
            Some(pending) if pending.unwrap_or(0) == started => Ok(()),
            other => Err(format!("of {scheduled} and {started}, which is {other:?}")),
        }
    }

    fn end_timer(&mut self, id: &str) -> Result<(i64, i64), String> {
        self.timers.remove(id).ok_or_else(|| format!("of timer {id}, which is not pending"))
    }
}
