//! The server as it was at another revision, built beside the present one.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{process, repository};

/// Everything about other revisions. What is built in it never touches what is built here.
const FOLDER: &str = "target/against";
/// Enough of a commit's hash to tell a handful of builds apart.
const NAME_LENGTH: &str = "--short=7";

/// A commit of this repository.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Revision {
    commit: String,
}

impl Revision {
    /// The commit that `name` names in this repository.
    pub(super) fn find(name: &str) -> Result<Self> {
        let found = git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")])?;
        let commit = found.with_context(|| format!("this repository has no revision {name:?} to compare with"))?;
        Ok(Self { commit })
    }

    /// What its server is called in reports.
    pub(super) fn name(&self) -> String {
        format!("old {}", self.commit.get(..7).unwrap_or(&self.commit))
    }

    /// Builds the release server of this revision and gives its path.
    pub(super) fn build(&self) -> Result<PathBuf> {
        let folder = repository::root().join(FOLDER);
        let (source, built) = (folder.join("source"), folder.join("built"));
        self.check_out(&source)?;
        let mut command = repository::cargo();
        command.current_dir(&source).args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "abide-cli",
            "--bin",
            "abide",
        ]);
        command.arg("--target-dir").arg(&built);
        ensure!(process::succeeds(&mut command)?, "the server of revision {} does not build", self.commit);
        Ok(built.join("release/abide"))
    }

    /// Puts the files of this revision into a clone that shares the objects of this repository. It is kept: files that are
    /// the same in the next revision are not touched, and so are not built again.
    fn check_out(&self, source: &Path) -> Result<()> {
        if !source.join(".git").exists() {
            fs::create_dir_all(source)?;
            let mut clone = Command::new("git");
            clone.args(["clone", "--quiet", "--shared", "--no-checkout"]).arg(repository::root()).arg(source);
            ensure!(process::succeeds(&mut clone)?, "the repository cannot be cloned into {}", source.display());
        }
        let mut check_out = Command::new("git");
        check_out.current_dir(source).args(["checkout", "--quiet", "--force", "--detach", &self.commit]);
        ensure!(process::succeeds(&mut check_out)?, "revision {} cannot be checked out", self.commit);
        Ok(())
    }
}

/// What the server that is built here is called in reports: by its commit, with a mark if files differ from it.
pub(super) fn name_here() -> Result<String> {
    let commit = git(&["rev-parse", NAME_LENGTH, "HEAD"])?.context("this repository has no commit")?;
    let is_changed = git(&["status", "--porcelain", "--untracked-files=no"])?.is_some_and(|files| !files.is_empty());
    Ok(format!("new {commit}{}", if is_changed { "+" } else { "" }))
}

/// What `git` says about this repository; None when it refuses.
fn git(arguments: &[&str]) -> Result<Option<String>> {
    let output = Command::new("git").current_dir(repository::root()).args(arguments).output();
    let output = output.context("cannot run git")?;
    Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Revision, git, name_here};

    #[test]
    fn a_revision_is_a_commit() {
        let head = git(&["rev-parse", "HEAD"]).unwrap().unwrap();
        assert_eq!(Revision::find("HEAD").unwrap(), Revision { commit: head.clone() });
        assert_eq!(Revision::find("HEAD").unwrap().name(), format!("old {}", &head[..7]));
        assert!(name_here().unwrap().starts_with(&format!("new {}", &head[..7])));
    }

    #[test]
    fn what_is_no_revision_is_refused_by_its_name() {
        for name in ["no-such-branch", "--help", "", "HEAD:README.md"] {
            let error = Revision::find(name).unwrap_err().to_string();
            assert_eq!(error, format!("this repository has no revision {name:?} to compare with"));
        }
    }
}
