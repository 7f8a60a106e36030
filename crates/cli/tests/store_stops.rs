//! A server whose disk takes no more: it answers UNAVAILABLE, ends by itself and says why; the next start has everything.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

const ABIDE: &str = env!("CARGO_BIN_EXE_abide");
/// The longest file that the server may write, in blocks of 512 bytes.
const FILE_BLOCKS_MAX: u32 = 2048;
/// More starts than fit.
const STARTS_MAX: usize = 20;

fn command(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).stdin(Stdio::null());
    command
}

/// A server on the folder `store` in `home`, begun by a line of the shell, and its address.
fn start(home: &Path, shell: &str) -> (Child, String) {
    let line =
        format!("{shell} exec {ABIDE} server start-dev --headless --port 0 --ip 127.0.0.1 -f {}/store", home.display());
    let mut shell = command("sh", home);
    shell.args(["-c", &line]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = shell.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let first = lines.next().expect("the server says where it listens").unwrap();
    let (_, address) = first.split_once("Abide Server:").expect("the first line has the address");
    (process, address.trim().to_owned())
}

fn stop(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}

fn run(home: &Path, address: &str, arguments: &[&str]) -> Output {
    command(ABIDE, home).args(arguments).args(["--address", address]).output().unwrap()
}

#[test]
fn a_server_whose_store_stops_ends_and_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    stop(start(home, "").0); // the store is made while there is room

    let (mut process, address) = start(home, &format!("trap '' XFSZ; ulimit -f {FILE_BLOCKS_MAX};"));
    let input = format!("\"{}\"", "x".repeat(100_000));
    let mut accepted = Vec::new();
    let refused = (0..STARTS_MAX).find_map(|number| {
        let id = format!("run-{number}");
        let done = run(home, &address, &["workflow", "start", "--type", "T", "-t", "tq", "-w", &id, "-i", &input]);
        if done.status.success() {
            accepted.push(id);
            return None;
        }
        Some(String::from_utf8(done.stderr).unwrap())
    });
    let refused = refused.expect("the file reaches its longest");
    assert!(refused.contains("store unavailable"), "{refused}");
    assert!(!accepted.is_empty());
    let status = process.wait().unwrap();
    let mut log = String::new();
    process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(status.code(), Some(1), "{log}");
    let last = log.lines().last().unwrap();
    assert!(last.starts_with("Error: the store has stopped"), "{log}");
    assert!(last.contains(&home.join("store").display().to_string()), "{log}");

    let (process, address) = start(home, "");
    for id in &accepted {
        let found = run(home, &address, &["workflow", "describe", "-w", id]);
        assert!(found.status.success(), "{id}: {found:?}");
    }
    stop(process);
}
