//! `cargo xtask bench`
mod against;
mod flags;
pub(crate) mod go;

use std::{ffi::OsString, fs, path::PathBuf, process::Command};

use anyhow::Result;

use crate::{
    process,
    repository::{self, Profile},
};
use against::Revision;
use flags::Flags;

/// How short and how many the rounds of a comparison are, unless told otherwise: the more they alternate, the more does what
/// else happens on the machine hit both servers alike.
const COMPARISON: [[&str; 2]; 2] = [["--rounds", "7"], ["--seconds", "2"]];
/// What the report page shows of the load generator: the median of so many rounds.
const REPORT: [[&str; 2]; 2] = [["--rounds", "3"], ["--seconds", "3"]];
const PAGE: &str = "docs/benchmarks.md";
/// Figures that the page is made of, and the data of servers under load: on a disk, as the temporary directory may not be.
const FOLDER: &str = "target/bench";

/// The programs of a benchmark.
struct Programs {
    server: PathBuf,
    bench: PathBuf,
    folder: PathBuf,
}

/// Measures the release build; `handed_on` are arguments for `abide-bench`.
pub(crate) fn task(flags: &[String], handed_on: &[String]) -> Result<bool> {
    let flags = Flags::parse(flags)?;
    // Before anything is built, so that a revision that is not there is refused at once.
    let old = flags.against.as_deref().map(Revision::find).transpose()?;
    let folder = repository::root().join(FOLDER);
    fs::create_dir_all(&folder)?;
    let programs = Programs {
        server: repository::build_server(Profile::Release)?,
        bench: repository::build("abide-bench", "abide-bench", Profile::Release)?,
        folder,
    };
    if flags.report {
        return programs.report(old.as_ref(), handed_on);
    }
    match (old, flags.go) {
        (Some(old), _) => process::succeeds(programs.comparison(&old, handed_on)?.args(handed_on)),
        (None, true) => process::succeeds(programs.sdk()?.args(handed_on)),
        (None, false) => process::succeeds(programs.load(handed_on).args(handed_on)),
    }
}

impl Programs {
    /// One server, with the ceiling beside it.
    fn load(&self, handed_on: &[String]) -> Command {
        let mut command = Command::new(&self.bench);
        // Another server than the one that is built here may be named.
        if !is_given(handed_on, "--server") && !is_given(handed_on, "--address") {
            command.arg("--server").arg(&self.server);
        }
        command
    }

    /// The server as it is here and as it was at a revision, taking turns.
    fn comparison(&self, old: &Revision, handed_on: &[String]) -> Result<Command> {
        let program = old.build()?;
        let mut command = Command::new(&self.bench);
        command.arg("--server").arg(&self.server).args(["--server-name", &against::name_here()?]);
        command.arg("--against").arg(program).args(["--against-name", &old.name()]);
        command.args(unless_given(&COMPARISON, handed_on));
        Ok(command)
    }

    /// One server under the load of the Go SDK.
    fn sdk(&self) -> Result<Command> {
        let mut command = Command::new(&self.bench);
        command.arg("sdk").arg("--program").arg(go::build(&self.folder)?);
        command.arg("--server").arg(&self.server).args(["--server-name", &against::name_here()?]);
        // The ceiling does not read requests that are compressed, and the Go SDK compresses them.
        command.arg("--no-ceiling").arg("--data-root").arg(&self.folder);
        Ok(command)
    }

    /// Measures everything that the report page shows, and writes it there. What is compared stays as it is where no
    /// revision is named. `handed_on` are arguments for the load generator alone.
    fn report(&self, old: Option<&Revision>, handed_on: &[String]) -> Result<bool> {
        let mut load = self.load(handed_on);
        load.args(["--server-name", &against::name_here()?]).args(unless_given(&REPORT, handed_on)).args(handed_on);
        let mut runs = vec![("load", load), ("sdk", self.sdk()?)];
        if let Some(old) = old {
            let mut comparison = self.comparison(old, handed_on)?;
            comparison.args(handed_on);
            runs.push(("against", comparison));
        }
        let mut page = Command::new(&self.bench);
        page.arg("page").arg("--page").arg(repository::root().join(PAGE));
        for (part, mut run) in runs {
            let json = self.folder.join(part).with_extension("json");
            if !process::succeeds(run.arg("--json").arg(&json))? {
                return Ok(false);
            }
            page.arg(format!("--{part}")).arg(json);
        }
        process::succeeds(&mut page)
    }
}

/// Arguments that hold where the user gives no others.
fn unless_given(usual: &[[&str; 2]], handed_on: &[String]) -> Vec<OsString> {
    usual.iter().filter(|[flag, _]| !is_given(handed_on, flag)).flatten().map(OsString::from).collect()
}

/// Whether an argument is there, with its value behind it or behind a `=`.
fn is_given(arguments: &[String], flag: &str) -> bool {
    arguments.iter().any(|argument| argument.split('=').next() == Some(flag))
}

#[cfg(test)]
mod tests {
    use super::{is_given, unless_given};

    #[test]
    fn arguments_are_known_in_both_forms() {
        let arguments = ["--rounds=3", "--seconds", "2"].map(str::to_owned);
        assert!(is_given(&arguments, "--rounds") && is_given(&arguments, "--seconds"));
        assert!(!is_given(&arguments, "--round") && !is_given(&arguments, "2s"));
        assert_eq!(unless_given(&[["--rounds", "7"], ["--pollers", "2"]], &arguments), ["--pollers", "2"]);
    }
}
