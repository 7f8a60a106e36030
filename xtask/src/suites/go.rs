//! The end-to-end tests with the Go SDK, and the load of the benchmark with it, which must compile.
use std::process::Command;

use anyhow::Result;

use crate::{
    bench, process,
    repository::{self, Profile},
    tally::{Count, Outcome},
};

const FOLDER: &str = "tests/e2e/go";

pub(super) fn run() -> Result<Outcome> {
    let server = repository::build_server(Profile::Dev)?;
    let mut count = Count::default();
    let mut vet = go(bench::go::FOLDER);
    count += Count::one(process::succeeds(vet.args(["vet", "./..."]))?);
    for folder in [bench::go::FOLDER, FOLDER] {
        let mut command = go(folder);
        command.env("ABIDE_BIN", &server).args(["test", "-count=1", "-v", "./..."]);
        let mut counted = Count::default();
        let success = process::watched(&mut command, |line| {
            // Tests within a test are indented and not counted.
            counted.passed += u64::from(line.starts_with("--- PASS"));
            counted.failed += u64::from(line.starts_with("--- FAIL"));
        });
        count += counted.of_suite(success?);
    }
    Ok(Outcome::Ran(count))
}

fn go(folder: &str) -> Command {
    let mut command = Command::new("go");
    command.current_dir(repository::root().join(folder));
    command
}
