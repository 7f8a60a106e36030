//! The history in a workflow task: whole or only its new part, without a gap, ending with the task's start.
use abide_proto::temporal::api::{
    history::v1::{HistoryEvent, history_event::Attributes},
    workflowservice::v1::PollWorkflowTaskQueueResponse,
};

use crate::fault::{Fault, same};

/// The events after `seen_event_id`, which is the started event of the run's last task, 0 before the first.
pub(crate) fn new_events(
    index: u64,
    seen_event_id: i64,
    task: &PollWorkflowTaskQueueResponse,
) -> Result<&[HistoryEvent], Fault> {
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
    let skip = usize::try_from(seen_event_id + 1 - first).unwrap_or(0);
    let new = events.get(skip..).unwrap_or(&[]);
    if !matches!(
        new.last().and_then(|e| e.attributes.as_ref()),
        Some(Attributes::WorkflowTaskStartedEventAttributes(_))
    ) {
        return Err(Fault::wrong(format!("last event of a task of run {index}"), "WorkflowTaskStarted", "another"));
    }
    // No task of the load fails, so the last one's answer follows its start.
    let completed = matches!(
        new.first().and_then(|e| e.attributes.as_ref()),
        Some(Attributes::WorkflowTaskCompletedEventAttributes(_))
    );
    if seen_event_id > 0 && !completed {
        return Err(Fault::wrong(
            format!("event {} of run {index}", seen_event_id + 1),
            "WorkflowTaskCompleted",
            "another",
        ));
    }
    Ok(new)
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

    use super::new_events;

    /// A task whose events are written as letters: Scheduled, sTarted, Completed, sIgnaled.
    fn task(first: i64, letters: &str) -> PollWorkflowTaskQueueResponse {
        let attributes = |letter| match letter {
            's' => Attributes::WorkflowTaskScheduledEventAttributes(WorkflowTaskScheduledEventAttributes::default()),
            't' => Attributes::WorkflowTaskStartedEventAttributes(WorkflowTaskStartedEventAttributes::default()),
            'c' => Attributes::WorkflowTaskCompletedEventAttributes(WorkflowTaskCompletedEventAttributes::default()),
            _ => {
                Attributes::WorkflowExecutionSignaledEventAttributes(WorkflowExecutionSignaledEventAttributes::default())
            }
        };
        let events: Vec<_> = (first..)
            .zip(letters.chars())
            .map(|(event_id, l)| HistoryEvent { event_id, attributes: Some(attributes(l)), ..Default::default() })
            .collect();
        let started_event_id = events.last().map_or(0, |e| e.event_id);
        PollWorkflowTaskQueueResponse { started_event_id, history: Some(History { events }), ..Default::default() }
    }

    #[test]
    fn the_new_part_and_the_whole_history_tell_the_same() {
        let part = task(4, "cist");
        let whole = task(1, "istcist");
        assert_eq!(new_events(0, 3, &part).unwrap(), new_events(0, 3, &whole).unwrap());
        assert_eq!(new_events(0, 0, &whole).unwrap().len(), 7);
    }

    #[test]
    fn gaps_and_wrong_ends_are_faults() {
        assert!(new_events(0, 3, &task(5, "ist")).is_err(), "begins too late");
        assert!(new_events(0, 3, &task(3, "tcist")).is_err(), "begins too early");
        assert!(new_events(0, 3, &task(4, "ist")).is_err(), "the last task was not completed");
        assert!(new_events(0, 0, &task(1, "is")).is_err(), "not started");
        assert!(new_events(0, 0, &task(1, "")).is_err(), "empty");
        let mut gap = task(4, "cist");
        gap.history.as_mut().unwrap().events.remove(1);
        assert!(new_events(0, 3, &gap).is_err(), "gap");
        let mut other = task(4, "cist");
        other.started_event_id += 1;
        assert!(new_events(0, 3, &other).is_err(), "not this task's start");
    }
}
