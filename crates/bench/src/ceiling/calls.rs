//! The calls of the load, answered from memory.
use std::{
    hash::BuildHasher,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use abide_proto::temporal::api::{
    history::v1::{History, history_event::Attributes},
    namespace::v1::NamespaceInfo,
    workflowservice::v1::{
        DescribeNamespaceRequest, DescribeNamespaceResponse, GetSystemInfoResponse, GetWorkflowExecutionHistoryRequest,
        GetWorkflowExecutionHistoryResponse, PollActivityTaskQueueRequest, PollActivityTaskQueueResponse,
        PollWorkflowTaskQueueRequest, PollWorkflowTaskQueueResponse, RespondActivityTaskCompletedRequest,
        RespondActivityTaskCompletedResponse, RespondWorkflowTaskCompletedRequest,
        RespondWorkflowTaskCompletedResponse, SignalWorkflowExecutionRequest, SignalWorkflowExecutionResponse,
        StartWorkflowExecutionRequest, StartWorkflowExecutionResponse, get_system_info_response::Capabilities,
    },
};
use bytes::Bytes;
use rustc_hash::{FxBuildHasher, FxHashMap};
use tokio::time::timeout;
use tonic::Status;

use super::{
    Flaw, events,
    queues::{Polled, Queues},
    run::Run,
    token::Token,
};
use crate::wire;

/// A power of two; enough that two threads rarely want the same part.
const PARTS: usize = 64;
const POLL_TIMEOUT: Duration = Duration::from_secs(60);
const HISTORY_TIMEOUT: Duration = Duration::from_secs(20);
/// A flaw shows at this chance, when the load is under way.
const FLAW_AT: u64 = 3;

/// The state of the server that does nothing.
pub(super) struct Ceiling {
    /// Runs by workflow id, in parts with a lock each.
    runs: Vec<Mutex<FxHashMap<String, Run>>>,
    workflow_tasks: Queues<WorkflowTask>,
    activity_tasks: Queues<Box<PollActivityTaskQueueResponse>>,
    runs_started: AtomicU64,
    flaw: Option<Flaw>,
    flaw_chances: AtomicU64,
}

enum WorkflowTask {
    /// The task that is scheduled in the run with this workflow id.
    Scheduled(String),
    /// A task handed out before.
    Again(Box<PollWorkflowTaskQueueResponse>),
}

impl Ceiling {
    pub(super) fn new(flaw: Option<Flaw>) -> Self {
        Ceiling {
            runs: (0..PARTS).map(|_| Mutex::default()).collect(),
            workflow_tasks: Queues::new(),
            activity_tasks: Queues::new(),
            runs_started: AtomicU64::new(0),
            flaw,
            flaw_chances: AtomicU64::new(0),
        }
    }

    pub(super) fn system_info() -> GetSystemInfoResponse {
        GetSystemInfoResponse { server_version: "0.0.0".to_owned(), capabilities: Some(Capabilities::default()) }
    }

    /// Every namespace is there.
    pub(super) fn describe_namespace(request: DescribeNamespaceRequest) -> Result<DescribeNamespaceResponse, Status> {
        let info = NamespaceInfo { name: request.namespace, ..Default::default() };
        Ok(DescribeNamespaceResponse { namespace_info: Some(info), ..Default::default() })
    }

    pub(super) fn start_workflow_execution(
        &self,
        request: StartWorkflowExecutionRequest,
    ) -> Result<StartWorkflowExecutionResponse, Status> {
        let number = self.runs_started.fetch_add(1, Ordering::Relaxed);
        let run_id = format!("00000000-0000-7000-8000-{number:012x}");
        let workflow_id = request.workflow_id.clone();
        let run = Run::new(request, run_id.clone());
        let queue = run.queue().to_owned();
        self.part(&workflow_id).insert(workflow_id.clone(), run);
        self.workflow_tasks.offer(&queue, WorkflowTask::Scheduled(workflow_id));
        Ok(StartWorkflowExecutionResponse { run_id, started: true, ..Default::default() })
    }

    pub(super) fn signal_workflow_execution(
        &self,
        request: SignalWorkflowExecutionRequest,
    ) -> Result<SignalWorkflowExecutionResponse, Status> {
        let workflow_id = request.workflow_execution.as_ref().map_or("", |e| &e.workflow_id).to_owned();
        let mut part = self.part(&workflow_id);
        let run = part.get_mut(&workflow_id).filter(|run| !run.is_closed()).ok_or_else(no_run)?;
        let copies = match self.flaw {
            Some(Flaw::LoseSignal) if self.errs(Flaw::LoseSignal) => 0,
            Some(Flaw::DuplicateSignal) if self.errs(Flaw::DuplicateSignal) => 2,
            _ => 1,
        };
        if copies > 0 && run.record(std::iter::repeat_n(events::signaled(request), copies)) {
            self.workflow_tasks.offer(run.queue(), WorkflowTask::Scheduled(workflow_id));
        }
        Ok(SignalWorkflowExecutionResponse::default())
    }

    pub(super) async fn get_workflow_execution_history(
        &self,
        request: GetWorkflowExecutionHistoryRequest,
    ) -> Result<GetWorkflowExecutionHistoryResponse, Status> {
        if !request.wait_new_event {
            return Err(Status::unimplemented("the load only waits for close events"));
        }
        let workflow_id = request.execution.map(|e| e.workflow_id).unwrap_or_default();
        let found = self.part(&workflow_id).get_mut(&workflow_id).ok_or_else(no_run)?.close_event();
        let mut event = match found {
            Ok(event) => Some(event),
            Err(close) => timeout(HISTORY_TIMEOUT, close).await.ok().and_then(Result::ok),
        };
        if let Some(event) = &mut event {
            if self.errs(Flaw::WrongResult)
                && let Some(Attributes::WorkflowExecutionCompletedEventAttributes(completed)) = &mut event.attributes
            {
                completed.result = Some(wire::payloads(u64::MAX.to_string()));
            }
            self.part(&workflow_id).remove(&workflow_id); // whoever started it knows how it ended
        }
        let next_page_token = if event.is_some() { Bytes::new() } else { Bytes::from_static(b"wait") };
        let history = Some(History { events: event.into_iter().collect() });
        Ok(GetWorkflowExecutionHistoryResponse { history, next_page_token, ..Default::default() })
    }

    pub(super) async fn poll_workflow_task_queue(
        &self,
        request: PollWorkflowTaskQueueRequest,
    ) -> Result<PollWorkflowTaskQueueResponse, Status> {
        let queue = request.task_queue.map(|q| q.name).unwrap_or_default();
        loop {
            let Some(task) = next(&self.workflow_tasks, &queue).await else { return Ok(Default::default()) };
            let workflow_id = match task {
                WorkflowTask::Scheduled(workflow_id) => workflow_id,
                WorkflowTask::Again(task) => return Ok(*task),
            };
            let started =
                self.part(&workflow_id).get_mut(&workflow_id).and_then(|r| r.start_task(request.identity.clone()));
            let Some(mut task) = started else { continue };
            if self.errs(Flaw::LoseEvent) {
                task.history.get_or_insert_default().events.remove(0);
            }
            if self.errs(Flaw::DuplicateWorkflowTask) {
                self.workflow_tasks.offer(&queue, WorkflowTask::Again(Box::new(task.clone())));
            }
            return Ok(task);
        }
    }

    pub(super) fn respond_workflow_task_completed(
        &self,
        request: RespondWorkflowTaskCompletedRequest,
    ) -> Result<RespondWorkflowTaskCompletedResponse, Status> {
        let token = request.task_token.clone();
        let token = Token::decode(&token)?;
        let answered = {
            let mut part = self.part(token.workflow_id);
            part.get_mut(token.workflow_id).ok_or_else(no_run)?.answer_task(token.event_id, request)?
        };
        for (queue, task) in answered.activities {
            if self.errs(Flaw::LoseActivityTask) {
                continue;
            }
            if self.errs(Flaw::DuplicateActivityTask) {
                self.activity_tasks.offer(&queue, Box::new(task.clone()));
            }
            self.activity_tasks.offer(&queue, Box::new(task));
        }
        Ok(RespondWorkflowTaskCompletedResponse { workflow_task: answered.next, ..Default::default() })
    }

    pub(super) async fn poll_activity_task_queue(
        &self,
        request: PollActivityTaskQueueRequest,
    ) -> Result<PollActivityTaskQueueResponse, Status> {
        let queue = request.task_queue.map(|q| q.name).unwrap_or_default();
        Ok(next(&self.activity_tasks, &queue).await.map_or_else(Default::default, |task| *task))
    }

    pub(super) fn respond_activity_task_completed(
        &self,
        request: RespondActivityTaskCompletedRequest,
    ) -> Result<RespondActivityTaskCompletedResponse, Status> {
        let token = request.task_token.clone();
        let Token { workflow_id, event_id } = Token::decode(&token)?;
        let mut part = self.part(workflow_id);
        let run = part.get_mut(workflow_id).ok_or_else(no_run)?;
        if run.complete_activity(event_id, request)? {
            self.workflow_tasks.offer(run.queue(), WorkflowTask::Scheduled(workflow_id.to_owned()));
        }
        Ok(RespondActivityTaskCompletedResponse {})
    }

    fn part(&self, workflow_id: &str) -> MutexGuard<'_, FxHashMap<String, Run>> {
        let hash = FxBuildHasher.hash_one(workflow_id) as usize;
        self.runs[hash % PARTS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether to err now.
    fn errs(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw) && self.flaw_chances.fetch_add(1, Ordering::Relaxed) == FLAW_AT
    }
}

async fn next<T>(queues: &Queues<T>, name: &str) -> Option<T> {
    match queues.poll(name) {
        Polled::Task(task) => Some(task),
        Polled::Wait(task) => timeout(POLL_TIMEOUT, task).await.ok()?.ok(),
    }
}

fn no_run() -> Status {
    Status::not_found("workflow not found for ID")
}
