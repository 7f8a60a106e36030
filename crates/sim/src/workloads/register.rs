//! Ids without workers, called by several clients at once: what they see must be linearizable.
use std::{sync::Arc, time::Duration};

use abide_proto::temporal::api::{
    enums::v1::{WorkflowExecutionStatus, WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
    errordetails::v1::WorkflowExecutionAlreadyStartedFailure,
    history::v1::history_event::Attributes as Is,
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as ws,
};
use prost::Message;
use tokio::sync::Notify;
use tonic::{Code, Status};

use super::Workload;
use crate::{
    calls,
    checks::linearizable::{Op, Recorder, Ret},
    client::NAMESPACE,
    network::CallError,
    sim::Sim,
    world::SURROUNDINGS,
};

pub(super) const REGISTER: Workload = Workload { name: "register", run: |sim, id| Box::pin(run(sim, id)) };

/// Few, because every order of what overlaps is tried.
const CLIENTS: u64 = 3;
const CALLS: u64 = 5;
const TIMEOUT: Duration = Duration::from_secs(5);

async fn run(sim: Arc<Sim>, id: String) {
    let recorder = Arc::new(Recorder::default());
    let ended = Arc::new(Notify::new());
    for client in 0..CLIENTS {
        let (sim, id, recorder, ended) = (Arc::clone(&sim), id.clone(), Arc::clone(&recorder), Arc::clone(&ended));
        sim.world.clone().spawn(SURROUNDINGS, async move {
            for turn in 0..CALLS {
                let gap = if sim.world.chance(0.5) { Duration::from_millis(50) } else { Duration::from_secs(4) };
                sim.world.sleep(sim.world.span(Duration::ZERO, gap)).await;
                call(&sim, &id, &recorder, choose(&sim, client * CALLS + turn)).await;
            }
            ended.notify_one();
        });
    }
    for _ in 0..CLIENTS {
        ended.notified().await;
    }
    if let Some(calls) = recorder.contradiction() {
        sim.violations.add(format!("no order explains the calls of {id}:\n{calls}"));
    }
    // It must not stay open: nothing else ends it. A start whose caller has given up may still be on its way, or wait in
    // a server that stands still.
    sim.world.sleep(Duration::from_secs(120)).await;
    calls::terminate(&sim, &id).await;
}

fn choose(sim: &Sim, number: u64) -> Op {
    match sim.world.below(12) {
        0..=2 => Op::Start(format!("start {number}")),
        3 => Op::Restart(format!("start {number}")),
        4 | 5 => Op::Signal(number),
        6 => Op::SignalWithStart(number),
        7 => Op::Cancel,
        8 => Op::Terminate,
        9 => Op::Describe,
        _ => Op::History,
    }
}

/// Makes a call until it is answered; each try is a call of its own, which may have been carried out or not.
async fn call(sim: &Sim, id: &str, recorder: &Recorder, op: Op) {
    for _ in 0..2 {
        let call = recorder.begins(op.clone());
        match attempt(sim, id, &op).await {
            Some(ret) => return recorder.ends(call, ret),
            None => sim.world.sleep(Duration::from_secs(1)).await,
        }
    }
}

async fn attempt(sim: &Sim, id: &str, op: &Op) -> Option<Ret> {
    let (client, namespace, execution) = (&sim.client, NAMESPACE.to_owned(), calls::execution(id, ""));
    let outcome = match op {
        Op::Start(request_id) | Op::Restart(request_id) => {
            let policy = match op {
                Op::Restart(_) => WorkflowIdConflictPolicy::TerminateExisting,
                _ => WorkflowIdConflictPolicy::Fail,
            };
            let request = ws::StartWorkflowExecutionRequest {
                request_id: request_id.clone(),
                task_queue: nobody(),
                workflow_id_conflict_policy: policy.into(),
                workflow_id_reuse_policy: WorkflowIdReusePolicy::AllowDuplicate.into(),
                ..calls::start(sim, id, "S1000")
            };
            client.once(&request, TIMEOUT).await.map(|reply| Ret::Run(reply.run_id))
        }
        Op::Signal(number) => client.once(&calls::signal(id, *number), TIMEOUT).await.map(|_| Ret::Done),
        Op::SignalWithStart(number) => {
            let start = calls::start(sim, id, "S1000");
            let request = ws::SignalWithStartWorkflowExecutionRequest {
                namespace,
                workflow_id: id.to_owned(),
                workflow_type: start.workflow_type,
                task_queue: nobody(),
                signal_name: number.to_string(),
                request_id: format!("signal {number}"),
                ..ws::SignalWithStartWorkflowExecutionRequest::default()
            };
            client.once(&request, TIMEOUT).await.map(|reply| Ret::Run(reply.run_id))
        }
        Op::Cancel => {
            let request = ws::RequestCancelWorkflowExecutionRequest {
                namespace,
                workflow_execution: execution,
                request_id: sim.unique("cancel"),
                ..ws::RequestCancelWorkflowExecutionRequest::default()
            };
            client.once(&request, TIMEOUT).await.map(|_| Ret::Done)
        }
        Op::Terminate => {
            let request = ws::TerminateWorkflowExecutionRequest {
                namespace,
                workflow_execution: execution,
                ..ws::TerminateWorkflowExecutionRequest::default()
            };
            client.once(&request, TIMEOUT).await.map(|_| Ret::Done)
        }
        Op::Describe => {
            let request = ws::DescribeWorkflowExecutionRequest { namespace, execution };
            client.once(&request, TIMEOUT).await.map(|reply| {
                let info = reply.workflow_execution_info.unwrap_or_default();
                let is_open = info.status() == WorkflowExecutionStatus::Running;
                Ret::Described { run_id: info.execution.unwrap_or_default().run_id, is_open }
            })
        }
        Op::History => {
            let request = ws::GetWorkflowExecutionHistoryRequest {
                namespace,
                execution,
                ..ws::GetWorkflowExecutionHistoryRequest::default()
            };
            client.once(&request, TIMEOUT).await.map(read)
        }
    };
    match outcome {
        Ok(ret) => Some(ret),
        Err(CallError::Refused(status)) => refused(sim, id, &status),
        Err(CallError::Lost) => None,
    }
}

/// A queue that nobody polls.
fn nobody() -> Option<TaskQueue> {
    Some(TaskQueue { name: "nobody".into(), ..TaskQueue::default() })
}

fn refused(sim: &Sim, id: &str, status: &Status) -> Option<Ret> {
    match status.code() {
        Code::NotFound => Some(Ret::Refused),
        Code::AlreadyExists => {
            // google.rpc.Status: code, message, details.
            let details = abide_proto::google::rpc::Status::decode(status.details()).ok()?.details;
            let failure = details.first().map(|any| WorkflowExecutionAlreadyStartedFailure::decode(&*any.value));
            Some(Ret::Open(failure?.ok()?.run_id))
        }
        // Passing trouble: nobody knows whether it was carried out.
        Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Cancelled | Code::Aborted => None,
        _ => {
            sim.violations.add(format!("a call of {id} was refused: {status:?}"));
            None
        }
    }
}

fn read(reply: ws::GetWorkflowExecutionHistoryResponse) -> Ret {
    let (mut run_id, mut signals, mut is_cancelled, mut is_open) = (String::new(), Vec::new(), false, true);
    for event in reply.history.unwrap_or_default().events {
        match event.attributes {
            Some(Is::WorkflowExecutionStartedEventAttributes(of)) => run_id = of.original_execution_run_id,
            Some(Is::WorkflowExecutionSignaledEventAttributes(of)) => signals.extend(of.signal_name.parse::<u64>()),
            Some(Is::WorkflowExecutionCancelRequestedEventAttributes(_)) => is_cancelled = true,
            Some(Is::WorkflowExecutionTerminatedEventAttributes(_)) => is_open = false,
            _ => {}
        }
    }
    Ret::Read { run_id, signals, is_cancelled, is_open }
}
