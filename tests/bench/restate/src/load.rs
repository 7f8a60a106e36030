//! A closed loop of clients: each calls a handler, checks the result, and calls again.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    client::Client,
    cpu,
    service::{self, STEPS},
};

/// The command line.
#[derive(Debug, Parser)]
pub struct Options {
    /// Where the server takes calls.
    #[arg(long, value_name = "HOST:PORT")]
    ingress: String,
    /// Where the server is told of services.
    #[arg(long, value_name = "HOST:PORT")]
    admin: String,
    /// What is called.
    #[arg(long)]
    workload: Workload,
    /// Calls at a time.
    #[arg(long, value_name = "N", default_value_t = 64)]
    concurrency: usize,
    /// How long it is measured.
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    seconds: f64,
    /// How long it runs before it is measured.
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    warm_up_seconds: f64,
    /// Process of the server, to measure its processor time.
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Workload {
    /// Three durable steps.
    #[value(name = "steps_3")]
    Three,
    /// No step.
    #[value(name = "steps_0")]
    None,
}

impl Workload {
    fn path(self) -> &'static str {
        match self {
            Self::Three => "/Steps/three",
            Self::None => "/Steps/none",
        }
    }

    fn steps(self) -> u64 {
        match self {
            Self::Three => STEPS,
            Self::None => 0,
        }
    }

    /// What the handler makes of a number.
    fn result(self, number: u64) -> u64 {
        match self {
            Self::Three => number * STEPS,
            Self::None => number,
        }
    }
}

/// What is printed.
#[derive(Debug, Serialize)]
pub struct Figures {
    workload: String,
    concurrency: usize,
    count: u64,
    seconds: f64,
    rate_per_s: f64,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    server_cpu_ms: Option<f64>,
}

/// Registers the service, calls it, and checks that every step was executed once.
pub async fn run(options: &Options) -> Result<Figures> {
    ensure!(options.concurrency > 0 && options.seconds > 0.0, "concurrency and seconds must be more than nothing");
    let (address, executed) = service::serve().await?;
    let deployment = serde_json::json!({ "uri": format!("http://{address}/") }).to_string();
    Client::connect(&options.admin).await?.post("/deployments", deployment).await.context("registering the service")?;

    let next_number = Arc::new(AtomicU64::new(1));
    let warm_up = Duration::try_from_secs_f64(options.warm_up_seconds)?;
    let length = Duration::try_from_secs_f64(options.seconds)?;
    let warm = closed_loop(options, &next_number, warm_up).await?.len() as u64;
    let (begin, before) = (Instant::now(), options.server_pid.and_then(cpu::of));
    let times = closed_loop(options, &next_number, length).await?;
    let (took, after) = (begin.elapsed(), options.server_pid.and_then(cpu::of));
    let count = times.len() as u64;
    let (done, expected) = (executed.load(Ordering::Relaxed), (warm + count) * options.workload.steps());
    ensure!(done == expected, "{done} steps were executed, expected {expected}");

    let cpu = before.zip(after).map(|(before, after)| milliseconds(after.saturating_sub(before)) / count as f64);
    let workload = options.workload.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    let [p50_ms, p90_ms, p99_ms] = percentiles(times, [50, 90, 99]);
    Ok(Figures {
        workload,
        concurrency: options.concurrency,
        count,
        seconds: took.as_secs_f64(),
        rate_per_s: count as f64 / took.as_secs_f64(),
        p50_ms,
        p90_ms,
        p99_ms,
        server_cpu_ms: cpu,
    })
}

/// Keeps as many calls under way as the options say for `length`, then lets them end. Returns the time that each took.
async fn closed_loop(options: &Options, next_number: &Arc<AtomicU64>, length: Duration) -> Result<Vec<Duration>> {
    let deadline = Instant::now() + length;
    let mut callers = JoinSet::new();
    for _ in 0..options.concurrency {
        let mut client = Client::connect(&options.ingress).await?;
        let (workload, next_number) = (options.workload, Arc::clone(next_number));
        callers.spawn(async move {
            let mut times = Vec::new();
            while times.is_empty() || Instant::now() < deadline {
                let number = next_number.fetch_add(1, Ordering::Relaxed);
                let begin = Instant::now();
                let body = client.post(workload.path(), number.to_string()).await?;
                times.push(begin.elapsed());
                let result: u64 = serde_json::from_slice(&body).context("a result that is no number")?;
                let expected = workload.result(number);
                ensure!(result == expected, "the result for {number} is {result}, expected {expected}");
            }
            Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = callers.join_next().await {
        times.append(&mut ended??);
    }
    Ok(times)
}

/// Times that so many percent do not exceed, in milliseconds.
fn percentiles<const N: usize>(mut times: Vec<Duration>, percents: [usize; N]) -> [f64; N] {
    times.sort_unstable();
    let rank = |percent: usize| (times.len() * percent).div_ceil(100).saturating_sub(1);
    percents.map(|percent| times.get(rank(percent)).map_or(f64::NAN, |time| milliseconds(*time)))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::percentiles;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentiles(times, [50, 90, 99]), [100.0, 180.0, 198.0]);
    }
}
