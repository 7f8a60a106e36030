//! What an experiment found, with the numbers to hold.
use std::{path::Path, time::Duration};

use serde::Serialize;

use crate::{
    error::Error,
    figures::Figure,
    report::{Bar, write},
};

/// Figures and bars of one experiment.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// The experiment's name.
    pub experiment: &'static str,
    /// What was measured, in order.
    pub figures: Vec<Figure>,
    /// The numbers to hold.
    pub bars: Vec<Bar>,
}

impl Findings {
    pub(super) fn of(experiment: &'static str) -> Self {
        Findings { experiment, ..Findings::default() }
    }

    /// Adds a figure, if there is a value.
    pub(super) fn figure(&mut self, name: &'static str, value: Option<f64>, unit: &'static str) {
        self.figures.extend(value.filter(|value| value.is_finite()).map(|value| Figure { name, value, unit }));
    }

    /// Adds a figure that must not be more than `bar`.
    pub(super) fn at_most(&mut self, name: &'static str, value: Option<f64>, unit: &'static str, bar: f64) {
        self.held(name, value, unit, bar, false);
    }

    /// Adds a figure that must not be less than `bar`.
    pub(super) fn at_least(&mut self, name: &'static str, value: Option<f64>, unit: &'static str, bar: f64) {
        self.held(name, value, unit, bar, true);
    }

    fn held(&mut self, name: &'static str, value: Option<f64>, unit: &'static str, bar: f64, at_least: bool) {
        let Some(measured) = value.filter(|value| value.is_finite()) else { return };
        self.figures.push(Figure { name, value: measured, unit });
        let what = format!("{}: {name}, {unit}", self.experiment);
        self.bars.push(Bar { what, measured, bar, at_least });
    }

    /// The figures as lines of text, then the bars.
    pub fn lines(&self) -> Vec<String> {
        let figure = |Figure { name, value, unit }: &Figure| format!("  {name:<58} {value:>12.3} {unit}");
        let bars = self.bars.iter().map(|bar| format!("  {bar}"));
        std::iter::once(self.experiment.to_owned()).chain(self.figures.iter().map(figure)).chain(bars).collect()
    }
}

/// Writes findings as JSON.
///
/// # Errors
/// When the file cannot be written.
pub fn write_findings(findings: &[Findings], path: &Path) -> Result<(), Error> {
    write(&findings, path)
}

/// The middle of several values; None when there are none.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::{Findings, median};

    #[test]
    fn what_could_not_be_measured_holds_no_bar() {
        let mut findings = Findings::of("idle");
        findings.at_most("memory", None, "MiB", 25.0);
        findings.at_most("memory", Some(26.0), "MiB", 25.0);
        findings.at_least("rate", Some(f64::NAN), "1/s", 1.0);
        assert_eq!(findings.bars.iter().map(|bar| bar.holds()).collect::<Vec<_>>(), [false]);
        assert_eq!(findings.lines().len(), 3);
    }

    #[test]
    fn the_median_is_a_value_that_was_measured() {
        assert_eq!(median(vec![3.0, 1.0, 2.0, 9.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }
}
