//! A Restate server: its program, started for one workload on an empty directory with the durability that it has by default.
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    clock,
    error::Error,
    fault::Fault,
    measure::Process,
    target::{LOOPBACK, free_port, temporary},
};

/// How long it may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_millis(1);
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const OUTPUT_BYTES: usize = 2000;
const MIB: f64 = 1024.0 * 1024.0;

/// A server that answers, until it is dropped.
#[derive(Debug)]
pub struct RestateServer {
    path: PathBuf,
    child: Child,
    directory: TempDir,
    /// `host:port` for calls.
    pub ingress: String,
    /// `host:port` for telling it of services.
    pub admin: String,
    /// From the start of its program until it took calls, in milliseconds.
    pub cold_start_ms: f64,
}

/// What a server takes that has nothing to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Idle {
    /// Which server.
    pub server: String,
    /// From the start of its program to its first answer, in milliseconds.
    pub cold_start_ms: Option<f64>,
    /// Memory, in MiB.
    pub resident_mib: Option<f64>,
    /// Of one processor, in percent.
    pub cpu_percent: Option<f64>,
}

impl RestateServer {
    /// Starts `program` with a data directory in `data_root`, and waits until it takes calls.
    ///
    /// # Errors
    /// When it does not start, ends by itself, or does not answer.
    pub async fn start(program: &Path, data_root: &Path) -> Result<Self, Error> {
        let directory = temporary(data_root)?;
        let address = || free_port().map(|port| format!("{LOOPBACK}:{port}"));
        let (node, ingress, admin) = (address()?, address()?, address()?);
        let failed = |source| Error::Spawn { program: program.to_owned(), source };
        let output = File::create(directory.path().join("output")).map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let started = clock::now();
        let child = Command::new(program)
            .args(["--no-logo", "--listen-mode", "tcp", "--bind-address", &node, "--base-dir"])
            .arg(directory.path().join("data"))
            .env("RESTATE_INGRESS__BIND_ADDRESS", &ingress)
            .env("RESTATE_ADMIN__BIND_ADDRESS", &admin)
            .env("RESTATE_DISABLE_TELEMETRY", "true")
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(failed)?;
        let path = program.to_owned();
        let mut server = Self { path, child, directory, ingress, admin, cold_start_ms: 0.0 };
        let answered = server.until_healthy(&server.ingress.clone(), "/restate/health").await?;
        server.cold_start_ms = (answered - started).as_secs_f64() * 1e3;
        server.until_healthy(&server.admin.clone(), "/health").await?;
        Ok(server)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Watches it for `length`.
    pub async fn idle(&self, length: Duration) -> Idle {
        idle("restate", Process::new(self.pid()), Some(self.cold_start_ms), length).await
    }

    /// How it ended, if it did: the reason behind whatever failed.
    pub fn ended(&mut self) -> Option<Error> {
        let status = self.child.try_wait().ok()??;
        let output = fs::read(self.directory.path().join("output")).unwrap_or_default();
        let output = String::from_utf8_lossy(&output[output.len().saturating_sub(OUTPUT_BYTES)..]).into_owned();
        Some(Error::Ended { program: self.path.clone(), status: status.to_string(), output })
    }

    async fn until_healthy(&mut self, address: &str, path: &str) -> Result<Instant, Error> {
        let begin = clock::now();
        while begin.elapsed() < PATIENCE {
            if let Ok(Ok(true)) = tokio::time::timeout(CALL_TIMEOUT, is_healthy(address, path)).await {
                return Ok(clock::now());
            }
            if let Some(error) = self.ended() {
                return Err(error);
            }
            clock::pause(RETRY).await;
        }
        let what = format!("the server at {address}");
        Err(Fault::Lost { what, waited_s: PATIENCE.as_secs() }.into())
    }
}

impl Drop for RestateServer {
    fn drop(&mut self) {
        // It may have ended by itself; either way there is nothing more to do about it.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// Watches a process that has nothing to do.
pub(super) async fn idle(server: &str, process: Process, cold_start_ms: Option<f64>, length: Duration) -> Idle {
    let (begin, before) = (clock::now(), process.cpu_of_threads());
    clock::pause(length).await;
    let cpu = process.cpu_of_threads().zip(before).map(|(after, before)| after.saturating_sub(before));
    Idle {
        server: server.to_owned(),
        cold_start_ms,
        resident_mib: process.memory().map(|memory| memory.resident_bytes as f64 / MIB),
        cpu_percent: cpu.map(|cpu| 100.0 * cpu.as_secs_f64() / begin.elapsed().as_secs_f64()),
    }
}

async fn is_healthy(address: &str, path: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}
