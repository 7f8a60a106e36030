//! Very many tasks in one queue that nobody polls, and how fast workers that come then get through them.
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use abide_proto::temporal::api::{command::v1::Command, history::v1::HistoryEvent, taskqueue::v1::TaskQueue};
use tokio::{sync::Notify, task::JoinSet};

use super::findings::{Findings, milliseconds};
use crate::{
    clock,
    error::Error,
    fault::Fault,
    flow::Flow,
    load::{Generator, Started},
    measure::{Snapshot, Window},
    options::Load,
    target::{Server, Target},
    wire,
    workloads::{activities::Activities, closed_loop},
};

const CONCURRENCY: usize = 64;
/// A backlog that is as good as none.
const SMALL: u64 = 10_000;
/// One in so many workflows is asked for its result.
const CHECKED_EVERY: u64 = 300;
const MEMORY_MB: f64 = 100.0;
const OF_EMPTY: f64 = 0.7;

/// Completes at once.
#[derive(Default)]
struct AtOnce {
    answered: Arc<AtomicU64>,
    changed: Arc<Notify>,
}

impl Flow for AtOnce {
    type Memory = ();

    const TYPE: &'static str = "AtOnce";

    fn advance(&self, _: &mut (), _: &[HistoryEvent], _: &TaskQueue) -> Result<Vec<Command>, Fault> {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
        Ok(vec![wire::complete_workflow(0)])
    }

    fn close_event_id(&self) -> Option<i64> {
        Some(5)
    }

    fn result(&self) -> Option<u64> {
        Some(0)
    }
}

/// How a backlog was worked off.
struct Drained {
    rate_per_s: f64,
    first_tenth_per_s: f64,
    last_tenth_per_s: f64,
    cpu_ms: Option<f64>,
    resident_mb: Option<f64>,
    piled_up_per_s: f64,
}

pub(super) async fn run(server: &Server, root: &Path, load: &Load, tasks: u64) -> Result<Findings, Error> {
    let target = server.target(root).await?;
    let empty = closed_loop(String::new(), &target, load, Activities::new(0), CONCURRENCY).await?;
    let small = drain(&target, load, SMALL.min(tasks)).await?;
    clock::pause(load.settle).await;
    let before = resident_mb(&target);
    let large = drain(&target, load, tasks).await?;

    let mut findings = Findings::of("backlog");
    findings.figure("tasks in one queue", Some(tasks as f64), "");
    findings.figure("piled up, per second", Some(large.piled_up_per_s), "");
    let more = large.resident_mb.zip(before).map(|(after, before)| after - before);
    findings.at_most("memory with them, more than before", more, "MB", MEMORY_MB);
    findings.figure("memory with them", large.resident_mb, "MB");
    findings.figure("worked off, per second", Some(large.rate_per_s), "");
    findings.figure("worked off, per second, the first tenth", Some(large.first_tenth_per_s), "");
    findings.figure("worked off, per second, the last tenth", Some(large.last_tenth_per_s), "");
    findings.figure("worked off, per second, a backlog of 10,000", Some(small.rate_per_s), "");
    findings.figure("started and completed, per second, with an empty queue", Some(empty.rate_per_s), "");
    findings.figure("rate, of that of a backlog of 10,000", Some(large.rate_per_s / small.rate_per_s), "x");
    findings.at_least("rate, of that with an empty queue", Some(large.rate_per_s / empty.rate_per_s), "x", OF_EMPTY);
    findings.figure("CPU per task", large.cpu_ms, "ms");
    findings.figure("CPU per task, a backlog of 10,000", small.cpu_ms, "ms");
    let cpu_ratio = large.cpu_ms.zip(small.cpu_ms).map(|(large, small)| large / small);
    findings.figure("CPU per task, of that of a backlog of 10,000", cpu_ratio, "x");
    Ok(findings)
}

/// Starts `tasks` workflows that no worker knows, then the workers; every task must come once.
async fn drain(target: &Target, load: &Load, tasks: u64) -> Result<Drained, Error> {
    let mut generator = Generator::without_workers(&target.address, load, AtOnce::default()).await?;
    let begin = clock::now();
    let kept = pile_up(&generator, tasks).await?;
    let piled_up_per_s = tasks as f64 / begin.elapsed().as_secs_f64();
    clock::pause(load.settle).await;
    let resident_mb = resident_mb(target);

    let before = Snapshot::take(target).await;
    let begin = clock::now();
    generator.start_workers(&target.address, load).await?;
    let tenth = (tasks / 10).max(1);
    let at_tenth = until_answered(&generator, tenth, begin).await?;
    let at_last_tenth = until_answered(&generator, tasks - tenth, begin).await?;
    let at_end = until_answered(&generator, tasks, begin).await?;
    let window = Window::between(&before, &Snapshot::take(target).await);
    generator.flush().await?;
    check(&generator, &kept).await?;
    let per_s = |tasks: u64, time: Duration| tasks as f64 / time.as_secs_f64();
    Ok(Drained {
        rate_per_s: per_s(tasks, at_end),
        first_tenth_per_s: per_s(tenth, at_tenth),
        last_tenth_per_s: per_s(tenth, at_end.saturating_sub(at_last_tenth)),
        cpu_ms: window.server_cpu.map(|cpu| milliseconds(cpu) / tasks as f64),
        resident_mb,
        piled_up_per_s,
    })
}

async fn pile_up(generator: &Generator<AtOnce>, tasks: u64) -> Result<Vec<Started>, Fault> {
    let left = Arc::new(AtomicU64::new(tasks));
    let mut starters = JoinSet::new();
    for _ in 0..CONCURRENCY {
        let (mut caller, left) = (generator.caller(), Arc::clone(&left));
        starters.spawn(async move {
            let mut kept = Vec::new();
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                let run = caller.start().await?;
                kept.extend((run.index % CHECKED_EVERY == 0).then_some(run));
            }
            Ok::<_, Fault>(kept)
        });
    }
    let mut kept = Vec::new();
    while let Some(ended) = starters.join_next().await {
        kept.append(&mut ended.map_err(|e| Fault::wrong("a client", "an end", e))??);
    }
    Ok(kept)
}

/// Waits until so many tasks are answered, each wait no longer than until one counts as lost. Returns the time since `begin`.
async fn until_answered(
    generator: &Generator<AtOnce>,
    tasks: u64,
    begin: std::time::Instant,
) -> Result<Duration, Fault> {
    let AtOnce { answered, changed } = &generator.shared.flow;
    while answered.load(Ordering::Relaxed) < tasks {
        let next = async {
            changed.notified().await;
            Ok(())
        };
        let what = || format!("the next task after {} of {tasks}", answered.load(Ordering::Relaxed));
        generator.before_lost(generator.unless_fault(next), what).await??;
    }
    Ok(begin.elapsed())
}

/// The results of some of the workflows.
async fn check(generator: &Generator<AtOnce>, runs: &[Started]) -> Result<(), Fault> {
    let mut caller = generator.caller();
    let work = async {
        for run in runs {
            caller.wait(run).await?;
        }
        Ok(())
    };
    generator.unless_fault(work).await
}

fn resident_mb(target: &Target) -> Option<f64> {
    Some(target.process?.memory()?.resident_bytes as f64 / 1e6)
}
