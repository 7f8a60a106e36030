//! What happens once a transition is durable: the reply goes out, tasks are offered, whoever watches the run wakes.
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use abide_engine::workflow::{Dispatch, RunKey};
use abide_store::CommitError;
use tokio::sync::{mpsc, oneshot};

use super::{
    Shard, Shared,
    hand_over::HandOver,
    outbox,
    query::{self, QueryAnswers},
    recover,
};

/// Rides with a batch through the committer.
pub struct Done {
    pub(super) shard: Arc<Shard>,
    /// The lease that the batch was written under; what happens under another is none of this batch's business.
    pub(super) epoch: u64,
    /// The runs that the batch changed; empty for a barrier.
    pub(super) runs: Vec<Arc<RunKey>>,
    pub(super) tasks: Vec<(Arc<RunKey>, Dispatch)>,
    /// What goes straight to polls.
    pub(super) handed_over: Vec<HandOver>,
    /// What a completed workflow task says to the queries that rode on it.
    pub(super) answers: Option<QueryAnswers>,
    pub(super) reply: Option<oneshot::Sender<Result<(), CommitError>>>,
}

/// A group whose fate is known.
type Settled = (Vec<Done>, Result<(), CommitError>);

/// Groups from the committing thread.
pub(super) type Incoming = mpsc::UnboundedReceiver<Settled>;

/// Called on the committing thread. What one batch asks for is done at once, which saves the lone caller a change of
/// threads; a larger group goes to the task beside, so that the next one can be made durable meanwhile. The order of
/// groups does not matter here: each batch tells its own caller and offers its own tasks.
pub(super) fn pass_on(mut dones: Vec<Done>, outcome: Result<(), CommitError>, beside: &mpsc::UnboundedSender<Settled>) {
    if outcome.is_ok() && dones.len() == 1 {
        dones.drain(..).for_each(|done| finish_or_abort(done, &outcome));
    } else {
        // The receiver lives as long as the process serves.
        let _ = beside.send((dones, outcome));
    }
}

/// Carries out what durable groups ask for, beside the committing thread, which goes on with the next group.
pub(super) fn run(shared: &Arc<Shared>, mut incoming: Incoming) {
    shared.env.spawn(async move {
        while let Some((dones, outcome)) = incoming.recv().await {
            for done in dones {
                finish_or_abort(done, &outcome);
            }
        }
    });
}

/// A panic here would leave callers without an answer and tasks without an offer, for good: better the process ends and
/// recovers from what is durable.
fn finish_or_abort(done: Done, outcome: &Result<(), CommitError>) {
    if catch_unwind(AssertUnwindSafe(|| finish(done, outcome))).is_err() {
        tracing::error!("a panic after a commit; the process ends");
        std::process::abort();
    }
}

fn finish(done: Done, outcome: &Result<(), CommitError>) {
    let Done { shard, epoch, runs, tasks, handed_over, answers, reply } = done;
    match outcome {
        Ok(()) => {
            settle(&shard, epoch, &runs, answers);
            // The reply first: the caller is waiting, the worker may be too but hears of it through another call.
            if let Some(reply) = reply {
                let _ = reply.send(Ok(())); // a caller that went away needs no answer
            }
            for task in handed_over {
                task.deliver(&shard);
            }
            for (key, dispatch) in tasks {
                outbox::offer(&shard.shared, &key, dispatch);
            }
        }
        Err(error) => {
            recover::after_failure(&shard, epoch, error);
            if let Some(reply) = reply {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}

fn settle(shard: &Arc<Shard>, epoch: u64, runs: &[Arc<RunKey>], answers: Option<QueryAnswers>) {
    if runs.is_empty() {
        return;
    }
    let mut state = shard.lock();
    if let Some(answers) = answers {
        answers.give(&mut state);
    }
    if state.lease.epoch != epoch {
        return;
    }
    for key in runs {
        if let Some(entry) = state.runs.get_mut(&**key) {
            entry.undurable = entry.undurable.saturating_sub(1);
        }
        query::unblock(&mut state, key);
        if let Some(watcher) = state.watchers.remove(&**key) {
            watcher.notify_waiters();
        }
    }
    state.evict();
}
