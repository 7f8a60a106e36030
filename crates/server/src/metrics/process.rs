//! The process itself: memory and processor time, from the kernel's own files. Nothing where there are none.
use std::fs;

use super::{write_head, write_line};

/// The kernel's unit of processor time, and its page: fixed on the platforms that have these files.
const TICKS_PER_SECOND: f64 = 100.0;
const PAGE_BYTES: u64 = 4096;

pub(super) fn write(text: &mut String) {
    if let Some(bytes) = resident_bytes() {
        write_head(text, "process_resident_memory_bytes", "gauge", "Memory that is in RAM.");
        write_line(text, "process_resident_memory_bytes", "", bytes);
    }
    if let Some(seconds) = cpu_seconds() {
        write_head(text, "process_cpu_seconds_total", "counter", "Processor time, user and system.");
        write_line(text, "process_cpu_seconds_total", "", seconds);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        write_head(text, "process_open_fds", "gauge", "Open files and sockets.");
        write_line(text, "process_open_fds", "", files.count());
    }
}

fn resident_bytes() -> Option<u64> {
    let pages: u64 = fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field, the name in brackets, may hold spaces; user and system time are the 14th and 15th.
    let mut times = stat.rsplit_once(") ")?.1.split(' ').skip(11).map(str::parse::<u64>);
    let ticks = times.next()?.ok()? + times.next()?.ok()?;
    Some(ticks as f64 / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_is_understood() {
        assert!(resident_bytes().unwrap() > 1 << 20);
        assert!(cpu_seconds().unwrap() < 1e6);
    }
}
