//! `cargo xtask bench`
use std::process::Command;

use anyhow::Result;

use crate::{
    process,
    repository::{self, Profile},
};

/// Measures the release build with the load generator; `handed_on` are arguments for `abide-bench`.
pub(crate) fn task(handed_on: &[String]) -> Result<bool> {
    let server = repository::build_server(Profile::Release)?;
    let bench = repository::build("abide-bench", "abide-bench", Profile::Release)?;
    let mut command = Command::new(bench);
    // Another server than the one that is built here may be named.
    if !handed_on.iter().any(|argument| argument.starts_with("--server") || argument.starts_with("--address")) {
        command.arg("--server").arg(server);
    }
    process::succeeds(command.args(handed_on))
}
