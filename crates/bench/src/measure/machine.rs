//! Processor time of the whole machine.
use std::{fs, time::Duration};

use super::process::TICK_MS;

/// Fields of the first line of `/proc/stat` that are not idle: user, nice, system, irq, softirq, steal.
const BUSY_FIELDS: [usize; 6] = [0, 1, 2, 5, 6, 7];

/// The time that all processors together have been busy since the machine started; None without `/proc`.
pub(crate) fn busy() -> Option<Duration> {
    parse(&fs::read_to_string("/proc/stat").ok()?)
}

fn parse(stat: &str) -> Option<Duration> {
    let fields: Vec<u64> =
        stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().map_while(|f| f.parse().ok()).collect();
    let ticks = BUSY_FIELDS.iter().map(|&i| fields.get(i).copied().unwrap_or(0)).sum::<u64>();
    Some(Duration::from_millis(ticks * TICK_MS))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn waiting_is_not_busy() {
        let stat = "cpu  10 1 20 9000 800 3 4 5 77 88\ncpu0 1 2 3 4\n";
        assert_eq!(parse(stat), Some(Duration::from_millis(430)));
        assert_eq!(parse("intr 1 2"), None);
    }
}
