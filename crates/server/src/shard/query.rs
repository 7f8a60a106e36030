//! Queries that wait: for the run's next workflow task, or for a worker that takes them directly (spec §3.11). In memory
//! only; whoever asked still waits, and asks again if the server goes away.
use std::sync::{Arc, Mutex, PoisonError};

use abide_engine::workflow::RunKey;
use abide_proto::temporal::api::{failure::v1::Failure, query::v1::WorkflowQuery, common::v1::Payloads};
use tokio::sync::oneshot;

/// How a query ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Answered(Option<Payloads>),
    Failed { message: String, failure: Option<Failure> },
    /// The answer is over the size limit. A direct query's failure has a detail.
    TooLarge { direct: bool },
    /// The workflow task it waited for is over and did not answer it: it is to be put to a worker directly.
    Unblocked,
}

/// A query that rides on the run's next workflow task.
pub(super) struct Waiting {
    pub(super) id: String,
    pub(super) query: WorkflowQuery,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// The queries that wait for a run's workflow task, oldest first.
#[derive(Default)]
pub(super) struct Queries {
    pub(super) waiting: Vec<Waiting>,
}

impl Queries {
    /// Forgets those whose askers have gone.
    pub(super) fn prune(&mut self) {
        self.waiting.retain(|waiting| !waiting.reply.is_closed());
    }
}

/// A query that is put to a worker directly.
pub struct QueryTask {
    pub id: String,
    pub key: RunKey,
    pub query: WorkflowQuery,
    reply: Mutex<Option<oneshot::Sender<Answer>>>,
}

impl QueryTask {
    pub fn new(id: String, key: RunKey, query: WorkflowQuery) -> (Arc<Self>, oneshot::Receiver<Answer>) {
        let (reply, answer) = oneshot::channel();
        (Arc::new(Self { id, key, query, reply: Mutex::new(Some(reply)) }), answer)
    }

    /// Whether somebody still waits for the answer.
    pub fn is_wanted(&self) -> bool {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner);
        reply.as_ref().is_some_and(|reply| !reply.is_closed())
    }

    /// Gives the answer; false if nobody waits for it any more.
    pub fn answer(&self, answer: Answer) -> bool {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner).take();
        reply.is_some_and(|reply| reply.send(answer).is_ok())
    }
}
