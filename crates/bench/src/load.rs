//! A closed loop of clients: each starts a workflow, waits for its close event, and starts the next.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use abide_proto::temporal::api::{
    common::v1::WorkflowType,
    enums::v1::HistoryEventFilterType,
    history::v1::HistoryEvent,
    workflowservice::v1::{
        GetWorkflowExecutionHistoryRequest, SignalWorkflowExecutionRequest, StartWorkflowExecutionRequest,
    },
};
use tokio::task::JoinSet;

use crate::{
    clock,
    connection::{Client, Connections, sent},
    error::Error,
    fault::{Fault, same},
    flow::Flow,
    names::Names,
    options::Load,
    wire::{self, IDENTITY, NAMESPACE, TASK_TIMEOUT, request},
    worker::{CALL_TIMEOUT, Shared, start_pollers},
};

/// The deadline of one history long poll; the server ends it after 20 s by itself.
const LONG_POLL_TIMEOUT: Duration = Duration::from_secs(30);

/// One workload's clients and workers, connected to one server.
pub(crate) struct Generator<F: Flow> {
    pub(crate) shared: Arc<Shared<F>>,
    connections: Connections,
    pollers: JoinSet<()>,
    next_index: Arc<AtomicU64>,
    lost_after: Duration,
}

/// A run that is open.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) index: u64,
    pub(crate) workflow_id: String,
    pub(crate) run_id: String,
}

impl<F: Flow> Generator<F> {
    /// Connects to the server at `address` and starts the workers.
    pub(crate) async fn start(address: &str, load: &Load, flow: F) -> Result<Self, Error> {
        let mut generator = Self::without_workers(address, load, flow).await?;
        generator.start_workers(address, load).await?;
        Ok(generator)
    }

    /// Connects clients alone, so that what they start waits.
    pub(crate) async fn without_workers(address: &str, load: &Load, flow: F) -> Result<Self, Error> {
        let shared = Arc::new(Shared::new(flow, Names::new()));
        let connections = Connections::open(address, load.connections).await?;
        let next_index = Arc::new(AtomicU64::new(0));
        Ok(Generator { shared, connections, pollers: JoinSet::new(), next_index, lost_after: load.lost_after })
    }

    /// Starts workers, in place of any that there are.
    pub(crate) async fn start_workers(&mut self, address: &str, load: &Load) -> Result<(), Error> {
        let workers = Connections::open(address, load.connections).await?;
        self.pollers = start_pollers(&self.shared, &workers, load.pollers);
        Ok(())
    }

    /// Ends the workers. Nothing may be under way.
    pub(crate) async fn stop_workers(&mut self) {
        self.pollers.shutdown().await;
    }

    /// Connects clients and workers anew, to a server that was started again, and goes on with the runs that are open.
    pub(crate) async fn connect_again(&mut self, address: &str, load: &Load) -> Result<(), Error> {
        self.connections = Connections::open(address, load.connections).await?;
        self.start_workers(address, load).await
    }

    /// A caller on the next connection.
    pub(crate) fn caller(&self) -> Caller<F> {
        Caller {
            shared: Arc::clone(&self.shared),
            client: self.connections.client(),
            next_index: Arc::clone(&self.next_index),
            lost_after: self.lost_after,
        }
    }

    /// Runs `work` to its end, unless a worker meets a fault before.
    pub(crate) async fn unless_fault<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        tokio::select! {
            outcome = work => outcome,
            fault = self.shared.fault() => Err(fault),
        }
    }

    /// Waits for `event`, which counts as lost when it takes too long.
    pub(crate) async fn before_lost<T>(
        &self,
        event: impl Future<Output = T>,
        what: impl FnOnce() -> String,
    ) -> Result<T, Fault> {
        before_lost(self.lost_after, event, what).await
    }

    /// Keeps `concurrency` workflows open for `length`, then lets the open ones end. Returns each one's time from
    /// start to result.
    pub(crate) async fn closed_loop(&self, concurrency: usize, length: Duration) -> Result<Vec<Duration>, Fault> {
        let deadline = clock::now() + length;
        let mut callers = JoinSet::new();
        for _ in 0..concurrency {
            let mut caller = self.caller();
            callers.spawn(async move {
                let mut latencies = Vec::new();
                while latencies.is_empty() || clock::now() < deadline {
                    latencies.push(caller.run().await?);
                }
                Ok(latencies)
            });
        }
        self.unless_fault(async {
            let mut latencies = Vec::new();
            while let Some(finished) = callers.join_next().await {
                latencies.append(&mut finished.map_err(|e| Fault::wrong("a client", "an end", e))??);
            }
            Ok(latencies)
        })
        .await
    }

    /// Runs one workflow more, behind everything that is still queued: what was handed out wrongly has come by then.
    pub(crate) async fn flush(&self) -> Result<(), Fault> {
        let mut caller = self.caller();
        self.unless_fault(Box::pin(async move { caller.run().await.map(drop) })).await
    }
}

/// A client that waits for what it starts.
pub(crate) struct Caller<F: Flow> {
    shared: Arc<Shared<F>>,
    client: Client,
    next_index: Arc<AtomicU64>,
    lost_after: Duration,
}

impl<F: Flow> Caller<F> {
    /// Starts a workflow and waits for its close event; returns the time from start to result.
    pub(crate) async fn run(&mut self) -> Result<Duration, Fault> {
        let begin = clock::now();
        let started = self.start().await?;
        self.wait(&started).await?;
        Ok(begin.elapsed())
    }

    /// Starts the next workflow.
    pub(crate) async fn start(&mut self) -> Result<Started, Fault> {
        let index = self.next_index.fetch_add(1, Ordering::Relaxed);
        let workflow_id = self.shared.names.workflow_id(index);
        self.shared.ledger.open(index);
        let start = StartWorkflowExecutionRequest {
            namespace: NAMESPACE.to_owned(),
            workflow_id: workflow_id.clone(),
            workflow_type: Some(WorkflowType { name: F::TYPE.to_owned() }),
            task_queue: Some(self.shared.task_queue.clone()),
            input: Some(wire::payloads(index.to_string())),
            workflow_task_timeout: Some(TASK_TIMEOUT),
            identity: IDENTITY.to_owned(),
            request_id: self.shared.names.request_id(),
            ..Default::default()
        };
        let client = &mut self.client;
        let reply = sent!(client.start_workflow_execution(request(start.clone(), CALL_TIMEOUT)));
        let reply = reply.map_err(|status| Fault::refused("StartWorkflowExecution", &status))?;
        same(true, reply.started, || format!("field started of the start of run {index}"))?;
        self.shared.ledger.started(index, &reply.run_id)?;
        Ok(Started { index, workflow_id, run_id: reply.run_id })
    }

    /// Waits for the close event of a run and checks it.
    pub(crate) async fn wait(&mut self, run: &Started) -> Result<(), Fault> {
        let event = before_lost(self.lost_after, self.close_event(run), || format!("the close of run {}", run.index));
        let event = event.await??;
        self.shared.ledger.closed(run.index, &self.shared.flow, &event)
    }

    async fn close_event(&mut self, run: &Started) -> Result<HistoryEvent, Fault> {
        let mut wait = GetWorkflowExecutionHistoryRequest {
            namespace: NAMESPACE.to_owned(),
            execution: wire::execution(&run.workflow_id, &run.run_id),
            wait_new_event: true,
            history_event_filter_type: HistoryEventFilterType::CloseEvent.into(),
            ..Default::default()
        };
        loop {
            let client = &mut self.client;
            let reply = sent!(client.get_workflow_execution_history(request(wait.clone(), LONG_POLL_TIMEOUT)));
            let reply = reply.map_err(|status| Fault::refused("GetWorkflowExecutionHistory", &status))?;
            let mut events = reply.history.unwrap_or_default().events;
            if let Some(event) = events.pop() {
                same(0, events.len(), || format!("number of events besides the close event of run {}", run.index))?;
                return Ok(event);
            }
            same(false, reply.next_page_token.is_empty(), || {
                format!("emptiness of the token to wait on for the close of run {}", run.index)
            })?;
            self.shared.ledger.waited_in_vain(run.index)?;
            wait.next_page_token = reply.next_page_token;
        }
    }

    /// Signals a run.
    pub(crate) async fn signal(&mut self, run: &Started, name: &str, input: String) -> Result<(), Fault> {
        let signal = SignalWorkflowExecutionRequest {
            namespace: NAMESPACE.to_owned(),
            workflow_execution: wire::execution(&run.workflow_id, &run.run_id),
            signal_name: name.to_owned(),
            input: Some(wire::payloads(input)),
            identity: IDENTITY.to_owned(),
            request_id: self.shared.names.request_id(),
            ..Default::default()
        };
        let client = &mut self.client;
        match sent!(client.signal_workflow_execution(request(signal.clone(), CALL_TIMEOUT))) {
            Ok(_) => Ok(()),
            Err(status) => Err(Fault::refused("SignalWorkflowExecution", &status)),
        }
    }
}

async fn before_lost<T>(
    lost_after: Duration,
    event: impl Future<Output = T>,
    what: impl FnOnce() -> String,
) -> Result<T, Fault> {
    let came = tokio::time::timeout(lost_after, event).await;
    came.map_err(|_| Fault::Lost { what: what(), waited_s: lost_after.as_secs() })
}
