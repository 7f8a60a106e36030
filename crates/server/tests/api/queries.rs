//! Direct queries, answered by a worker that makes mistakes (spec §3.11).
use std::time::Duration;

use abide_proto::temporal::api::{
    command::v1::{Command, CompleteWorkflowExecutionCommandAttributes, command::Attributes},
    common::v1::{WorkflowExecution, WorkflowType},
    enums::v1::CommandType,
    query::v1::WorkflowQuery,
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as ws,
};
use tonic::{Code, Request};

use crate::common::{Server, detailed, plain, refusal, start};

fn timely<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_secs(30));
    request
}

async fn poll(server: &Server) -> ws::PollWorkflowTaskQueueResponse {
    let task_queue = Some(TaskQueue { name: "tq".into(), ..Default::default() });
    let request = ws::PollWorkflowTaskQueueRequest { namespace: "default".into(), task_queue, ..Default::default() };
    server.workflow().poll_workflow_task_queue(timely(request)).await.unwrap().into_inner()
}

/// A workflow that has completed.
async fn completed(server: &Server) {
    let request = ws::StartWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_id: "wf".into(),
        workflow_type: Some(WorkflowType { name: "Flow".into() }),
        task_queue: Some(TaskQueue { name: "tq".into(), ..Default::default() }),
        ..Default::default()
    };
    server.workflow().start_workflow_execution(request).await.unwrap();
    let attributes = CompleteWorkflowExecutionCommandAttributes::default();
    let done = Command {
        command_type: CommandType::CompleteWorkflowExecution as i32,
        attributes: Some(Attributes::CompleteWorkflowExecutionCommandAttributes(attributes)),
        ..Default::default()
    };
    let task_token = poll(server).await.task_token;
    let request = ws::RespondWorkflowTaskCompletedRequest { task_token, commands: vec![done], ..Default::default() };
    server.workflow().respond_workflow_task_completed(request).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_none_fails_the_query() {
    const TEXT: &str = "CompletedType on request is neither an answer nor a failure.";
    let server = start().await;
    completed(&server).await;
    for completed_type in [0, 77] {
        let mut client = server.workflow();
        let request = ws::QueryWorkflowRequest {
            namespace: "default".into(),
            execution: Some(WorkflowExecution { workflow_id: "wf".into(), run_id: String::new() }),
            query: Some(WorkflowQuery { query_type: "q".into(), ..Default::default() }),
            ..Default::default()
        };
        let asking = tokio::spawn(async move { client.query_workflow(timely(request)).await });
        let task_token = poll(&server).await.task_token;
        let answer = ws::RespondQueryTaskCompletedRequest { task_token, completed_type, ..Default::default() };
        let outcome = server.workflow().respond_query_task_completed(answer).await;
        assert_eq!(refusal(outcome), plain(Code::InvalidArgument, TEXT));
        let asked = asking.await.unwrap();
        assert_eq!(refusal(asked), detailed(Code::InvalidArgument, TEXT, "QueryFailedFailure"));
    }
}
