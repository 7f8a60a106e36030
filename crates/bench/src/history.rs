//! The history in a workflow task: whole or only its new part, without a gap, ending with the task's start.
use abide_proto::temporal::api::{
    history::v1::{HistoryEvent, history_event::Attributes},
    workflowservice::v1::PollWorkflowTaskQueueResponse,
};

use crate::fault::{Fault, same};

/// What a task says that the worker does not know yet.
#[derive(Debug, PartialEq)]
pub(crate) struct News<'t> {
    /// The events to take in.
    pub(crate) events: &'t [HistoryEvent],
    /// What the task must give as the started event of the last task that was completed.
    pub(crate) previous_started_event_id: i64,
    /// Whether these are all events, because the last task was not completed, and nothing of it counts.
    pub(crate) is_replay: bool,
}

impl<'t> News<'t> {
    /// `seen_event_id` is the started event of the run's last task, 0 before the first.
    pub(crate) fn of(index: u64, seen_event_id: i64, task: &'t PollWorkflowTaskQueueResponse) -> Result<Self, Fault> {
        let events = task.history.as_ref().map_or(&[][..], |h| &h.events);
        let first = events.first().map_or(0, |e| e.event_id);
        if first != 1 {
            same(seen_event_id + 1, first, || format!("first event of a task of run {index}"))?;
        }
        for (event, expected) in events.iter().zip(first..) {
            same(expected, event.event_id, || format!("event id in a task of run {index}"))?;
        }
        let last = events.last().map_or(0, |e| e.event_id);
        same(task.started_event_id, last, || format!("last event of a task of run {index}"))?;
        if !matches!(events.last().and_then(attributes), Some(Attributes::WorkflowTaskStartedEventAttributes(_))) {
            let what = format!("last event of a task of run {index}");
            return Err(Fault::wrong(what, "WorkflowTaskStarted", "another"));
        }
        let news = events.get(usize::try_from(seen_event_id + 1 - first).unwrap_or(0)..).unwrap_or(&[]);
        if seen_event_id == 0 || news.first().and_then(completed) == Some(seen_event_id) {
            return Ok(News { events: news, previous_started_event_id: seen_event_id, is_replay: false });
        }
        if first != 1 {
            let what = format!("event {} of run {index}", seen_event_id + 1);
            return Err(Fault::wrong(what, "the completion of the last task", "another"));
        }
        let previous_started_event_id = events.iter().rev().find_map(completed).unwrap_or(0);
        Ok(News { events, previous_started_event_id, is_replay: true })
    }
}

fn attributes(event: &HistoryEvent) -> Option<&Attributes> {
    event.attributes.as_ref()
}

/// The started event of the task that this event completes.
fn completed(event: &HistoryEvent) -> Option<i64> {
    match attributes(event)? {
        Attributes::WorkflowTaskCompletedEventAttributes(completed) => Some(completed.started_event_id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use abide_proto::temporal::api::{
        history::v1::{
            History, HistoryEvent, WorkflowExecutionSignaledEventAttributes, WorkflowTaskCompletedEventAttributes,
            WorkflowTaskScheduledEventAttributes, WorkflowTaskStartedEventAttributes, history_event::Attributes,
        },
        workflowservice::v1::PollWorkflowTaskQueueResponse,
    };

    use super::News;

    /// A task whose events are written as letters: Scheduled, sTarted, Completed, and others. What completes follows what
    /// it completes.
    fn task(first: i64, letters: &str) -> PollWorkflowTaskQueueResponse {
        let attributes = |event_id: i64, letter| match letter {
            's' => Attributes::WorkflowTaskScheduledEventAttributes(WorkflowTaskScheduledEventAttributes::default()),
            't' => Attributes::WorkflowTaskStartedEventAttributes(WorkflowTaskStartedEventAttributes::default()),
            'c' => {
                let started_event_id = event_id - 1;
                let completed = WorkflowTaskCompletedEventAttributes { started_event_id, ..Default::default() };
                Attributes::WorkflowTaskCompletedEventAttributes(completed)
            }
            _ => {
                Attributes::WorkflowExecutionSignaledEventAttributes(WorkflowExecutionSignaledEventAttributes::default())
            }
        };
        let events: Vec<_> = (first..)
            .zip(letters.chars())
            .map(|(event_id, l)| HistoryEvent {
                event_id,
                attributes: Some(attributes(event_id, l)),
                ..Default::default()
            })
            .collect();
        let started_event_id = events.last().map_or(0, |e| e.event_id);
        PollWorkflowTaskQueueResponse { started_event_id, history: Some(History { events }), ..Default::default() }
    }

    #[test]
    fn the_new_part_and_the_whole_history_tell_the_same() {
        let part = task(4, "cist");
        let whole = task(1, "istcist");
        assert_eq!(News::of(0, 3, &part).unwrap(), News::of(0, 3, &whole).unwrap());
        assert_eq!(News::of(0, 0, &whole).unwrap().events.len(), 7);
    }

    #[test]
    fn a_task_that_was_not_completed_makes_a_replay() {
        // The task started by event 6 failed in event 7; that of event 3 was completed.
        let failed = task(1, "istcstfiist");
        let news = News::of(0, 6, &failed).unwrap();
        assert_eq!((news.events.len(), news.previous_started_event_id, news.is_replay), (11, 3, true));
        // A second attempt, started by event 9, leaves nothing in history when it fails.
        let failed_again = task(1, "istcstfiiist");
        assert!(News::of(0, 9, &failed_again).unwrap().is_replay);
    }

    #[test]
    fn gaps_and_wrong_ends_are_faults() {
        assert!(News::of(0, 3, &task(5, "ist")).is_err(), "begins too late");
        assert!(News::of(0, 3, &task(3, "tcist")).is_err(), "begins too early");
        assert!(News::of(0, 3, &task(4, "ist")).is_err(), "the last task was not completed");
        assert!(News::of(0, 0, &task(1, "is")).is_err(), "not started");
        assert!(News::of(0, 0, &task(1, "")).is_err(), "empty");
        let mut gap = task(4, "cist");
        gap.history.as_mut().unwrap().events.remove(1);
        assert!(News::of(0, 3, &gap).is_err(), "gap");
        let mut other = task(4, "cist");
        other.started_event_id += 1;
        assert!(News::of(0, 3, &other).is_err(), "not this task's start");
    }
}
