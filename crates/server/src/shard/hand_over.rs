//! Tasks that go straight to a poll which waits for them: started by the transition that schedules them, given to the poll
//! once that is durable. They are never in the outbox.
use std::sync::{Arc, Mutex, PoisonError};

use abide_engine::{
    Workers,
    workflow::{
        Dispatch, RunKey, Started, TaskToken, Transition, activity, workflow_task::give_back,
        workflow_task::start::Taker,
    },
};
use abide_matching::{Entry, Reserved};
use uuid::Uuid;

use super::{
    Shard, Shared, Target,
    outbox::{self, Task},
};

/// The polls that a transition's tasks may go to.
pub(super) struct WaitingPolls<'s> {
    shared: &'s Shared,
    reserved: Vec<(Reserved<Task>, String)>,
}

impl<'s> WaitingPolls<'s> {
    pub(super) fn new(shared: &'s Shared) -> Self {
        Self { shared, reserved: Vec::new() }
    }

    /// Brings the started tasks and their polls together.
    pub(super) fn for_tasks(self, started: Vec<Started>) -> Vec<HandOver> {
        assert_eq!(self.reserved.len(), started.len(), "every poll that was taken gets a task");
        let pairs = self.reserved.into_iter().zip(started);
        pairs.map(|((poll, request_id), started)| HandOver { poll, request_id, started }).collect()
    }
}

impl Workers for WaitingPolls<'_> {
    fn take(&mut self, run: &RunKey, task: &Dispatch) -> Option<Taker> {
        let queue = outbox::queue_of(run, task);
        let poll = self.shared.matching.reserve(&queue)?;
        let request_id = Uuid::from_bytes(self.shared.env.uuid()).to_string();
        let sticky_queue = if queue.sticky { queue.name.to_string() } else { String::new() };
        let taker = Taker { identity: poll.identity().to_owned(), request_id: request_id.clone(), sticky_queue };
        self.reserved.push((poll, request_id));
        Some(taker)
    }
}

/// A started task on its way to its poll. Dropped before it is durable, it leaves the poll waiting.
pub(super) struct HandOver {
    poll: Reserved<Task>,
    request_id: String,
    started: Started,
}

impl HandOver {
    /// Gives the task to the poll. The start must be durable.
    pub(super) fn deliver(self, shard: &Arc<Shard>) {
        let Self { poll, request_id, started } = self;
        let task = StartedTask { shard: Arc::clone(shard), request_id, started: Mutex::new(Some(started)) };
        // Who polled may have gone: what comes back undoes itself.
        let entry = Entry { task: Task::Started(Arc::new(task)), priority: 0, scheduled_time_ms: 0 };
        drop(poll.deliver(entry));
    }
}

/// A task that was started for a poll. If it is dropped before the poll's worker has it, the start is undone.
pub struct StartedTask {
    shard: Arc<Shard>,
    request_id: String,
    /// None once the worker has it.
    started: Mutex<Option<Started>>,
}

impl StartedTask {
    /// The task, for the reply to the worker; none if it was taken already.
    pub fn take(&self) -> Option<Started> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for StartedTask {
    fn drop(&mut self) {
        let Some(started) = self.take() else { return };
        let (shard, request_id) = (Arc::clone(&self.shard), std::mem::take(&mut self.request_id));
        shard.shared.env.clone().spawn(async move { undo(&shard, &started, &request_id).await });
    }
}

async fn undo(shard: &Arc<Shard>, started: &Started, request_id: &str) {
    let Some(key) = token(started).run_key() else { return };
    let Some(namespace) = shard.shared.namespaces.by_id(*key.namespace_id.as_bytes()) else { return };
    let change = |tx: &mut Transition<'_, '_>| {
        match started {
            Started::Workflow(_) => give_back(tx, request_id),
            Started::Activity(task) => activity::give_back(tx, task.token.scheduled_event_id, request_id),
        }
        Ok(())
    };
    if let Err(error) = shard.update(&namespace, &Target::run(&key), change).await {
        tracing::debug!(%error, "a start that nobody heard of could not be undone; it times out");
    }
}

pub(super) fn token(started: &Started) -> &TaskToken {
    match started {
        Started::Workflow(task) => &task.token,
        Started::Activity(task) => &task.token,
    }
}
