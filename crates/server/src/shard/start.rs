//! Starting a run, or answering with the one that holds the workflow id; with a signal in the same step if asked.
use std::sync::Arc;

use abide_engine::workflow::{
    Created, RunKey, Transition, create, finish,
    signal::signal,
    start::{self, Decision},
    workflow_task::start::{StartedWorkflowTask, Taker, describe},
};
use abide_proto::temporal::api::{
    common::v1::Link,
    enums::v1::{WorkflowExecutionStatus as Status, WorkflowIdConflictPolicy as Conflict},
    history::v1::WorkflowExecutionSignaledEventAttributes,
    workflowservice::v1::StartWorkflowExecutionRequest,
};
use uuid::Uuid;

use super::{
    Error, Shard,
    hand_over::WaitingPolls,
    state::State,
    transact::{Changes, Durable, EnvIds, durable},
};
use crate::namespaces::Namespace;

/// How a start was answered.
#[derive(Debug)]
pub struct StartReply {
    pub key: RunKey,
    /// Whether the run is this request's own.
    pub started: bool,
    pub status: i32,
    pub eager_task: Option<StartedWorkflowTask>,
    /// The request id is attached to the run rather than having made it.
    pub attached: bool,
}

/// A signal that comes with a start.
pub(super) type Signal = WorkflowExecutionSignaledEventAttributes;

impl Shard {
    /// StartWorkflowExecution, or SignalWithStart if there is a signal. The request has been checked.
    pub async fn start(
        self: &Arc<Self>,
        namespace: &Namespace,
        request: StartWorkflowExecutionRequest,
        signal: Option<Signal>,
    ) -> Result<StartReply, Error> {
        let (reply, waiting) = {
            let mut state = self.lock();
            let workflow_id = request.workflow_id.clone();
            match self.start_locked(&mut state, namespace, request, signal) {
                Ok((reply, waiting)) => (Ok(reply), waiting),
                // A refusal tells of the run that is in the way, so it too waits until that run is durable.
                Err(Error::Refused(refusal)) => {
                    (Err(refusal), self.current_durable(&mut state, namespace, &workflow_id)?)
                }
                Err(error) => return Err(error),
            }
        };
        durable(waiting).await?;
        Ok(reply?)
    }

    /// What to wait for before the current run of a workflow id may be spoken of.
    fn current_durable(
        self: &Arc<Self>,
        state: &mut State,
        namespace: &Namespace,
        workflow_id: &str,
    ) -> Result<Durable, Error> {
        let namespace_id = Uuid::from_bytes(namespace.id);
        let Some(current) = self.current(state, namespace_id, workflow_id)? else { return Ok(None) };
        let key = RunKey { namespace_id, workflow_id: workflow_id.to_owned(), run_id: current.run_id };
        let undurable = self.load(state, &key)?.is_some_and(|entry| entry.undurable > 0);
        Ok(undurable.then(|| self.barrier(state)))
    }

    fn start_locked(
        self: &Arc<Self>,
        state: &mut State,
        namespace: &Namespace,
        request: StartWorkflowExecutionRequest,
        signal: Option<Signal>,
    ) -> Result<(StartReply, Durable), Error> {
        let namespace_id = Uuid::from_bytes(namespace.id);
        let current = self.current(state, namespace_id, &request.workflow_id)?;
        let key = current.map(|c| RunKey { namespace_id, workflow_id: request.workflow_id.clone(), run_id: c.run_id });
        let run = match &key {
            Some(key) => self.load(state, key)?.map(|entry| &entry.run),
            None => None,
        };
        let decision = match &signal {
            None => {
                let (reuse, conflict) = (request.workflow_id_reuse_policy, request.workflow_id_conflict_policy);
                start::decide(run, &request.request_id, reuse, conflict)?
            }
            // The request id is the signal's; which run it made does not count.
            Some(_) => {
                let conflict = match request.workflow_id_conflict_policy {
                    0 if !reuse_terminates(&request) => Conflict::UseExisting as i32,
                    given => given,
                };
                start::decide(run, "", request.workflow_id_reuse_policy, conflict)?
            }
        };
        match (decision, key) {
            (Decision::StartNew, _) | (_, None) => self.create(state, namespace, request, signal, None),
            (Decision::TerminateExisting, Some(old)) => self.create(state, namespace, request, signal, Some(old)),
            (Decision::Repeated, Some(key)) => self.repeat(state, key, request),
            (Decision::Attached, Some(key)) => self.answer(state, key, true),
            (Decision::UseExisting, Some(key)) => match signal {
                Some(signal) => self.signal_existing(state, namespace, key, signal, request.links),
                None => self.use_existing(state, namespace, key, request),
            },
        }
    }

    fn create(
        self: &Arc<Self>,
        state: &mut State,
        namespace: &Namespace,
        request: StartWorkflowExecutionRequest,
        signal: Option<Signal>,
        old: Option<RunKey>,
    ) -> Result<(StartReply, Durable), Error> {
        let settings = self.shared.settings.of(namespace);
        let mut ids = EnvIds(&self.shared.env);
        let mut polls = WaitingPolls::new(&self.shared);
        let mut cx = self.context(&settings, namespace, &mut ids, &mut polls);
        let links = request.links.clone();
        let mut new = start::new_run(&mut cx, Uuid::from_bytes(namespace.id), request);
        new.signal = signal.map(|signal| (signal, links));
        let mut changes = Changes::default();
        if let Some(old) = old {
            let run_id = new.key.run_id.to_string();
            if let Some(entry) = self.load(state, &old)? {
                let mut tx = Transition::new(&mut entry.run, &mut cx);
                start::terminate_existing(&mut tx, &run_id);
                let finished = finish(tx);
                self.take_in(state, &mut cx, finished, &mut changes);
            }
        }
        let Created { run, finished, eager_task } = create(&mut cx, new);
        let key = run.key.clone();
        self.take_in_new(state, run, finished, &mut changes);
        let waiting = self.submit(state, changes, polls);
        let status = Status::Running as i32;
        Ok((StartReply { key, started: true, status, eager_task, attached: false }, Some(waiting)))
    }

    /// The same start again: its eager task too, as long as that is the first attempt and still runs.
    fn repeat(
        self: &Arc<Self>,
        state: &mut State,
        key: RunKey,
        request: StartWorkflowExecutionRequest,
    ) -> Result<(StartReply, Durable), Error> {
        let (mut reply, waiting) = self.answer(state, key, false)?;
        reply.started = true;
        let Some(entry) = self.load(state, &reply.key)? else { return Ok((reply, waiting)) };
        let task = entry.run.header.workflow_task.as_ref();
        let stands = task.is_some_and(|t| t.started_event_id == 3 && t.attempt == 1);
        if request.request_eager_execution && entry.run.profile.eager && stands {
            let taker = Taker { identity: request.identity, request_id: request.request_id, ..Default::default() };
            reply.eager_task = Some(describe(&entry.run, &taker));
        }
        Ok((reply, waiting))
    }

    /// The run as it is.
    fn answer(
        self: &Arc<Self>,
        state: &mut State,
        key: RunKey,
        attached: bool,
    ) -> Result<(StartReply, Durable), Error> {
        let (status, undurable) = match self.load(state, &key)? {
            Some(entry) => (entry.run.header.status, entry.undurable > 0),
            None => (0, false),
        };
        let waiting = undurable.then(|| self.barrier(state));
        Ok((StartReply { key, started: false, status, eager_task: None, attached }, waiting))
    }

    fn use_existing(
        self: &Arc<Self>,
        state: &mut State,
        namespace: &Namespace,
        key: RunKey,
        request: StartWorkflowExecutionRequest,
    ) -> Result<(StartReply, Durable), Error> {
        let Some(options) = request.on_conflict_options else { return self.answer(state, key, false) };
        let request_id = options.attach_request_id.then_some(request.request_id);
        let attached = request_id.is_some();
        let links = if options.attach_links { request.links } else { Vec::new() };
        let (_, waiting) = self.apply(state, namespace, &key, None, |tx| {
            start::attach(tx, request_id, links);
            Ok(())
        })?;
        let (reply, _) = self.answer(state, key, attached)?;
        Ok((reply, waiting))
    }

    fn signal_existing(
        self: &Arc<Self>,
        state: &mut State,
        namespace: &Namespace,
        key: RunKey,
        attributes: Signal,
        links: Vec<Link>,
    ) -> Result<(StartReply, Durable), Error> {
        let (outcome, waiting) = self.apply(state, namespace, &key, None, |tx| {
            signal(tx, attributes, links)?;
            start::wake_delayed(tx);
            Ok(())
        })?;
        outcome?;
        let (reply, _) = self.answer(state, key, false)?;
        Ok((reply, waiting))
    }
}

fn reuse_terminates(request: &StartWorkflowExecutionRequest) -> bool {
    #[allow(deprecated)]
    let terminates = abide_proto::temporal::api::enums::v1::WorkflowIdReusePolicy::TerminateIfRunning as i32;
    request.workflow_id_reuse_policy == terminates
}
