//! From a path to the call behind it.
use std::{convert::Infallible, future::Future, sync::Arc};

use abide_proto::temporal::api::workflowservice::v1 as api;
use http::{Request, Response};
use hyper::body::Incoming;
use tonic::{Status, body::Body, server::Grpc};
use tonic_prost::ProstCodec;
use tower::service_fn;

use super::calls::Ceiling;

const SERVICE: &str = "/temporal.api.workflowservice.v1.WorkflowService/";

/// Answers one request.
pub(super) async fn answer(ceiling: Arc<Ceiling>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let method = request.uri().path().strip_prefix(SERVICE).unwrap_or_default();
    Ok(match method {
        "PollWorkflowTaskQueue" => unary(request, async |r| ceiling.poll_workflow_task_queue(r).await).await,
        "RespondWorkflowTaskCompleted" => unary(request, async |r| ceiling.respond_workflow_task_completed(r)).await,
        "PollActivityTaskQueue" => unary(request, async |r| ceiling.poll_activity_task_queue(r).await).await,
        "RespondActivityTaskCompleted" => unary(request, async |r| ceiling.respond_activity_task_completed(r)).await,
        "StartWorkflowExecution" => unary(request, async |r| ceiling.start_workflow_execution(r)).await,
        "GetWorkflowExecutionHistory" => {
            unary(request, async |r| ceiling.get_workflow_execution_history(r).await).await
        }
        "SignalWorkflowExecution" => unary(request, async |r| ceiling.signal_workflow_execution(r)).await,
        "GetSystemInfo" => unary(request, async |_: api::GetSystemInfoRequest| Ok(Ceiling::system_info())).await,
        "DescribeNamespace" => unary(request, async |r| Ceiling::describe_namespace(r)).await,
        _ => Status::unimplemented("the ceiling answers only what the load calls").into_http(),
    })
}

async fn unary<Q, R, F>(request: Request<Incoming>, call: impl Fn(Q) -> F) -> Response<Body>
where
    Q: prost::Message + Default + 'static,
    R: prost::Message + 'static,
    F: Future<Output = Result<R, Status>>,
{
    let service = service_fn(|request: tonic::Request<Q>| {
        let reply = call(request.into_inner());
        async { reply.await.map(tonic::Response::new) }
    });
    Grpc::new(ProstCodec::<R, Q>::default()).unary(service, request).await
}
