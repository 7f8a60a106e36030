//! Very many open runs that wait: what they take, what they cost the others, and how long a start takes with them.
use std::{path::Path, time::Duration};

use super::{
    findings::{Findings, median, milliseconds},
    written::{log_bytes, quiet},
};
use crate::{
    clock,
    error::Error,
    load::{Generator, Started},
    options::Load,
    target::{Server, Target},
    workloads::{
        activities::Activities,
        closed_loop,
        idle_runs::{self, Idle},
    },
};

const CONCURRENCY: usize = 64;
/// How often the server is killed and started with all runs on disk.
const STARTS: usize = 3;
const MIB: f64 = 1024.0 * 1024.0;
const DISK_BYTES: f64 = 1_000.0;
/// What counts as nothing: an allocator does not give back every page, and tables in memory are now full, now empty.
const EVICTED_BYTES: f64 = 64.0;
const COLD_START_MS: f64 = 1_000.0;
const CPU_RATIO: f64 = 1.15;

/// A server and the runs that are open on it.
struct Opened {
    target: Target,
    generator: Generator<Idle>,
    kept: Vec<Started>,
}

/// Compares a server with `many` open runs to one with `few`, by turns, `rounds` times.
pub(super) async fn run(
    server: &Server,
    root: &Path,
    load: &Load,
    (few, many): (u64, u64),
    rounds: usize,
) -> Result<Findings, Error> {
    let mut findings = Findings::of("open_runs");
    findings.figure("open runs", Some(many as f64), "");
    let few = open(server, root, load, few, &mut Findings::of("")).await?;
    let mut many = open(server, root, load, many, &mut findings).await?;

    let (mut ratios, mut rates) = (Vec::new(), Vec::new());
    for round in 0..rounds.max(1) {
        let (first, second) = if round % 2 == 0 { (&few, &many) } else { (&many, &few) };
        let (first, second) = (beside(&first.target, load).await?, beside(&second.target, load).await?);
        let (few, many) = if round % 2 == 0 { (first, second) } else { (second, first) };
        ratios.extend(many.0.zip(few.0).map(|(many, few)| many / few));
        rates.push(many.1 / few.1);
    }
    findings.at_most("CPU per workflow, against few open runs", median(ratios), "x", CPU_RATIO);
    findings.figure("rate of workflows, against few open runs", median(rates), "x");
    drop(few);

    restart(&mut many, load, &mut findings).await?;
    many.generator.connect_again(&many.target.address, load).await?;
    let woken = idle_runs::wake(&many.generator, &many.kept).await?;
    findings.figure("runs woken and checked", Some(many.kept.len() as f64), "");
    findings.figure("wake to result of a run that was only on disk, p50", woken.map(|l| l.p50_ms), "ms");
    findings.figure("wake to result of a run that was only on disk, p99", woken.map(|l| l.p99_ms), "ms");
    Ok(findings)
}

/// Starts a server and opens `runs` runs; notes what each takes.
async fn open(server: &Server, root: &Path, load: &Load, runs: u64, findings: &mut Findings) -> Result<Opened, Error> {
    let target = server.target(root).await?;
    beside(&target, load).await?; // so that what the first load takes for good is not held against the runs
    quiet(&target).await;
    let (resident_before, disk_before) = (resident(&target), target.disk_bytes());
    let mut generator = Generator::start(&target.address, load, Idle::default()).await?;
    let half = runs / 2;
    let begin = clock::now();
    let (_, mut kept) = idle_runs::open(&generator, runs - half).await?;
    findings.figure("opened, per second", Some((runs - half) as f64 / begin.elapsed().as_secs_f64()), "");
    quiet(&target).await;
    // Tables in memory and caches are full by now, and take no more for as many runs again.
    let resident_at_half = resident(&target);
    kept.extend(idle_runs::open(&generator, half).await?.1);
    generator.stop_workers().await;
    let per_run = |after: Option<f64>, before: Option<f64>, runs: u64| Some((after? - before?) / runs as f64);
    findings.figure("memory at once, per run", per_run(resident(&target), resident_before, runs), "bytes");
    quiet(&target).await;
    let memory = per_run(resident(&target), resident_at_half, half);
    findings.at_most("memory, per run of the second half", memory, "bytes", EVICTED_BYTES);
    findings.figure("memory of the server", resident(&target).map(|bytes| bytes / MIB), "MiB");
    let disk = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64);
    let disk = per_run(disk(target.disk_bytes()), disk(disk_before), runs);
    findings.at_most("disk, per run", disk, "bytes", DISK_BYTES);
    let log = target.data_dir().map(|directory| log_bytes(directory) as f64);
    findings.figure("of that the log, per run", log.map(|bytes| bytes / runs as f64), "bytes");
    Ok(Opened { target, generator, kept })
}

/// Kills and starts the server, several times.
async fn restart(many: &mut Opened, load: &Load, findings: &mut Findings) -> Result<(), Error> {
    let (mut answers, mut results, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        many.target.kill();
        let begin = many.target.start_again()?;
        many.target.ready_again().await?;
        answers.extend(many.target.cold_start.map(milliseconds));
        memory.extend(many.target.resident_at_start_bytes.map(|bytes| bytes as f64 / MIB));
        let generator = Generator::start(&many.target.address, load, Activities::new(1)).await?;
        generator.closed_loop(1, Duration::ZERO).await?;
        results.push(milliseconds(begin.elapsed()));
    }
    findings.at_most("start after a kill to first answer", median(answers), "ms", COLD_START_MS);
    findings.figure("start after a kill to first result of a new workflow", median(results), "ms");
    findings.figure("memory of the server when started on them", median(memory), "MiB");
    Ok(())
}

/// Processor time per workflow of three activities in milliseconds, and workflows per second.
async fn beside(target: &Target, load: &Load) -> Result<(Option<f64>, f64), Error> {
    let figures = closed_loop(String::new(), target, load, Activities::new(3), CONCURRENCY).await?;
    Ok((figures.server_cpu_ms, figures.rate_per_s))
}

fn resident(target: &Target) -> Option<f64> {
    Some(target.process?.memory()?.resident_bytes as f64)
}
