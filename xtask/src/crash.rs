//! `cargo xtask crash`
use std::process::Command;

use anyhow::Result;

use crate::{
    process,
    repository::{self, Profile},
    suites::python::FOLDER,
    venv,
};

/// The one argument that is not the rig's.
const RELEASE: &str = "--release";

/// Runs the crash rig, whose arguments come before or behind a `--`.
pub(crate) fn task(flags: &[String], handed_on: &[String]) -> Result<bool> {
    let profile = if flags.iter().any(|flag| flag == RELEASE) { Profile::Release } else { Profile::Dev };
    let folder = repository::root().join(FOLDER);
    let python = venv::python(&folder)?;
    let server = repository::build_server(profile)?;
    let faults = repository::build_faults(profile)?;
    let mut command = Command::new(python);
    command.current_dir(&folder).env("ABIDE_BIN", server).env("ABIDE_FAULTS_LIBRARY", faults).arg("crash/crash.py");
    process::succeeds(command.args(flags.iter().filter(|flag| *flag != RELEASE)).args(handed_on))
}
