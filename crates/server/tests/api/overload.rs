//! What is refused when more arrives than the server gets done.
use std::time::Duration;

use abide_engine::workflow::TaskToken;
use abide_proto::temporal::api::{
    enums::v1::{ResourceExhaustedCause as Cause, ResourceExhaustedScope as Scope},
    taskqueue::v1::TaskQueue,
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
async fn calls_that_wait_are_not_under_way() {
    let server = limited(DynamicConfig { calls_under_way_max: 1, ..Default::default() }).await;
    let mut polls = Vec::new();
    for count in 1..=3 {
        let mut client = server.workflow();
        let task_queue = Some(TaskQueue { name: "tq".into(), ..Default::default() });
        let poll = ws::PollWorkflowTaskQueueRequest { namespace: "default".into(), task_queue, ..Default::default() };
        let mut request = Request::new(poll);
        request.set_timeout(Duration::from_secs(60));
        polls.push(tokio::spawn(async move { client.poll_workflow_task_queue(request).await }));
        shown(&server, &format!("abide_waiting_calls{{kind=\"workflow_poll\"}} {count}")).await;
    }
    assert_eq!(start(&server).await.code(), Code::InvalidArgument);
    polls.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn after_too_many_new_work_waits_until_few_are_at_work() {
    let config = DynamicConfig { calls_under_way_max: 2, calls_when_overloaded_max: 1, ..Default::default() };
    let server = limited(config).await;
    let path = "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution";
    let calls = [(); 2].map(|()| unfinished(&server, path));
    shown(&server, "abide_calls_under_way 2").await;
    assert_eq!(exhausted(&start(&server).await), overloaded());
    calls[0].abort();
    shown(&server, "abide_calls_under_way 1").await;
    // One is at work, and two would be few enough before.
    assert_eq!(exhausted(&start(&server).await), overloaded());
    assert_eq!(answer(&server).await.code(), Code::NotFound);
    calls[1].abort();
    shown(&server, "abide_calls_under_way 0").await;
    assert_eq!(start(&server).await.code(), Code::InvalidArgument);
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
