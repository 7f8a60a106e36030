//! The workspace: format, lints, documentation, tests.
use anyhow::Result;

use super::numbers;
use crate::{
    process, repository,
    tally::{Count, Outcome, Tally},
};

pub(super) fn run(tally: &mut Tally) {
    tally.step("format", || check(&["fmt", "--all", "--check", "--", "--color", "never"], None));
    let lints = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    tally.step("lints", || check(&lints, None));
    let documents = ["doc", "--quiet", "--workspace", "--no-deps"];
    tally.step("documentation", || check(&documents, Some(("RUSTDOCFLAGS", "--deny warnings"))));
    tally.step("rust", tests);
}

fn check(arguments: &[&str], variable: Option<(&str, &str)>) -> Result<Outcome> {
    let mut command = repository::cargo();
    Ok(Outcome::Ran(Count::one(process::succeeds(command.args(arguments).envs(variable))?)))
}

fn tests() -> Result<Outcome> {
    let mut command = repository::cargo();
    let mut count = Count::default();
    let success = process::watched(command.args(["test", "--quiet", "--workspace", "--no-fail-fast"]), |line| {
        if line.starts_with("test result:") {
            count.passed += numbers::before(line, "passed").unwrap_or(0);
            count.failed += numbers::before(line, "failed").unwrap_or(0);
        }
    });
    Ok(Outcome::Ran(count.of_suite(success?)))
}
