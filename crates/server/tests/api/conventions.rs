//! What holds for every call, whatever it does (spec §3.37).
use abide_engine::workflow::TaskToken;
use abide_proto::temporal::api::{
    common::v1::{Payload, Payloads},
    workflowservice::v1 as ws,
};
use prost::Message;
use tonic::{Code, Request, codec::CompressionEncoding, metadata::MetadataValue};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::common::{detailed, plain, refusal, start};

const SERVICE: &str = "temporal.api.workflowservice.v1.WorkflowService";

#[tokio::test]
async fn methods_and_services_that_are_not_there() {
    let server = start().await;
    for (path, text) in [
        (format!("/{SERVICE}/Nope"), format!("unknown method Nope for service {SERVICE}")),
        (format!("/{SERVICE}/"), format!("unknown method  for service {SERVICE}")),
        ("/a.b.C/GetSystemInfo".into(), "unknown service a.b.C".into()),
        ("/grpc.health.v1.Health/Nope".into(), "unknown method Nope for service grpc.health.v1.Health".into()),
        ("/Nope".into(), "malformed method name: \"/Nope\"".into()),
    ] {
        assert_eq!(refusal(server.call::<()>(&path, ()).await), plain(Code::Unimplemented, &text));
    }
}

#[tokio::test]
async fn the_namespace_comes_before_all_other_complaints() {
    let server = start().await;
    let describe =
        |namespace: &str| ws::DescribeWorkflowExecutionRequest { namespace: namespace.into(), ..Default::default() };
    let mut client = server.workflow();
    let outcome = client.describe_workflow_execution(describe("")).await;
    assert_eq!(refusal(outcome), plain(Code::InvalidArgument, "Namespace is empty."));
    let outcome = client.describe_workflow_execution(describe("nope")).await;
    assert_eq!(refusal(outcome), detailed(Code::NotFound, "Namespace nope is not found.", "NamespaceNotFoundFailure"));
    let outcome = client.describe_workflow_execution(describe(&"n".repeat(1001))).await;
    assert_eq!(refusal(outcome), plain(Code::InvalidArgument, "Namespace length exceeds limit."));
}

#[tokio::test]
async fn a_task_token_must_be_one_of_the_namespace() {
    let server = start().await;
    let mut client = server.workflow();
    let request = |namespace: &str, token: Vec<u8>| ws::RespondWorkflowTaskFailedRequest {
        namespace: namespace.into(),
        task_token: token.into(),
        ..Default::default()
    };
    for (namespace, token, text) in [
        ("", vec![], "Task token not set on request."),
        ("default", vec![], "Task token not set on request."),
        ("default", b"nope".to_vec(), "Error deserializing task token."),
    ] {
        let outcome = client.respond_workflow_task_failed(request(namespace, token)).await;
        assert_eq!(refusal(outcome), plain(Code::InvalidArgument, text));
    }
    let namespace_id = server.running.frontend.system_namespace.id_text();
    let token = TaskToken { namespace_id, ..Default::default() }.encode_to_vec();
    let outcome = client.respond_workflow_task_failed(request("default", token)).await;
    let text = "Operation requested with a token from a different namespace.";
    assert_eq!(refusal(outcome), plain(Code::InvalidArgument, text));
}

#[tokio::test]
async fn the_clients_version_comes_after_the_namespace() {
    let server = start().await;
    let with_version = |namespace: &str| {
        let mut request =
            Request::new(ws::PollWorkflowTaskQueueRequest { namespace: namespace.into(), ..Default::default() });
        request.metadata_mut().insert("client-name", MetadataValue::from_static("temporal-go"));
        request.metadata_mut().insert("client-version", MetadataValue::from_static("9.0.0"));
        request
    };
    let mut client = server.workflow();
    let outcome = client.poll_workflow_task_queue(with_version("")).await;
    assert_eq!(refusal(outcome), plain(Code::InvalidArgument, "Namespace is empty."));
    let text = "Client version 9.0.0 is not supported. Server supports temporal-go versions: <2.0.0";
    let outcome = client.poll_workflow_task_queue(with_version("default")).await;
    assert_eq!(refusal(outcome), detailed(Code::FailedPrecondition, text, "ClientVersionNotSupportedFailure"));
}

#[tokio::test]
async fn requests_have_a_size_limit_and_may_be_compressed() {
    let server = start().await;
    let request = |size: usize| ws::StartWorkflowExecutionRequest {
        namespace: "nope".into(),
        input: Some(Payloads { payloads: vec![Payload { data: vec![0; size].into(), ..Default::default() }] }),
        ..Default::default()
    };
    let (code, text, _) = refusal(server.workflow().start_workflow_execution(request(5 << 20)).await);
    assert_eq!(code, Code::ResourceExhausted);
    assert_eq!(text, "grpc: received message larger than max (5242901 vs. 4194304)");
    let mut packing = server.workflow().send_compressed(CompressionEncoding::Gzip);
    let (code, text, _) = refusal(packing.start_workflow_execution(request(1 << 20)).await);
    assert_eq!((code, text.as_str()), (Code::NotFound, "Namespace nope is not found."));
}

#[tokio::test]
async fn bytes_that_are_no_message() {
    let server = start().await;
    // Field 1 is the namespace, a string; here it is a number.
    #[derive(Clone, PartialEq, prost::Message)]
    struct Other {
        #[prost(int32, tag = "1")]
        number: i32,
    }
    let path = format!("/{SERVICE}/DescribeNamespace");
    let (code, text, _) = refusal(server.call::<()>(&path, Other { number: 1 }).await);
    assert_eq!(code, Code::Internal);
    assert!(text.starts_with("grpc: error unmarshalling request: "), "{text}");
}

#[tokio::test]
async fn what_is_not_built_says_so() {
    let server = start().await;
    let request = ws::CreateScheduleRequest { namespace: "default".into(), ..Default::default() };
    let outcome = server.workflow().create_schedule(request).await;
    assert_eq!(refusal(outcome), plain(Code::Unimplemented, "CreateSchedule not implemented"));
    let request = ws::PauseWorkflowExecutionRequest { namespace: "default".into(), ..Default::default() };
    let outcome = server.workflow().pause_workflow_execution(request).await;
    assert_eq!(refusal(outcome), plain(Code::Unimplemented, "workflow pause is not enabled for namespace: default"));
}

#[tokio::test]
async fn health_is_told_and_watched_to_the_end() {
    let server = start().await;
    let mut client = HealthClient::new(server.channel.clone());
    let of = |service: &str| HealthCheckRequest { service: service.into() };
    for service in ["", SERVICE, "temporal.api.operatorservice.v1.OperatorService"] {
        assert_eq!(client.check(of(service)).await.unwrap().into_inner().status, 1, "{service}");
    }
    assert_eq!(refusal(client.check(of("nope")).await), plain(Code::NotFound, "unknown service"));
    let mut watch = client.watch(of(SERVICE)).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1);
    server.running.frontend.drain.start();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 2);
}

#[tokio::test]
async fn reflection_knows_the_services() {
    let server = start().await;
    let mut client = ServerReflectionClient::new(server.channel.clone());
    let ask =
        |message| tokio_stream::once(ServerReflectionRequest { message_request: Some(message), ..Default::default() });
    let mut answers =
        client.server_reflection_info(ask(MessageRequest::ListServices("*".into()))).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(
        names,
        [
            SERVICE,
            "temporal.api.operatorservice.v1.OperatorService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection"
        ]
    );
    let mut answers = client
        .server_reflection_info(ask(MessageRequest::FileContainingSymbol(SERVICE.into())))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    assert!(matches!(answer, MessageResponse::FileDescriptorResponse(_)), "{answer:?}");
}
