//! Queries that wait: for the run's next workflow task, or for a worker that takes them directly (spec §3.11). In memory
//! only; whoever asked still waits, and asks again if the server goes away.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use abide_engine::{
    Refusal,
    workflow::{Run, RunKey, workflow_task::start::StartedWorkflowTask},
};
use abide_proto::temporal::api::{
    common::v1::Payloads,
    enums::v1::{QueryResultType, ResourceExhaustedCause, ResourceExhaustedScope},
    failure::v1::Failure,
    query::v1::{WorkflowQuery, WorkflowQueryResult},
};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    Error, Shard,
    state::{Entry, State},
};

/// How a query ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Answered(Option<Payloads>),
    Failed {
        message: String,
        failure: Option<Box<Failure>>,
    },
    /// The answer is over the size limit. A direct query's failure has a detail.
    TooLarge {
        direct: bool,
    },
    /// The workflow task it waited for is over and did not answer it: it is to be put to a worker directly.
    Unblocked,
}

/// A query that rides on the run's next workflow task.
pub(super) struct Waiting {
    pub(super) id: String,
    pub(super) query: WorkflowQuery,
    pub(super) reply: oneshot::Sender<Answer>,
    /// The workflow task that had been started before: its history may lack what the asker knows of.
    pub(super) missed: Option<TaskStart>,
}

/// The scheduled event of a workflow task, and when it was started, in nanoseconds.
type TaskStart = (i64, i64);

/// The queries that wait for a run's workflow task, oldest first.
#[derive(Default)]
pub(super) struct Queries {
    pub(super) waiting: Vec<Waiting>,
}

impl Shard {
    /// Lets a query wait for the run's next workflow task; at most `limit` do.
    pub fn buffer_query(
        &self,
        key: &RunKey,
        id: String,
        query: WorkflowQuery,
        limit: usize,
    ) -> Result<oneshot::Receiver<Answer>, Error> {
        let mut state = self.lock();
        let (reply, answer) = oneshot::channel();
        // The task that the caller saw may be over by now.
        let Some(entry) = self.load(&mut state, key)?.filter(|entry| !is_idle(&entry.run)) else {
            // The receiver is in hand, so sending succeeds.
            let _ = reply.send(Answer::Unblocked);
            return Ok(answer);
        };
        let started = entry.run.header.get().workflow_task.as_ref().filter(|task| task.started_event_id != 0);
        let missed = started.map(|task| (task.scheduled_event_id, task.started_time));
        let queries = state.queries.entry(key.clone()).or_default();
        queries.prune();
        if queries.waiting.len() >= limit {
            return Err(Error::Refused(Refusal::ResourceExhausted {
                message: "consistent query buffer is full, this may be caused by too many queries and workflow not able to process query fast enough".into(),
                cause: ResourceExhaustedCause::BusyWorkflow,
                scope: ResourceExhaustedScope::Namespace,
            }));
        }
        queries.waiting.push(Waiting { id, query, reply, missed });
        Ok(answer)
    }

    /// The queries that go out with a workflow task which was started: those that were there before its start. Later ones
    /// may have been asked after a signal that is not in its history.
    pub fn waiting_queries(&self, key: &RunKey, task: &StartedWorkflowTask) -> BTreeMap<String, WorkflowQuery> {
        let start = (task.token.scheduled_event_id, task.token.started_time);
        let mut state = self.lock();
        let Some(queries) = state.queries.get_mut(key) else { return BTreeMap::new() };
        queries.prune();
        let in_time = queries.waiting.iter().filter(|waiting| waiting.missed != Some(start));
        in_time.map(|waiting| (waiting.id.clone(), waiting.query.clone())).collect()
    }
}

/// The results of a completed workflow task for the queries that rode on it.
pub struct QueryAnswers {
    pub key: RunKey,
    pub results: BTreeMap<String, WorkflowQueryResult>,
    /// A larger answer is refused.
    pub limit_bytes: usize,
}

impl QueryAnswers {
    /// Gives each query its result; results for others say nothing.
    pub(super) fn give(self, state: &mut State) {
        let Some(queries) = state.queries.get_mut(&self.key) else { return };
        for (id, result) in self.results {
            if let Some(at) = queries.waiting.iter().position(|waiting| waiting.id == id) {
                // Nobody waits any more if sending fails.
                let _ = queries.waiting.remove(at).reply.send(of_result(result, self.limit_bytes));
            }
        }
    }
}

/// No workflow task will come that could answer: the run is closed, or it worked before and is idle now.
fn is_idle(run: &Run) -> bool {
    let header = run.header.get();
    !header.is_running() || (header.workflow_task.is_none() && header.last_completed_started_event_id != 0)
}

/// Lets go of the queries that wait for a task which does not come: they are put to a worker directly.
pub(super) fn unblock(state: &mut State, key: &RunKey) {
    let Some(queries) = state.queries.get_mut(key) else { return };
    // A change that is not durable yet may bring the answers itself.
    let over = |entry: &Entry| entry.undurable == 0 && is_idle(&entry.run);
    if queries.waiting.is_empty() || state.runs.get(key).is_none_or(over) {
        for waiting in queries.waiting.drain(..) {
            // Nobody waits any more if sending fails.
            let _ = waiting.reply.send(Answer::Unblocked);
        }
        state.queries.remove(key);
    }
}

fn of_result(result: WorkflowQueryResult, limit_bytes: usize) -> Answer {
    if result.result_type == QueryResultType::Answered as i32 {
        if abide_engine::payload::size_bytes(result.answer.as_ref()) > limit_bytes {
            return Answer::TooLarge { direct: false };
        }
        return Answer::Answered(result.answer);
    }
    Answer::Failed { message: result.error_message, failure: result.failure.map(Box::new) }
}

impl Queries {
    /// Forgets those whose askers have gone.
    pub(super) fn prune(&mut self) {
        self.waiting.retain(|waiting| !waiting.reply.is_closed());
    }
}

/// A query that is put to a worker directly.
pub struct QueryTask {
    pub id: Uuid,
    pub key: RunKey,
    pub query: WorkflowQuery,
    reply: Mutex<Option<oneshot::Sender<Answer>>>,
}

impl QueryTask {
    pub fn new(id: Uuid, key: RunKey, query: WorkflowQuery) -> (Arc<Self>, oneshot::Receiver<Answer>) {
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
