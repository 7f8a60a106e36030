//! What a server takes that has nothing to do, and how long its program takes from its start to its first answer.
use std::path::Path;

use super::findings::{Findings, median, milliseconds};
use crate::{
    clock,
    error::Error,
    load::Generator,
    options::Load,
    target::{Server, Target},
    workloads::activities::Activities,
};
use std::time::Duration;

/// How often the program is started.
const STARTS: usize = 5;
const MIB: f64 = 1024.0 * 1024.0;
const COLD_START_MS: f64 = 50.0;
const RESIDENT_MIB: f64 = 25.0;
const CPU_PERCENT: f64 = 0.1;

pub(super) async fn run(server: &Server, root: &Path, load: &Load, length: Duration) -> Result<Findings, Error> {
    let mut findings = Findings::of("idle");
    let mut target = server.target(root).await?;
    let mut new = vec![target.cold_start];
    for _ in 1..STARTS {
        target = server.target(root).await?;
        new.push(target.cold_start);
    }
    let mut again = Vec::new();
    for _ in 0..STARTS {
        target.kill();
        target.start_again()?;
        target.ready_again().await?;
        again.push(target.cold_start);
    }
    let typical = |times: Vec<Option<Duration>>| median(times.into_iter().flatten().map(milliseconds).collect());
    findings.at_most("cold start to first answer, new directory", typical(new), "ms", COLD_START_MS);
    findings.at_most("cold start to first answer, after a kill", typical(again), "ms", COLD_START_MS);

    clock::pause(load.settle).await;
    findings.at_most("CPU of one core, nobody connected", share_percent(&target, length).await, "%", CPU_PERCENT);
    findings.at_most("memory, nobody connected", resident_mib(&target), "MiB", RESIDENT_MIB);

    let generator = Generator::start(&target.address, load, Activities::new(3)).await?;
    generator.closed_loop(1, Duration::ZERO).await?;
    clock::pause(load.settle).await;
    findings.at_most("CPU of one core, workers wait", share_percent(&target, length).await, "%", CPU_PERCENT);
    findings.figure("memory, workers wait", resident_mib(&target), "MiB");
    generator.flush().await?;
    Ok(findings)
}

/// The share of one processor that the server takes from now on.
async fn share_percent(target: &Target, length: Duration) -> Option<f64> {
    let process = target.process?;
    let (begin, before) = (clock::now(), process.cpu_of_threads()?);
    clock::pause(length).await;
    let taken = process.cpu_of_threads()?.saturating_sub(before);
    Some(100.0 * taken.as_secs_f64() / begin.elapsed().as_secs_f64())
}

fn resident_mib(target: &Target) -> Option<f64> {
    Some(target.process?.memory()?.resident_bytes as f64 / MIB)
}
