//! `cargo xtask`: every task of a developer, in one place.
#![allow(clippy::print_stdout)] // what this program prints is what it is for

mod bench;
mod crash;
mod fuzz;
mod process;
mod repository;
mod sim;
mod suites;
mod tally;
mod tidy;
mod venv;

use std::{env, process::ExitCode};

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask test [rust|simulator|conformance|python|typescript|go ...]
    Everything that has to pass, or the parts named. Installs what it needs into folders that git ignores.
cargo xtask conformance [--release] [--if-present] [--grow] [-- PATTERN ...]
    The recorded answers of the reference server, against this one in memory and on disk.
cargo xtask crash [--release] [--kills N | --faults | --fault NAME | ...]
    The crash rig: kills the server and its workers again and again under load, 100 times unless told otherwise, or lets its
    disk, its clock or its files fail; `--help` lists what it knows.
cargo xtask sim [--seeds N | --minutes M | --seed S | --planted]
    The simulator: a whole server under faults, each seed another life. --seed shows one, --planted tests the checks.
cargo xtask bench [--against REVISION | --go] [-- ARGUMENT ...]
    The load generator against the release build of the server, with the ceiling beside it; or with the server of another
    revision, in short rounds by turns, and the ratios of the two. Or workflows of the Go SDK. Arguments go to abide-bench.
cargo xtask bench --report [--against REVISION] [-- ARGUMENT ...]
    Measures all that docs/benchmarks.md shows, and writes it and its plots anew.
cargo xtask fuzz [--minutes N] [TARGET ...] [-- ARGUMENT ...]
    Fuzzes the targets named, or all, for 20 minutes each. Arguments go to libFuzzer.
cargo xtask tidy
    The rules of the house that no compiler checks.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a task and says whether all went well.
fn run(arguments: &[String]) -> Result<bool> {
    let Some((task, rest)) = arguments.split_first() else { bail!("no task given\n\n{USAGE}") };
    let (flags, handed_on) = match rest.iter().position(|argument| argument == "--") {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, &[][..]),
    };
    match task.as_str() {
        "test" => suites::test(flags),
        "conformance" => suites::conformance::task(flags, handed_on),
        "crash" => crash::task(flags, handed_on),
        "sim" => sim::task(rest),
        "bench" => bench::task(flags, handed_on),
        "fuzz" => fuzz::task(flags, handed_on),
        "tidy" => tidy::task(),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(true)
        }
        other => bail!("there is no task {other:?}\n\n{USAGE}"),
    }
}
