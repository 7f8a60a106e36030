//! What calls that wait take of a server's memory: polls of task queues without tasks, and long polls of histories
//! that do not grow.
use std::time::Duration;

use abide_proto::temporal::api::{
    enums::v1::HistoryEventFilterType,
    workflowservice::v1::{
        GetWorkflowExecutionHistoryRequest, PollActivityTaskQueueRequest, RegisterNamespaceRequest,
        StartWorkflowExecutionRequest,
    },
};
use prost::Message;
use serde::Serialize;

use crate::{
    clock,
    connection::Connections,
    error::Error,
    fault::Fault,
    names::Names,
    raw::Connection,
    target::Target,
    wire::{self, IDENTITY, request},
};

const POLL: &str = "/temporal.api.workflowservice.v1.WorkflowService/PollActivityTaskQueue";
const START: &str = "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution";
const HISTORY: &str = "/temporal.api.workflowservice.v1.WorkflowService/GetWorkflowExecutionHistory";
/// As SDKs have it.
const TIMEOUT: &str = "70S";
const REGISTER_TIMEOUT: Duration = Duration::from_secs(10);
const DAY_SECONDS: i64 = 24 * 60 * 60;
/// A namespace has only so many calls that wait (spec §4.4), less those of others.
const CALLS_PER_NAMESPACE: usize = 1000;
/// Starts under way at a time, so that they are not too many for a server that is to be measured at rest.
const STARTS_AT_A_TIME: usize = 100;
/// Between every hundred calls: very many at once are more than a server takes.
const BATCH_INTERVAL: Duration = Duration::from_millis(20);
/// For the server to have taken in all calls, and to give back what that took. All has to be done before the first calls
/// have waited for as long as they may: 60 seconds, and 20 for a long poll of a history.
const SETTLE: Duration = Duration::from_secs(3);

/// Memory of a server that waits. Each kind of load is added to those before it.
#[derive(Debug, Clone, Serialize)]
pub struct IdleCallsFigures {
    /// Polls, and as many long polls of histories.
    pub calls: usize,
    /// Memory of the server before, with an open run for each long poll.
    pub resident_bytes: u64,
    /// Polls of an activity task queue on four connections.
    pub bytes_per_poll: f64,
    /// Connections of which nothing is asked.
    pub bytes_per_connection: f64,
    /// The same with one poll each, both together.
    pub bytes_per_connection_with_poll: f64,
    /// How many connections that were.
    pub connections: usize,
    /// Long polls of histories, one run each, on four connections.
    pub bytes_per_history_poll: f64,
    /// Memory of the server with all that.
    pub resident_at_end_bytes: u64,
}

/// Lets `calls` polls wait on a few connections and one on each of `connections`, and then `calls` long polls of
/// histories beside them.
///
/// # Errors
/// When the server errs or answers a call that should wait.
pub async fn run(target: &Target, calls: usize, connections: usize) -> Result<IdleCallsFigures, Error> {
    // Polls and long polls of a namespace count together.
    let of_polls = namespaces(target, calls.div_ceil(CALLS_PER_NAMESPACE)).await?;
    let of_connections = namespaces(target, connections.div_ceil(CALLS_PER_NAMESPACE)).await?;
    let of_runs = namespaces(target, calls.div_ceil(CALLS_PER_NAMESPACE)).await?;
    let tag = Names::new().tag().to_owned();
    start_runs(target, calls, &of_runs, &tag).await?;
    clock::pause(SETTLE).await;

    let resident_bytes = resident(target)?;
    let mut few = open(target, 4).await?;
    add(&mut few, calls, POLL, |at| poll(&of_polls[at / CALLS_PER_NAMESPACE])).await?;
    let with_polls = resident(target)?;
    let mut many = open(target, connections).await?;
    settled(&mut many).await?;
    let with_connections = resident(target)?;
    add(&mut many, connections, POLL, |at| poll(&of_connections[at / CALLS_PER_NAMESPACE])).await?;
    let with_their_polls = resident(target)?;
    let mut readers = open(target, 4).await?;
    let history = |at: usize| history(&of_runs[at / CALLS_PER_NAMESPACE], run_id(&tag, at));
    add(&mut readers, calls, HISTORY, history).await?;
    let resident_at_end_bytes = resident(target)?;
    // Nobody may have been answered meanwhile.
    settled_once(&mut few).await?;
    settled_once(&mut many).await?;

    let each = |after: u64, before: u64, count: usize| (after as f64 - before as f64) / count as f64;
    Ok(IdleCallsFigures {
        calls,
        resident_bytes,
        bytes_per_poll: each(with_polls, resident_bytes, calls),
        bytes_per_connection: each(with_connections, with_polls, connections),
        bytes_per_connection_with_poll: each(with_their_polls, with_polls, connections),
        connections,
        bytes_per_history_poll: each(resident_at_end_bytes, with_their_polls, calls),
        resident_at_end_bytes,
    })
}

async fn open(target: &Target, count: usize) -> Result<Vec<Connection<()>>, Error> {
    let mut open = Vec::with_capacity(count);
    for _ in 0..count {
        open.push(Connection::open(target.address()).await?);
    }
    settled_once(&mut open).await?;
    Ok(open)
}

/// Makes calls that wait, on these connections in turn.
async fn add(
    open: &mut [Connection<()>],
    calls: usize,
    path: &str,
    message: impl Fn(usize) -> Vec<u8>,
) -> Result<(), Error> {
    let count = open.len();
    for at in 0..calls {
        open[at % count].call(path, TIMEOUT, &message(at), ());
        if at % 100 == 99 {
            clock::pause(BATCH_INTERVAL).await;
            settled_once(open).await?;
        }
    }
    settled(open).await
}

/// Lets the server take in what was sent, and checks that it waits.
async fn settled(open: &mut [Connection<()>]) -> Result<(), Error> {
    let end = clock::now() + SETTLE;
    while clock::now() < end {
        settled_once(open).await?;
        clock::pause(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn settled_once(open: &mut [Connection<()>]) -> Result<(), Error> {
    let mut replies = Vec::new();
    for connection in open {
        connection.exchange(clock::now(), &mut replies).await?;
    }
    match replies.first() {
        Some(reply) if reply.message.is_some() => Err(Fault::wrong("a call", "waiting", "answered").into()),
        Some(_) => Err(Fault::wrong("a call", "waiting", "refused").into()),
        None => Ok(()),
    }
}

fn resident(target: &Target) -> Result<u64, Error> {
    let memory = target.process.and_then(|process| process.memory());
    let memory = memory.ok_or_else(|| Error::io("the server's memory")(std::io::ErrorKind::NotFound.into()))?;
    Ok(memory.resident_bytes)
}

async fn namespaces(target: &Target, count: usize) -> Result<Vec<String>, Error> {
    let mut client = Connections::open(target.address(), 1).await?.client();
    let mut names = Vec::with_capacity(count);
    for number in 0..count {
        let namespace = format!("idle-{}-{number}", Names::new().tag());
        let register = RegisterNamespaceRequest {
            namespace: namespace.clone(),
            workflow_execution_retention_period: Some(prost_types::Duration { seconds: DAY_SECONDS, nanos: 0 }),
            ..Default::default()
        };
        let registered = client.register_namespace(request(register, REGISTER_TIMEOUT)).await;
        registered.map_err(|status| Fault::refused("RegisterNamespace", &status))?;
        names.push(namespace);
    }
    Ok(names)
}

/// One open run for each call; their tasks stay, since nobody polls for them.
async fn start_runs(target: &Target, count: usize, namespaces: &[String], tag: &str) -> Result<(), Error> {
    let mut connection: Connection<()> = Connection::open(target.address()).await?;
    let mut replies = Vec::new();
    let (mut started, mut answered) = (0, 0);
    while answered < count {
        while started < count && started - answered < STARTS_AT_A_TIME {
            connection.call(
                START,
                TIMEOUT,
                &start(&namespaces[started / CALLS_PER_NAMESPACE], run_id(tag, started)),
                (),
            );
            started += 1;
        }
        connection.exchange(clock::now() + SETTLE, &mut replies).await?;
        answered += replies.len();
        if replies.drain(..).any(|reply| reply.message.is_none()) {
            return Err(Fault::wrong("a start", "let in", "refused").into());
        }
    }
    Ok(())
}

fn run_id(tag: &str, at: usize) -> String {
    format!("idle-{tag}-{at}")
}

fn poll(namespace: &str) -> Vec<u8> {
    let poll = PollActivityTaskQueueRequest {
        namespace: namespace.to_owned(),
        task_queue: Some(wire::normal_queue("idle-calls")),
        identity: IDENTITY.to_owned(),
        ..Default::default()
    };
    poll.encode_to_vec()
}

fn start(namespace: &str, workflow_id: String) -> Vec<u8> {
    let start = StartWorkflowExecutionRequest {
        namespace: namespace.to_owned(),
        request_id: workflow_id.clone(),
        workflow_id,
        workflow_type: Some(abide_proto::temporal::api::common::v1::WorkflowType { name: "Idle".to_owned() }),
        task_queue: Some(wire::normal_queue("idle-calls")),
        identity: IDENTITY.to_owned(),
        ..Default::default()
    };
    start.encode_to_vec()
}

fn history(namespace: &str, workflow_id: String) -> Vec<u8> {
    let history = GetWorkflowExecutionHistoryRequest {
        namespace: namespace.to_owned(),
        execution: wire::execution(&workflow_id, ""),
        wait_new_event: true,
        history_event_filter_type: HistoryEventFilterType::CloseEvent.into(),
        ..Default::default()
    };
    history.encode_to_vec()
}
