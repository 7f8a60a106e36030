//! The recorded answers of the reference server, against this one.
use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use super::numbers;
use crate::{
    process,
    repository::{self, Profile},
    tally::{Count, Outcome, Tally},
    venv,
};

mod server;

use server::{Server, Storage};

/// The folder of the list and of the Python environment.
const FOLDER: &str = "conformance";
/// The scenarios that have to pass.
pub(crate) const EXPECTED: &str = "conformance/expected.txt";
/// Names the folder of the suite.
const SUITE_VARIABLE: &str = "ABIDE_CONFORMANCE";
/// Where the suite is otherwise, from the workspace.
const SUITE_BESIDE: &str = "../shared/conformance";

/// What is asked for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    release: bool,
    if_present: bool,
    grow: bool,
    /// Arguments of the suite's own program; without any the expected scenarios run.
    patterns: Vec<String>,
}

impl Options {
    /// What `cargo xtask test` asks for.
    pub(super) fn in_test(if_present: bool) -> Self {
        Self { if_present, ..Self::default() }
    }
}

/// `cargo xtask conformance`
pub(crate) fn task(flags: &[String], patterns: &[String]) -> Result<bool> {
    let mut options = Options { patterns: patterns.to_vec(), ..Options::default() };
    for flag in flags {
        match flag.as_str() {
            "--release" => options.release = true,
            "--if-present" => options.if_present = true,
            "--grow" => options.grow = true,
            other => bail!("conformance does not know {other:?}"),
        }
    }
    if options.grow {
        return grow(&options);
    }
    let mut tally = Tally::default();
    run(&mut tally, &options);
    Ok(tally.report())
}

/// Runs the scenarios in memory and on disk.
pub(super) fn run(tally: &mut Tally, options: &Options) {
    for storage in Storage::ALL {
        tally.step(&format!("conformance {}", storage.name()), || {
            let Some(suite) = Suite::find() else {
                let text = format!("{} is not there; {SUITE_VARIABLE} names another folder", beside().display());
                ensure!(options.if_present, text);
                return Ok(Outcome::Skipped(text));
            };
            scenarios(&suite, options, storage).map(Outcome::Ran)
        });
    }
}

fn scenarios(suite: &Suite, options: &Options, storage: Storage) -> Result<Count> {
    let server = Server::start(&options.server()?, storage)?;
    let expected = repository::root().join(EXPECTED);
    let mut command = suite.command(&server.address)?;
    match options.patterns.as_slice() {
        [] => command.arg(format!("@{}", expected.display())),
        patterns => command.args(patterns),
    };
    let mut count = Count::default();
    let success = process::watched(&mut command, |line| {
        if let (Some(passed), Some(failed)) = (numbers::before(line, "passed"), numbers::before(line, "failed")) {
            count = Count { passed, failed };
        }
    })?;
    if options.patterns.is_empty() {
        // A name that the suite does not know is passed over by it in silence.
        let missing = (names(&expected)?.len() as u64).saturating_sub(count.passed + count.failed);
        if missing > 0 {
            println!("{missing} expected scenarios are not in {}", suite.folder.display());
        }
        count.failed += missing;
    }
    Ok(count.of_suite(success))
}

/// Runs every scenario and enters those that pass in memory and on disk into the list.
fn grow(options: &Options) -> Result<bool> {
    let suite = Suite::find().with_context(|| format!("{} is not there", beside().display()))?;
    let program = options.server()?;
    let mut passing: Option<BTreeSet<String>> = None;
    for storage in Storage::ALL {
        let server = Server::start(&program, storage)?;
        let mut differing = BTreeSet::new();
        process::watched(&mut suite.command(&server.address)?, |line| {
            differing.extend(line.strip_prefix("DIFFERS ").map(str::to_owned));
        })?;
        let all = suite.names()?;
        let found = all.into_iter().filter(|name| !differing.contains(name));
        passing = Some(match passing {
            None => found.collect(),
            Some(before) => found.filter(|name| before.contains(name)).collect(),
        });
    }
    let path = repository::root().join(EXPECTED);
    let mut expected = names(&path)?;
    let before = expected.len();
    expected.extend(passing.unwrap_or_default());
    let lines: Vec<_> = expected.iter().map(String::as_str).collect();
    fs::write(&path, lines.join("\n") + "\n")?;
    println!("{EXPECTED}: {before} scenarios before, {} now", expected.len());
    Ok(true)
}

impl Options {
    fn server(&self) -> Result<PathBuf> {
        repository::build_server(if self.release { Profile::Release } else { Profile::Dev })
    }
}

/// The names in a list.
pub(crate) fn names(list: &Path) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(list).with_context(|| list.display().to_string())?;
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

/// The scenarios and the recorded answers.
struct Suite {
    folder: PathBuf,
}

impl Suite {
    fn find() -> Option<Self> {
        let folder = env::var_os(SUITE_VARIABLE).map_or_else(beside, PathBuf::from);
        folder.join("run").is_file().then_some(Self { folder })
    }

    fn program(&self) -> Result<Command> {
        let mut command = Command::new(venv::python(&repository::root().join(FOLDER))?);
        // The folder is not ours to write to.
        command.env("PYTHONDONTWRITEBYTECODE", "1").arg(self.folder.join("run"));
        Ok(command)
    }

    /// The suite's program against a server.
    fn command(&self, address: &str) -> Result<Command> {
        let mut command = self.program()?;
        command.arg(address);
        Ok(command)
    }

    /// Every scenario there is.
    fn names(&self) -> Result<BTreeSet<String>> {
        let output = self.program()?.arg("--list").output()?;
        ensure!(output.status.success(), "the scenarios cannot be listed");
        let text = String::from_utf8(output.stdout)?;
        Ok(text.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.to_owned()).collect())
    }
}

fn beside() -> PathBuf {
    repository::root().join(SUITE_BESIDE)
}
