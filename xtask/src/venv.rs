//! Python environments: one `.venv` beside each `requirements.txt`.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::process;

/// The newest Python that the tests are known to run with comes first.
const PYTHONS: [&str; 2] = ["python3.11", "python3"];
/// What is installed: a copy of the requirements, written last.
const INSTALLED: &str = ".venv/installed.txt";

/// Makes the environment of a folder unless it is there, and gives its Python.
pub(crate) fn python(folder: &Path) -> Result<PathBuf> {
    let requirements = folder.join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).with_context(|| requirements.display().to_string())?;
    let python = folder.join(".venv/bin/python");
    if fs::read_to_string(folder.join(INSTALLED)).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let system = PYTHONS.into_iter().find(|name| process::exists(name)).context("there is no Python 3")?;
    let mut make = Command::new(system);
    make.args(["-m", "venv"]).arg(folder.join(".venv"));
    ensure!(process::succeeds(&mut make)?, "no virtual environment can be made");
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    ensure!(process::succeeds(install.arg(&requirements))?, "{} cannot be installed", requirements.display());
    fs::write(folder.join(INSTALLED), wanted)?;
    Ok(python)
}
