//! Ratios of several rounds together: what is typical, and how far the rounds disagree.
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Ratio;

const NONE: &str = "n/a";

/// The middle of a ratio over all rounds, and its extremes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least of any round.
    pub least: f64,
    /// The most of any round.
    pub most: f64,
}

impl Spread {
    /// None when there are no values.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let half = values.len() / 2;
        let upper = *values.get(half)?;
        let median = if values.len().is_multiple_of(2) { (values[half - 1] + upper) / 2.0 } else { upper };
        Some(Spread { median, least: *values.first()?, most: *values.last()? })
    }

    /// Whether no round contradicts the others about which server is better.
    pub fn is_clear(&self) -> bool {
        self.least > 1.0 || self.most < 1.0
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spread { median, least, most } = self;
        write!(f, "× {median:.2} ({least:.2} to {most:.2})")
    }
}

/// One workload on one server as multiples of the same on another, over all rounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    /// The workload's name.
    pub workload: String,
    /// The server above the line.
    pub of: String,
    /// The server below the line.
    pub to: String,
    /// How many rounds there were.
    pub rounds: usize,
    /// Units per second.
    pub rate: Spread,
    /// Processor time per unit.
    pub server_cpu: Option<Spread>,
    /// The median latency.
    pub latency_p50: Option<Spread>,
}

impl Comparison {
    /// Of the ratios of one workload between the same two servers; None when there are none.
    pub fn of(ratios: &[Ratio]) -> Option<Self> {
        let first = ratios.first()?;
        let spread = |get: fn(&Ratio) -> Option<f64>| Spread::of(ratios.iter().filter_map(get).collect());
        Some(Comparison {
            workload: first.workload.clone(),
            of: first.of.clone(),
            to: first.to.clone(),
            rounds: ratios.len(),
            rate: spread(|r| Some(r.rate))?,
            server_cpu: spread(|r| r.server_cpu),
            latency_p50: spread(|r| r.latency_p50),
        })
    }
}

/// All comparisons as lines of text. Where the rounds do not agree on a sign there is nothing to conclude, and the line says so.
pub fn comparison_table(comparisons: &[Comparison]) -> Vec<String> {
    let Some(Comparison { of, to, rounds, .. }) = comparisons.first() else { return Vec::new() };
    let title = format!("{of} / {to}, the median of {rounds} rounds (least to most)");
    let columns = ["rate", "server CPU", "p50"];
    let head = columns.iter().fold(format!("{:<24}", "workload"), |line, column| line + &format!(" {column:<23}"));
    let mut lines = vec![String::new(), title, head.trim_end().to_owned()];
    for comparison in comparisons {
        let cells = [Some(comparison.rate), comparison.server_cpu, comparison.latency_p50];
        let mut line = format!("{:<24}", comparison.workload);
        for cell in cells {
            let cell = cell.map_or_else(|| NONE.to_owned(), |spread| mark(&spread));
            line += &format!(" {cell:<23}");
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.push("* every round says the same: better or worse. The others may be noise.".to_owned());
    lines
}

fn mark(spread: &Spread) -> String {
    format!("{spread}{}", if spread.is_clear() { "*" } else { "" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Comparison, Spread, comparison_table};
    use crate::report::Ratio;

    fn ratio(rate: f64, server_cpu: Option<f64>) -> Ratio {
        let name = |name: &str| name.to_owned();
        Ratio { workload: name("signals"), of: name("new"), to: name("old"), rate, server_cpu, latency_p50: None }
    }

    #[test]
    fn the_median_ignores_outliers_and_what_is_missing() {
        let ratios = [ratio(9.0, Some(1.0)), ratio(1.0, None), ratio(2.0, Some(2.0))];
        let comparison = Comparison::of(&ratios).unwrap();
        assert_eq!(comparison.rate, Spread { median: 2.0, least: 1.0, most: 9.0 });
        assert_eq!(comparison.server_cpu, Some(Spread { median: 1.5, least: 1.0, most: 2.0 }));
        assert!(Comparison::of(&[]).is_none());
    }

    #[test]
    fn only_what_every_round_says_is_clear() {
        let comparison = Comparison::of(&[ratio(1.1, Some(0.9)), ratio(1.2, Some(1.1))]).unwrap();
        let lines = comparison_table(&[comparison]);
        let line = lines.iter().find(|line| line.starts_with("signals")).unwrap();
        assert!(line.contains("× 1.15 (1.10 to 1.20)*"), "{line}");
        assert!(line.contains("× 1.00 (0.90 to 1.10) "), "{line}");
        assert!(line.ends_with("n/a"), "{line}");
    }
}
