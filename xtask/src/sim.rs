//! `cargo xtask sim`
use anyhow::Result;

use crate::{
    process,
    repository::{self, Profile},
    tally::{Count, Outcome},
};

/// How long seeds that nobody has seen are tried in `cargo xtask test`.
const FRESH_MINUTES: &str = "3";

/// Simulates seeds; `handed_on` are arguments for `abide-sim`. `--planted` tests the checks instead.
pub(crate) fn task(handed_on: &[String]) -> Result<bool> {
    if handed_on.iter().any(|argument| argument == "--planted") {
        return planted();
    }
    let simulator = repository::build("abide-sim", "abide-sim", Profile::Dev)?;
    process::succeeds(std::process::Command::new(simulator).args(handed_on))
}

/// The part of `cargo xtask test` that takes the most seeds: the workspace's tests have the fixed ones.
pub(crate) fn fresh_seeds() -> Result<Outcome> {
    let minutes = ["--minutes".to_owned(), FRESH_MINUTES.to_owned()];
    Ok(Outcome::Ran(Count::one(task(&minutes)?)))
}

/// Whether every planted fault is found.
pub(crate) fn planted_faults() -> Result<Outcome> {
    Ok(Outcome::Ran(Count::one(planted()?)))
}

fn planted() -> Result<bool> {
    let mut command = repository::cargo();
    command.args(["test", "--quiet", "--package", "abide-sim", "--features", "planted", "--test", "planted"]);
    process::succeeds(command.args(["--", "--nocapture"]))
}
