//! The experiments that a server which stores nothing can go through, in a small size: they end, and hold what they find
//! against the bars.
#![allow(clippy::unwrap_used)]
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_abide-bench");

/// A program that takes the command line of a durable server and is the ceiling.
fn server(directory: &Path) -> PathBuf {
    let path = directory.join("server");
    let script = format!("#!/bin/sh\nmkdir -p \"$4\" && echo stored > \"$4/file\"\nexec {PROGRAM} ceiling --port $8\n");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn findings(only: &str, arguments: &[&str]) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let (server, json) = (server(directory.path()), directory.path().join("findings.json"));
    let output = Command::new(PROGRAM)
        .args(["experiment", "--only", only, "--seconds", "0.2"])
        .args(["--server".as_ref(), server.as_os_str(), "--data-root".as_ref(), directory.path().as_os_str()])
        .args(["--json".as_ref(), json.as_os_str()])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let all: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(all[0]["experiment"], only);
    all[0].clone()
}

fn figure(findings: &Value, name: &str) -> f64 {
    let figures = findings["figures"].as_array().unwrap();
    let figure = figures.iter().find(|figure| figure["name"] == name);
    figure.unwrap_or_else(|| panic!("no {name}: {findings}"))["value"].as_f64().unwrap()
}

#[test]
fn a_backlog_is_piled_up_and_worked_off() {
    let found = findings("backlog", &["--backlog", "500"]);
    assert_eq!(figure(&found, "tasks in one queue"), 500.0);
    assert!(figure(&found, "worked off, per second") > 0.0);
    assert_eq!(found["bars"].as_array().unwrap().len(), 2);
}

#[test]
fn a_steady_rate_is_kept() {
    let found = findings("steady", &["--rate", "100", "--minutes", "0.01"]);
    assert_eq!(figure(&found, "workflows"), 60.0);
    assert!(figure(&found, "p99 of p50") >= 1.0);
}

#[test]
fn an_idle_server_is_started_again_and_watched() {
    let found = findings("idle", &["--idle-seconds", "0.2"]);
    assert!(figure(&found, "cold start to first answer, after a kill") > 0.0);
    assert!(figure(&found, "memory, nobody connected") > 0.0);
}

#[test]
fn what_is_not_known_is_refused_with_what_is() {
    let output = Command::new(PROGRAM).args(["experiment", "--server", "x", "--only", "nonsense"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("open_runs"), "{error}");
}
