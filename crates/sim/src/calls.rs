//! Calls that several workloads make.
use std::time::Duration;

use abide_proto::temporal::api::{
    common::v1::{Payloads, WorkflowExecution, WorkflowType},
    enums::v1::{HistoryEventFilterType, WorkflowExecutionStatus, WorkflowIdReusePolicy},
    history::v1::{HistoryEvent, history_event::Attributes as Is},
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as ws,
};
use tonic::{Code, Status};

use crate::{
    client::NAMESPACE,
    program::{TYPE, input},
    sim::{QUEUE, Sim},
};

/// How long a read of a history waits for the end of the run.
const WAIT: Duration = Duration::from_secs(30);

pub fn execution(workflow_id: &str, run_id: &str) -> Option<WorkflowExecution> {
    Some(WorkflowExecution { workflow_id: workflow_id.to_owned(), run_id: run_id.to_owned() })
}

/// The start of a program.
pub fn start(sim: &Sim, id: &str, program: &str) -> ws::StartWorkflowExecutionRequest {
    ws::StartWorkflowExecutionRequest {
        namespace: NAMESPACE.to_owned(),
        workflow_id: id.to_owned(),
        workflow_type: Some(WorkflowType { name: TYPE.to_owned() }),
        task_queue: Some(TaskQueue { name: QUEUE.to_owned(), ..TaskQueue::default() }),
        input: Some(input(program)),
        request_id: sim.unique("start"),
        // A try that comes late, after the end of a chain that an earlier one began, must not begin another.
        workflow_id_reuse_policy: WorkflowIdReusePolicy::RejectDuplicate.into(),
        ..ws::StartWorkflowExecutionRequest::default()
    }
}

/// Starts a chain of runs; the first one's id. A refusal is a violation, unless an earlier try began the chain.
pub async fn begin(sim: &Sim, request: &ws::StartWorkflowExecutionRequest) -> Option<String> {
    match sim.client.retrying(request).await {
        Ok(reply) => Some(reply.run_id),
        Err(status) => begun(sim, &request.workflow_id, status).await,
    }
}

/// As [`begin`], by a client that would run the first task itself. A repeated start brings no task.
pub async fn begin_eagerly(
    sim: &Sim,
    request: ws::StartWorkflowExecutionRequest,
) -> Option<(String, Option<ws::PollWorkflowTaskQueueResponse>)> {
    let request = ws::StartWorkflowExecutionRequest { request_eager_execution: true, ..request };
    match sim.client.retrying(&request).await {
        Ok(reply) => Some((reply.run_id, reply.eager_workflow_task)),
        Err(status) => Some((begun(sim, &request.workflow_id, status).await?, None)),
    }
}

/// As [`begin`], by a signal.
pub async fn begin_by_signal(sim: &Sim, request: &ws::SignalWithStartWorkflowExecutionRequest) -> Option<String> {
    match sim.client.retrying(request).await {
        Ok(reply) => first_run(sim, &request.workflow_id, reply.run_id).await,
        Err(status) => begun(sim, &request.workflow_id, status).await,
    }
}

async fn begun(sim: &Sim, id: &str, refusal: Status) -> Option<String> {
    // Only the current run's own request id is recognised (spec §3.14), and a chain's later runs have others.
    if refusal.code() != Code::AlreadyExists {
        sim.violations.add(format!("{id} was not started: {refusal:?}"));
        return None;
    }
    first_run(sim, id, String::new()).await
}

async fn first_run(sim: &Sim, id: &str, run_id: String) -> Option<String> {
    let execution = execution(id, &run_id);
    let request = ws::DescribeWorkflowExecutionRequest { namespace: NAMESPACE.to_owned(), execution };
    match sim.client.retrying(&request).await {
        Ok(reply) => Some(reply.workflow_execution_info.unwrap_or_default().first_run_id),
        Err(status) => {
            sim.violations.add(format!("{id} cannot be described: {status:?}"));
            None
        }
    }
}

/// A signal that is named, and recognised, by its number.
pub fn signal(id: &str, number: u64) -> ws::SignalWorkflowExecutionRequest {
    ws::SignalWorkflowExecutionRequest {
        namespace: NAMESPACE.to_owned(),
        workflow_execution: execution(id, ""),
        signal_name: number.to_string(),
        request_id: format!("signal {number}"),
        ..ws::SignalWorkflowExecutionRequest::default()
    }
}

/// How a chain of runs ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub status: WorkflowExecutionStatus,
    pub result: Option<Payloads>,
    /// The runs, in their order.
    pub run_ids: Vec<String>,
}

/// Waits until so many runs of a chain have ended.
pub async fn ends(sim: &Sim, id: &str, run_id: &str, count: usize) {
    let mut run_id = run_id.to_owned();
    for _ in 0..count {
        let Some(event) = close_event(sim, id, &run_id).await else { return };
        run_id = next_run(&event).to_owned();
    }
}

fn next_run(close: &HistoryEvent) -> &str {
    match &close.attributes {
        Some(Is::WorkflowExecutionCompletedEventAttributes(of)) => &of.new_execution_run_id,
        Some(Is::WorkflowExecutionFailedEventAttributes(of)) => &of.new_execution_run_id,
        Some(Is::WorkflowExecutionTimedOutEventAttributes(of)) => &of.new_execution_run_id,
        Some(Is::WorkflowExecutionContinuedAsNewEventAttributes(of)) => &of.new_execution_run_id,
        _ => "",
    }
}

fn status(close: &HistoryEvent) -> WorkflowExecutionStatus {
    match &close.attributes {
        Some(Is::WorkflowExecutionCompletedEventAttributes(_)) => WorkflowExecutionStatus::Completed,
        Some(Is::WorkflowExecutionFailedEventAttributes(_)) => WorkflowExecutionStatus::Failed,
        Some(Is::WorkflowExecutionTimedOutEventAttributes(_)) => WorkflowExecutionStatus::TimedOut,
        Some(Is::WorkflowExecutionContinuedAsNewEventAttributes(_)) => WorkflowExecutionStatus::ContinuedAsNew,
        Some(Is::WorkflowExecutionCanceledEventAttributes(_)) => WorkflowExecutionStatus::Canceled,
        Some(Is::WorkflowExecutionTerminatedEventAttributes(_)) => WorkflowExecutionStatus::Terminated,
        _ => WorkflowExecutionStatus::Unspecified,
    }
}

/// Waits for the end of a chain that begins with the run.
pub async fn result(sim: &Sim, id: &str, run_id: &str) -> Ended {
    let mut run_ids = vec![run_id.to_owned()];
    loop {
        let run_id = run_ids[run_ids.len() - 1].clone();
        let Some(event) = close_event(sim, id, &run_id).await else {
            return Ended { status: WorkflowExecutionStatus::Unspecified, result: None, run_ids };
        };
        let (status, next) = (status(&event), next_run(&event).to_owned());
        if next.is_empty() {
            sim.keep(id, &run_ids);
            let result = match event.attributes {
                Some(Is::WorkflowExecutionCompletedEventAttributes(of)) => of.result,
                _ => None,
            };
            return Ended { status, result, run_ids };
        }
        run_ids.push(next);
    }
}

async fn close_event(sim: &Sim, id: &str, run_id: &str) -> Option<HistoryEvent> {
    let mut request = ws::GetWorkflowExecutionHistoryRequest {
        namespace: NAMESPACE.to_owned(),
        execution: execution(id, run_id),
        wait_new_event: true,
        history_event_filter_type: HistoryEventFilterType::CloseEvent.into(),
        ..ws::GetWorkflowExecutionHistoryRequest::default()
    };
    loop {
        match sim.client.retrying_for(&request, WAIT).await {
            Ok(reply) => {
                if let Some(event) = reply.history.unwrap_or_default().events.pop() {
                    return Some(event);
                }
                request.next_page_token = reply.next_page_token;
            }
            Err(status) => {
                sim.violations.add(format!("the end of {id} {run_id} cannot be read: {status:?}"));
                return None;
            }
        }
    }
}

/// What the current run of an id waits for, in words.
pub async fn pending(sim: &Sim, id: &str) -> String {
    let execution = execution(id, "");
    let request = ws::DescribeWorkflowExecutionRequest { namespace: NAMESPACE.to_owned(), execution };
    match sim.client.retrying(&request).await {
        Ok(reply) => format!("{:?} {:?}", reply.pending_workflow_task, reply.pending_activities),
        Err(status) => format!("{status:?}"),
    }
}

/// Terminates the current run of an id, which nothing else ends.
pub async fn terminate(sim: &Sim, id: &str) {
    let request = ws::TerminateWorkflowExecutionRequest {
        namespace: NAMESPACE.to_owned(),
        workflow_execution: execution(id, ""),
        ..ws::TerminateWorkflowExecutionRequest::default()
    };
    if let Err(status) = sim.client.retrying(&request).await {
        // The first try may have been carried out and its answer been lost.
        let is_lost = status.code() == Code::NotFound;
        sim.violations.check(is_lost, || format!("the termination of {id} was refused: {status:?}"));
    }
}

/// A run's whole history.
pub async fn history(sim: &Sim, id: &str, run_id: &str) -> Option<Vec<HistoryEvent>> {
    let mut request = ws::GetWorkflowExecutionHistoryRequest {
        namespace: NAMESPACE.to_owned(),
        execution: execution(id, run_id),
        ..ws::GetWorkflowExecutionHistoryRequest::default()
    };
    let mut events = Vec::new();
    loop {
        match sim.client.retrying(&request).await {
            Ok(page) => {
                events.extend(page.history.unwrap_or_default().events);
                if page.next_page_token.is_empty() {
                    return Some(events);
                }
                request.next_page_token = page.next_page_token;
            }
            Err(status) => {
                sim.violations.add(format!("the history of {id} {run_id} cannot be read: {status:?}"));
                return None;
            }
        }
    }
}
