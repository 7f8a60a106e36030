//! A server with something of everything in its store, and tokens of all kinds handed out.
use abide_proto::temporal::api::{
    command::v1::{self as command, command::Attributes},
    common::v1 as common,
    enums::v1::CommandType,
    query::v1::WorkflowQuery,
    taskqueue::v1::{StickyExecutionAttributes, TaskQueue},
    workflowservice::v1 as ws,
};
use bytes::Bytes;
use prost::Message;
use prost_types::Duration;
use tonic::Status;

use crate::{
    server::{Server, method},
    session,
    vocabulary::Vocabulary,
};

/// A server, and the names of what is on it.
struct Scene<'s> {
    server: &'s Server,
    vocabulary: Vocabulary,
}

/// Plays what leads there, and gives the names of it.
pub(crate) fn play(server: &Server) -> Vocabulary {
    let mut scene = Scene { server, vocabulary: Vocabulary::new() };
    scene.play().expect("the scene is one that the server knows");
    scene.vocabulary
}

impl Scene<'_> {
    fn play(&mut self) -> Result<(), Status> {
        self.start("u")?;
        let task = self.take()?;
        self.complete(task, vec![done()])?;
        self.start("v")?;
        self.start("w")?;
        let task = self.take()?;
        self.complete(task, vec![activity("a"), activity("b"), timer("t")])?;
        let poll =
            ws::PollActivityTaskQueueRequest { namespace: namespace(), task_queue: queue(), ..Default::default() };
        let _: ws::PollActivityTaskQueueResponse = self.call("PollActivityTaskQueue", &poll)?;
        // The other run's workflow task is taken, and what is signalled now is held back.
        self.take()?;
        for id in ["v", "w"] {
            let signal = ws::SignalWorkflowExecutionRequest {
                namespace: namespace(),
                workflow_execution: execution(id),
                signal_name: "s".into(),
                request_id: "held".into(),
                ..Default::default()
            };
            let _: ws::SignalWorkflowExecutionResponse = self.call("SignalWorkflowExecution", &signal)?;
            self.history(id)?;
        }
        self.ask("u")
    }

    fn start(&mut self, id: &str) -> Result<(), Status> {
        let start = ws::StartWorkflowExecutionRequest {
            namespace: namespace(),
            workflow_id: id.into(),
            workflow_type: Some(common::WorkflowType { name: "Flow".into() }),
            task_queue: queue(),
            retry_policy: Some(common::RetryPolicy { maximum_attempts: 3, ..Default::default() }),
            ..Default::default()
        };
        let _: ws::StartWorkflowExecutionResponse = self.call("StartWorkflowExecution", &start)?;
        Ok(())
    }

    fn take(&mut self) -> Result<Bytes, Status> {
        let poll =
            ws::PollWorkflowTaskQueueRequest { namespace: namespace(), task_queue: queue(), ..Default::default() };
        let task: ws::PollWorkflowTaskQueueResponse = self.call("PollWorkflowTaskQueue", &poll)?;
        assert!(!task.task_token.is_empty(), "a task waits");
        Ok(task.task_token)
    }

    fn complete(&mut self, task_token: Bytes, commands: Vec<command::Command>) -> Result<(), Status> {
        let sticky_attributes = Some(StickyExecutionAttributes {
            worker_task_queue: Some(TaskQueue { name: "sticky".into(), kind: 2, normal_name: "q".into() }),
            schedule_to_start_timeout: Some(Duration { seconds: 10, nanos: 0 }),
        });
        let complete =
            ws::RespondWorkflowTaskCompletedRequest { task_token, commands, sticky_attributes, ..Default::default() };
        let _: ws::RespondWorkflowTaskCompletedResponse = self.call("RespondWorkflowTaskCompleted", &complete)?;
        Ok(())
    }

    /// Pages of a history, from both ends.
    fn history(&mut self, id: &str) -> Result<(), Status> {
        let (namespace, execution, maximum_page_size) = (namespace(), execution(id), 1);
        let reverse = ws::GetWorkflowExecutionHistoryReverseRequest {
            namespace: namespace.clone(),
            execution: execution.clone(),
            maximum_page_size,
            ..Default::default()
        };
        let _: ws::GetWorkflowExecutionHistoryReverseResponse =
            self.call("GetWorkflowExecutionHistoryReverse", &reverse)?;
        let forward =
            ws::GetWorkflowExecutionHistoryRequest { namespace, execution, maximum_page_size, ..Default::default() };
        let _: ws::GetWorkflowExecutionHistoryResponse = self.call("GetWorkflowExecutionHistory", &forward)?;
        Ok(())
    }

    /// A query that a worker has taken and whose caller still waits.
    fn ask(&mut self, id: &str) -> Result<(), Status> {
        let query = ws::QueryWorkflowRequest {
            namespace: namespace(),
            execution: execution(id),
            query: Some(WorkflowQuery { query_type: "n".into(), ..Default::default() }),
            ..Default::default()
        };
        let asked = self.server.begin(method("QueryWorkflow"), Default::default(), query.encode_to_vec().into());
        self.take()?;
        assert!(self.server.outcome(&asked).is_none(), "the worker has not answered yet");
        Ok(())
    }

    fn call<Reply: Message + Default>(&mut self, name: &str, request: &impl Message) -> Result<Reply, Status> {
        let reply: Reply = self.server.call(name, request)?;
        session::learn(&mut self.vocabulary, method(name), &Ok(reply.encode_to_vec().into()));
        Ok(reply)
    }
}

fn namespace() -> String {
    "default".into()
}

fn execution(id: &str) -> Option<common::WorkflowExecution> {
    Some(common::WorkflowExecution { workflow_id: id.into(), ..Default::default() })
}

fn queue() -> Option<TaskQueue> {
    Some(TaskQueue { name: "q".into(), ..Default::default() })
}

fn of_type(command_type: CommandType, attributes: Attributes) -> command::Command {
    command::Command { command_type: command_type.into(), attributes: Some(attributes), ..Default::default() }
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
    of_type(CommandType::ScheduleActivityTask, Attributes::ScheduleActivityTaskCommandAttributes(attributes))
}

fn timer(id: &str) -> command::Command {
    let start_to_fire_timeout = Some(Duration { seconds: 90, nanos: 0 });
    let attributes = command::StartTimerCommandAttributes { timer_id: id.into(), start_to_fire_timeout };
    of_type(CommandType::StartTimer, Attributes::StartTimerCommandAttributes(attributes))
}

fn done() -> command::Command {
    let attributes = Attributes::CompleteWorkflowExecutionCommandAttributes(Default::default());
    of_type(CommandType::CompleteWorkflowExecution, attributes)
}
