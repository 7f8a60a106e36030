//! `cargo xtask sim`
use anyhow::Result;

use crate::{
    process,
    repository::{self, Profile},
    tally::{Count, Outcome},
};

/// How many seeds `cargo xtask test` tries, from the first on, so that what was mended stays mended.
const SEEDS_IN_TEST: &str = "1500";
/// And for how long it tries seeds that nobody has seen before. Their numbers are printed.
const FRESH_MINUTES_IN_TEST: &str = "3";

/// Simulates seeds; `handed_on` are arguments for `abide-sim`. `--planted` tests the checks instead.
pub(crate) fn task(handed_on: &[String]) -> Result<bool> {
    if handed_on.iter().any(|argument| argument == "--planted") {
        return planted();
    }
    let simulator = repository::build("abide-sim", "abide-sim", Profile::Dev)?;
    process::succeeds(std::process::Command::new(simulator).args(handed_on))
}

/// The part of `cargo xtask test` that takes many seeds; the workspace's own tests take a few.
pub(crate) fn many_seeds() -> Result<Outcome> {
    let mut count = Count::default();
    count += Count::one(task(&["--first", "0", "--seeds", SEEDS_IN_TEST].map(str::to_owned))?);
    count += Count::one(task(&["--minutes", FRESH_MINUTES_IN_TEST].map(str::to_owned))?);
    Ok(Outcome::Ran(count))
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
