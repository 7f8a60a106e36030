//! The program that loads a server with the official Go SDK.
use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use crate::{process, repository};

/// Where its module is.
pub(crate) const FOLDER: &str = "tests/bench/go";

/// Builds it into a folder and gives its path.
pub(super) fn build(folder: &Path) -> Result<PathBuf> {
    let program = folder.join("go-load");
    let mut command = Command::new("go");
    command.current_dir(repository::root().join(FOLDER)).args(["build", "-o"]).arg(&program).arg(".");
    ensure!(process::succeeds(&mut command)?, "the load with the Go SDK does not build");
    Ok(program)
}
