//! What can happen to a run, as the frontend calls it.
use abide_engine::{
    Refusal,
    api::{
        command, common,
        enums::{self, WorkflowIdConflictPolicy as Conflict},
        failure::{ApplicationFailureInfo, Failure, failure::FailureInfo},
        history as h, service, taskqueue,
    },
    time::Span,
    workflow::{
        Dispatch, Started, TaskKind, TaskToken, activity,
        activity::{CanceledAnswer, CompletedAnswer, FailedAnswer, HeartbeatReply, Selector, StartedActivity},
        cancel, close, signal,
        start::{self, Decision},
        wake,
        workflow_task::{
            complete::{self, Completed},
            respond_failed,
            start::{StartedWorkflowTask, Taker, start as take_task},
        },
    },
};
use bytes::Bytes;

use super::{Rig, check};

/// An application failure of type `Boom`.
pub fn boom(message: &str) -> Failure {
    let info = ApplicationFailureInfo { r#type: "Boom".into(), ..Default::default() };
    let failure_info = Some(FailureInfo::ApplicationFailureInfo(info));
    Failure { message: message.into(), failure_info, ..Default::default() }
}

pub fn payloads(size_bytes: usize) -> Option<common::Payloads> {
    let payload = common::Payload { data: Bytes::from(vec![b'x'; size_bytes]), ..Default::default() };
    Some(common::Payloads { payloads: vec![payload] })
}

impl Rig {
    pub fn signal(&mut self, name: &str) -> Result<(), Refusal> {
        self.signal_with(name, "", None)
    }

    pub fn signal_with(
        &mut self,
        name: &str,
        request_id: &str,
        input: Option<common::Payloads>,
    ) -> Result<(), Refusal> {
        let attributes = signal_attributes(name, request_id, input);
        self.step(|tx| Ok(signal::signal(tx, attributes, vec![])?))
    }

    pub fn cancel(&mut self) {
        self.step(|tx| {
            cancel::request_cancel(tx, Default::default());
            Ok(())
        })
        .unwrap();
    }

    pub fn terminate(&mut self) -> Result<(), Refusal> {
        let request = service::TerminateWorkflowExecutionRequest { reason: "enough".into(), ..Default::default() };
        self.step(|tx| Ok(close::respond_terminate(tx, request)?))
    }

    /// The run's timer row fires, or something else makes the shard look.
    pub fn wake(&mut self) {
        self.step(|tx| {
            wake::wake(tx);
            Ok(())
        })
        .unwrap();
    }

    /// StartWorkflowExecution, or SignalWithStart if there is a signal, as the shard carries it out.
    pub fn start_again(
        &mut self,
        request: service::StartWorkflowExecutionRequest,
        signal_name: Option<&str>,
    ) -> Result<Decision, Refusal> {
        let (reuse, mut conflict) = (request.workflow_id_reuse_policy, request.workflow_id_conflict_policy);
        let mut request_id = request.request_id.as_str();
        #[allow(deprecated)] // clients still send it
        let terminates = enums::WorkflowIdReusePolicy::TerminateIfRunning as i32;
        if signal_name.is_some() {
            request_id = "";
            if conflict == 0 && reuse != terminates {
                conflict = Conflict::UseExisting as i32;
            }
        }
        let decision = start::decide(Some(self.run()), request_id, reuse, conflict)?;
        let signal = signal_name.map(|name| signal_attributes(name, &request.request_id, None));
        match (decision, signal) {
            (Decision::StartNew | Decision::TerminateExisting, signal) => self.create(request, signal),
            (Decision::UseExisting, Some(attributes)) => self.step(|tx| {
                signal::signal(tx, attributes, vec![])?;
                start::wake_delayed(tx);
                Ok(())
            })?,
            (Decision::UseExisting, None) => {
                if let Some(options) = request.on_conflict_options {
                    let request_id = options.attach_request_id.then_some(request.request_id);
                    self.step(|tx| {
                        start::attach(tx, request_id, vec![]);
                        Ok(())
                    })?;
                }
            }
            (Decision::Repeated | Decision::Attached, _) => {}
        }
        Ok(decision)
    }

    /// ResetStickyTaskQueue.
    pub fn forget_sticky(&mut self) {
        self.step(|tx| {
            if tx.run.is_running() && tx.run.header.sticky.is_some() {
                tx.run.header.get_mut().sticky = None;
            }
            Ok(())
        })
        .unwrap();
    }

    /// What waits for a worker of this kind, oldest first.
    pub fn waiting(&self, kind: TaskKind) -> Option<Dispatch> {
        self.stored().outbox.iter().find(|d| d.task_kind() == kind).cloned()
    }

    /// The workflow task that was handed over, or takes the one that waits, from its own queue.
    pub fn workflow_task(&mut self) -> Option<StartedWorkflowTask> {
        let handed_over = self.handed_over.iter().position(|started| matches!(started, Started::Workflow(_)));
        if let Some(Started::Workflow(task)) = handed_over.map(|at| self.handed_over.remove(at)) {
            return Some(*task);
        }
        let waiting = self.waiting(TaskKind::Workflow)?;
        let sticky_queue = if waiting.is_sticky() { waiting.queue.clone() } else { String::new() };
        let request_id = self.workers.request_id.clone();
        let taker = Taker { identity: "worker".into(), request_id, sticky_queue };
        Some(self.take_workflow_task(waiting.scheduled_event_id, &taker).unwrap())
    }

    pub fn take_workflow_task(
        &mut self,
        scheduled_event_id: i64,
        taker: &Taker,
    ) -> Result<StartedWorkflowTask, Refusal> {
        let task = self.step(|tx| Ok(take_task(tx, scheduled_event_id, taker)?))?;
        check::task(&task, self.stored());
        Ok(task)
    }

    pub fn complete(
        &mut self,
        task: &StartedWorkflowTask,
        commands: Vec<command::Command>,
    ) -> Result<Completed, Refusal> {
        self.complete_with(&task.token, completion(commands))
    }

    /// Completes, and stays with this sticky queue and its schedule-to-start timeout.
    pub fn complete_sticky(
        &mut self,
        task: &StartedWorkflowTask,
        commands: Vec<command::Command>,
        timeout: Span,
    ) -> Result<Completed, Refusal> {
        let request = service::RespondWorkflowTaskCompletedRequest {
            sticky_attributes: Some(sticky(timeout)),
            ..completion(commands)
        };
        self.complete_with(&task.token, request)
    }

    pub fn complete_with(
        &mut self,
        token: &TaskToken,
        request: service::RespondWorkflowTaskCompletedRequest,
    ) -> Result<Completed, Refusal> {
        let run_id = token.run_key().unwrap().run_id;
        let completed = self.step_on(run_id, |tx| complete::complete(tx, token, request))?;
        if let Some(next) = &completed.next_task {
            check::task(next, self.stored());
        }
        Ok(completed)
    }

    /// Takes the workflow task that waits, and completes it.
    pub fn turn(&mut self, commands: Vec<command::Command>) -> Result<Completed, Refusal> {
        let task = self.workflow_task().expect("a workflow task waits");
        self.complete(&task, commands)
    }

    pub fn fail(&mut self, task: &StartedWorkflowTask) -> Result<(), Refusal> {
        self.fail_with(&task.token, enums::WorkflowTaskFailedCause::NonDeterministicError as i32)
    }

    pub fn fail_with(&mut self, token: &TaskToken, cause: i32) -> Result<(), Refusal> {
        let request = service::RespondWorkflowTaskFailedRequest { cause, ..Default::default() };
        let run_id = token.run_key().unwrap().run_id;
        self.step_on(run_id, |tx| Ok(respond_failed::respond(tx, token, request)?))
    }

    /// The activity that was handed over, or takes the one that has waited longest.
    pub fn activity(&mut self) -> Option<StartedActivity> {
        let handed_over = self.handed_over.iter().position(|started| matches!(started, Started::Activity(_)));
        if let Some(Started::Activity(task)) = handed_over.map(|at| self.handed_over.remove(at)) {
            return Some(*task);
        }
        let waiting = self.waiting(TaskKind::Activity)?;
        let request_id = self.workers.request_id.clone();
        Some(self.take_activity(waiting.scheduled_event_id, waiting.attempt, &request_id).unwrap())
    }

    pub fn take_activity(
        &mut self,
        scheduled_event_id: i64,
        attempt: i32,
        request_id: &str,
    ) -> Result<StartedActivity, Refusal> {
        self.step(|tx| Ok(activity::start(tx, scheduled_event_id, attempt, request_id, "worker")?))
    }

    fn answer<R>(
        &mut self,
        selector: &Selector,
        change: impl FnOnce(&mut abide_engine::workflow::Transition<'_, '_>, &Selector) -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        let run_id = match selector {
            Selector::ByToken(token) => token.run_key().unwrap().run_id,
            Selector::ById { .. } => self.current,
        };
        self.step_on(run_id, |tx| Ok(change(tx, selector)?))
    }

    pub fn activity_completed(&mut self, selector: &Selector, result: Option<common::Payloads>) -> Result<(), Refusal> {
        let answer = CompletedAnswer { result, identity: "worker".into() };
        self.answer(selector, |tx, selector| activity::complete(tx, selector, answer))
    }

    pub fn activity_failed(&mut self, selector: &Selector, failure: Failure) -> Result<Vec<Failure>, Refusal> {
        let answer = FailedAnswer { failure: Some(failure), identity: "worker".into(), ..Default::default() };
        self.answer(selector, |tx, selector| activity::fail(tx, selector, answer))
    }

    pub fn activity_canceled(&mut self, selector: &Selector) -> Result<(), Refusal> {
        let answer = CanceledAnswer { identity: "worker".into(), ..Default::default() };
        self.answer(selector, |tx, selector| activity::canceled(tx, selector, answer))
    }

    pub fn heartbeat(
        &mut self,
        selector: &Selector,
        details: Option<common::Payloads>,
    ) -> Result<HeartbeatReply, Refusal> {
        self.answer(selector, |tx, selector| activity::heartbeat(tx, selector, details, "worker"))
    }
}

pub fn by_token(started: &StartedActivity) -> Selector {
    Selector::ByToken(started.token.clone())
}

pub fn by_id(activity_id: &str) -> Selector {
    Selector::ById { activity_id: activity_id.into() }
}

/// A worker's completion with these commands.
pub fn completion(commands: Vec<command::Command>) -> service::RespondWorkflowTaskCompletedRequest {
    service::RespondWorkflowTaskCompletedRequest { commands, identity: "worker".into(), ..Default::default() }
}

pub fn sticky(timeout: Span) -> taskqueue::StickyExecutionAttributes {
    taskqueue::StickyExecutionAttributes {
        worker_task_queue: Some(taskqueue::TaskQueue { name: "sticky".into(), kind: 2, ..Default::default() }),
        schedule_to_start_timeout: timeout.optional(),
    }
}

fn signal_attributes(
    name: &str,
    request_id: &str,
    input: Option<common::Payloads>,
) -> h::WorkflowExecutionSignaledEventAttributes {
    h::WorkflowExecutionSignaledEventAttributes {
        signal_name: name.into(),
        request_id: request_id.into(),
        input,
        ..Default::default()
    }
}
