//! A server that has been through something still does what it is for.
use abide_proto::temporal::api::{
    command::v1 as command,
    common::v1 as common,
    enums::v1::{CommandType, WorkflowExecutionStatus},
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as ws,
};
use prost_types::Duration;

use crate::server::Server;

/// Runs a workflow from its start to its end, in a namespace of its own.
pub(crate) fn run_a_workflow(server: &Server) {
    let (namespace, id) = ("probe".to_owned(), "probe".to_owned());
    let retention = Some(Duration { seconds: 86_400, nanos: 0 });
    let register = ws::RegisterNamespaceRequest {
        namespace: namespace.clone(),
        workflow_execution_retention_period: retention,
        ..Default::default()
    };
    let _: ws::RegisterNamespaceResponse = server.call("RegisterNamespace", &register).expect("a namespace is made");
    let queue = Some(TaskQueue { name: "probe".into(), ..Default::default() });
    let start = ws::StartWorkflowExecutionRequest {
        namespace: namespace.clone(),
        workflow_id: id.clone(),
        workflow_type: Some(common::WorkflowType { name: "Probe".into() }),
        task_queue: queue.clone(),
        ..Default::default()
    };
    let _: ws::StartWorkflowExecutionResponse = server.call("StartWorkflowExecution", &start).expect("a run starts");
    let poll =
        ws::PollWorkflowTaskQueueRequest { namespace: namespace.clone(), task_queue: queue, ..Default::default() };
    let task: ws::PollWorkflowTaskQueueResponse = server.call("PollWorkflowTaskQueue", &poll).expect("a poll ends");
    let complete = ws::RespondWorkflowTaskCompletedRequest {
        task_token: task.task_token,
        commands: vec![command::Command {
            command_type: CommandType::CompleteWorkflowExecution.into(),
            attributes: Some(command::command::Attributes::CompleteWorkflowExecutionCommandAttributes(
                Default::default(),
            )),
            ..Default::default()
        }],
        ..Default::default()
    };
    let _: ws::RespondWorkflowTaskCompletedResponse =
        server.call("RespondWorkflowTaskCompleted", &complete).expect("a workflow task is completed");
    let execution = Some(common::WorkflowExecution { workflow_id: id, run_id: String::new() });
    let describe = ws::DescribeWorkflowExecutionRequest { namespace, execution };
    let described: ws::DescribeWorkflowExecutionResponse =
        server.call("DescribeWorkflowExecution", &describe).expect("a run is described");
    let status = described.workflow_execution_info.map(|info| info.status);
    assert_eq!(status, Some(WorkflowExecutionStatus::Completed.into()), "the run has completed");
}
