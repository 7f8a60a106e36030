//! The checks find what is planted. `cargo xtask sim --planted` runs it and shows how many seeds each fault took.
#![cfg(feature = "planted")]
#![allow(clippy::print_stdout)] // the figures are for the reader of the test's output
use abide_planted::{Fault, plant};
use abide_sim::{plan::Plan, sim, trace::Trace};

/// Within so many seeds each fault must be found.
const SEEDS: u64 = 1000;

#[test]
fn every_planted_fault_is_found() {
    let mut missed = Vec::new();
    let only = std::env::var("ABIDE_PLANTED").ok();
    let wanted = |fault: &Fault| only.as_ref().is_none_or(|only| *only == format!("{fault:?}"));
    for fault in Fault::ALL.into_iter().filter(wanted) {
        let found = (0..SEEDS).find_map(|seed| {
            plant(Some(fault));
            let outcome = sim::run(&Plan::of(seed), Trace::Silent);
            plant(None);
            outcome.violations.into_iter().next().map(|violation| (seed + 1, violation))
        });
        match found {
            Some((seeds, violation)) => {
                let shown: String = violation.lines().next().unwrap_or_default().chars().take(120).collect();
                println!("{fault:?}: found with seed {seeds}: {shown}");
            }
            None => missed.push(fault),
        }
    }
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}
