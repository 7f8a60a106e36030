//! Processor time of the server, as the kernel counts it.
use std::{fs, time::Duration};

/// The unit of processor time in `/proc`.
const TICK_MS: u64 = 10;

/// User and system time of a process; None once it has ended.
pub fn of(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * TICK_MS))
}
