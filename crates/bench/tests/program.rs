//! The program itself: it starts servers, measures them in turn, and writes what it found.
#![allow(clippy::unwrap_used)]
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_abide-bench");

/// A program that takes the command line of a durable server and is the ceiling.
fn server(directory: &Path) -> PathBuf {
    let script = format!(
        "#!/bin/sh
         [ \"$1 $2 $3 $5 $7 $9\" = 'server start --data-dir --ip --port --metrics-port' ] || exit 64
         mkdir \"$4\" && echo stored > \"$4/file\"
         exec {PROGRAM} ceiling --port $8
"
    );
    let path = directory.join("server");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn run(directory: &Path, arguments: &[&str]) -> (Output, Value) {
    let json = directory.join("report.json");
    let output = Command::new(PROGRAM)
        .args(["--workloads", "activities_1_at_1", "--seconds", "0.1", "--warm-up-seconds", "0"])
        .args(["--json".as_ref(), json.as_os_str(), "--data-root".as_ref(), directory.as_os_str()])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (output, serde_json::from_slice(&fs::read(json).unwrap()).unwrap())
}

fn servers(report: &Value) -> Vec<&str> {
    report["figures"].as_array().unwrap().iter().map(|f| f["server"].as_str().unwrap()).collect()
}

#[test]
fn without_a_server_the_ceiling_is_measured() {
    let directory = tempfile::tempdir().unwrap();
    let (_, report) = run(directory.path(), &[]);
    assert_eq!(servers(&report), ["ceiling"]);
    assert!(report["figures"][0]["resident_mib"].as_f64().unwrap() > 0.0);
    assert_eq!(report["bars"], Value::Array(Vec::new()));
}

#[test]
fn a_server_is_started_and_related_to_the_ceiling() {
    let directory = tempfile::tempdir().unwrap();
    let server = server(directory.path());
    let (output, report) = run(directory.path(), &["--server", server.to_str().unwrap()]);
    assert_eq!(servers(&report), [server.to_str().unwrap(), "ceiling"]);
    let figures = &report["figures"][0];
    assert!(figures["disk_bytes"].as_u64().unwrap() > 0 && figures["cold_start_ms"].as_f64().unwrap() > 0.0);
    assert_eq!((&figures["syncs"], &report["ratios"][0]["to"]), (&Value::Null, &Value::from("ceiling")));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(" fsyncs of ") && text.contains(" n/a ") && text.contains("cold start"), "{text}");
}

#[test]
fn two_programs_take_turns() {
    let directory = tempfile::tempdir().unwrap();
    let first = server(directory.path());
    let second = directory.path().join("second");
    fs::copy(&first, &second).unwrap();
    let paths = [first.to_str().unwrap(), second.to_str().unwrap()];
    let arguments = ["--server", paths[0], "--against", paths[1], "--rounds", "2", "--against-name", "old"];
    let (output, report) = run(directory.path(), &arguments);
    assert_eq!(servers(&report), [paths[0], "old", paths[0], "old"]);
    let ratio = &report["ratios"][1];
    assert_eq!((ratio["of"].as_str().unwrap(), ratio["to"].as_str().unwrap()), (paths[0], "old"));
    let comparison = &report["comparisons"][0];
    assert_eq!(comparison["rounds"], 2);
    assert!(comparison["rate"]["least"].as_f64().unwrap() <= comparison["rate"]["median"].as_f64().unwrap());
    assert!(String::from_utf8(output.stdout).unwrap().contains("/ old, the median of 2 rounds"));
}

#[test]
fn an_unknown_workload_is_refused_with_the_known_names() {
    let output = Command::new(PROGRAM).args(["--workloads", "nonsense"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("fan_out_500"), "{error}");
}
