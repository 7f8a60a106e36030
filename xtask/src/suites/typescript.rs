//! The end-to-end tests with the TypeScript SDK.
use std::{fs, path::Path, process::Command};

use anyhow::{Result, ensure};

use super::numbers;
use crate::{
    process,
    repository::{self, Profile},
    tally::{Count, Outcome},
};

const FOLDER: &str = "tests/e2e/typescript";
/// What is installed: a copy of the lock file, written last.
const INSTALLED: &str = "node_modules/installed.json";

pub(super) fn run() -> Result<Outcome> {
    let folder = repository::root().join(FOLDER);
    install(&folder)?;
    let server = repository::build_server(Profile::Dev)?;
    let mut command = Command::new("npm");
    command.current_dir(&folder).env("ABIDE_BIN", server).args(["test", "--silent"]);
    let mut count = Count::default();
    let success = process::watched(&mut command, |line| {
        // Node's own runner ends with `# pass 5` and `# fail 0`, or with another sign in front.
        if line.split_whitespace().count() == 3 {
            count.passed += numbers::behind(line, "pass").unwrap_or(0);
            count.failed += numbers::behind(line, "fail").unwrap_or(0);
        }
    });
    Ok(Outcome::Ran(count.of_suite(success?)))
}

/// Installs the packages of the lock file unless they are there.
fn install(folder: &Path) -> Result<()> {
    let wanted = fs::read(folder.join("package-lock.json"))?;
    if fs::read(folder.join(INSTALLED)).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let mut install = Command::new("npm");
    install.current_dir(folder).args(["ci", "--no-audit", "--no-fund"]);
    ensure!(process::succeeds(&mut install)?, "the packages cannot be installed");
    Ok(fs::write(folder.join(INSTALLED), wanted)?)
}
