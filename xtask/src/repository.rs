//! Where things are, and the programs that are built here.
use std::{
    env,
    path::{self, Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use crate::process;

/// The profile that a program is built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.to_owned(), Path::to_owned)
}

/// A `cargo` command in the workspace, by the toolchain that runs this program.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Builds a program and gives its path.
pub(crate) fn build(package: &str, program: &str, profile: Profile) -> Result<PathBuf> {
    build_file(&["--package", package, "--bin", program], program, profile)
}

/// Builds what the arguments name and gives the path of the file that comes out.
fn build_file(arguments: &[&str], file: &str, profile: Profile) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--quiet"]).args(arguments);
    if profile == Profile::Release {
        command.arg("--release");
    }
    ensure!(process::succeeds(&mut command)?, "{file} does not build");
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    };
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(root().join(target).join(folder).join(file))
}

/// Builds the server, unless `ABIDE_BIN` names one.
pub(crate) fn build_server(profile: Profile) -> Result<PathBuf> {
    if let Some(named) = env::var_os("ABIDE_BIN") {
        return Ok(path::absolute(PathBuf::from(named))?);
    }
    build("abide-cli", "abide", profile)
}

/// Builds the library that the crash rig puts between the server and the kernel.
pub(crate) fn build_faults(profile: Profile) -> Result<PathBuf> {
    build_file(&["--package", "abide-faults"], "libabide_faults.so", profile)
}
