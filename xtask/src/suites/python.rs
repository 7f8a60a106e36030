//! The end-to-end tests with the Python SDK.
use std::process::Command;

use anyhow::Result;

use super::numbers;
use crate::{
    process,
    repository::{self, Profile},
    tally::{Count, Outcome},
    venv,
};

pub(crate) const FOLDER: &str = "tests/e2e/python";

pub(super) fn run() -> Result<Outcome> {
    let folder = repository::root().join(FOLDER);
    let python = venv::python(&folder)?;
    let server = repository::build_server(Profile::Dev)?;
    let faults = repository::build_faults(Profile::Dev)?;
    let mut command = Command::new(python);
    command.current_dir(&folder).env("ABIDE_BIN", server).env("ABIDE_FAULTS_LIBRARY", faults);
    command.args(["-m", "pytest", "--color=no"]);
    let mut count = Count::default();
    let success = process::watched(&mut command, |line| {
        // The last line that counts is the one that counts all.
        if line.contains(" in ") && (line.contains(" passed") || line.contains(" failed") || line.contains(" error")) {
            let number = |word| numbers::before(line, word).unwrap_or(0);
            count = Count { passed: number("passed"), failed: number("failed") + number("error") + number("errors") };
        }
    });
    Ok(Outcome::Ran(count.of_suite(success?)))
}
