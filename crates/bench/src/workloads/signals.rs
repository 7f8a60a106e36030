//! Many senders signal one run, whose worker answers the workflow tasks as they come.
//!
//! A run takes only so many signals (spec §4.2), so it is closed by a last one and the next run begins.
use std::{sync::Arc, time::Duration};

use abide_proto::temporal::api::{
    command::v1::Command,
    history::v1::{HistoryEvent, history_event::Attributes},
    taskqueue::v1::TaskQueue,
};
use rustc_hash::FxHashMap;
use tokio::task::JoinSet;

use crate::{
    clock,
    error::Error,
    fault::{Fault, same},
    figures::{Done, Figures},
    flow::{Flow, is_overflow, uncalled_for},
    load::Generator,
    measure::{Snapshot, Window},
    options::Load,
    target::Target,
    wire,
};

const COUNTED: &str = "count";
const LAST: &str = "finish";
/// A signal's number is its sender times this, plus its turn.
const TURNS_MAX: u64 = 1_000_000;

struct Signals {
    per_run: u64,
}

#[derive(Default)]
struct Memory {
    received: u64,
    /// The next turn of each sender: a sender waits for each signal's reply, so its signals come in order.
    next_turns: FxHashMap<u64, u64>,
}

impl Flow for Signals {
    type Memory = Memory;

    const TYPE: &'static str = "Signals";

    fn advance(&self, memory: &mut Memory, events: &[HistoryEvent], _: &TaskQueue) -> Result<Vec<Command>, Fault> {
        let mut last = false;
        for event in events {
            match &event.attributes {
                Some(Attributes::WorkflowExecutionSignaledEventAttributes(signal)) if signal.signal_name == COUNTED => {
                    let number = wire::number(signal.input.as_ref()).unwrap_or(u64::MAX);
                    let next = memory.next_turns.entry(number / TURNS_MAX).or_default();
                    same(*next, number % TURNS_MAX, || format!("turn of a signal of sender {}", number / TURNS_MAX))?;
                    *next += 1;
                    memory.received += 1;
                }
                Some(Attributes::WorkflowExecutionSignaledEventAttributes(signal)) if signal.signal_name == LAST => {
                    last = true;
                }
                Some(
                    Attributes::WorkflowExecutionStartedEventAttributes(_)
                    | Attributes::WorkflowTaskScheduledEventAttributes(_)
                    | Attributes::WorkflowTaskStartedEventAttributes(_)
                    | Attributes::WorkflowTaskCompletedEventAttributes(_),
                ) => {}
                _ if is_overflow(event) => {}
                _ => return Err(uncalled_for(event)),
            }
        }
        Ok(if last { vec![wire::complete_workflow(memory.received)] } else { Vec::new() })
    }

    fn may_overflow(&self) -> bool {
        true
    }

    fn result(&self) -> Option<u64> {
        Some(self.per_run)
    }
}

/// Signals run after run until the time is over; counts signals.
pub(super) async fn run(
    workload: String,
    target: &Target,
    load: &Load,
    senders: u64,
    per_run: u64,
) -> Result<Figures, Error> {
    let turns = (per_run / senders).max(1);
    let generator = Generator::start(&target.address, load, Signals { per_run: turns * senders }).await?;
    signal_one_run(&generator, senders, turns).await?;
    let before = Snapshot::take(target).await;
    let begin = clock::now();
    let (mut latencies, mut runs) = (Vec::new(), 0);
    while runs == 0 || begin.elapsed() < load.length {
        latencies.append(&mut signal_one_run(&generator, senders, turns).await?);
        runs += 1;
    }
    let window = Window::between(&before, &Snapshot::take(target).await);
    let done = Done {
        workload,
        unit: "signal",
        count: latencies.len() as u64,
        latency_of: "signal call",
        latencies,
        full_histories: generator.shared.full_histories(),
        overflows: generator.shared.overflows(),
    };
    Ok(Figures::new(done, &window, target).with("runs", Some(f64::from(runs)), ""))
}

/// Returns the time of each signal call.
async fn signal_one_run(generator: &Generator<Signals>, senders: u64, turns: u64) -> Result<Vec<Duration>, Fault> {
    let mut caller = generator.caller();
    let run = Arc::new(caller.start().await?);
    let mut calls = JoinSet::new();
    for sender in 0..senders {
        let (mut caller, run) = (generator.caller(), Arc::clone(&run));
        calls.spawn(async move {
            let mut latencies = Vec::with_capacity(turns as usize);
            for turn in 0..turns {
                let begin = clock::now();
                caller.signal(&run, COUNTED, (sender * TURNS_MAX + turn).to_string()).await?;
                latencies.push(begin.elapsed());
            }
            Ok(latencies)
        });
    }
    generator
        .unless_fault(async {
            let mut latencies = Vec::new();
            while let Some(finished) = calls.join_next().await {
                latencies.append(&mut finished.map_err(|e| Fault::wrong("a sender", "an end", e))??);
            }
            caller.signal(&run, LAST, String::new()).await?;
            caller.wait(&run).await?;
            Ok(latencies)
        })
        .await
}
