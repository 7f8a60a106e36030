//! HTTP/2 connections to the server under load.
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use abide_proto::temporal::api::workflowservice::v1::{
    DescribeNamespaceRequest, GetSystemInfoRequest, RegisterNamespaceRequest,
    workflow_service_client::WorkflowServiceClient,
};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

use crate::{
    clock,
    error::Error,
    fault::Fault,
    wire::{NAMESPACE, request},
};

pub(crate) type Client = WorkflowServiceClient<Channel>;

/// Large enough that the history of a fan-out never waits for a window update.
const WINDOW_BYTES: u32 = 4 << 20;
const MESSAGE_BYTES_MAX: usize = 64 << 20;
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The time between two attempts to reach a server that is starting.
const READY_INTERVAL: Duration = Duration::from_millis(1);
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

/// Makes a call and makes it anew when it never left this process: a connection that the server ends because of its age may
/// be chosen by a call in the moment before that is known here. A macro, because the future must be `Send`.
macro_rules! sent {
    ($call:expr) => {
        loop {
            match $call.await {
                Ok(reply) => break Ok(reply.into_inner()),
                Err(status) if $crate::connection::is_unsent(&status) => {}
                Err(status) => break Err(status),
            }
        }
    };
}
pub(crate) use sent;

/// A status with a source was made here and did not come from the server.
pub(crate) fn is_unsent(status: &Status) -> bool {
    let sources = std::iter::successors(std::error::Error::source(status), |error| error.source());
    let mut of_http2 = sources.filter_map(|error| error.downcast_ref::<h2::Error>());
    let is_unsent = |error: &h2::Error| error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
    of_http2.any(is_unsent) || status.code() == Code::Cancelled && std::error::Error::source(status).is_some()
}

/// Waits until the server at `address` answers, unless it `has_ended`; returns when it did.
pub(crate) async fn first_answer(
    address: &str,
    patience: Duration,
    mut has_ended: impl FnMut() -> bool,
) -> Result<Instant, Fault> {
    let begin = clock::now();
    let connections = loop {
        match Connections::open(address, 1).await {
            Ok(connections) => break connections,
            Err(_) if begin.elapsed() < patience && !has_ended() => clock::pause(READY_INTERVAL).await,
            Err(_) => {
                let what = format!("the server at {address}");
                return Err(Fault::Lost { what, waited_s: begin.elapsed().as_secs() });
            }
        }
    };
    let info = request(GetSystemInfoRequest {}, CALL_TIMEOUT);
    match connections.client().get_system_info(info).await {
        Ok(_) => Ok(clock::now()),
        Err(status) => Err(Fault::refused("GetSystemInfo", &status)),
    }
}

/// Sees to it that the namespace of the load exists.
pub(crate) async fn ensure_namespace(address: &str, patience: Duration) -> Result<(), Error> {
    let begin = clock::now();
    let mut client = Connections::open(address, 1).await?.client();
    let mut registered = false;
    loop {
        let describe = DescribeNamespaceRequest { namespace: NAMESPACE.to_owned(), ..Default::default() };
        match client.describe_namespace(request(describe, CALL_TIMEOUT)).await {
            Ok(_) => return Ok(()),
            Err(status) if status.code() != Code::NotFound || begin.elapsed() > patience => {
                return Err(Fault::refused("DescribeNamespace", &status).into());
            }
            Err(_) if registered => clock::pause(READY_INTERVAL).await, // it shows once the namespace cache refreshes
            Err(_) => {
                register_namespace(&mut client).await?;
                registered = true;
            }
        }
    }
}

async fn register_namespace(client: &mut Client) -> Result<(), Fault> {
    let register = RegisterNamespaceRequest {
        namespace: NAMESPACE.to_owned(),
        workflow_execution_retention_period: Some(prost_types::Duration { seconds: DAY_SECONDS, nanos: 0 }),
        ..Default::default()
    };
    match client.register_namespace(request(register, CALL_TIMEOUT)).await {
        Err(status) if status.code() != Code::AlreadyExists => Err(Fault::refused("RegisterNamespace", &status)),
        _ => Ok(()),
    }
}
