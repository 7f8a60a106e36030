//! The binary as scripts use it: a server of its own, and commands against it.
#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use abide_proto::{
    json::{self, UnknownFields},
    temporal::api::history::v1::History,
};
use serde_json::Value;

const ABIDE: &str = env!("CARGO_BIN_EXE_abide");

/// A server on ports of its own, ended with the test.
struct Server {
    process: Child,
    address: String,
    home: tempfile::TempDir,
}

impl Server {
    fn start(more: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut process = command(home.path())
            .args(["server", "start-dev", "--headless", "--port", "0", "--ip", "127.0.0.1"])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next().expect("the server says where it listens").unwrap();
        let (_, address) = first.split_once("Abide Server:").expect("the first line has the address");
        Self { process, address: address.trim().to_owned(), home }
    }

    fn run(&self, line: &str) -> Output {
        command(self.home.path()).args(line.split(' ')).args(["--address", &self.address]).output().unwrap()
    }

    fn json(&self, line: &str) -> Value {
        let done = self.run(&format!("{line} -o json"));
        serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{line}: {done:?}"))
    }

    fn stop(mut self) -> Option<i32> {
        let killed = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(killed.success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(home: &Path) -> Command {
    let mut command = Command::new(ABIDE);
    command.env_clear().env("HOME", home).env("USER", "probe").stdin(Stdio::null());
    command
}

fn error(done: &Output) -> String {
    assert_eq!(done.status.code(), Some(1));
    String::from_utf8(done.stderr.clone()).unwrap()
}

#[test]
fn a_run_from_start_to_end() {
    let server = Server::start(&[]);
    let started = server.json("workflow start --type Flow -t tq -w wf -i 1");
    assert_eq!(started["workflowId"], "wf");
    assert_eq!(server.json("workflow start --type Flow -t tq -w wf")["runId"], started["runId"]);
    assert!(error(&server.run("workflow start --type Flow -t tq -w wf --fail-existing")).contains("already running"));
    assert!(server.run("workflow signal -w wf --name go -i {}").status.success());
    let described = server.json("workflow describe -w wf");
    assert_eq!(described["workflowExecutionInfo"]["execution"]["runId"], started["runId"]);

    let terminated = server.run("workflow terminate -w wf --output none");
    assert!(terminated.status.success() && terminated.stdout.is_empty());
    let result = server.run("workflow result -w wf -o json");
    assert_eq!(error(&result), "Error: workflow was terminated\n");
    assert_eq!(serde_json::from_slice::<Value>(&result.stdout).unwrap()["status"], "TERMINATED");

    let history: History = json::decode(server.json("workflow show -w wf"), UnknownFields::Refuse).unwrap();
    let kinds: Vec<_> = history.events.iter().map(|event| event.event_type().as_str_name()).collect();
    assert_eq!(
        kinds,
        [
            "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
            "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
            "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED",
            "EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED"
        ]
    );
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_server_on_disk_keeps_its_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dev.db");
    let on_disk = ["--db-filename", file.to_str().unwrap()];
    let server = Server::start(&on_disk);
    let started = server.json("workflow start --type Flow -t tq -w wf");
    drop(server); // killed, as by a power failure
    let server = Server::start(&on_disk);
    let described = server.json("workflow describe -w wf");
    assert_eq!(described["workflowExecutionInfo"]["execution"]["runId"], started["runId"]);
}

#[test]
fn a_namespace_is_deleted_once_that_is_confirmed() {
    let server = Server::start(&["--namespace", "mine"]);
    assert!(error(&server.run("operator namespace delete -n mine")).contains("denied confirmation"));
    assert!(error(&server.run("operator namespace delete -n mine -o json")).contains("--yes"));
    assert!(server.run("operator namespace describe -n mine").status.success());
    assert!(server.run("operator namespace delete -n mine --yes").status.success());
    assert!(error(&server.run("operator namespace describe -n mine")).contains("not found"));
}

#[test]
fn the_cluster_and_its_queues_are_shown() {
    let server = Server::start(&[]);
    let about = server.json("operator cluster describe");
    let clusters = server.json("operator cluster list");
    assert_eq!(clusters.as_array().map(Vec::len), Some(1));
    for key in ["clusterName", "clusterId", "historyShardCount", "initialFailoverVersion"] {
        assert!(!about[key].is_null(), "{key}");
        assert_eq!(clusters[0][key], about[key], "{key}");
    }
    assert!(error(&server.run("operator cluster remove --name other")).contains("cannot be found"));
    let partitions = server.json("task-queue list-partition -t tq");
    assert_eq!(partitions["workflowTaskQueuePartitions"][0]["key"], "tq");
    let unknown = server.run("activity complete -w none -a act --result 1");
    assert!(error(&unknown).starts_with("Error: failed completing activity: "));
    assert!(error(&server.run("activity fail -w none -a act --detail bare")).contains("--detail"));
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let home = tempfile::tempdir().unwrap();
    let done = command(home.path()).args(["server", "start-dev", "--headless", "--port", &port]).output().unwrap();
    assert!(error(&done).contains("Address already in use"));
}

#[test]
fn a_working_directory_that_is_gone_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let (gone, data) = (home.path().join("gone"), home.path().join("data"));
    std::fs::create_dir(&gone).unwrap();
    let started = Command::new("sh")
        .args(["-c", "rmdir ../gone && exec \"$0\" server start --port 0 --data-dir \"$1\"", ABIDE])
        .arg(&data)
        .current_dir(&gone)
        .output()
        .unwrap();
    assert!(error(&started).contains("the working directory is gone"), "{started:?}");
}

#[test]
fn no_server_is_an_error_without_output() {
    let home = tempfile::tempdir().unwrap();
    let line = "workflow start --type F -t q -o jsonl --address 127.0.0.1:1";
    let done = command(home.path()).args(line.split(' ')).output().unwrap();
    assert!(error(&done).starts_with("Error: failed reaching server at 127.0.0.1:1: "));
    assert!(done.stdout.is_empty());
}

#[test]
fn another_name_answers_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("temporal");
    std::os::unix::fs::symlink(ABIDE, &link).unwrap();
    let mut child = Command::new(link).arg("--version").stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(said, format!("temporal version {}\n", env!("CARGO_PKG_VERSION")));
}
