//! Running other programs.
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

/// Runs a program whose output is the user's to read; says whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    announce(command);
    let status = command.stdin(Stdio::null()).status().with_context(|| cannot_run(command))?;
    Ok(status.success())
}

/// The same, with each line of standard output also given to `each_line`.
pub(crate) fn watched(command: &mut Command, mut each_line: impl FnMut(&str)) -> Result<bool> {
    announce(command);
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.with_context(|| cannot_run(command))?;
    if let Some(output) = child.stdout.take() {
        // Bytes, because a test may print what is not UTF-8.
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            each_line(&line);
        }
    }
    Ok(child.wait()?.success())
}

/// Whether a program of this name can be run.
pub(crate) fn exists(program: &str) -> bool {
    let probe = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    probe.is_ok_and(|status| status.success())
}

/// Shows what is run.
fn announce(command: &Command) {
    let program = Path::new(command.get_program()).file_name().unwrap_or_else(|| command.get_program());
    let words: Vec<_> = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy()).collect();
    println!("$ {}", words.join(" "));
}

fn cannot_run(command: &Command) -> String {
    format!("cannot run {}", command.get_program().to_string_lossy())
}
