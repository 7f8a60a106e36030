//! A server in a world of its own, called past its connections.
use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use abide_server::{
    Frontend, ServerConfig,
    frontend::{Arrived, Deadline, Method, OPERATOR_SERVICE, WORKFLOW_SERVICE},
    serve,
};
use abide_store::{Batch, Committer, MemoryStore, Order, ShardId, Store, Table};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::HeaderName};
use prost::Message;
use prost_reflect::DynamicMessage;
use tonic::{Code, Status};

use crate::{session, world::World};

/// What a call without a deadline may take, and what any may take past its deadline.
const LONGEST_CALL: Duration = Duration::from_secs(3600);
const GRACE: Duration = Duration::from_secs(10);
/// Shards of the server.
pub(crate) const SHARDS: u16 = 2;
/// Instants at which something is due in one wait.
const INSTANTS_MAX: usize = 200_000;
/// How a message that does not decode is refused, as the reference server's library does.
const MALFORMED: &str = "grpc: error unmarshalling request";

/// A reply without its frame, or the status.
pub(crate) type Outcome = Result<Bytes, Status>;

/// A call that was made and may be under way.
pub(crate) struct InFlight {
    pub(crate) method: &'static Method,
    task: u64,
    ends_by: Duration,
    outcome: Arc<Mutex<Option<Outcome>>>,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) store: Arc<MemoryStore>,
    frontend: Option<Arc<Frontend>>,
    world: World,
    /// Calls may be refused as unavailable: its store is not what it wrote.
    pub(crate) may_be_unavailable: bool,
}

/// A row of the store.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) shard: ShardId,
    pub(crate) table: Table,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// Every method of the API.
pub(crate) fn methods() -> impl Iterator<Item = (&'static str, &'static Method)> {
    [&WORKFLOW_SERVICE, &OPERATOR_SERVICE].into_iter().flat_map(|s| s.methods.iter().map(|method| (s.name, method)))
}

/// The method of this name.
pub(crate) fn method(name: &str) -> &'static Method {
    let found = methods().find(|(_, method)| method.name == name);
    found.expect("the targets name methods of the API").1
}

impl Server {
    pub(crate) fn start() -> Self {
        let store = Arc::new(MemoryStore::new());
        let mut server = Self { store, frontend: None, world: World::default(), may_be_unavailable: false };
        server.open().expect("an empty store can be opened");
        server
    }

    /// Another server that has ended, on a copy of what one that has ended stored.
    pub(crate) fn copy(&self) -> Self {
        assert!(self.frontend.is_none(), "the server has ended");
        let store = Arc::new(MemoryStore::new());
        for row in self.rows() {
            let lease = store.acquire(row.shard).expect("a store in memory gives leases");
            let mut batch = Batch::new(lease);
            batch.put(row.table, row.key, row.value);
            store.commit(&[batch]).expect("a store in memory takes what another one held");
        }
        Self { store, frontend: None, world: World::after(&self.world), may_be_unavailable: false }
    }

    /// All that is stored.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for shard in (0..SHARDS).map(ShardId).chain([ShardId(u16::MAX)]) {
            for table in Table::ALL {
                let found = self.store.scan(shard, table, &[][..]..&[0xff][..], usize::MAX, Order::Forward);
                let found = found.expect("a store in memory can be read").into_iter();
                rows.extend(found.map(|(key, value)| Row { shard, table, key, value }));
            }
        }
        rows
    }

    /// Opens the store, and says why it cannot be opened.
    pub(crate) fn open(&mut self) -> Result<(), serve::Error> {
        let config = ServerConfig { shard_count: SHARDS, ..ServerConfig::default() };
        let opened = Arc::new(Mutex::new(None));
        let (slot, env, store) = (Arc::clone(&opened), self.world.env(), Arc::clone(&self.store) as Arc<dyn Store>);
        self.world.spawn(Box::pin(async move {
            let frontend = Frontend::open(config, env, store, Committer::start).await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(frontend);
        }));
        self.world.settle(&|| {});
        let frontend = opened.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.frontend = Some(Arc::new(frontend.expect("opening a store in memory waits for nothing")?));
        self.settle();
        Ok(())
    }

    /// Ends the server as a kill does, and starts another on what it stored.
    pub(crate) fn restart(&mut self) -> Result<(), serve::Error> {
        self.end();
        self.open()
    }

    /// Drops everything but the store; nothing may be left behind.
    pub(crate) fn end(&mut self) {
        self.world = World::after(&self.world);
        let Some(frontend) = self.frontend.take() else { return };
        frontend.shards.shared.committer.flush();
        let (left, shared) = (Arc::downgrade(&frontend), Arc::downgrade(&frontend.shards.shared));
        drop(frontend);
        assert_eq!(left.strong_count(), 0, "a frontend outlives its tasks");
        assert_eq!(shared.strong_count(), 0, "the shards outlive their tasks");
    }

    fn frontend(&self) -> &Arc<Frontend> {
        self.frontend.as_ref().expect("the server has not ended")
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// Runs until everybody waits for time to pass.
    pub(crate) fn settle(&self) {
        let shared = &self.frontend().shards.shared;
        self.world.settle(&|| shared.committer.flush());
    }

    /// Lets time pass, and does what becomes due.
    pub(crate) fn pass(&self, span: Duration) {
        let until = self.world.now().saturating_add(span);
        self.settle();
        for _ in 0..INSTANTS_MAX {
            if !self.world.pass_to_next(until) {
                return;
            }
            self.settle();
        }
        panic!("more is due within {span:?} than a server can do");
    }

    /// Begins a call.
    pub(crate) fn begin(&self, method: &'static Method, headers: HeaderMap, message: Bytes) -> InFlight {
        let now = self.world.now();
        tell(|| {
            let described = session::described(method);
            let shown = DynamicMessage::decode(described.input(), message.clone()).map(|shown| shown.to_string());
            format!("{now:?} {} {shown:?} {headers:?}", method.name)
        });
        let deadline = Deadline::of(&headers, now).instant().map_or(LONGEST_CALL, |at| at.saturating_sub(now));
        let ends_by = now + deadline.min(LONGEST_CALL) + GRACE;
        let outcome = Arc::new(Mutex::new(None));
        let (slot, frontend) = (Arc::clone(&outcome), Arc::clone(self.frontend()));
        let arrived = Arrived { headers, message, method: method.name };
        let task = self.world.spawn(Box::pin(async move {
            let answer = (method.run)(frontend, arrived).await.map(|framed| framed.slice(5..));
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }));
        self.settle();
        InFlight { method, task, ends_by, outcome }
    }

    /// The caller goes away.
    pub(crate) fn abandon(&self, call: &InFlight) {
        self.world.cancel(call.task);
        self.settle();
    }

    /// The outcome if there is one by now.
    pub(crate) fn outcome(&self, call: &InFlight) -> Option<Outcome> {
        let outcome = call.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        tell(|| match &outcome {
            Ok(reply) => format!("    {}: OK, {} bytes", call.method.name, reply.len()),
            Err(status) => format!("    {}: {:?}: {}", call.method.name, status.code(), status.message()),
        });
        if let Err(status) = &outcome {
            self.judge(call.method.name, status);
        }
        Some(outcome)
    }

    /// Waits for a call, which must end in time.
    pub(crate) fn finish(&self, call: &InFlight) -> Outcome {
        for _ in 0..INSTANTS_MAX {
            if let Some(outcome) = self.outcome(call) {
                return outcome;
            }
            assert!(self.world.now() < call.ends_by, "{} does not end", call.method.name);
            self.world.pass_to_next(call.ends_by);
            self.settle();
        }
        panic!("{} takes more instants than a call may", call.method.name);
    }

    /// Makes a call with a typed request, and gives its reply.
    pub(crate) fn call<Reply: Message + Default>(&self, name: &str, request: &impl Message) -> Result<Reply, Status> {
        let headers =
            HeaderMap::from_iter([(HeaderName::from_static("grpc-timeout"), HeaderValue::from_static("30S"))]);
        let call = self.begin(method(name), headers, request.encode_to_vec().into());
        self.finish(&call).map(|reply| Reply::decode(reply).expect("a reply is a message"))
    }

    /// No request may lead to a status that says that the server is at fault.
    fn judge(&self, method: &str, status: &Status) {
        let at_fault = match status.code() {
            Code::Internal => !status.message().starts_with(MALFORMED),
            Code::Unknown | Code::DataLoss => true,
            Code::Unavailable => !self.may_be_unavailable,
            _ => false,
        };
        assert!(!at_fault, "{method}: {:?}: {}", status.code(), status.message());
    }
}

/// Says what is done, for whoever looks into an input.
#[allow(clippy::print_stderr)]
fn tell(what: impl FnOnce() -> String) {
    static TELLS: LazyLock<bool> = LazyLock::new(|| std::env::var_os("ABIDE_FUZZ_TELL").is_some());
    if *TELLS {
        eprintln!("{}", what());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use abide_proto::temporal::api::{
        common::v1::{WorkflowExecution, WorkflowType},
        query::v1::WorkflowQuery,
        taskqueue::v1 as tq,
        workflowservice::v1 as ws,
    };

    use super::*;

    #[test]
    fn an_idle_server_rests() {
        // The timers of a shard once spun for as long as the clock showed the millisecond at which they were to look ahead.
        Server::start().pass(Duration::from_secs(3600));
    }

    #[test]
    fn a_query_ends_though_nobody_says_when() {
        let server = Server::start();
        let (namespace, workflow_id) = ("default".to_owned(), "w".to_owned());
        let queue = |name: &str| Some(tq::TaskQueue { name: name.into(), ..Default::default() });
        let start = ws::StartWorkflowExecutionRequest {
            namespace: namespace.clone(),
            workflow_id: workflow_id.clone(),
            workflow_type: Some(WorkflowType { name: "Flow".into() }),
            task_queue: queue("q"),
            ..Default::default()
        };
        let _: ws::StartWorkflowExecutionResponse =
            server.call("StartWorkflowExecution", &start).expect("a run starts");
        let poll = |name: &str| {
            let namespace = namespace.clone();
            let poll = ws::PollWorkflowTaskQueueRequest { namespace, task_queue: queue(name), ..Default::default() };
            let task: ws::PollWorkflowTaskQueueResponse =
                server.call("PollWorkflowTaskQueue", &poll).expect("a poll ends");
            task.task_token
        };
        let complete = ws::RespondWorkflowTaskCompletedRequest {
            task_token: poll("q"),
            sticky_attributes: Some(tq::StickyExecutionAttributes {
                worker_task_queue: queue("sticky"),
                schedule_to_start_timeout: Some(prost_types::Duration { seconds: 1_000_000, nanos: 0 }),
            }),
            ..Default::default()
        };
        let _: ws::RespondWorkflowTaskCompletedResponse =
            server.call("RespondWorkflowTaskCompleted", &complete).expect("a workflow task is completed");
        let poll = ws::PollWorkflowTaskQueueRequest {
            namespace: namespace.clone(),
            task_queue: Some(tq::TaskQueue { name: "sticky".into(), kind: 2, normal_name: "q".into() }),
            ..Default::default()
        };
        let idle: ws::PollWorkflowTaskQueueResponse = server.call("PollWorkflowTaskQueue", &poll).expect("a poll ends");
        assert!(idle.task_token.is_empty(), "the worker is there, and has nothing to do");
        let query = ws::QueryWorkflowRequest {
            namespace,
            execution: Some(WorkflowExecution { workflow_id, ..Default::default() }),
            query: Some(WorkflowQuery { query_type: "n".into(), ..Default::default() }),
            ..Default::default()
        };
        let asked = server.begin(method("QueryWorkflow"), HeaderMap::new(), query.encode_to_vec().into());
        server.finish(&asked).expect_err("nobody answers, and the call ends all the same");
    }
}
