//! Short ways to build and to read the messages that the load consists of.
use std::time::Duration;

use abide_proto::temporal::api::{
    command::v1::{
        Command, CompleteWorkflowExecutionCommandAttributes, RecordMarkerCommandAttributes,
        ScheduleActivityTaskCommandAttributes, command::Attributes,
    },
    common::v1::{ActivityType, Payload, Payloads, WorkflowExecution},
    enums::v1::{CommandType, TaskQueueKind},
    taskqueue::v1::TaskQueue,
};
use bytes::Bytes;
use tonic::{Request, metadata::MetadataValue};

/// The namespace that every workload uses.
pub(crate) const NAMESPACE: &str = "default";
/// The identity in every request.
pub(crate) const IDENTITY: &str = "abide-bench";
/// The type of every activity.
pub(crate) const ACTIVITY_TYPE: &str = "Echo";
/// No task of the load takes nearly as long, so a time-out is always a fault of the server.
pub(crate) const TASK_TIMEOUT: prost_types::Duration = prost_types::Duration { seconds: 120, nanos: 0 };

/// A request with the headers and the deadline that an SDK sends.
pub(crate) fn request<T>(message: T, timeout: Duration) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert("client-name", MetadataValue::from_static(IDENTITY));
    metadata.insert("client-version", MetadataValue::from_static(env!("CARGO_PKG_VERSION")));
    metadata.insert("temporal-namespace", MetadataValue::from_static(NAMESPACE));
    request.set_timeout(timeout);
    request
}

/// One JSON payload.
pub(crate) fn payloads(data: impl Into<Bytes>) -> Payloads {
    let metadata = [("encoding".to_owned(), Bytes::from_static(b"json/plain"))].into();
    Payloads { payloads: vec![Payload { metadata, data: data.into(), ..Payload::default() }] }
}

/// The data of the only payload; empty when there is none.
pub(crate) fn data(payloads: Option<&Payloads>) -> &[u8] {
    payloads.and_then(|p| p.payloads.first()).map_or(&[], |p| &p.data)
}

/// The number that a payload carries as JSON.
pub(crate) fn number(payloads: Option<&Payloads>) -> Option<u64> {
    std::str::from_utf8(data(payloads)).ok()?.parse().ok()
}

pub(crate) fn execution(workflow_id: &str, run_id: &str) -> Option<WorkflowExecution> {
    Some(WorkflowExecution { workflow_id: workflow_id.to_owned(), run_id: run_id.to_owned() })
}

pub(crate) fn normal_queue(name: &str) -> TaskQueue {
    TaskQueue { name: name.to_owned(), kind: TaskQueueKind::Normal.into(), normal_name: String::new() }
}

pub(crate) fn sticky_queue(name: &str, normal_name: &str) -> TaskQueue {
    TaskQueue { name: name.to_owned(), kind: TaskQueueKind::Sticky.into(), normal_name: normal_name.to_owned() }
}

/// Schedules the activity numbered `number`, which echoes its number.
pub(crate) fn schedule_activity(queue: &TaskQueue, number: u64) -> Command {
    let attributes = ScheduleActivityTaskCommandAttributes {
        activity_id: number.to_string(),
        activity_type: Some(ActivityType { name: ACTIVITY_TYPE.to_owned() }),
        task_queue: Some(queue.clone()),
        input: Some(payloads(number.to_string())),
        start_to_close_timeout: Some(TASK_TIMEOUT),
        ..ScheduleActivityTaskCommandAttributes::default()
    };
    command(CommandType::ScheduleActivityTask, Attributes::ScheduleActivityTaskCommandAttributes(attributes))
}

/// Records a local activity's outcome, in the shape and about the size that SDKs write.
pub(crate) fn record_local_activity(number: u64) -> Command {
    let about = format!(r#"{{"seq":{number},"attempt":1,"activity_id":"{number}","activity_type":"{ACTIVITY_TYPE}"}}"#);
    let attributes = RecordMarkerCommandAttributes {
        marker_name: LOCAL_ACTIVITY_MARKER.to_owned(),
        details: [("data".to_owned(), payloads(about)), ("result".to_owned(), payloads(number.to_string()))].into(),
        ..RecordMarkerCommandAttributes::default()
    };
    command(CommandType::RecordMarker, Attributes::RecordMarkerCommandAttributes(attributes))
}

/// The marker name under which SDKs record local activities.
pub(crate) const LOCAL_ACTIVITY_MARKER: &str = "core_local_activity";

/// Closes the run with a number as its result.
pub(crate) fn complete_workflow(result: u64) -> Command {
    let attributes = CompleteWorkflowExecutionCommandAttributes { result: Some(payloads(result.to_string())) };
    command(CommandType::CompleteWorkflowExecution, Attributes::CompleteWorkflowExecutionCommandAttributes(attributes))
}

fn command(kind: CommandType, attributes: Attributes) -> Command {
    Command { command_type: kind.into(), attributes: Some(attributes), ..Command::default() }
}
