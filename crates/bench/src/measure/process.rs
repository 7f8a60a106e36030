//! Processor time and memory of one process, from `/proc`.
use std::{fs, time::Duration};

/// The unit of processor time in `/proc`: Linux shows hundredths of a second whatever it counts in.
pub(super) const TICK_MS: u64 = 10;
const KIB: u64 = 1024;

/// A process that is running.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    pid: u32,
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident_bytes: u64,
    /// The most that was ever resident.
    pub(crate) peak_bytes: u64,
}

impl Process {
    pub(crate) fn new(pid: u32) -> Self {
        Process { pid }
    }

    /// The load generator itself.
    pub(crate) fn own() -> Self {
        Process { pid: std::process::id() }
    }

    pub(crate) fn pid(self) -> u32 {
        self.pid
    }

    /// User and system time since the process began; None once it has ended.
    pub(crate) fn cpu(self) -> Option<Duration> {
        parse_cpu(&fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?)
    }

    /// Memory in use; None once the process has ended.
    pub(crate) fn memory(self) -> Option<Memory> {
        parse_memory(&fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?)
    }
}

/// Fields 14 and 15, counted after the command's name, which may hold anything.
fn parse_cpu(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * TICK_MS))
}

fn parse_memory(status: &str) -> Option<Memory> {
    let kib = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    };
    Some(Memory { resident_bytes: kib("VmRSS")? * KIB, peak_bytes: kib("VmHWM")? * KIB })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Memory, parse_cpu, parse_memory};

    #[test]
    fn names_may_hold_spaces_and_brackets() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 1 0 0 0 31 11 0 0 20 0 4 0 999 1 1";
        assert_eq!(parse_cpu(stat), Some(Duration::from_millis(420)));
    }

    #[test]
    fn memory_is_in_bytes() {
        let status = "Name:\tx\nVmHWM:\t    20 kB\nVmRSS:\t    16 kB\n";
        assert_eq!(parse_memory(status), Some(Memory { resident_bytes: 16384, peak_bytes: 20480 }));
        assert_eq!(parse_memory("Name:\tx\n"), None);
    }
}
