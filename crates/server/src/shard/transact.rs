//! Finding a run, reading it, and changing it.
use std::sync::Arc;

use abide_engine::{
    Context, Ids, NoWorkers, Refusal, Settings, Time, Workers,
    workflow::{Dispatch, Finished, Run, RunKey, Started, Transition, create, finish, workflow_task::complete::Stop},
};
use abide_store::{Batch, Order, Table, keys};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    Done, Error, Shard,
    hand_over::WaitingPolls,
    persist,
    query::QueryAnswers,
    settings::WORKFLOW_ID_BYTES_MAX,
    state::{Current, Entry, State},
};
use crate::{env::Env, namespaces::Namespace};

/// How a call names a run.
#[derive(Clone, Debug)]
pub struct Target {
    pub workflow_id: String,
    /// None is the current run.
    pub run_id: Option<Uuid>,
    /// The run id as the caller wrote it, for texts; empty if the server names the run.
    pub run_id_text: String,
    /// The chain's first run, if not empty: the current run must belong to it, and the run id does not count.
    pub first_run_id: String,
}

impl Target {
    pub fn run(key: &RunKey) -> Self {
        let (run_id_text, first_run_id) = (String::new(), String::new());
        Self { workflow_id: key.workflow_id.clone(), run_id: Some(key.run_id), run_id_text, first_run_id }
    }
}

/// What a read or a change of a run gave, and which run it was.
#[derive(Debug)]
pub struct Found<R> {
    pub key: RunKey,
    pub value: R,
}

/// Ids for the engine, from the environment's generator.
pub(super) struct EnvIds<'e>(pub(super) &'e Env);

impl Ids for EnvIds<'_> {
    fn uuid(&mut self) -> Uuid {
        Uuid::from_bytes(self.0.uuid())
    }

    fn fraction(&mut self) -> f64 {
        (self.0.random_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// What is to be waited for before the caller is answered.
pub(super) type Durable = Option<oneshot::Receiver<Result<(), abide_store::CommitError>>>;

/// Waits until everything that the answer rests on is durable.
pub(super) async fn durable(waiting: Durable) -> Result<(), Error> {
    match waiting {
        None => Ok(()),
        Some(waiting) => match waiting.await {
            Ok(outcome) => outcome.map_err(Error::from),
            Err(_) => Err(Error::Unavailable("the server is shutting down".into())),
        },
    }
}

impl Shard {
    /// Runs a change on a run; what it returns is given once it is durable.
    pub async fn update<R>(
        self: &Arc<Self>,
        namespace: &Namespace,
        target: &Target,
        change: impl FnOnce(&mut Transition<'_, '_>) -> Result<R, Stop>,
    ) -> Result<Found<R>, Error> {
        self.update_and_answer(namespace, target, None, change).await
    }

    /// As [`Shard::update`]; if the change succeeds, queries that wait are answered once it is durable, even if the
    /// caller has gone by then.
    pub async fn update_and_answer<R>(
        self: &Arc<Self>,
        namespace: &Namespace,
        target: &Target,
        answers: Option<QueryAnswers>,
        change: impl FnOnce(&mut Transition<'_, '_>) -> Result<R, Stop>,
    ) -> Result<Found<R>, Error> {
        let (key, outcome, waiting) = {
            let mut state = self.lock();
            let key = self.find(&mut state, namespace, target)?;
            let (outcome, waiting) = self.apply(&mut state, namespace, &key, answers, change)?;
            (key, outcome, waiting)
        };
        durable(waiting).await?;
        let value = outcome.map_err(Error::Refused)?;
        Ok(Found { key, value })
    }

    /// As [`Shard::update`], for a caller that may go away: if it does before it has heard of the change, `undo` follows.
    pub async fn update_or_undo<R>(
        self: &Arc<Self>,
        namespace: &Arc<Namespace>,
        target: &Target,
        change: impl FnOnce(&mut Transition<'_, '_>) -> Result<R, Stop>,
        undo: impl FnOnce(&mut Transition<'_, '_>) + Send + 'static,
    ) -> Result<Found<R>, Error> {
        let (shard, namespace, target) = (Arc::clone(self), Arc::clone(namespace), target.clone());
        let mut guard =
            UndoIfDropped { undo: Some((undo, Arc::clone(&shard), Arc::clone(&namespace), target.clone())) };
        let outcome = shard.update(&namespace, &target, change).await;
        guard.undo = None;
        outcome
    }

    /// Looks at a run; what is seen is given once it is durable.
    pub async fn read<R>(
        self: &Arc<Self>,
        namespace: &Namespace,
        target: &Target,
        look: impl FnOnce(&Run, &Context<'_>) -> R,
    ) -> Result<Found<R>, Error> {
        let (key, value, waiting) = {
            let mut state = self.lock();
            let key = self.find(&mut state, namespace, target)?;
            let settings = self.shared.settings.of(namespace);
            let mut ids = EnvIds(&self.shared.env);
            let mut nobody = NoWorkers;
            let cx = self.context(&settings, namespace, &mut ids, &mut nobody);
            let entry = self.load(&mut state, &key)?.ok_or_else(|| unknown_run(&key))?;
            let value = look(&entry.run, &cx);
            let undurable = entry.undurable > 0;
            #[cfg(feature = "planted")]
            let undurable = undurable && !abide_planted::is(abide_planted::Fault::ReadBeforeCommit);
            (key, value, undurable.then(|| self.barrier(&state)))
        };
        durable(waiting).await?;
        Ok(Found { key, value })
    }

    /// Applies a change under the shard's lock and submits it.
    pub(super) fn apply<R>(
        self: &Arc<Self>,
        state: &mut State,
        namespace: &Namespace,
        key: &RunKey,
        answers: Option<QueryAnswers>,
        change: impl FnOnce(&mut Transition<'_, '_>) -> Result<R, Stop>,
    ) -> Result<(Result<R, Refusal>, Durable), Error> {
        let settings = self.shared.settings.of(namespace);
        let mut ids = EnvIds(&self.shared.env);
        let mut polls = WaitingPolls::new(&self.shared);
        let mut cx = self.context(&settings, namespace, &mut ids, &mut polls);
        let entry = self.load(state, key)?.ok_or_else(|| unknown_run(key))?;
        let undurable = entry.undurable > 0;
        let mut tx = Transition::new(&mut entry.run, &mut cx);
        let outcome = match change(&mut tx) {
            Ok(value) => Ok(value),
            Err(Stop::Recorded(refusal)) => Err(refusal),
            Err(Stop::Refused(refusal)) => {
                tx.abort();
                return Ok((Err(refusal), undurable.then(|| self.barrier(state))));
            }
        };
        let finished = finish(tx);
        let mut changes = Changes::default();
        self.take_in(state, &mut cx, finished, &mut changes);
        if changes.is_empty() {
            return Ok((outcome, undurable.then(|| self.barrier(state))));
        }
        changes.answers = answers.filter(|_| outcome.is_ok());
        let waiting = self.submit(state, changes, polls);
        Ok((outcome, Some(waiting)))
    }

    pub(super) fn context<'c>(
        &self,
        settings: &'c Settings,
        namespace: &'c Namespace,
        ids: &'c mut EnvIds<'_>,
        workers: &'c mut dyn Workers,
    ) -> Context<'c> {
        Context { now: Time(self.shared.env.wall_ns()), ids, workers, settings, namespace: &namespace.name }
    }

    /// Enters a finished transition, and the run that follows from it, into what is to be committed.
    pub(super) fn take_in(&self, state: &mut State, cx: &mut Context<'_>, finished: Finished, changes: &mut Changes) {
        let Finished { commit, successor, started } = finished;
        changes.started.extend(started);
        if !commit.is_empty() {
            self.note(state, &commit, changes);
        }
        if let Some(new) = successor {
            let created = create(cx, *new);
            self.take_in_new(state, created.run, created.finished, changes);
        }
    }

    /// Enters a run that was just made: it is the current one of its id from now on.
    pub(super) fn take_in_new(&self, state: &mut State, run: Run, finished: Finished, changes: &mut Changes) {
        let key = run.key.clone();
        state.currents.insert((key.namespace_id, key.workflow_id.clone()), Current { run_id: key.run_id });
        let last_used = state.tick();
        state.runs.insert(key, Entry::new(run, last_used));
        changes.started.extend(finished.started);
        self.note(state, &finished.commit, changes);
    }

    fn note(&self, state: &mut State, commit: &abide_engine::workflow::Commit, changes: &mut Changes) {
        let key = Arc::new(commit.key.clone());
        if let Some(entry) = state.runs.get_mut(&commit.key) {
            entry.undurable += 1;
            entry.recent.extend(&commit.batches);
        }
        let (before_ms, now_ms) = commit.wakeup_ms;
        if before_ms != now_ms {
            self.arm(state, &commit.key, before_ms, now_ms);
        }
        let mut batch = changes.batch.take().unwrap_or_else(|| Batch::new(state.lease));
        persist::write(&mut batch, commit);
        changes.batch = Some(batch);
        changes.tasks.extend(commit.outbox_added.iter().map(|dispatch| (Arc::clone(&key), dispatch.clone())));
        changes.runs.push(key);
    }

    /// Hands the changes to the committer. Under the lock, so that commits keep the order of the transitions.
    pub(super) fn submit(
        self: &Arc<Self>,
        state: &State,
        changes: Changes,
        polls: WaitingPolls<'_>,
    ) -> oneshot::Receiver<Result<(), abide_store::CommitError>> {
        let (reply, waiting) = oneshot::channel();
        let Changes { batch, runs, tasks, started, answers } = changes;
        let handed_over = polls.for_tasks(started);
        #[cfg(feature = "planted")]
        let (reply, waiting) = if abide_planted::is(abide_planted::Fault::ReplyBeforeCommit) {
            drop(reply.send(Ok(())));
            let (unheard, _) = oneshot::channel();
            (unheard, waiting)
        } else {
            (reply, waiting)
        };
        let (shard, epoch) = (Arc::clone(self), state.lease.epoch);
        #[cfg(feature = "planted")]
        let handed_over = if abide_planted::is(abide_planted::Fault::HandedOverBeforeCommit) {
            handed_over.into_iter().for_each(|task| task.deliver(&shard));
            Vec::new()
        } else {
            handed_over
        };
        let done = Done { shard, epoch, runs, tasks, handed_over, answers, reply: Some(reply) };
        self.shared.committer.submit(batch.unwrap_or_else(|| Batch::new(state.lease)), done);
        waiting
    }

    pub(super) fn barrier(self: &Arc<Self>, state: &State) -> oneshot::Receiver<Result<(), abide_store::CommitError>> {
        self.submit(state, Changes::default(), WaitingPolls::new(&self.shared))
    }

    /// The run that the target means.
    pub(super) fn find(&self, state: &mut State, namespace: &Namespace, target: &Target) -> Result<RunKey, Error> {
        let namespace_id = Uuid::from_bytes(namespace.id);
        let workflow_id = &target.workflow_id;
        let named = target.run_id.filter(|_| target.first_run_id.is_empty());
        // No run has such an id, and it may not even fit into a key.
        if workflow_id.len() > WORKFLOW_ID_BYTES_MAX {
            return Err(match named {
                Some(_) => no_such_run(workflow_id, &target.run_id_text),
                None => unknown_workflow(workflow_id),
            });
        }
        let run_id = match named {
            Some(run_id) => run_id,
            None => {
                let current = self.current(state, namespace_id, workflow_id)?;
                current.ok_or_else(|| unknown_workflow(workflow_id))?.run_id
            }
        };
        let key = RunKey { namespace_id, workflow_id: workflow_id.clone(), run_id };
        let entry = self.load(state, &key)?.ok_or_else(|| match target.run_id_text.as_str() {
            "" => unknown_run(&key),
            text => no_such_run(workflow_id, text),
        })?;
        if !target.first_run_id.is_empty() && entry.run.profile.first_run_id != target.first_run_id {
            return Err(Refusal::NotFound("workflow execution not found".into()).into());
        }
        Ok(key)
    }

    /// The newest run of a workflow id.
    pub(super) fn current(
        &self,
        state: &mut State,
        namespace_id: Uuid,
        workflow_id: &str,
    ) -> Result<Option<Current>, Error> {
        let id = (namespace_id, workflow_id.to_owned());
        if let Some(known) = state.currents.get(&id) {
            return Ok(Some(*known));
        }
        let key = keys::current(*namespace_id.as_bytes(), workflow_id);
        let Some(value) = self.shared.store.get(self.id, Table::State, &key)? else { return Ok(None) };
        let run_id = Uuid::from_slice(&value)
            .map_err(|_| Error::Unavailable(format!("the current-run record of {workflow_id:?} is damaged")))?;
        state.currents.insert(id, Current { run_id });
        Ok(Some(Current { run_id }))
    }

    /// The run, from memory or from the store.
    pub(super) fn load<'s>(&self, state: &'s mut State, key: &RunKey) -> Result<Option<&'s mut Entry>, Error> {
        let last_used = state.tick();
        if !state.runs.contains_key(key) {
            let Some(run) = self.load_stored(key)? else { return Ok(None) };
            state.evict();
            state.runs.insert(key.clone(), Entry::new(run, last_used));
        }
        let mut entry = state.runs.get_mut(key);
        if let Some(entry) = &mut entry {
            entry.last_used = last_used;
        }
        Ok(entry)
    }

    /// How many runs are in memory, whether anybody needs them or not.
    pub fn runs_in_memory(&self) -> usize {
        self.lock().runs.len()
    }

    pub(super) fn load_stored(&self, key: &RunKey) -> Result<Option<Run>, Error> {
        let prefix = keys::run_prefix(*key.namespace_id.as_bytes(), &key.workflow_id, *key.run_id.as_bytes());
        let cut = prefix.len();
        let range = keys::prefix_range(prefix);
        let found =
            self.shared.store.scan(self.id, Table::State, &range.start..&range.end, usize::MAX, Order::Forward)?;
        if found.is_empty() {
            return Ok(None);
        }
        let records = found.iter().map(|(key, value)| (key[cut], &key[cut + 1..], value.as_slice()));
        Run::load(key.clone(), records).map(Some).map_err(|error| Error::Unavailable(error.to_string()))
    }
}

/// Runs the change that undoes another, if it is dropped with it.
struct UndoIfDropped<U: FnOnce(&mut Transition<'_, '_>) + Send + 'static> {
    undo: Option<(U, Arc<Shard>, Arc<Namespace>, Target)>,
}

impl<U: FnOnce(&mut Transition<'_, '_>) + Send + 'static> Drop for UndoIfDropped<U> {
    fn drop(&mut self) {
        let Some((undo, shard, namespace, target)) = self.undo.take() else { return };
        let env = shard.shared.env.clone();
        env.spawn(async move {
            let change = |tx: &mut Transition<'_, '_>| {
                undo(tx);
                Ok(())
            };
            if let Err(error) = shard.update(&namespace, &target, change).await {
                tracing::debug!(%error, "a start that nobody heard of could not be undone; it times out");
            }
        });
    }
}

/// What one batch is going to hold.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) batch: Option<Batch>,
    pub(super) runs: Vec<Arc<RunKey>>,
    pub(super) tasks: Vec<(Arc<RunKey>, Dispatch)>,
    pub(super) started: Vec<Started>,
    pub(super) answers: Option<QueryAnswers>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.batch.is_none()
    }
}

fn unknown_workflow(workflow_id: &str) -> Error {
    Refusal::NotFound(format!("workflow not found for ID: {workflow_id}")).into()
}

pub(super) fn unknown_run(key: &RunKey) -> Error {
    no_such_run(&key.workflow_id, &key.run_id.to_string())
}

fn no_such_run(workflow_id: &str, run_id: &str) -> Error {
    let text = format!("workflow execution not found for workflow ID \"{workflow_id}\" and run ID \"{run_id}\"");
    Refusal::NotFound(text).into()
}
