//! Typed calls, once and with the retries that an SDK makes.
use std::{sync::Arc, time::Duration};

use abide_proto::temporal::api::workflowservice::v1 as ws;
use abide_server::frontend::{Method, WORKFLOW_SERVICE};
use prost::Message;
use tonic::{Code, Status};

use crate::{
    network::{CallError, Network},
    world::World,
};

/// The namespace of every workload.
pub const NAMESPACE: &str = "default";

/// The time that SDKs give a call.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The waits between tries.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// A request and what belongs to it.
pub trait Rpc: Message + Clone {
    type Reply: Message + Default;
    const NAME: &'static str;
}

macro_rules! rpcs {
    ($($name:literal: $request:ident => $reply:ident;)*) => {
        $(impl Rpc for ws::$request {
            type Reply = ws::$reply;
            const NAME: &'static str = $name;
        })*
    };
}

rpcs! {
    "StartWorkflowExecution": StartWorkflowExecutionRequest => StartWorkflowExecutionResponse;
    "SignalWorkflowExecution": SignalWorkflowExecutionRequest => SignalWorkflowExecutionResponse;
    "SignalWithStartWorkflowExecution": SignalWithStartWorkflowExecutionRequest => SignalWithStartWorkflowExecutionResponse;
    "RequestCancelWorkflowExecution": RequestCancelWorkflowExecutionRequest => RequestCancelWorkflowExecutionResponse;
    "TerminateWorkflowExecution": TerminateWorkflowExecutionRequest => TerminateWorkflowExecutionResponse;
    "DescribeWorkflowExecution": DescribeWorkflowExecutionRequest => DescribeWorkflowExecutionResponse;
    "GetWorkflowExecutionHistory": GetWorkflowExecutionHistoryRequest => GetWorkflowExecutionHistoryResponse;
    "QueryWorkflow": QueryWorkflowRequest => QueryWorkflowResponse;
    "PollWorkflowTaskQueue": PollWorkflowTaskQueueRequest => PollWorkflowTaskQueueResponse;
    "PollActivityTaskQueue": PollActivityTaskQueueRequest => PollActivityTaskQueueResponse;
    "RespondWorkflowTaskCompleted": RespondWorkflowTaskCompletedRequest => RespondWorkflowTaskCompletedResponse;
    "RespondWorkflowTaskFailed": RespondWorkflowTaskFailedRequest => RespondWorkflowTaskFailedResponse;
    "RespondQueryTaskCompleted": RespondQueryTaskCompletedRequest => RespondQueryTaskCompletedResponse;
    "RespondActivityTaskCompleted": RespondActivityTaskCompletedRequest => RespondActivityTaskCompletedResponse;
    "RespondActivityTaskFailed": RespondActivityTaskFailedRequest => RespondActivityTaskFailedResponse;
    "RespondActivityTaskCanceled": RespondActivityTaskCanceledRequest => RespondActivityTaskCanceledResponse;
    "RecordActivityTaskHeartbeat": RecordActivityTaskHeartbeatRequest => RecordActivityTaskHeartbeatResponse;
}

/// A process that calls the server.
#[derive(Clone)]
pub struct Client {
    pub world: World,
    network: Arc<Network>,
}

impl Client {
    pub fn new(world: &World, network: &Arc<Network>) -> Self {
        Self { world: world.clone(), network: Arc::clone(network) }
    }

    /// One try.
    pub async fn once<R: Rpc>(&self, request: &R, timeout: Duration) -> Result<R::Reply, CallError> {
        let method = method(R::NAME);
        let bytes = self.network.call(method, request.encode_to_vec().into(), timeout).await?;
        // The frame's head is five bytes.
        R::Reply::decode(bytes.slice(5..)).map_err(|error| CallError::Refused(Status::internal(error.to_string())))
    }

    /// Tries until there is an answer that another try would not change. The same request, so that the server can
    /// recognise it.
    pub async fn retrying<R: Rpc>(&self, request: &R) -> Result<R::Reply, Status> {
        self.retrying_for(request, TIMEOUT).await
    }

    /// As [`Client::retrying`], with another time for each try.
    pub async fn retrying_for<R: Rpc>(&self, request: &R, timeout: Duration) -> Result<R::Reply, Status> {
        let mut wait = RETRY.0;
        loop {
            match self.once(request, timeout).await {
                Ok(reply) => return Ok(reply),
                Err(CallError::Refused(status)) if !is_passing(status.code()) => return Err(status),
                Err(_) => {}
            }
            self.world.sleep(self.world.span(wait / 2, wait)).await;
            wait = (wait * 2).min(RETRY.1);
        }
    }
}

fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Cancelled | Code::Aborted
    )
}

fn method(name: &'static str) -> &'static Method {
    let found = WORKFLOW_SERVICE.methods.iter().find(|method| method.name == name);
    found.expect("the names above are those of the service")
}
