//! What of a process needs finer counters than those of every workload: processor time to the microsecond, bytes written.
use std::{fs, time::Duration};

use super::Process;

/// Bytes that a process has written since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// Passed to write calls, of files and in part of sockets.
    pub(crate) by_calls_bytes: u64,
    /// Caused to be sent to storage, in whole pages.
    pub(crate) to_storage_bytes: u64,
}

impl Process {
    /// Time on a processor of all threads that are there, by the scheduler's clock; None once the process has ended.
    /// Threads that ended do not count, so this is for processes that do next to nothing.
    pub(crate) fn cpu_of_threads(self) -> Option<Duration> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid())).ok()?;
        let mut total_ns = 0;
        for thread in threads.flatten() {
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            total_ns += text.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
        }
        Some(Duration::from_nanos(total_ns))
    }

    /// None once the process has ended, or where its user is another.
    pub(crate) fn written(self) -> Option<Written> {
        parse_written(&fs::read_to_string(format!("/proc/{}/io", self.pid())).ok()?)
    }
}

fn parse_written(io: &str) -> Option<Written> {
    let bytes = |name: &str| io.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some(Written { by_calls_bytes: bytes("wchar:")?, to_storage_bytes: bytes("write_bytes:")? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::{Process, Written, parse_written};

    #[test]
    fn what_was_written_is_not_what_was_cancelled() {
        let io = "rchar: 5\nwchar: 70\nsyscr: 1\nread_bytes: 2\nwrite_bytes: 4096\ncancelled_write_bytes: 9\n";
        assert_eq!(parse_written(io), Some(Written { by_calls_bytes: 70, to_storage_bytes: 4096 }));
        assert_eq!(parse_written("wchar: 1\n"), None);
    }

    #[test]
    fn a_process_that_runs_has_taken_time() {
        assert!(Process::own().cpu_of_threads().unwrap() > Duration::ZERO);
    }
}
