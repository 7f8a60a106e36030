//! `cargo xtask crash`
use std::process::Command;

use anyhow::{Result, bail};

use crate::{
    process,
    repository::{self, Profile},
    suites::python::FOLDER,
    venv,
};

/// What is run when nothing is asked for.
const USUAL: [&str; 4] = ["--kills", "100", "--concurrency", "16"];

/// Runs the crash rig at full length; `handed_on` are its arguments.
pub(crate) fn task(flags: &[String], handed_on: &[String]) -> Result<bool> {
    let mut profile = Profile::Dev;
    for flag in flags {
        match flag.as_str() {
            "--release" => profile = Profile::Release,
            other => bail!("crash does not know {other:?}"),
        }
    }
    let folder = repository::root().join(FOLDER);
    let python = venv::python(&folder)?;
    let server = repository::build_server(profile)?;
    let mut command = Command::new(python);
    command.current_dir(&folder).env("ABIDE_BIN", server).arg("crash/crash.py");
    if handed_on.is_empty() {
        command.args(USUAL);
    }
    process::succeeds(command.args(handed_on))
}
