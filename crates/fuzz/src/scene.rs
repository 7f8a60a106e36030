//! A server with something of everything in its store, and tokens of all kinds handed out.
use abide_proto::temporal::api::{
    command::v1::{self as command, command::Attributes},
    common::v1 as common,
    enums::v1::CommandType,
    query::v1::WorkflowQuery,
    taskqueue::v1::{StickyExecutionAttributes, TaskQueue},
    workflowservice::v1 as ws,
};
use prost::Message;
use prost_types::Duration;
use tonic::Status;

use crate::{
    server::{Server, method},
    session,
    vocabulary::Vocabulary,
};

/// Plays what leads there, and gives the names of it.
pub(crate) fn play(server: &Server) -> Vocabulary {
    let mut vocabulary = Vocabulary::new();
    let played = scenes(server, &mut vocabulary);
    played.expect("the scene is one that the server knows");
    vocabulary
}

fn scenes(server: &Server, vocabulary: &mut Vocabulary) -> Result<(), Status> {
    for id in ["v", "w"] {
        let start = ws::StartWorkflowExecutionRequest {
            workflow_id: id.into(),
            workflow_type: Some(common::WorkflowType { name: "Flow".into() }),
            retry_policy: Some(common::RetryPolicy { maximum_attempts: 3, ..Default::default() }),
            ..with_queue()
        };
        let _: ws::StartWorkflowExecutionResponse = call(server, vocabulary, "StartWorkflowExecution", &start)?;
    }
    let poll =
        ws::PollWorkflowTaskQueueRequest { namespace: "default".into(), task_queue: queue(), ..Default::default() };
    let task: ws::PollWorkflowTaskQueueResponse = call(server, vocabulary, "PollWorkflowTaskQueue", &poll)?;
    let complete = ws::RespondWorkflowTaskCompletedRequest {
        task_token: task.task_token,
        commands: vec![activity("a"), activity("b"), timer("t")],
        sticky_attributes: Some(StickyExecutionAttributes {
            worker_task_queue: Some(TaskQueue { name: "sticky".into(), kind: 2, normal_name: "q".into() }),
            schedule_to_start_timeout: Some(Duration { seconds: 10, nanos: 0 }),
        }),
        ..Default::default()
    };
    let _: ws::RespondWorkflowTaskCompletedResponse =
        call(server, vocabulary, "RespondWorkflowTaskCompleted", &complete)?;
    let poll =
        ws::PollActivityTaskQueueRequest { namespace: "default".into(), task_queue: queue(), ..Default::default() };
    let _: ws::PollActivityTaskQueueResponse = call(server, vocabulary, "PollActivityTaskQueue", &poll)?;
    // The other run's workflow task is taken, and what is signalled now is held back.
    let poll =
        ws::PollWorkflowTaskQueueRequest { namespace: "default".into(), task_queue: queue(), ..Default::default() };
    let _: ws::PollWorkflowTaskQueueResponse = call(server, vocabulary, "PollWorkflowTaskQueue", &poll)?;
    for id in ["v", "w"] {
        let signal = ws::SignalWorkflowExecutionRequest {
            namespace: "default".into(),
            workflow_execution: Some(common::WorkflowExecution { workflow_id: id.into(), ..Default::default() }),
            signal_name: "s".into(),
            request_id: "held".into(),
            ..Default::default()
        };
        let _: ws::SignalWorkflowExecutionResponse = call(server, vocabulary, "SignalWorkflowExecution", &signal)?;
        history(server, vocabulary, id)?;
    }
    ask(server, vocabulary)
}

/// Pages of a history, from both ends.
fn history(server: &Server, vocabulary: &mut Vocabulary, id: &str) -> Result<(), Status> {
    let execution = Some(common::WorkflowExecution { workflow_id: id.into(), ..Default::default() });
    let (namespace, maximum_page_size) = ("default".to_owned(), 1);
    let reverse = ws::GetWorkflowExecutionHistoryReverseRequest {
        namespace: namespace.clone(),
        execution: execution.clone(),
        maximum_page_size,
        ..Default::default()
    };
    let _: ws::GetWorkflowExecutionHistoryReverseResponse =
        call(server, vocabulary, "GetWorkflowExecutionHistoryReverse", &reverse)?;
    let forward =
        ws::GetWorkflowExecutionHistoryRequest { namespace, execution, maximum_page_size, ..Default::default() };
    let _: ws::GetWorkflowExecutionHistoryResponse = call(server, vocabulary, "GetWorkflowExecutionHistory", &forward)?;
    Ok(())
}

/// A query that a worker has taken and whose caller still waits.
fn ask(server: &Server, vocabulary: &mut Vocabulary) -> Result<(), Status> {
    let query = ws::QueryWorkflowRequest {
        namespace: "default".into(),
        execution: Some(common::WorkflowExecution { workflow_id: "w".into(), ..Default::default() }),
        query: Some(WorkflowQuery { query_type: "n".into(), ..Default::default() }),
        ..Default::default()
    };
    let asked = server.begin(method("QueryWorkflow"), Default::default(), query.encode_to_vec().into());
    let poll =
        ws::PollWorkflowTaskQueueRequest { namespace: "default".into(), task_queue: queue(), ..Default::default() };
    let _: ws::PollWorkflowTaskQueueResponse = call(server, vocabulary, "PollWorkflowTaskQueue", &poll)?;
    if server.outcome(&asked).is_none() {
        server.forget(asked);
    }
    Ok(())
}

fn call<Reply: Message + Default>(
    server: &Server,
    vocabulary: &mut Vocabulary,
    name: &str,
    request: &impl Message,
) -> Result<Reply, Status> {
    let reply: Reply = server.call(name, request)?;
    session::learn(vocabulary, method(name), &Ok(reply.encode_to_vec().into()));
    Ok(reply)
}

fn queue() -> Option<TaskQueue> {
    Some(TaskQueue { name: "q".into(), ..Default::default() })
}

fn with_queue() -> ws::StartWorkflowExecutionRequest {
    ws::StartWorkflowExecutionRequest { namespace: "default".into(), task_queue: queue(), ..Default::default() }
}

fn activity(id: &str) -> command::Command {
    let attributes = command::ScheduleActivityTaskCommandAttributes {
        activity_id: id.into(),
        activity_type: Some(common::ActivityType { name: "Act".into() }),
        task_queue: queue(),
        start_to_close_timeout: Some(Duration { seconds: 60, nanos: 0 }),
        heartbeat_timeout: Some(Duration { seconds: 20, nanos: 0 }),
        ..Default::default()
    };
    command::Command {
        command_type: CommandType::ScheduleActivityTask.into(),
        attributes: Some(Attributes::ScheduleActivityTaskCommandAttributes(attributes)),
        ..Default::default()
    }
}

fn timer(id: &str) -> command::Command {
    let start_to_fire_timeout = Some(Duration { seconds: 90, nanos: 0 });
    let attributes = command::StartTimerCommandAttributes { timer_id: id.into(), start_to_fire_timeout };
    command::Command {
        command_type: CommandType::StartTimer.into(),
        attributes: Some(Attributes::StartTimerCommandAttributes(attributes)),
        ..Default::default()
    }
}
