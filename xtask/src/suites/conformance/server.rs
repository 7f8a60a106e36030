//! A server of the suite's own: fresh, on a free port, gone with its data when it is dropped.
use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    thread,
};

use anyhow::{Context, Result};

/// Where the server keeps what it is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Storage {
    Memory,
    Disk,
}

impl Storage {
    pub(super) const ALL: [Self; 2] = [Self::Memory, Self::Disk];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "in memory",
            Self::Disk => "on disk",
        }
    }
}

/// A running server.
pub(super) struct Server {
    /// `host:port` of its gRPC port.
    pub(super) address: String,
    child: Child,
    folder: PathBuf,
}

impl Server {
    /// Starts a server and returns once it answers.
    pub(super) fn start(program: &Path, storage: Storage) -> Result<Self> {
        let folder = env::temp_dir().join(format!("abide-conformance-{}", process::id()));
        fs::create_dir_all(&folder)?;
        let mut command = Command::new(program);
        command.args(["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", "0"]);
        if let Storage::Disk = storage {
            command.arg("--db-filename").arg(folder.join("data"));
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take();
        let mut server = Self { address: String::new(), child, folder };
        let mut lines = BufReader::new(output.context("its output is not to be had")?).lines();
        // It says where it listens once it answers; before that it may end, and with it the lines.
        let found = lines.by_ref().map_while(Result::ok).find_map(|line| address(&line));
        server.address = found.context("the server ended before it answered")?;
        #[allow(clippy::disallowed_methods)] // it only reads to the end, so that the server can go on writing
        thread::spawn(move || lines.count());
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way there is nothing more to do about it.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

/// The address in `Abide Server:     127.0.0.1:7233`.
fn address(line: &str) -> Option<String> {
    line.strip_prefix("Abide Server:").map(|rest| rest.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_on_the_line_of_the_server() {
        assert_eq!(address("Abide Server:      127.0.0.1:41573"), Some("127.0.0.1:41573".to_owned()));
        assert_eq!(address("Abide Metrics:     http://127.0.0.1:1/metrics"), None);
    }
}
