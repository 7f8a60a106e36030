//! What is refused when more arrives than the server gets done.
use std::time::Duration;

use abide_engine::workflow::TaskToken;
use abide_proto::temporal::api::{
    enums::v1::{ResourceExhaustedCause as Cause, ResourceExhaustedScope as Scope},
    workflowservice::v1 as ws,
};
use abide_server::{ServerConfig, dynamic_config::DynamicConfig};
use http::uri::PathAndQuery;
use prost::Message;
use tokio::task::{JoinHandle, yield_now};
use tonic::{Code, Request, Status, client::Grpc};
use tonic_prost::ProstCodec;

use crate::{
    common::{Server, start_with},
    limits::exhausted,
};

async fn limited(dynamic_config: DynamicConfig) -> Server {
    start_with(ServerConfig { dynamic_config, ..Default::default() }).await
}

fn overloaded() -> (String, Cause, Scope) {
    ("system overloaded".to_owned(), Cause::SystemOverloaded, Scope::System)
}

/// A call whose message never comes.
fn unfinished(server: &Server, path: &'static str) -> JoinHandle<Result<(), Status>> {
    let channel = server.channel.clone();
    tokio::spawn(async move {
        let mut client = Grpc::new(channel);
        client.ready().await.unwrap();
        let path = PathAndQuery::from_static(path);
        let nothing = Request::new(tokio_stream::pending::<()>());
        let codec = ProstCodec::<(), ()>::default();
        client.client_streaming(nothing, path, codec).await.map(|_| ())
    })
}

/// Waits until the metrics have this line.
async fn shown(server: &Server, line: &str) {
    while !server.running.frontend.metrics.exposition().lines().any(|found| found == line) {
        yield_now().await;
    }
}

async fn start(server: &Server) -> Status {
    let request = ws::StartWorkflowExecutionRequest { namespace: "default".into(), ..Default::default() };
    server.workflow().start_workflow_execution(request).await.unwrap_err()
}

async fn answer(server: &Server) -> Status {
    let namespace_id = server.running.frontend.namespace("default").unwrap().id_text();
    let task_token = TaskToken { namespace_id, ..Default::default() }.encode_to_vec().into();
    let request = ws::RespondWorkflowTaskFailedRequest { task_token, ..Default::default() };
    server.workflow().respond_workflow_task_failed(request).await.unwrap_err()
}

#[tokio::test]
async fn answers_of_workers_are_let_in_when_new_work_is_not() {
    let server = limited(DynamicConfig { calls_under_way_max: 1, ..Default::default() }).await;
    let path = "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution";
    let under_way = unfinished(&server, path);
    shown(&server, "abide_calls_under_way 1").await;
    assert_eq!(exhausted(&start(&server).await), overloaded());
    assert_eq!(answer(&server).await.code(), Code::NotFound);
    shown(&server, "abide_refused_calls_total{reason=\"calls_under_way\"} 1").await;
    under_way.abort();
    shown(&server, "abide_calls_under_way 0").await;
    assert_eq!(start(&server).await.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn polls_are_no_calls_under_way() {
    let server = limited(DynamicConfig { calls_under_way_max: 1, ..Default::default() }).await;
    let path = "/temporal.api.workflowservice.v1.WorkflowService/PollWorkflowTaskQueue";
    let polls = [(); 3].map(|()| unfinished(&server, path));
    assert_eq!(start(&server).await.code(), Code::InvalidArgument);
    polls.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn new_work_is_refused_while_calls_stand_in_line() {
    // Every call waits for longer than nothing, so a line stands as soon as calls have come for so long.
    let (line_wait_max, line_patience) = (Duration::ZERO, Duration::from_millis(100));
    let config = DynamicConfig { line_wait_max, line_patience, ..Default::default() };
    let server = limited(config).await;
    while start(&server).await.code() != Code::ResourceExhausted {}
    assert_eq!(answer(&server).await.code(), Code::NotFound);
    let refused = loop {
        let refused = start(&server).await;
        if refused.code() == Code::ResourceExhausted {
            break refused;
        }
    };
    assert_eq!(exhausted(&refused), overloaded());
    let metrics = server.running.frontend.metrics.exposition();
    assert!(metrics.contains("abide_refused_calls_total{reason=\"line\"}"), "{metrics}");
}

#[tokio::test]
async fn a_message_that_does_not_come_is_not_waited_for() {
    let mut config = ServerConfig::default();
    config.connections.request_timeout = Duration::from_millis(1);
    let server = start_with(config).await;
    let path = "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution";
    let status = unfinished(&server, path).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    shown(&server, "abide_calls_under_way 0").await;
}
