//! Workflows that are started at a steady rate, whether or not the earlier ones have ended: an open loop at half of what the
//! server can do.
use std::{
    path::Path,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use super::findings::{Findings, milliseconds};
use crate::{
    clock,
    error::Error,
    fault::Fault,
    load::Generator,
    measure::{Latency, Snapshot, Window},
    options::Load,
    target::Server,
    workloads::activities::Activities,
};

const CONCURRENCY: usize = 64;
const OF_CAPACITY: f64 = 0.5;
const P99_OF_P50: f64 = 4.0;
const STALL_MS: f64 = 150.0;

/// What is measured: when each workflow had its result, and how long after its time to start that was.
type Ended = (Instant, Duration);

/// Starts `rate_per_s` workflows per second, or half of the capacity, which is measured first, for `length`.
pub(super) async fn run(
    server: &Server,
    root: &Path,
    load: &Load,
    rate_per_s: Option<f64>,
    length: Duration,
) -> Result<Findings, Error> {
    let mut findings = Findings::of("steady");
    let target = server.target(root).await?;
    let generator = Generator::start(&target.address, load, Activities::new(3)).await?;
    let rate_per_s = match rate_per_s {
        Some(rate) => rate,
        None => {
            generator.closed_loop(CONCURRENCY, load.warm_up).await?;
            let begin = clock::now();
            let done = generator.closed_loop(CONCURRENCY, load.length).await?.len();
            let capacity = done as f64 / begin.elapsed().as_secs_f64();
            findings.figure("capacity, workflows of 3 activities per second", Some(capacity), "");
            capacity * OF_CAPACITY
        }
    };
    let before = Snapshot::take(&target).await;
    let begin = clock::now();
    let ended = open_loop(&generator, rate_per_s, length).await?;
    let window = Window::between(&before, &Snapshot::take(&target).await);
    generator.flush().await?;

    let late = Latency::of(ended.iter().map(|(_, late)| *late).collect());
    findings.figure("started per second", Some(rate_per_s), "");
    findings.figure("workflows", Some(ended.len() as f64), "");
    findings.figure("for", Some(window.length.as_secs_f64()), "s");
    findings.figure("start to result, p50", late.map(|l| l.p50_ms), "ms");
    findings.figure("start to result, p99", late.map(|l| l.p99_ms), "ms");
    findings.figure("start to result, longest", late.map(|l| l.max_ms), "ms");
    findings.at_most("p99 of p50", late.map(|l| l.p99_ms / l.p50_ms), "x", P99_OF_P50);
    let stalls = stalls(&ended);
    findings.at_most("longest time without a result", stalls.first().map(|s| milliseconds(s.1)), "ms", STALL_MS);
    let over = stalls.iter().filter(|stall| milliseconds(stall.1) > STALL_MS);
    findings.figure("times without a result of more than 150 ms", Some(over.count() as f64), "");
    let at = stalls.first().map(|stall| (stall.0 - begin).as_secs_f64());
    findings.figure("the longest began at", at, "s");
    let share = |time: Option<Duration>| Some(100.0 * time?.as_secs_f64() / window.length.as_secs_f64());
    findings.figure("CPU of the server, of one core", share(window.server_cpu), "%");
    findings.figure("CPU of everybody else, of one core", share(window.other_cpu), "%");
    Ok(findings)
}

/// Starts a workflow each time that one is due. Times count from when it was due, so that a server that holds up the load
/// does not hide what it did to those that waited behind.
async fn open_loop(generator: &Generator<Activities>, rate_per_s: f64, length: Duration) -> Result<Vec<Ended>, Fault> {
    let begin = clock::now();
    let due = |number: u32| begin + Duration::from_secs_f64(f64::from(number) / rate_per_s);
    let mut ended = Vec::new();
    let mut under_way = JoinSet::new();
    let work = async {
        let mut number = 0;
        while due(number) < begin + length {
            let at = due(number);
            number += 1;
            clock::pause(at.saturating_duration_since(clock::now())).await;
            let mut caller = generator.caller();
            under_way.spawn(async move {
                caller.run().await?;
                let now = clock::now();
                Ok::<Ended, Fault>((now, now - at))
            });
            while let Some(finished) = under_way.try_join_next() {
                ended.push(finished.map_err(|e| Fault::wrong("a client", "an end", e))??);
            }
        }
        while let Some(finished) = under_way.join_next().await {
            ended.push(finished.map_err(|e| Fault::wrong("a client", "an end", e))??);
        }
        Ok(ended)
    };
    generator.unless_fault(work).await
}

/// The times between one result and the next, with when they began; the longest first.
fn stalls(ended: &[Ended]) -> Vec<(Instant, Duration)> {
    let mut at: Vec<_> = ended.iter().map(|(at, _)| *at).collect();
    at.sort_unstable();
    let mut stalls: Vec<_> = at.windows(2).map(|pair| (pair[0], pair[1] - pair[0])).collect();
    stalls.sort_unstable_by_key(|stall| std::cmp::Reverse(stall.1));
    stalls
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::stalls;
    use crate::clock;

    #[test]
    fn a_stall_is_a_time_without_a_result_in_whatever_order_they_are_told() {
        let begin = clock::now();
        let ended: Vec<_> = [7, 0, 1, 3].map(|s| (begin + Duration::from_secs(s), Duration::ZERO)).into();
        let found: Vec<_> = stalls(&ended).iter().map(|(at, long)| ((*at - begin).as_secs(), long.as_secs())).collect();
        assert_eq!(found, [(3, 4), (1, 2), (0, 1)]);
    }
}
