//! A server in this process, and clients of it.
use std::str::FromStr;

use abide_proto::{
    google::rpc,
    temporal::api::{
        operatorservice::v1::operator_service_client::OperatorServiceClient,
        workflowservice::v1::workflow_service_client::WorkflowServiceClient,
    },
};
use abide_server::{Env, RunningServer, ServerConfig};
use http::uri::PathAndQuery;
use prost::Message;
use tonic::{Code, Request, Status, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;

pub(crate) struct Server {
    pub(crate) running: RunningServer,
    pub(crate) channel: Channel,
}

/// A server with the defaults, on any free port.
pub(crate) async fn start() -> Server {
    start_with(ServerConfig::default()).await
}

pub(crate) async fn start_with(config: ServerConfig) -> Server {
    let running = RunningServer::start(ServerConfig { grpc_port: 0, ..config }, Env::real()).await.unwrap();
    let channel = Channel::from_shared(format!("http://{}", running.grpc_address)).unwrap().connect_lazy();
    Server { running, channel }
}

impl Server {
    pub(crate) fn workflow(&self) -> WorkflowServiceClient<Channel> {
        WorkflowServiceClient::new(self.channel.clone())
    }

    pub(crate) fn operator(&self) -> OperatorServiceClient<Channel> {
        OperatorServiceClient::new(self.channel.clone())
    }

    /// Calls any path.
    pub(crate) async fn call<Reply: Message + Default + 'static>(
        &self,
        path: &str,
        request: impl Message + Default + 'static,
    ) -> Result<Reply, Status> {
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let path = PathAndQuery::from_str(path).unwrap();
        Ok(client.unary(Request::new(request), path, ProstCodec::default()).await?.into_inner())
    }
}

/// The code, the text and the names of the details of what must be an error.
pub(crate) fn refusal<T>(outcome: Result<T, Status>) -> (Code, String, Vec<String>) {
    let status = outcome.err().expect("the call is refused");
    let packed = rpc::Status::decode(status.details()).unwrap();
    let names = packed.details.iter().map(|any| any.type_url.rsplit('.').next().unwrap().to_owned());
    (status.code(), status.message().to_owned(), names.collect())
}

/// A refusal without details.
pub(crate) fn plain(code: Code, text: &str) -> (Code, String, Vec<String>) {
    (code, text.to_owned(), Vec::new())
}

/// A refusal with one detail.
pub(crate) fn detailed(code: Code, text: &str, detail: &str) -> (Code, String, Vec<String>) {
    (code, text.to_owned(), vec![detail.to_owned()])
}
