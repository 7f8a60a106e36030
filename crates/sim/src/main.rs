//! `abide-sim`: simulates seeds, and shows what a bad one does.
#![allow(clippy::print_stdout)] // what it finds is its output
use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use abide_sim::{faults, minimize::minimize, plan::Plan, sim, trace::Trace, workloads};
use clap::Parser;

/// Simulates a server under faults.
#[derive(Parser)]
struct Arguments {
    /// One seed, twice, with everything that happens
    #[arg(long, conflicts_with_all = ["seeds", "minutes"])]
    seed: Option<u64>,
    /// How many seeds
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed; one that nobody has seen before, if it is not given
    #[arg(long)]
    first: Option<u64>,
    /// As many seeds as so many minutes allow
    #[arg(long)]
    minutes: Option<f64>,
    /// How many at once; as many as there are processors, if it is not given
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Default)]
struct Totals {
    seeds: u64,
    active: Duration,
    simulated: Duration,
    steps: u64,
    failed: Vec<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => show(seed),
        None => many(&arguments),
    }
}

#[allow(clippy::disallowed_methods)] // real time says how long it took, and picks fresh seeds
fn many(arguments: &Arguments) -> ExitCode {
    let began = Instant::now();
    let fresh = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let first = arguments.first.unwrap_or_else(|| fresh() * 1_000_000);
    let (next, stop) = (AtomicU64::new(first), AtomicBool::new(false));
    let totals = Mutex::new(Totals::default());
    let threads = arguments.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let is_over = match arguments.minutes {
                        Some(minutes) => began.elapsed().as_secs_f64() >= minutes * 60.0,
                        None => seed - first >= arguments.seeds,
                    };
                    if is_over || stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let outcome = sim::run(&Plan::of(seed), Trace::Silent);
                    let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
                    totals.seeds += 1;
                    totals.active += outcome.active;
                    totals.simulated += outcome.simulated;
                    totals.steps += outcome.steps;
                    if !outcome.violations.is_empty() {
                        println!("seed {seed}: {}", outcome.violations[0]);
                        totals.failed.push(seed);
                        stop.store(totals.failed.len() >= 5, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    report(&totals, first, began.elapsed())
}

fn report(totals: &Totals, first: u64, took: Duration) -> ExitCode {
    let seconds = took.as_secs_f64();
    println!(
        "{} seeds from {first} on in {seconds:.0} s: {:.0} seeds a minute, {:.0} simulated days, {:.0} times real time \
         ({:.0} times without the wait for the retention), {} steps, {} violations",
        totals.seeds,
        totals.seeds as f64 * 60.0 / seconds,
        totals.simulated.as_secs_f64() / 86400.0,
        totals.simulated.as_secs_f64() / seconds,
        totals.active.as_secs_f64() / seconds,
        totals.steps,
        totals.failed.len(),
    );
    let Some(seed) = totals.failed.first() else { return ExitCode::SUCCESS };
    println!("\nThe shortest way that was found to the violation of seed {seed}:");
    let plan = minimize(&Plan::of(*seed));
    describe(&plan);
    let outcome = sim::run(&plan, Trace::Shown);
    outcome.violations.iter().for_each(|violation| println!("VIOLATION: {violation}"));
    println!("\nTo see all of it: cargo xtask sim --seed {seed}");
    ExitCode::FAILURE
}

/// Runs a seed twice and prints what happens.
fn show(seed: u64) -> ExitCode {
    let plan = Plan::of(seed);
    describe(&plan);
    let again = sim::run(&plan, Trace::Silent);
    let format = tracing_subscriber::fmt().without_time().with_ansi(false).with_target(false);
    format.with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG).init();
    let outcome = sim::run(&plan, Trace::Shown);
    outcome.violations.iter().for_each(|violation| println!("VIOLATION: {violation}"));
    println!(
        "trace hash {:016x}, {} steps, {:.0} simulated seconds",
        outcome.hash,
        outcome.steps,
        outcome.simulated.as_secs_f64()
    );
    if outcome.hash != again.hash {
        println!("NOT DETERMINISTIC: the second time the hash is {:016x}", again.hash);
        return ExitCode::FAILURE;
    }
    if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn describe(plan: &Plan) {
    for workload in &plan.workloads {
        println!(
            "{:>12.6}  workload {}-{}",
            workload.at.as_secs_f64(),
            workloads::ALL[workload.kind].name,
            workload.number
        );
    }
    for fault in &plan.faults {
        println!("{:>12.6}  fault {}", fault.at.as_secs_f64(), faults::ALL[fault.kind].name);
    }
    println!();
}
