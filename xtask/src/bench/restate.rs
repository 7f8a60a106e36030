//! What a comparison with Restate needs: its server, as it comes from npm, and the program that loads it.
use std::{
    env::consts::{ARCH, OS},
    fs,
    path::PathBuf,
    process::Command,
};

use anyhow::{Result, bail, ensure};

use crate::{process, repository};

/// The server's version.
const VERSION: &str = "1.7.12";
/// Where the program's package is.
const SOURCE: &str = "tests/bench/restate";
/// What is installed and built.
const FOLDER: &str = "target/restate";

/// Both programs.
pub(super) struct Programs {
    pub(super) server: PathBuf,
    pub(super) load: PathBuf,
}

impl Programs {
    /// Installs the server, if this version is not there, and builds the load.
    pub(super) fn install() -> Result<Self> {
        let folder = repository::root().join(FOLDER);
        let built = folder.join("built");
        let mut build = repository::cargo();
        build.current_dir(repository::root().join(SOURCE));
        build.args(["build", "--quiet", "--release", "--locked", "--target-dir"]).arg(&built);
        ensure!(process::succeeds(&mut build)?, "the load on Restate does not build");

        // The package starts its program through a script, whose process would be measured in the program's place.
        let platform = platform(OS, ARCH)?;
        let installed = folder.join(VERSION);
        let server = installed.join("node_modules/@restatedev").join(platform).join("bin/restate-server");
        if !server.exists() {
            fs::create_dir_all(&installed)?;
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&installed);
            npm.arg(format!("@restatedev/restate-server@{VERSION}"));
            ensure!(process::succeeds(&mut npm)?, "the Restate server cannot be installed");
        }
        Ok(Self { server, load: built.join("release/restate-load") })
    }
}

/// The name of the package that has the program for a platform.
fn platform(os: &str, arch: &str) -> Result<&'static str> {
    Ok(match (os, arch) {
        ("linux", "x86_64") => "restate-server-linux-x64",
        ("linux", "aarch64") => "restate-server-linux-arm64",
        _ => bail!("processor time is read from /proc, so servers are compared on Linux alone, not on {os} {arch}"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::platform;

    #[test]
    fn other_systems_are_refused_by_name() {
        assert_eq!(platform("linux", "aarch64").unwrap(), "restate-server-linux-arm64");
        assert!(platform("macos", "aarch64").unwrap_err().to_string().contains("macos"));
    }
}
