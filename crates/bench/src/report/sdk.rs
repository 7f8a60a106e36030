//! Figures under the load of an official SDK.
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Bar, write};
use crate::error::Error;

const NONE: &str = "n/a";

/// What the program with the SDK measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SdkFigures {
    /// The workload's name, without the number of workflows at a time.
    pub workload: String,
    /// The server's name; the program does not know it.
    #[serde(default)]
    pub server: String,
    /// How many workflows run at a time.
    pub concurrency: usize,
    /// How many were completed.
    pub count: u64,
    /// In how long, in seconds.
    pub seconds: f64,
    /// Workflows per second.
    pub rate_per_s: f64,
    /// Half took at most this from start to result.
    pub p50_ms: f64,
    /// Nine of ten took at most this.
    pub p90_ms: f64,
    /// 99 of 100 took at most this.
    pub p99_ms: f64,
    /// Processor time of the server per workflow, in milliseconds.
    pub server_cpu_ms: Option<f64>,
}

/// Everything that one run with an SDK found out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct SdkReport {
    /// In the order in which they were measured.
    pub figures: Vec<SdkFigures>,
    /// The numbers to hold.
    pub bars: Vec<Bar>,
}

impl SdkReport {
    /// Writes the report as JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        write(self, path)
    }
}

impl SdkFigures {
    /// The name that this workload has among those of the load generator.
    pub fn name(&self) -> String {
        format!("{}_at_{}", self.workload, self.concurrency)
    }

    /// The names of the columns.
    pub fn header() -> String {
        let columns = "rate/s   p50 ms   p90 ms   p99 ms  srv CPU ms  bar ms";
        format!("{:<24} {:<12} {columns}", "workload with an SDK", "server")
    }

    /// A line of the table.
    pub fn row(&self) -> String {
        let SdkFigures { server, rate_per_s, p50_ms, p90_ms, p99_ms, .. } = self;
        let cell = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.digits$}"))
        };
        let (cpu, bar) = (cell(self.server_cpu_ms, 3), cell(super::bars::cpu_ms(&self.name()), 2));
        let name = self.name();
        format!(
            "{name:<24} {server:<12} {rate_per_s:>6.0} {p50_ms:>8.2} {p90_ms:>8.2} {p99_ms:>8.2} {cpu:>11} {bar:>7}"
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::SdkFigures;

    #[test]
    fn what_the_program_prints_becomes_a_row_with_its_bar() {
        let printed = r#"{"workload":"activities_3","concurrency":64,"count":9,"seconds":1.5,"rate_per_s":6,
                          "p50_ms":1,"p90_ms":2,"p99_ms":3,"server_cpu_ms":0.5}"#;
        let figures: SdkFigures = serde_json::from_str(printed).unwrap();
        let row: Vec<_> = figures.row().split_whitespace().map(str::to_owned).collect();
        assert_eq!(row, ["activities_3_at_64", "6", "1.00", "2.00", "3.00", "0.500", "0.70"]);
    }
}
