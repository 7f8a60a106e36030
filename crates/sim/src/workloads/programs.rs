//! Programs of all steps: their result says whether anything was lost or came twice.
use std::{sync::Arc, time::Duration};

use abide_proto::temporal::api::{
    enums::v1::WorkflowExecutionStatus,
    query::v1::WorkflowQuery,
    workflowservice::v1::{
        QueryWorkflowRequest, SignalWithStartWorkflowExecutionRequest, StartWorkflowExecutionRequest,
    },
};

use tonic::Code;

use super::Workload;
use crate::{
    calls::{self, Ended},
    client::NAMESPACE,
    program::{self, Counts, counts_of_result, expected},
    sim::{QUEUE, Sim},
    worker::Worker,
    world::SURROUNDINGS,
};

pub(super) const PROGRAM: Workload = Workload { name: "program", run: |sim, id| Box::pin(run(sim, id, Begin::Start)) };

/// The first signal comes with the start.
pub(super) const SIGNALLED_START: Workload =
    Workload { name: "signalled start", run: |sim, id| Box::pin(run(sim, id, Begin::Signal)) };

/// The first task comes with the answer to the start.
pub(super) const EAGER_START: Workload =
    Workload { name: "eager start", run: |sim, id| Box::pin(run(sim, id, Begin::Eager)) };

#[derive(Clone, Copy, PartialEq)]
enum Begin {
    Start,
    Signal,
    Eager,
}

async fn run(sim: Arc<Sim>, id: String, begin: Begin) {
    let is_signalled = begin == Begin::Signal;
    let program = compose(&sim, is_signalled);
    let want = expected(&program);
    sim.world.note(format!("{id} runs {program:?}"));
    let request = calls::start(&sim, &id, &program);
    let begun = match begin {
        Begin::Start => calls::begin(&sim, &request).await,
        Begin::Eager => begin_eagerly(&sim, request).await,
        Begin::Signal => {
            let request = SignalWithStartWorkflowExecutionRequest {
                namespace: request.namespace,
                workflow_id: request.workflow_id,
                workflow_type: request.workflow_type,
                task_queue: request.task_queue,
                input: request.input,
                request_id: "signal 1".into(),
                signal_name: "1".into(),
                workflow_id_reuse_policy: request.workflow_id_reuse_policy,
                ..SignalWithStartWorkflowExecutionRequest::default()
            };
            calls::begin_by_signal(&sim, &request).await
        }
    };
    let Some(run_id) = begun else { return };
    let asking = Arc::clone(&sim);
    let sender = (id.clone(), if is_signalled { 2 } else { 1 }, want.signals_count());
    let is_chain = want.runs > 1;
    sim.world.spawn(SURROUNDINGS, async move { signal(asking, sender.0, sender.1, sender.2, is_chain).await });
    let ended = calls::result(&sim, &id, &run_id).await;
    check(&sim, &id, &program, want, &ended);
}

/// Starts a run and does its first task, or loses it: then it times out and goes to the queue.
async fn begin_eagerly(sim: &Arc<Sim>, request: StartWorkflowExecutionRequest) -> Option<String> {
    let (run_id, task) = calls::begin_eagerly(sim, request).await?;
    if let Some(task) = task.filter(|_| sim.world.chance(0.8)) {
        let worker = Worker::new(&sim.client, SURROUNDINGS, sim.unique("eager"), QUEUE, &sim.violations);
        sim.world.spawn(SURROUNDINGS, async move { worker.run_workflow_task(task).await });
    }
    Some(run_id)
}

fn check(sim: &Sim, id: &str, program: &str, want: Counts, ended: &Ended) {
    let fails = program.ends_with('E');
    let status = if fails { WorkflowExecutionStatus::Failed } else { WorkflowExecutionStatus::Completed };
    sim.violations.check(ended.status == status, || format!("{id} {program:?} ended as {ended:?}"));
    if !fails {
        let got = counts_of_result(ended.result.as_ref());
        sim.violations.check(got == Some(want), || format!("{id} {program:?} counted {got:?}, not {want:?}"));
    }
}

/// Steps at random, with at most one failure, at the end.
fn compose(sim: &Sim, is_signalled: bool) -> String {
    let mut words = Vec::new();
    let mut signals = u64::from(is_signalled);
    for _ in 0..sim.world.below(6) {
        let some = 1 + sim.world.below(4);
        words.push(match sim.world.below(12) {
            0 | 1 => format!("A{some}"),
            2 => format!("F{some}"),
            3 => "B1".to_owned(),
            4 => format!("X{some}"),
            5 => format!("T{}", 1 + sim.world.below(30)),
            6 | 7 => {
                signals += some;
                format!("S{signals}")
            }
            8 => format!("L{some}"),
            9 => "K".to_owned(),
            10 => ["D1", "Q"][sim.world.below(2) as usize].to_owned(),
            _ => "N".to_owned(),
        });
    }
    // What was sent is waited for, or a signal could come too late.
    words.push(format!("S{signals}"));
    if sim.world.chance(0.1) {
        words.push("E".to_owned());
    }
    words.join(" ")
}

/// Sends the signals, each named by its number, and sometimes asks how many have come.
async fn signal(sim: Arc<Sim>, id: String, first: u64, last: u64, is_chain: bool) {
    for number in first..=last {
        sim.world.sleep(sim.world.span(Duration::ZERO, Duration::from_secs(10))).await;
        if let Err(status) = sim.client.retrying(&calls::signal(&id, number)).await {
            // An earlier try may have brought a run to its end whose successors do not know the request id (spec §3.18).
            // The result says whether it has come.
            if is_chain && number == last && status.code() == Code::NotFound {
                return;
            }
            sim.violations.add(format!("signal {number} of {id} was refused: {status:?}"));
            return;
        }
        if number < last && sim.world.chance(0.2) {
            ask(&sim, &id, number).await;
        }
    }
}

async fn ask(sim: &Sim, id: &str, sent: u64) {
    let request = QueryWorkflowRequest {
        namespace: NAMESPACE.to_owned(),
        execution: calls::execution(id, ""),
        query: Some(WorkflowQuery { query_type: "signals".into(), ..WorkflowQuery::default() }),
        ..QueryWorkflowRequest::default()
    };
    // A query may find no worker in time; what it answers counts everything that was acknowledged before.
    if let Ok(reply) = sim.client.once(&request, Duration::from_secs(10)).await {
        let answer = program::text(reply.query_result.as_ref());
        sim.violations.check(answer.parse() == Ok(sent), || format!("{id} answers {answer} after {sent} signals"));
    }
}
