//! `cargo xtask fuzz`
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{process, repository};

const TARGETS: [&str; 5] = ["rpc_sequences", "completions", "records", "tokens", "proto_json"];
const MINUTES: u32 = 20;
const FOLDER: &str = "crates/fuzz";
/// Under `target`, since what is built here is built otherwise than all else; what was found by the way is kept there too.
const BUILT: &str = "target/fuzz";

/// Coverage as libFuzzer wants it. Options of code generation, so the pinned toolchain takes them.
const FLAGS: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

// Among tens of thousands of features, to weigh the rare ones takes longer than to run an input: it is off below.
/// An input that takes longer has found something, as has one that makes the process larger than this.
const SECONDS_MAX: u32 = 25;
const MEMORY_MAX_MB: u32 = 2048;
const INPUT_BYTES_MAX: u32 = 2048;

/// Fuzzes one target after the other. `handed_on` are arguments of libFuzzer.
pub(crate) fn task(flags: &[String], handed_on: &[String]) -> Result<bool> {
    let (mut minutes, mut named) = (MINUTES, Vec::new());
    let mut flags = flags.iter().map(String::as_str);
    while let Some(flag) = flags.next() {
        match flag {
            "--minutes" => minutes = flags.next().context("--minutes takes a number")?.parse()?,
            target if TARGETS.contains(&target) => named.push(target),
            other => bail!("fuzz does not know {other:?}; the targets are {}", TARGETS.join(", ")),
        }
    }
    if named.is_empty() {
        named = TARGETS.to_vec();
    }
    let program = build()?;
    let mut all_well = true;
    for target in named {
        all_well &= run(&program, target, minutes, handed_on)?;
    }
    Ok(all_well)
}

/// Builds the program for this machine by name, so that build scripts are left as they are.
fn build() -> Result<PathBuf> {
    let host = host()?;
    let mut command = repository::cargo();
    command.args(["build", "--profile", "fuzz", "--package", "abide-fuzz", "--features", "libfuzzer"]);
    command.args(["--target", &host, "--target-dir", BUILT]).env("RUSTFLAGS", FLAGS.join(" "));
    ensure!(process::succeeds(&mut command)?, "the fuzzer does not build");
    Ok(repository::root().join(BUILT).join(host).join("fuzz/abide-fuzz"))
}

fn host() -> Result<String> {
    let output =
        Command::new("rustc").current_dir(repository::root()).arg("-vV").output().context("cannot run rustc")?;
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = output.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it runs on")?.to_owned())
}

/// Fuzzes a target. What it learns goes into a corpus of its own beside the build; what it finds among the found.
fn run(program: &Path, target: &str, minutes: u32, handed_on: &[String]) -> Result<bool> {
    let root = repository::root();
    let learnt = root.join(BUILT).join("corpus").join(target);
    let [kept, found] = ["corpus", "found"].map(|folder| root.join(FOLDER).join(folder).join(target));
    for folder in [&learnt, &kept, &found] {
        fs::create_dir_all(folder)?;
    }
    let mut command = Command::new(program);
    command.env("ABIDE_FUZZ_TARGET", target).current_dir(&root);
    command.arg(format!("-max_total_time={}", minutes * 60));
    command.arg(format!("-timeout={SECONDS_MAX}"));
    command.arg(format!("-rss_limit_mb={MEMORY_MAX_MB}"));
    command.arg(format!("-max_len={INPUT_BYTES_MAX}"));
    command.args(["-print_final_stats=1", "-detect_leaks=0", "-len_control=0", "-entropic=0"]);
    command.arg(format!("-artifact_prefix={}/", found.display()));
    command.args(handed_on).args([&learnt, &kept, &found]);
    process::succeeds(&mut command)
}
