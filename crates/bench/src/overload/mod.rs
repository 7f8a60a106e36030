//! Ten times what a server gets done: who is let in then, how long that takes, and what it costs.
//!
//! A workflow is a start whose reply has the first task, and the answer that closes it. The most that the server gets
//! done is found first; all else is a multiple of it, offered whatever becomes of it.
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    clock,
    error::Error,
    fault::Fault,
    measure::{Latency, Process},
    names::Names,
    target::Target,
};

mod lane;
mod refusals;
mod requests;

use lane::{Lane, Pace, Phase, Tally};

const MIB: f64 = 1024.0 * 1024.0;
/// Times are back to normal when they are at most so many times what they were before.
const NORMAL: f64 = 2.0;
/// The steps in which memory and the way back are looked at.
const STEP: Duration = Duration::from_millis(250);
const STEPS_PER_SECOND: usize = 4;

/// How much load, and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Connections of the load.
    pub connections: usize,
    /// Workflows at a time while the most is found.
    pub concurrency: usize,
    /// How long the most is looked for, and how long half of it is offered before.
    pub calm: Duration,
    /// How long too much is offered.
    pub overload: Duration,
    /// How long half of the most is offered after that.
    pub recovery: Duration,
    /// The multiple of the most that is too much.
    pub factor: f64,
    /// A call without an answer after this time counts as lost.
    pub lost_after: Duration,
}

/// What was seen of one phase of the load.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseFigures {
    /// Starts per second that were asked for.
    pub asked_per_s: f64,
    /// Starts per second that the server was sent.
    pub offered_per_s: f64,
    /// Starts per second that it let in.
    pub admitted_per_s: f64,
    /// Of all that it was sent.
    pub refused_percent: f64,
    /// From a start that was let in to its reply.
    pub start_latency: Option<Latency>,
    /// From the answer of a workflow task to its reply.
    pub answer_latency: Option<Latency>,
    /// Answers of workflow tasks that were refused.
    pub answers_refused: u64,
    /// Memory of the server at the end of the phase, in MiB.
    pub resident_mib: Option<f64>,
}

/// What was seen of one server.
#[derive(Debug, Clone, Serialize)]
pub struct OverloadFigures {
    /// Workflows per second of the closed loop: the most that the server gets done.
    pub capacity_per_s: f64,
    /// Half of that.
    pub half: PhaseFigures,
    /// Too much.
    pub overload: PhaseFigures,
    /// Half again.
    pub recovery: PhaseFigures,
    /// The 99th percentile of starts that were let in under overload, as a multiple of that at half load.
    pub p99_ratio: Option<f64>,
    /// From the end of the overload until no start was refused, and the 99th percentile of a quarter of a second was at
    /// most twice that at half load.
    pub normal_after_s: Option<f64>,
    /// Memory of the server during the overload, every second, in MiB.
    pub overload_resident_mib: Vec<f64>,
    /// Refusals whose cause and scope were looked at.
    pub refusals_checked: u64,
    /// Processor time of the server and of the load generator during the overload, in percent of one processor.
    pub server_cpu_percent: Option<f64>,
    /// The same of the load generator.
    pub generator_cpu_percent: Option<f64>,
}

/// Loads the server.
///
/// # Errors
/// When the server errs, refuses in another way than with an overload's cause and scope, or leaves a call unanswered.
pub async fn run(target: &Target, plan: &Plan) -> Result<OverloadFigures, Error> {
    let tag = Names::new().tag().to_owned();
    let mut lanes = Vec::with_capacity(plan.connections);
    for number in 0..plan.connections.max(1) {
        lanes.push(Lane::open(target.address(), &tag, number).await?);
    }
    let share = 1.0 / lanes.len() as f64;
    let closed = Pace::Closed { concurrency: plan.concurrency.div_ceil(lanes.len()) };
    // The first half is for warming up.
    let phase = Phase { pace: closed, length: plan.calm / 2 };
    let (lanes, found) = all(lanes, &[phase, phase], plan.lost_after).await?;
    let capacity_per_s = found[1].starts.len() as f64 / phase.length.as_secs_f64();

    let (half_per_s, much_per_s) = (capacity_per_s / 2.0, capacity_per_s * plan.factor);
    let open = |per_second: f64, length| Phase { pace: Pace::Open { per_second: per_second * share }, length };
    let phases = [open(half_per_s, plan.calm), open(much_per_s, plan.overload), open(half_per_s, plan.recovery)];
    let began = clock::now();
    let (overload_from, overload_to) = (began + plan.calm, began + plan.calm + plan.overload);
    let (loaded, refusals_checked, samples) = tokio::join!(
        all(lanes, &phases, plan.lost_after),
        refusals::watch(target.address(), &tag, overload_to),
        samples(target.process, overload_to + plan.recovery),
    );
    let (_, tallies) = loaded?;
    let [half, overload, recovery] = <[Tally; 3]>::try_from(tallies).expect("a tally for each phase");

    let normal_after_s = half_p99_ms(&half).and_then(|ms| normal_after(&recovery, overload_to, ms * NORMAL));
    let during = || samples.iter().filter(|sample| sample.at > overload_from && sample.at <= overload_to);
    let percent = |time: fn(&Sample) -> Option<Duration>| {
        let (first, last) = (during().next()?, during().next_back()?);
        let used = time(last)?.saturating_sub(time(first)?);
        Some(100.0 * used.as_secs_f64() / (last.at - first.at).as_secs_f64())
    };
    let resident_at = |end: Instant| samples.iter().rev().find(|sample| sample.at <= end)?.resident_mib;
    let (server_cpu_percent, generator_cpu_percent) = (percent(|s| s.server_cpu), percent(|s| s.generator_cpu));
    let overload_resident_mib = during().step_by(STEPS_PER_SECOND).filter_map(|sample| sample.resident_mib).collect();
    let half = figures(half, half_per_s, plan.calm, resident_at(overload_from));
    let overload = figures(overload, much_per_s, plan.overload, resident_at(overload_to));
    let recovery = figures(recovery, half_per_s, plan.recovery, resident_at(overload_to + plan.recovery));
    let p99 = |figures: &PhaseFigures| figures.start_latency.map(|latency| latency.p99_ms);
    Ok(OverloadFigures {
        capacity_per_s,
        p99_ratio: p99(&overload).zip(p99(&half)).map(|(much, half)| much / half),
        half,
        overload,
        recovery,
        normal_after_s,
        overload_resident_mib,
        refusals_checked: refusals_checked?,
        server_cpu_percent,
        generator_cpu_percent,
    })
}

/// Runs the phases on all connections at the same time.
async fn all(lanes: Vec<Lane>, phases: &[Phase], lost_after: Duration) -> Result<(Vec<Lane>, Vec<Tally>), Error> {
    let mut running = JoinSet::new();
    for mut lane in lanes {
        let phases = phases.to_vec();
        running.spawn(async move { lane.run(&phases, lost_after).await.map(|tallies| (lane, tallies)) });
    }
    let mut lanes = Vec::new();
    let mut sums: Vec<Tally> = phases.iter().map(|_| Tally::default()).collect();
    while let Some(ended) = running.join_next().await {
        let (lane, tallies) = ended.map_err(|error| Fault::wrong("a lane of the load", "an end", error))??;
        lanes.push(lane);
        sums.iter_mut().zip(tallies).for_each(|(sum, tally)| sum.add(tally));
    }
    Ok((lanes, sums))
}

struct Sample {
    at: Instant,
    resident_mib: Option<f64>,
    server_cpu: Option<Duration>,
    generator_cpu: Option<Duration>,
}

async fn samples(server: Option<Process>, end: Instant) -> Vec<Sample> {
    let mut samples = Vec::new();
    while clock::now() < end {
        samples.push(Sample {
            at: clock::now(),
            resident_mib: server.and_then(Process::memory).map(|memory| memory.resident_bytes as f64 / MIB),
            server_cpu: server.and_then(Process::cpu),
            generator_cpu: Process::own().cpu(),
        });
        clock::pause(STEP).await;
    }
    samples
}

fn figures(tally: Tally, asked_per_s: f64, length: Duration, resident_mib: Option<f64>) -> PhaseFigures {
    let (admitted, refused) = (tally.starts.len() as f64, tally.refused as f64);
    PhaseFigures {
        asked_per_s,
        offered_per_s: (admitted + refused) / length.as_secs_f64(),
        admitted_per_s: admitted / length.as_secs_f64(),
        refused_percent: 100.0 * refused / (admitted + refused).max(1.0),
        start_latency: Latency::of(tally.starts.into_iter().map(|(_, took)| took).collect()),
        answer_latency: Latency::of(tally.answers),
        answers_refused: tally.answers_refused,
        resident_mib,
    }
}

fn half_p99_ms(half: &Tally) -> Option<f64> {
    Latency::of(half.starts.iter().map(|(_, took)| *took).collect()).map(|latency| latency.p99_ms)
}

/// How long after `end` the last refusal came and the first step began in which the 99th percentile was at most `p99_ms`.
/// None when there was no such step.
fn normal_after(recovery: &Tally, end: Instant, p99_ms: f64) -> Option<f64> {
    let mut steps: BTreeMap<u64, Vec<Duration>> = BTreeMap::new();
    for (at, took) in &recovery.starts {
        let step = at.saturating_duration_since(end).as_secs_f64() / STEP.as_secs_f64();
        steps.entry(step as u64).or_default().push(*took);
    }
    let is_normal = |times| Latency::of(times).is_some_and(|latency| latency.p99_ms <= p99_ms);
    let normal = steps.into_iter().find(|(_, times)| is_normal(times.clone()))?.0;
    let refused = recovery.refused_at.map_or(0.0, |at| at.saturating_duration_since(end).as_secs_f64());
    Some((normal as f64 * STEP.as_secs_f64()).max(refused))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_is_when_starts_are_quick_and_none_is_refused() {
        let (end, ms) = (clock::now(), Duration::from_millis);
        let starts = vec![(end, ms(90)), (end + STEP, ms(70)), (end + STEP * 2, ms(9)), (end + STEP * 3, ms(60))];
        let mut recovery = Tally { starts, ..Tally::default() };
        assert_eq!(normal_after(&recovery, end, 10.0), Some(0.5));
        assert_eq!(normal_after(&recovery, end, 5.0), None);
        recovery.refused_at = Some(end + ms(750));
        assert_eq!(normal_after(&recovery, end, 10.0), Some(0.75));
    }
}
