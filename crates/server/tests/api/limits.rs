//! Limits on calls per second and on calls that wait (spec §3.28).
use std::time::Duration;

use abide_proto::temporal::api::{
    enums::v1::{ResourceExhaustedCause as Cause, ResourceExhaustedScope as Scope},
    errordetails::v1::ResourceExhaustedFailure,
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as ws,
};
use abide_server::{ServerConfig, dynamic_config::DynamicConfig};
use prost::Message;
use tonic::{Code, Request, Status};

use crate::common::{Server, start_with};

async fn limited(dynamic_config: DynamicConfig) -> Server {
    start_with(ServerConfig { dynamic_config, ..Default::default() }).await
}

/// A call about a namespace that fails for another reason where it is let in.
fn describe(caller: &'static str) -> Request<ws::DescribeWorkflowExecutionRequest> {
    let message = ws::DescribeWorkflowExecutionRequest { namespace: "default".into(), ..Default::default() };
    let mut request = Request::new(message);
    request.metadata_mut().insert("caller-type", caller.parse().unwrap());
    request
}

/// What a refusal says: text, cause and scope, the latter two also as headers.
pub(crate) fn exhausted(status: &Status) -> (String, Cause, Scope) {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    let packed = abide_proto::google::rpc::Status::decode(status.details()).unwrap();
    let detail = ResourceExhaustedFailure::decode(packed.details[0].value.as_slice()).unwrap();
    for header in ["x-resource-exhausted-cause", "x-resource-exhausted-scope"] {
        assert!(status.metadata().contains_key(header), "{status:?}");
    }
    (status.message().to_owned(), detail.cause(), detail.scope())
}

#[tokio::test]
async fn a_namespace_has_its_calls_per_second() {
    // So slow that nothing comes back while the test runs; the burst is two calls.
    let config = DynamicConfig { namespace_rps: 1, namespace_burst_ratio: 5.0, ..Default::default() };
    let server = limited(config).await;
    let mut client = server.workflow();
    let mut codes = Vec::new();
    for _ in 0..20 {
        codes.push(client.describe_workflow_execution(describe("api")).await.unwrap_err());
    }
    assert!(codes[..5].iter().all(|status| status.code() == Code::InvalidArgument), "{codes:?}");
    let refused = codes.iter().find(|status| status.code() == Code::ResourceExhausted).unwrap();
    let want = ("namespace rate limit exceeded".to_owned(), Cause::RpsLimit, Scope::Namespace);
    assert_eq!(exhausted(refused), want);
    let operator = client.describe_workflow_execution(describe("operator")).await.unwrap_err();
    assert_eq!(operator.code(), Code::InvalidArgument, "operators have a reserve");
    client.get_system_info(ws::GetSystemInfoRequest::default()).await.unwrap();
}

#[tokio::test]
async fn the_process_has_its_calls_per_second() {
    let server = limited(DynamicConfig { host_rps: 1, ..Default::default() }).await;
    let mut client = server.workflow();
    let mut outcomes = Vec::new();
    for _ in 0..20 {
        outcomes.push(client.get_system_info(ws::GetSystemInfoRequest::default()).await);
    }
    assert!(outcomes[0].is_ok());
    let refused = outcomes.iter().find_map(|outcome| outcome.as_ref().err()).unwrap();
    let want = ("service rate limit exceeded".to_owned(), Cause::RpsLimit, Scope::System);
    assert_eq!(exhausted(refused), want);
}

#[tokio::test]
async fn without_a_key_nothing_is_limited() {
    let server = limited(DynamicConfig::default()).await;
    let mut client = server.workflow();
    for _ in 0..500 {
        let refused = client.describe_workflow_execution(describe("api")).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn only_so_many_calls_wait_in_a_namespace() {
    let server = limited(DynamicConfig { namespace_long_calls_max: 1, ..Default::default() }).await;
    let poll = |mut client: ws::workflow_service_client::WorkflowServiceClient<tonic::transport::Channel>| async move {
        let queue = TaskQueue { name: "tq".into(), ..Default::default() };
        let message = ws::PollWorkflowTaskQueueRequest {
            namespace: "default".into(),
            task_queue: Some(queue),
            ..Default::default()
        };
        let mut request = Request::new(message);
        request.set_timeout(Duration::from_secs(60));
        client.poll_workflow_task_queue(request).await
    };
    // One of the two has the place; the other is refused while it waits.
    let refused = tokio::select! {
        outcome = poll(server.workflow()) => outcome.unwrap_err(),
        outcome = poll(server.workflow()) => outcome.unwrap_err(),
    };
    let want = ("namespace concurrent poller limit exceeded".to_owned(), Cause::ConcurrentLimit, Scope::Namespace);
    assert_eq!(exhausted(&refused), want);
}
