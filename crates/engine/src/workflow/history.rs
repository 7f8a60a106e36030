//! The events of one transition: which are held back while a workflow task runs, in which order they are let go, and
//! how ids that were not known yet are filled in then (spec §2.2, §3.1).
use std::collections::BTreeMap;

use crate::api::{Attributes, enums::EventType, history::HistoryEvent};

/// The id of an event that is held back.
pub(crate) const BUFFERED_EVENT_ID: i64 = -123;

/// The type of an event, by its attributes.
pub fn event_type(attributes: &Attributes) -> EventType {
    use Attributes as A;
    use EventType as T;
    match attributes {
        A::WorkflowExecutionStartedEventAttributes(_) => T::WorkflowExecutionStarted,
        A::WorkflowExecutionCompletedEventAttributes(_) => T::WorkflowExecutionCompleted,
        A::WorkflowExecutionFailedEventAttributes(_) => T::WorkflowExecutionFailed,
        A::WorkflowExecutionTimedOutEventAttributes(_) => T::WorkflowExecutionTimedOut,
        A::WorkflowTaskScheduledEventAttributes(_) => T::WorkflowTaskScheduled,
        A::WorkflowTaskStartedEventAttributes(_) => T::WorkflowTaskStarted,
        A::WorkflowTaskCompletedEventAttributes(_) => T::WorkflowTaskCompleted,
        A::WorkflowTaskTimedOutEventAttributes(_) => T::WorkflowTaskTimedOut,
        A::WorkflowTaskFailedEventAttributes(_) => T::WorkflowTaskFailed,
        A::ActivityTaskScheduledEventAttributes(_) => T::ActivityTaskScheduled,
        A::ActivityTaskStartedEventAttributes(_) => T::ActivityTaskStarted,
        A::ActivityTaskCompletedEventAttributes(_) => T::ActivityTaskCompleted,
        A::ActivityTaskFailedEventAttributes(_) => T::ActivityTaskFailed,
        A::ActivityTaskTimedOutEventAttributes(_) => T::ActivityTaskTimedOut,
        A::ActivityTaskCancelRequestedEventAttributes(_) => T::ActivityTaskCancelRequested,
        A::ActivityTaskCanceledEventAttributes(_) => T::ActivityTaskCanceled,
        A::TimerStartedEventAttributes(_) => T::TimerStarted,
        A::TimerFiredEventAttributes(_) => T::TimerFired,
        A::TimerCanceledEventAttributes(_) => T::TimerCanceled,
        A::WorkflowExecutionCancelRequestedEventAttributes(_) => T::WorkflowExecutionCancelRequested,
        A::WorkflowExecutionCanceledEventAttributes(_) => T::WorkflowExecutionCanceled,
        A::MarkerRecordedEventAttributes(_) => T::MarkerRecorded,
        A::WorkflowExecutionSignaledEventAttributes(_) => T::WorkflowExecutionSignaled,
        A::WorkflowExecutionTerminatedEventAttributes(_) => T::WorkflowExecutionTerminated,
        A::WorkflowExecutionContinuedAsNewEventAttributes(_) => T::WorkflowExecutionContinuedAsNew,
        A::UpsertWorkflowSearchAttributesEventAttributes(_) => T::UpsertWorkflowSearchAttributes,
        A::WorkflowPropertiesModifiedEventAttributes(_) => T::WorkflowPropertiesModified,
        A::WorkflowExecutionOptionsUpdatedEventAttributes(_) => T::WorkflowExecutionOptionsUpdated,
        other => unreachable!("events of this kind are not written: {other:?}"),
    }
}

/// Whether an event of this type is held back while a workflow task runs.
pub(crate) fn is_buffered(kind: EventType) -> bool {
    use EventType as T;
    matches!(
        kind,
        T::ActivityTaskStarted
            | T::ActivityTaskCompleted
            | T::ActivityTaskFailed
            | T::ActivityTaskTimedOut
            | T::ActivityTaskCanceled
            | T::TimerFired
            | T::WorkflowExecutionCancelRequested
            | T::WorkflowExecutionSignaled
            | T::WorkflowExecutionOptionsUpdated
    )
}

/// Events that end something that another event began go after everything else of the same flush.
fn is_finish(event: &HistoryEvent) -> bool {
    use EventType as T;
    matches!(
        event.event_type(),
        T::ActivityTaskCompleted | T::ActivityTaskFailed | T::ActivityTaskTimedOut | T::ActivityTaskCanceled
    )
}

/// Puts held-back events in the order they are stored in.
pub(crate) fn flush_order(mut events: Vec<HistoryEvent>) -> Vec<HistoryEvent> {
    events.sort_by_key(is_finish); // stable: arrival order within each group
    events
}

/// Fills in the ids of Started events that were let go together with the events that end their activities.
pub(crate) fn wire_started_ids(events: &mut [HistoryEvent]) {
    let mut started = BTreeMap::new();
    for event in events.iter() {
        if let Some(Attributes::ActivityTaskStartedEventAttributes(a)) = &event.attributes {
            started.insert(a.scheduled_event_id, event.event_id);
        }
    }
    for event in events {
        use Attributes as A;
        let (scheduled, slot) = match &mut event.attributes {
            Some(A::ActivityTaskCompletedEventAttributes(a)) => (a.scheduled_event_id, &mut a.started_event_id),
            Some(A::ActivityTaskFailedEventAttributes(a)) => (a.scheduled_event_id, &mut a.started_event_id),
            Some(A::ActivityTaskTimedOutEventAttributes(a)) => (a.scheduled_event_id, &mut a.started_event_id),
            Some(A::ActivityTaskCanceledEventAttributes(a)) => (a.scheduled_event_id, &mut a.started_event_id),
            _ => continue,
        };
        if let Some(id) = started.get(&scheduled) {
            *slot = *id;
        }
    }
}
