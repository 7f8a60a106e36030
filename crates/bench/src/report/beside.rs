//! The parts of the report page that have no plot: Restate beside Abide, and the experiments.
use serde::{Deserialize, Serialize};

use super::{Bar, SdkFigures, page::bar_lines};
use crate::restate::{Idle, PAIRS, row};

/// Everything that one run beside Restate found out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct RestateReport {
    /// In the order in which they were measured.
    pub figures: Vec<SdkFigures>,
    /// Servers with nothing to do.
    pub idle: Vec<Idle>,
    /// The numbers to hold.
    pub bars: Vec<Bar>,
}

/// What of an experiment is on the page.
#[derive(Debug, Deserialize)]
pub(super) struct KeptFindings {
    experiment: String,
    figures: Vec<KeptFigure>,
    bars: Vec<Bar>,
}

#[derive(Debug, Deserialize)]
struct KeptFigure {
    name: String,
    value: f64,
    unit: String,
}

/// The medians side by side as tables, and the bars.
pub(super) fn restate(report: &RestateReport) -> Vec<String> {
    let mut lines = vec!["| workload | server | rate/s | p50 ms | p99 ms | server CPU ms |".to_owned()];
    lines.push("|---|---|---|---|---|---|".to_owned());
    let mut servers: Vec<&str> = Vec::new();
    for figures in &report.figures {
        if !servers.contains(&figures.server.as_str()) {
            servers.push(&figures.server);
        }
    }
    for pair in &PAIRS {
        let steps = format!("{}_at_{}", pair.steps, pair.concurrency);
        for workload in std::iter::once(steps).chain(pair.abide.iter().map(crate::Workload::name)) {
            lines.extend(servers.iter().filter_map(|server| row(&report.figures, &workload, server)));
        }
    }
    lines.extend([String::new(), "| with nothing to do | cold start ms | memory MiB | CPU % of a core |".to_owned()]);
    lines.push("|---|---|---|---|".to_owned());
    for Idle { server, cold_start_ms, resident_mib, cpu_percent } in &report.idle {
        let number = |value: &Option<f64>| value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.2}"));
        let (start, memory, cpu) = (number(cold_start_ms), number(resident_mib), number(cpu_percent));
        lines.push(format!("| {server} | {start} | {memory} | {cpu} |"));
    }
    lines.push(String::new());
    lines.extend(bar_lines(&report.bars));
    lines
}

/// A table of all figures, and the bars.
pub(super) fn experiments(all: &[KeptFindings]) -> Vec<String> {
    let mut lines = vec!["| experiment | what | measured |".to_owned(), "|---|---|---|".to_owned()];
    for KeptFindings { experiment, figures, .. } in all {
        lines.extend(figures.iter().map(|KeptFigure { name, value, unit }| {
            let digits = if value.abs() >= 100.0 { 0 } else { 3 };
            format!("| {experiment} | {name} | {} |", format!("{value:.digits$} {unit}").trim_end())
        }));
    }
    lines.push(String::new());
    lines.extend(all.iter().flat_map(|findings| bar_lines(&findings.bars)));
    lines
}

impl RestateReport {
    /// The tables and the bars, as lines of Markdown.
    pub fn lines(&self) -> Vec<String> {
        restate(self)
    }

    /// Writes the report as JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &std::path::Path) -> Result<(), crate::Error> {
        super::write(self, path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{KeptFindings, RestateReport, experiments, restate};

    #[test]
    fn restate_and_abide_stand_one_below_the_other() {
        let figures = |workload: &str, server: &str| {
            format!(
                r#"{{"workload":"{workload}","server":"{server}","concurrency":64,"count":9,"seconds":1,"rate_per_s":6,
                     "p50_ms":1,"p90_ms":2,"p99_ms":3,"server_cpu_ms":0.5}}"#
            )
        };
        let all = [figures("activities_3", "new"), figures("steps_3", "restate")].join(",");
        let idle = r#"{"server":"new","cold_start_ms":9.5,"resident_mib":20.0,"cpu_percent":null}"#;
        let report: RestateReport =
            serde_json::from_str(&format!(r#"{{"figures":[{all}],"idle":[{idle}],"bars":[]}}"#)).unwrap();
        let lines = restate(&report);
        assert_eq!(lines[2], "| steps_3_at_64 | restate | 6 | 1.00 | 3.00 | 0.500 |");
        assert_eq!(lines[3], "| activities_3_at_64 | new | 6 | 1.00 | 3.00 | 0.500 |");
        assert!(lines.contains(&"| new | 9.50 | 20.00 | n/a |".to_owned()), "{lines:?}");
    }

    #[test]
    fn what_an_experiment_found_is_a_row_each() {
        let json = r#"[{"experiment":"idle","figures":[{"name":"memory","value":24.5,"unit":"MiB"}],
                        "bars":[{"what":"idle: memory, MiB","measured":24.5,"bar":25.0,"at_least":false}]}]"#;
        let all: Vec<KeptFindings> = serde_json::from_str(json).unwrap();
        let lines = experiments(&all);
        assert!(lines.contains(&"| idle | memory | 24.500 MiB |".to_owned()));
        assert!(lines.last().unwrap().starts_with("- holds"));
    }
}
