//! The events of the load's histories, with the fields that a server fills in.
use abide_proto::temporal::api::{
    command::v1::{
        CompleteWorkflowExecutionCommandAttributes, RecordMarkerCommandAttributes,
        ScheduleActivityTaskCommandAttributes,
    },
    enums::v1::EventType,
    history::v1::{
        ActivityTaskCompletedEventAttributes, ActivityTaskScheduledEventAttributes, ActivityTaskStartedEventAttributes,
        HistoryEvent, MarkerRecordedEventAttributes, WorkflowExecutionCompletedEventAttributes,
        WorkflowExecutionSignaledEventAttributes, WorkflowExecutionStartedEventAttributes,
        WorkflowTaskCompletedEventAttributes, WorkflowTaskScheduledEventAttributes, WorkflowTaskStartedEventAttributes,
        history_event::Attributes,
    },
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{
        RespondActivityTaskCompletedRequest, SignalWorkflowExecutionRequest, StartWorkflowExecutionRequest,
    },
};

use crate::{clock, wire::TASK_TIMEOUT};

/// The request id of every task that the ceiling starts.
const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";
const ZERO: prost_types::Duration = prost_types::Duration { seconds: 0, nanos: 0 };

/// An event that has no id yet.
fn event(kind: EventType, attributes: Attributes) -> HistoryEvent {
    HistoryEvent {
        event_id: 0,
        event_time: Some(clock::timestamp()),
        event_type: kind.into(),
        attributes: Some(attributes),
        ..HistoryEvent::default()
    }
}

pub(super) fn started(start: StartWorkflowExecutionRequest, run_id: &str) -> HistoryEvent {
    let attributes = WorkflowExecutionStartedEventAttributes {
        workflow_type: start.workflow_type,
        task_queue: start.task_queue,
        input: start.input,
        workflow_task_timeout: start.workflow_task_timeout,
        original_execution_run_id: run_id.to_owned(),
        first_execution_run_id: run_id.to_owned(),
        identity: start.identity,
        attempt: 1,
        first_workflow_task_backoff: Some(ZERO),
        workflow_id: start.workflow_id,
        ..Default::default()
    };
    event(
        EventType::WorkflowExecutionStarted,
        Attributes::WorkflowExecutionStartedEventAttributes(Box::new(attributes)),
    )
}

pub(super) fn task_scheduled(task_queue: TaskQueue) -> HistoryEvent {
    let attributes = WorkflowTaskScheduledEventAttributes {
        task_queue: Some(task_queue),
        start_to_close_timeout: Some(TASK_TIMEOUT),
        attempt: 1,
    };
    event(EventType::WorkflowTaskScheduled, Attributes::WorkflowTaskScheduledEventAttributes(attributes))
}

pub(super) fn task_started(scheduled_event_id: i64, identity: String) -> HistoryEvent {
    let request_id = REQUEST_ID.to_owned();
    let attributes =
        WorkflowTaskStartedEventAttributes { scheduled_event_id, identity, request_id, ..Default::default() };
    event(EventType::WorkflowTaskStarted, Attributes::WorkflowTaskStartedEventAttributes(attributes))
}

pub(super) fn task_completed(scheduled_event_id: i64, started_event_id: i64, identity: String) -> HistoryEvent {
    let attributes =
        WorkflowTaskCompletedEventAttributes { scheduled_event_id, started_event_id, identity, ..Default::default() };
    event(EventType::WorkflowTaskCompleted, Attributes::WorkflowTaskCompletedEventAttributes(attributes))
}

pub(super) fn activity_scheduled(
    command: ScheduleActivityTaskCommandAttributes,
    workflow_task_completed_event_id: i64,
) -> HistoryEvent {
    let attributes = ActivityTaskScheduledEventAttributes {
        activity_id: command.activity_id,
        activity_type: command.activity_type,
        task_queue: command.task_queue,
        header: command.header,
        input: command.input,
        schedule_to_close_timeout: Some(ZERO),
        schedule_to_start_timeout: Some(ZERO),
        start_to_close_timeout: command.start_to_close_timeout,
        heartbeat_timeout: Some(ZERO),
        workflow_task_completed_event_id,
        retry_policy: command.retry_policy,
        ..Default::default()
    };
    event(EventType::ActivityTaskScheduled, Attributes::ActivityTaskScheduledEventAttributes(attributes))
}

pub(super) fn activity_started(scheduled_event_id: i64, identity: String) -> HistoryEvent {
    let request_id = REQUEST_ID.to_owned();
    let attributes = ActivityTaskStartedEventAttributes {
        scheduled_event_id,
        identity,
        request_id,
        attempt: 1,
        ..Default::default()
    };
    event(EventType::ActivityTaskStarted, Attributes::ActivityTaskStartedEventAttributes(attributes))
}

/// `started_event_id` is filled in when the event gets its own id.
pub(super) fn activity_completed(scheduled_event_id: i64, answer: RespondActivityTaskCompletedRequest) -> HistoryEvent {
    let attributes = ActivityTaskCompletedEventAttributes {
        result: answer.result,
        scheduled_event_id,
        identity: answer.identity,
        ..Default::default()
    };
    event(EventType::ActivityTaskCompleted, Attributes::ActivityTaskCompletedEventAttributes(attributes))
}

pub(super) fn marker(command: RecordMarkerCommandAttributes, workflow_task_completed_event_id: i64) -> HistoryEvent {
    let attributes = MarkerRecordedEventAttributes {
        marker_name: command.marker_name,
        details: command.details,
        workflow_task_completed_event_id,
        ..Default::default()
    };
    event(EventType::MarkerRecorded, Attributes::MarkerRecordedEventAttributes(attributes))
}

pub(super) fn completed(
    command: CompleteWorkflowExecutionCommandAttributes,
    workflow_task_completed_event_id: i64,
) -> HistoryEvent {
    let attributes = WorkflowExecutionCompletedEventAttributes {
        result: command.result,
        workflow_task_completed_event_id,
        new_execution_run_id: String::new(),
    };
    event(EventType::WorkflowExecutionCompleted, Attributes::WorkflowExecutionCompletedEventAttributes(attributes))
}

pub(super) fn signaled(signal: SignalWorkflowExecutionRequest) -> HistoryEvent {
    let attributes = WorkflowExecutionSignaledEventAttributes {
        signal_name: signal.signal_name,
        input: signal.input,
        identity: signal.identity,
        request_id: signal.request_id,
        ..Default::default()
    };
    event(EventType::WorkflowExecutionSignaled, Attributes::WorkflowExecutionSignaledEventAttributes(attributes))
}
