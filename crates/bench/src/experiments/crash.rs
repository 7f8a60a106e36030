//! A server that is killed under load with many open runs: how long until something is done again, and until as much as before.
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use super::findings::{Findings, median};
use crate::{
    clock,
    error::Error,
    fault::Fault,
    load::Generator,
    options::Load,
    target::{Server, Target},
    workloads::{activities::Activities, idle_runs, idle_runs::Idle},
};

const CONCURRENCY: usize = 64;
const KILLS: usize = 3;
/// The rate is that of so long a time.
const BIN: Duration = Duration::from_millis(250);
/// The rate is full again when it is as high as this share of what it was before.
const FULL: f64 = 0.9;
const FIRST_RESULT_S: f64 = 0.5;
const FULL_RATE_S: f64 = 3.0;

pub(super) async fn run(server: &Server, root: &Path, load: &Load, runs: u64) -> Result<Findings, Error> {
    let mut target = server.target(root).await?;
    let mut idle = Generator::start(&target.address, load, Idle::default()).await?;
    let (_, kept) = idle_runs::open(&idle, runs).await?;
    idle.stop_workers().await;

    let (mut answers, mut firsts, mut fulls) = (Vec::new(), Vec::new(), Vec::new());
    let mut usual_rate = 0.0;
    let mut endless = 0;
    for _ in 0..KILLS {
        let before = Loaded::start(&target, load).await?;
        before.run_for(load.warm_up + load.length).await?;
        usual_rate = rate_since(&before.results(), clock::now() - load.length, load.length);
        target.kill(); // with nothing awaited in between, the load is in full swing
        let begin = target.start_again()?;
        drop(before);
        target.ready_again().await?;
        answers.extend(target.cold_start.map(|time| time.as_secs_f64()));
        let after = Loaded::start(&target, load).await?;
        // Twice the bar is long enough to see it missed.
        after.run_for(load.length.max(Duration::from_secs_f64(2.0 * FULL_RATE_S))).await?;
        let results = after.results();
        firsts.extend(results.iter().min().map(|first| (*first - begin).as_secs_f64()));
        match full_since(&results, usual_rate * FULL) {
            Some(full) => fulls.push((full - begin).as_secs_f64()),
            None => endless += 1,
        }
        after.end().await?;
    }
    idle.connect_again(&target.address, load).await?;
    idle_runs::wake(&idle, &kept).await?;

    let mut findings = Findings::of("crash");
    findings.figure("open runs", Some(runs as f64), "");
    findings.figure("kills under load", Some(KILLS as f64), "");
    findings.figure("workflows of 3 activities before, per second", Some(usual_rate), "");
    findings.figure("start to first answer", median(answers), "s");
    findings.at_most("start to first result of a workflow", median(firsts), "s", FIRST_RESULT_S);
    findings.at_most("start to 0.9 of the rate before", median(fulls), "s", FULL_RATE_S);
    findings.figure("kills after which that rate was not seen again", Some(f64::from(endless)), "");
    findings.figure("runs woken and checked", Some(kept.len() as f64), "");
    Ok(findings)
}

/// Load that goes on until it is dropped, and when each workflow had its result.
struct Loaded {
    generator: Generator<Activities>,
    callers: JoinSet<Result<(), Fault>>,
    results: Arc<Mutex<Vec<Instant>>>,
    is_over: Arc<std::sync::atomic::AtomicBool>,
}

impl Loaded {
    async fn start(target: &Target, load: &Load) -> Result<Self, Error> {
        use std::sync::atomic::{AtomicBool, Ordering};
        let generator = Generator::start(&target.address, load, Activities::new(3)).await?;
        let (results, is_over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let mut callers = JoinSet::new();
        for _ in 0..CONCURRENCY {
            let (mut caller, results, is_over) = (generator.caller(), Arc::clone(&results), Arc::clone(&is_over));
            callers.spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    caller.run().await?;
                    results.lock().unwrap_or_else(PoisonError::into_inner).push(clock::now());
                }
                Ok(())
            });
        }
        Ok(Loaded { generator, callers, results, is_over })
    }

    /// Lets it run; ends early with the first fault.
    async fn run_for(&self, length: Duration) -> Result<(), Fault> {
        let run = async {
            clock::pause(length).await;
            Ok(())
        };
        self.generator.unless_fault(run).await
    }

    fn results(&self) -> Vec<Instant> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets what is open end, and checks it.
    async fn end(mut self) -> Result<(), Fault> {
        self.is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        let callers = &mut self.callers;
        let ended = async {
            while let Some(ended) = callers.join_next().await {
                ended.map_err(|e| Fault::wrong("a client", "an end", e))??;
            }
            Ok(())
        };
        self.generator.unless_fault(ended).await?;
        self.generator.flush().await
    }
}

/// Results per second from `begin` on, in a time of `length`.
fn rate_since(results: &[Instant], begin: Instant, length: Duration) -> f64 {
    let within = results.iter().filter(|at| **at >= begin && **at < begin + length).count();
    within as f64 / length.as_secs_f64()
}

/// The end of the first bin in which results came at `rate_per_s` or faster.
fn full_since(results: &[Instant], rate_per_s: f64) -> Option<Instant> {
    let mut results = results.to_vec();
    results.sort_unstable();
    let is_full = |begin: &&Instant| rate_since(&results, **begin, BIN) >= rate_per_s;
    results.iter().find(is_full).map(|begin| *begin + BIN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::{BIN, full_since};
    use crate::clock;

    #[test]
    fn the_rate_is_full_at_the_end_of_the_first_bin_that_is() {
        let begin = clock::now();
        let at = |ms: u64| begin + Duration::from_millis(ms);
        // One every 50 ms for a second, then one every 10 ms.
        let results: Vec<_> = (0..20).map(|i| at(i * 50)).chain((0..100).map(|i| at(1000 + i * 10))).collect();
        assert_eq!(full_since(&results, 20.0), Some(at(0) + BIN));
        let full = full_since(&results, 100.0).unwrap();
        assert!(full >= at(1000) && full <= at(1010) + BIN);
        assert_eq!(full_since(&results, 200.0), None);
    }
}
