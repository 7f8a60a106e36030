//! The end-to-end tests with the Go SDK.
use std::process::Command;

use anyhow::Result;

use crate::{
    process,
    repository::{self, Profile},
    tally::{Count, Outcome},
};

const FOLDER: &str = "tests/e2e/go";

pub(super) fn run() -> Result<Outcome> {
    let server = repository::build_server(Profile::Dev)?;
    let mut command = Command::new("go");
    command.current_dir(repository::root().join(FOLDER)).env("ABIDE_BIN", server);
    command.args(["test", "-count=1", "-v", "./..."]);
    let mut count = Count::default();
    let success = process::watched(&mut command, |line| {
        // Tests within a test are indented and not counted.
        count.passed += u64::from(line.starts_with("--- PASS"));
        count.failed += u64::from(line.starts_with("--- FAIL"));
    });
    Ok(Outcome::Ran(count.of_suite(success?)))
}
