//! The server under load: one that runs already, or a program started for one workload and ended after it.
use std::{
    ffi::OsString,
    fs::{self, File},
    io::ErrorKind,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    clock, connection,
    error::Error,
    measure::{Process, disk_bytes},
};

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of an ended server's output is shown.
const OUTPUT_BYTES: usize = 2000;
/// Where ports are looked for: below those that systems give to clients, from 32768 on or higher.
const PORT_MIN: u16 = 20_000;
const PORTS: u16 = 10_000;
pub(crate) const LOOPBACK: &str = "127.0.0.1";

/// Where load can go.
#[derive(Debug, Clone)]
pub enum Server {
    /// An `abide` program, run in durable mode on an empty directory.
    Program(PathBuf),
    /// The ceiling, run by this very program.
    Ceiling,
    /// A server that somebody else started.
    Running(Running),
}

/// A server that somebody else started.
#[derive(Debug, Clone, Default)]
pub struct Running {
    /// `host:port` of its gRPC port.
    pub address: String,
    /// Its process, if it runs on this machine.
    pub pid: Option<u32>,
    /// `host:port` where it shows its metrics.
    pub metrics_address: Option<String>,
    /// The directory it stores in.
    pub data_dir: Option<PathBuf>,
}

/// A server that answers. One that was started for it ends when this is dropped.
#[derive(Debug)]
pub struct Target {
    /// What it is called in reports.
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) process: Option<Process>,
    pub(crate) metrics_address: Option<String>,
    /// From the start of its program to its first answer; None for a server that ran before.
    pub(crate) cold_start: Option<Duration>,
    /// Memory when it had answered its first call.
    pub(crate) resident_at_start_bytes: Option<u64>,
    data_dir: Option<PathBuf>,
    program: Option<Program>,
}

impl Server {
    /// What it is called in reports.
    pub fn name(&self) -> String {
        match self {
            Server::Program(path) => path.display().to_string(),
            Server::Ceiling => "ceiling".to_owned(),
            Server::Running(running) => running.address.clone(),
        }
    }

    /// Starts the server if need be, and waits until it answers. `data_root` is where its data directory is made.
    ///
    /// # Errors
    /// When it does not start, ends by itself, or does not answer.
    pub async fn target(&self, data_root: &Path) -> Result<Target, Error> {
        let target = match self {
            Server::Program(path) => Program::abide(path, data_root)?,
            Server::Ceiling => Program::ceiling(data_root)?,
            Server::Running(running) => Target {
                name: self.name(),
                address: running.address.clone(),
                process: running.pid.map(Process::new),
                metrics_address: running.metrics_address.clone(),
                data_dir: running.data_dir.clone(),
                cold_start: None,
                resident_at_start_bytes: None,
                program: None,
            },
        };
        target.ready().await
    }
}

impl Target {
    /// `host:port` of its gRPC port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its process, if it runs on this machine.
    pub fn pid(&self) -> Option<u32> {
        self.process.map(Process::pid)
    }

    /// Bytes on disk; None for a server that stores nothing or elsewhere.
    pub(crate) fn disk_bytes(&self) -> Option<u64> {
        disk_bytes(self.data_dir.as_deref()?).ok()
    }

    /// How a program that was started for this ended, if it did: the reason behind whatever fault it caused.
    pub fn ended(&mut self) -> Option<Error> {
        self.program.as_mut().and_then(Program::ended)
    }

    /// Kills the program, as `kill -9` does. Its data stays.
    pub(crate) fn kill(&mut self) {
        if let Some(program) = &mut self.program {
            program.kill();
        }
    }

    /// Starts the program that was killed on the data that it left. Returns when it was started; it need not answer yet.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start_again(&mut self) -> Result<Instant, Error> {
        let Some(program) = &mut self.program else { return Ok(clock::now()) };
        program.start_again()?;
        self.process = Some(Process::new(program.child.id()));
        Ok(program.started)
    }

    /// Waits until a server that was started again answers.
    ///
    /// # Errors
    /// When it ends by itself or does not answer.
    pub(crate) async fn ready_again(&mut self) -> Result<(), Error> {
        self.first_answer().await
    }

    /// The folder that it stores in.
    pub(crate) fn data_dir(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }

    async fn ready(mut self) -> Result<Self, Error> {
        self.first_answer().await?;
        connection::ensure_namespace(&self.address, PATIENCE).await?;
        Ok(self)
    }

    async fn first_answer(&mut self) -> Result<(), Error> {
        let Target { address, program, .. } = self;
        let has_ended = || program.as_mut().is_some_and(|p| p.ended().is_some());
        let first_answer = match connection::first_answer(address, PATIENCE, has_ended).await {
            Ok(at) => at,
            Err(fault) => return Err(self.ended().unwrap_or_else(|| fault.into())),
        };
        self.cold_start = self.program.as_ref().map(|program| first_answer - program.started);
        self.resident_at_start_bytes = self.process.and_then(Process::memory).map(|m| m.resident_bytes);
        Ok(())
    }
}

/// A program that ends, with its data, when this is dropped.
#[derive(Debug)]
struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    started: Instant,
    child: Child,
    output: PathBuf,
    _directory: TempDir,
}

impl Program {
    fn abide(path: &Path, data_root: &Path) -> Result<Target, Error> {
        let directory = temporary(data_root)?;
        let data_dir = directory.path().join("data");
        let (port, metrics_port) = (free_port()?, free_port()?);
        let arguments = [
            "server".into(),
            "start".into(),
            "--data-dir".into(),
            data_dir.clone().into_os_string(),
            "--ip".into(),
            LOOPBACK.into(),
            "--port".into(),
            port.to_string().into(),
            "--metrics-port".into(),
            metrics_port.to_string().into(),
        ];
        let program = Program::start(path, directory, &arguments)?;
        Ok(Target {
            name: path.display().to_string(),
            address: format!("{LOOPBACK}:{port}"),
            process: Some(Process::new(program.child.id())),
            metrics_address: Some(format!("{LOOPBACK}:{metrics_port}")),
            data_dir: Some(data_dir),
            cold_start: None,
            resident_at_start_bytes: None,
            program: Some(program),
        })
    }

    fn ceiling(data_root: &Path) -> Result<Target, Error> {
        let path = std::env::current_exe().map_err(Error::io("this program's path is unknown"))?;
        let port = free_port()?;
        let arguments = ["ceiling".into(), "--port".into(), port.to_string().into()];
        let program = Program::start(&path, temporary(data_root)?, &arguments)?;
        Ok(Target {
            name: Server::Ceiling.name(),
            address: format!("{LOOPBACK}:{port}"),
            process: Some(Process::new(program.child.id())),
            metrics_address: None,
            data_dir: None,
            cold_start: None,
            resident_at_start_bytes: None,
            program: Some(program),
        })
    }

    fn start(path: &Path, directory: TempDir, arguments: &[OsString]) -> Result<Self, Error> {
        let output = directory.path().join("output");
        let (started, child) = spawn(path, arguments, &output)?;
        let (path, arguments) = (path.to_owned(), arguments.to_vec());
        Ok(Program { path, arguments, started, child, output, _directory: directory })
    }

    /// Kills it, unless it has ended, and waits until it is gone.
    fn kill(&mut self) {
        // It may have ended by itself; either way there is nothing more to do about it.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }

    fn start_again(&mut self) -> Result<(), Error> {
        (self.started, self.child) = spawn(&self.path, &self.arguments, &self.output)?;
        Ok(())
    }

    /// How the program ended, if it did.
    fn ended(&mut self) -> Option<Error> {
        let status = self.child.try_wait().ok()??;
        let output = fs::read(&self.output).unwrap_or_default();
        let output = String::from_utf8_lossy(&output[output.len().saturating_sub(OUTPUT_BYTES)..]).into_owned();
        Some(Error::Ended { program: self.path.clone(), status: status.to_string(), output })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(path: &Path, arguments: &[OsString], output: &Path) -> Result<(Instant, Child), Error> {
    let failed = |source| Error::Spawn { program: path.to_owned(), source };
    let file = File::create(output).map_err(failed)?;
    let errors = file.try_clone().map_err(failed)?;
    let started = clock::now();
    let mut command = Command::new(path);
    let child = command.args(arguments).stdin(Stdio::null()).stdout(file).stderr(errors).spawn();
    Ok((started, child.map_err(failed)?))
}

pub(crate) fn temporary(data_root: &Path) -> Result<TempDir, Error> {
    let what = format!("no directory can be made in {}", data_root.display());
    tempfile::Builder::new().prefix("abide-bench-").tempdir_in(data_root).map_err(Error::io(what))
}

/// A port that was free a moment ago, and one that no connection of a client gets in the meantime: those of clients are higher.
pub(crate) fn free_port() -> Result<u16, Error> {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let next = |_| (std::process::id() + TRIED.fetch_add(1, Ordering::Relaxed)) % u32::from(PORTS);
    let mut ports = (0..PORTS).map(next).filter_map(|offset| Some(PORT_MIN + u16::try_from(offset).ok()?));
    let free = ports.find(|port| TcpListener::bind((LOOPBACK, *port)).is_ok());
    free.ok_or_else(|| Error::io("no port is free")(ErrorKind::AddrInUse.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_is_none_that_a_client_gets_and_comes_once() {
        let (one, other) = (free_port().expect("free"), free_port().expect("free"));
        assert_ne!(one, other);
        assert!([one, other].iter().all(|port| (PORT_MIN..32_768).contains(port)));
    }
}
