//! The table: one line per workload and server, and what does not fit a column below.
use std::fmt::Write;

use crate::figures::{Figure, Figures};

const NONE: &str = "n/a";
const SERVER_WIDTH: usize = 12;
/// Percent of one processor used by others, above which the figures are in doubt.
const QUIET_PERCENT: f64 = 10.0;
const MIB: f64 = 1024.0 * 1024.0;

/// The names of the columns.
pub fn header() -> String {
    let columns =
        "rate/s     p50     p90     p99     max  srv CPU  gen CPU     RSS    peak     disk    syncs   groups  other";
    let units =
        "            ms      ms      ms      ms       ms       ms     MiB     MiB      MiB                        %";
    format!("{:<24} {:<12} {columns}\n{:<24} {:<12} {units}", "workload", "server", "", "")
}

/// The line of one workload and server. Rate and processor times are of workflows; of other units [`details`] tells.
pub fn row(figures: &Figures) -> String {
    let (p50, p90, p99, max) = figures
        .latency
        .map_or((None, None, None, None), |l| (Some(l.p50_ms), Some(l.p90_ms), Some(l.p99_ms), Some(l.max_ms)));
    let disk = figures.disk_bytes.map(|bytes| bytes as f64 / MIB);
    let mut line = format!("{:<24} {:<12}", figures.workload, short(&figures.server));
    let columns = [
        (Some(figures.rate_per_s), 7, 0),
        (p50, 8, 2),
        (p90, 8, 2),
        (p99, 8, 2),
        (max, 8, 2),
        (figures.server_cpu_ms, 9, 3),
        (figures.generator_cpu_ms, 9, 3),
        (figures.resident_mib, 8, 1),
        (figures.peak_mib, 8, 1),
        (disk, 9, 1),
        (figures.syncs.map(|n| n as f64), 9, 0),
        (figures.commit_groups.map(|n| n as f64), 9, 0),
        (figures.other_cpu_percent, 7, 0),
    ];
    for (value, width, digits) in columns {
        let cell = value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.digits$}"));
        let _infallible = write!(line, "{cell:>width$}");
    }
    line
}

/// What the line does not say, one thing a line.
pub fn details(figures: &Figures) -> Vec<String> {
    let Figures { count, unit, seconds, latency_of, .. } = figures;
    let mut details = Vec::new();
    if *unit != "workflow" {
        details.push(format!("{count} of {unit} in {seconds:.1} s; latency is of: {latency_of}"));
    }
    if let (Some(latency), Some(sync_ms)) = (figures.latency, figures.sync_p50_ms) {
        let p50_ms = latency.p50_ms;
        details.push(format!("{latency_of}: p50 {p50_ms:.2} ms = {:.1} fsyncs of {sync_ms:.3} ms", p50_ms / sync_ms));
    }
    if let Some(percent) = figures.other_cpu_percent.filter(|percent| *percent > QUIET_PERCENT) {
        details.push(format!("the machine was not quiet: others used {percent:.0} % of a processor"));
    }
    if figures.full_histories > 0 {
        details.push(format!("{} workflow tasks of known runs came with the whole history", figures.full_histories));
    }
    let more = |Figure { name, value, unit }: &Figure| format!("{name}: {value:.3} {unit}").trim_end().to_owned();
    if figures.overflows > 0 {
        details.push(format!("{} workflow tasks were failed because too much came during them", figures.overflows));
    }
    details.extend(figures.more.iter().map(more));
    details
}

/// The end of a path, as much as fits: two builds of a program differ in their folders.
fn short(server: &str) -> &str {
    let skipped = server.chars().count().saturating_sub(SERVER_WIDTH);
    server.char_indices().nth(skipped).map_or(server, |(begin, _)| &server[begin..])
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn long_names_keep_their_ends() {
        assert_eq!(short("ceiling"), "ceiling");
        assert_eq!(short("/builds/debug/abide"), "/debug/abide");
        assert_eq!(short("/builds/ünïcode/abide"), "nïcode/abide");
    }
}
