//! HTTP/2 connections to the server under load.
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use abide_proto::temporal::api::workflowservice::v1::{
    DescribeNamespaceRequest, GetSystemInfoRequest, RegisterNamespaceRequest,
    workflow_service_client::WorkflowServiceClient,
};
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};

use crate::{
    clock,
    fault::Fault,
    wire::{NAMESPACE, request},
};

pub(crate) type Client = WorkflowServiceClient<Channel>;

/// Large enough that the history of a fan-out never waits for a window update.
const WINDOW_BYTES: u32 = 4 << 20;
const MESSAGE_BYTES_MAX: usize = 64 << 20;
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The time between two attempts to reach a server that is starting.
const READY_INTERVAL: Duration = Duration::from_millis(5);
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Several connections, handed out in turn.
#[derive(Debug)]
pub(crate) struct Connections {
    clients: Vec<Client>,
    next: AtomicUsize,
}

impl Connections {
    /// Opens `count` connections to `address` (`host:port`).
    pub(crate) async fn open(address: &str, count: usize) -> Result<Self, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES);
        let mut clients = Vec::with_capacity(count);
        for _ in 0..count.max(1) {
            let client = Client::new(endpoint.connect().await?);
            clients.push(client.max_decoding_message_size(MESSAGE_BYTES_MAX));
        }
        Ok(Connections { clients, next: AtomicUsize::new(0) })
    }

    /// A client on the next connection; callers keep it for all their calls.
    pub(crate) fn client(&self) -> Client {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.clients[turn % self.clients.len()].clone()
    }
}

/// Waits until the server at `address` answers or `has_ended`, then sees to it that the namespace of the load exists.
pub(crate) async fn ready(address: &str, patience: Duration, mut has_ended: impl FnMut() -> bool) -> Result<(), Fault> {
    let started = clock::now();
    let connections = loop {
        match Connections::open(address, 1).await {
            Ok(connections) => break connections,
            Err(_) if started.elapsed() < patience && !has_ended() => clock::pause(READY_INTERVAL).await,
            Err(_) => {
                return Err(Fault::Lost {
                    what: format!("the server at {address}"),
                    waited_s: started.elapsed().as_secs(),
                });
            }
        }
    };
    let mut client = connections.client();
    let info = request(GetSystemInfoRequest {}, CALL_TIMEOUT);
    client.get_system_info(info).await.map_err(|status| Fault::refused("GetSystemInfo", &status))?;
    let mut registered = false;
    loop {
        let describe = DescribeNamespaceRequest { namespace: NAMESPACE.to_owned(), ..Default::default() };
        match client.describe_namespace(request(describe, CALL_TIMEOUT)).await {
            Ok(_) => return Ok(()),
            Err(status) if status.code() != Code::NotFound || started.elapsed() > patience => {
                return Err(Fault::refused("DescribeNamespace", &status));
            }
            Err(_) if registered => clock::pause(READY_INTERVAL).await, // it shows once the namespace cache refreshes
            Err(_) => {
                let register = RegisterNamespaceRequest {
                    namespace: NAMESPACE.to_owned(),
                    workflow_execution_retention_period: Some(prost_types::Duration { seconds: DAY_SECONDS, nanos: 0 }),
                    ..Default::default()
                };
                match client.register_namespace(request(register, CALL_TIMEOUT)).await {
                    Ok(_) => registered = true,
                    Err(status) if status.code() == Code::AlreadyExists => registered = true,
                    Err(status) => return Err(Fault::refused("RegisterNamespace", &status)),
                }
            }
        }
    }
}
