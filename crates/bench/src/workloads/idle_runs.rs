//! Many open runs that wait for a signal: what they take in memory and on disk, and what they cost the others.
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use abide_proto::temporal::api::{
    command::v1::Command,
    history::v1::{HistoryEvent, history_event::Attributes},
    taskqueue::v1::TaskQueue,
};
use tokio::{sync::Notify, task::JoinSet};

use super::activities::Activities;
use crate::{
    clock,
    error::Error,
    fault::Fault,
    figures::{Done, Figures},
    flow::{Flow, uncalled_for},
    load::{Generator, Started},
    measure::{Latency, Snapshot, Window},
    options::Load,
    target::Target,
    wire,
};

/// How many runs are opened at a time, and how many workflows run at a time beside them.
const CONCURRENCY: usize = 64;
/// One in so many runs is woken at the end, to see that it still can be.
const WOKEN_EVERY: u64 = 300;
const WAKE: &str = "wake";

/// Waits for a signal and ends with it.
#[derive(Default)]
pub(crate) struct Idle {
    /// First workflow tasks answered so far.
    idle: Arc<AtomicU64>,
    changed: Arc<Notify>,
}

impl Flow for Idle {
    type Memory = ();

    const TYPE: &'static str = "Idle";

    fn advance(&self, _: &mut (), events: &[HistoryEvent], _: &TaskQueue) -> Result<Vec<Command>, Fault> {
        for event in events {
            match &event.attributes {
                Some(Attributes::WorkflowExecutionSignaledEventAttributes(_)) => {
                    return Ok(vec![wire::complete_workflow(0)]);
                }
                Some(
                    Attributes::WorkflowExecutionStartedEventAttributes(_)
                    | Attributes::WorkflowTaskScheduledEventAttributes(_)
                    | Attributes::WorkflowTaskStartedEventAttributes(_)
                    | Attributes::WorkflowTaskCompletedEventAttributes(_),
                ) => {}
                _ => return Err(uncalled_for(event)),
            }
        }
        self.idle.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
        Ok(Vec::new())
    }

    fn result(&self) -> Option<u64> {
        Some(0)
    }
}

/// Opens `runs` runs; counts them as workflows.
pub(super) async fn run(workload: String, target: &Target, load: &Load, runs: u64) -> Result<Figures, Error> {
    let resident = || target.process.and_then(|p| p.memory()).map(|m| m.resident_bytes as f64);
    let disk = || target.disk_bytes().map(|bytes| bytes as f64);
    let beside_none = beside(&workload, target, load).await?;
    clock::pause(load.settle).await;
    let (resident_before, disk_before) = (resident(), disk());

    let generator = Generator::start(&target.address, load, Idle::default()).await?;
    let before = Snapshot::take(target).await;
    let (latencies, kept) = open(&generator, runs).await?;
    let window = Window::between(&before, &Snapshot::take(target).await);
    let resident_at_once = resident();
    clock::pause(load.settle).await;
    let per_run = |after: Option<f64>, before: Option<f64>| Some((after? - before?) / runs as f64);
    let memory_at_once = per_run(resident_at_once, resident_before);
    let memory = per_run(resident(), resident_before);
    let disk = per_run(disk(), disk_before);

    let beside_all = beside(&workload, target, load).await?;
    let woken = wake(&generator, &kept).await?;
    let done = Done {
        workload,
        unit: "workflow",
        count: runs,
        latency_of: "start call",
        latencies,
        full_histories: generator.shared.full_histories(),
        overflows: generator.shared.overflows(),
    };
    let ratio = beside_all.server_cpu_ms.zip(beside_none.server_cpu_ms).map(|(with, without)| with / without);
    Ok(Figures::new(done, &window, target)
        .with("memory per run, at once", memory_at_once, "bytes")
        .with("memory per run, settled", memory, "bytes")
        .with("disk per run", disk, "bytes")
        .with("server CPU per 1-activity workflow before", beside_none.server_cpu_ms, "ms")
        .with("server CPU per 1-activity workflow beside them", beside_all.server_cpu_ms, "ms")
        .with("that CPU, beside them / before", ratio, "×")
        .with("wake to result p50", woken.map(|l| l.p50_ms), "ms")
        .with("wake to result max", woken.map(|l| l.max_ms), "ms"))
}

/// What workflows with one activity cost now.
async fn beside(workload: &str, target: &Target, load: &Load) -> Result<Figures, Error> {
    Box::pin(super::closed_loop(workload.to_owned(), target, load, Activities::new(1), CONCURRENCY)).await
}

/// Opens the runs and waits until each has answered its first task. Returns the times of the start calls, and the
/// runs that are to be woken.
pub(crate) async fn open(
    generator: &Generator<Idle>,
    runs: u64,
) -> Result<(Vec<std::time::Duration>, Vec<Started>), Fault> {
    let left = Arc::new(AtomicU64::new(runs));
    let idle_at_end = generator.shared.flow.idle.load(Ordering::Relaxed) + runs;
    let mut openers = JoinSet::new();
    for _ in 0..CONCURRENCY {
        let (mut caller, left) = (generator.caller(), Arc::clone(&left));
        openers.spawn(async move {
            let (mut latencies, mut kept) = (Vec::new(), Vec::new());
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                let begin = clock::now();
                let run = caller.start().await?;
                latencies.push(begin.elapsed());
                if run.index % WOKEN_EVERY == 0 {
                    kept.push(run);
                }
            }
            Ok((latencies, kept))
        });
    }
    let Idle { idle, changed } = &generator.shared.flow;
    generator
        .unless_fault(async {
            let (mut latencies, mut kept) = (Vec::new(), Vec::new());
            while let Some(finished) = openers.join_next().await {
                let (mut times, mut runs) = finished.map_err(|e| Fault::wrong("an opener", "an end", e))??;
                latencies.append(&mut times);
                kept.append(&mut runs);
            }
            while idle.load(Ordering::Relaxed) < idle_at_end {
                let what = || format!("the first task of another idle run of {runs}");
                generator.before_lost(changed.notified(), what).await?;
            }
            Ok((latencies, kept))
        })
        .await
}

/// Signals the runs one after another; returns the time from signal to result.
pub(crate) async fn wake(generator: &Generator<Idle>, runs: &[Started]) -> Result<Option<Latency>, Fault> {
    let mut caller = generator.caller();
    generator
        .unless_fault(async {
            let mut times = Vec::with_capacity(runs.len());
            for run in runs {
                let begin = clock::now();
                caller.signal(run, WAKE, String::new()).await?;
                caller.wait(run).await?;
                times.push(begin.elapsed());
            }
            Ok(Latency::of(times))
        })
        .await
}
