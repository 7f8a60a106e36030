//! What passed and what failed, in the end and on the way.
use std::time::{Duration, Instant};

use anyhow::Result;

/// A number of tests or checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Count {
    /// One check that went well or not.
    pub(crate) fn one(success: bool) -> Self {
        Self { passed: u64::from(success), failed: u64::from(!success) }
    }

    /// What a suite counted itself. A suite that ended badly has failed once at least, whatever it counted; one that
    /// counted nothing is one check.
    pub(crate) fn of_suite(self, success: bool) -> Self {
        match (success, self) {
            (_, Self { passed: 0, failed: 0 }) => Self::one(success),
            (false, Self { failed: 0, .. }) => Self { failed: 1, ..self },
            _ => self,
        }
    }
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// How a step ended.
pub(crate) enum Outcome {
    Ran(Count),
    /// There was nothing to run, for the reason given.
    Skipped(String),
}

/// The steps of one call.
#[derive(Default)]
pub(crate) struct Tally {
    steps: Vec<(String, Duration, Outcome)>,
}

impl Tally {
    /// Runs a step. One that cannot run has failed, and the next one runs all the same.
    pub(crate) fn step(&mut self, name: &str, run: impl FnOnce() -> Result<Outcome>) {
        println!("\n== {name}");
        let began = now();
        let outcome = run().unwrap_or_else(|error| {
            println!("{name}: {error:#}");
            Outcome::Ran(Count::one(false))
        });
        self.steps.push((name.to_owned(), now() - began, outcome));
    }

    /// Prints every step, and as the last line the sum. Says whether nothing failed.
    pub(crate) fn report(self) -> bool {
        let mut sum = Count::default();
        println!();
        for (name, time, outcome) in &self.steps {
            let seconds = time.as_secs_f64();
            match outcome {
                Outcome::Ran(count) => {
                    sum += *count;
                    println!("{name:24} {:5} passed {:4} failed {seconds:8.1} s", count.passed, count.failed);
                }
                Outcome::Skipped(reason) => println!("{name:24} skipped: {reason}"),
            }
        }
        println!("{} passed, {} failed", sum.passed, sum.failed);
        sum.failed == 0
    }
}

#[allow(clippy::disallowed_methods)] // a developer waits in real time
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_that_ends_badly_has_failed() {
        let counted = Count { passed: 3, failed: 0 };
        assert_eq!(counted.of_suite(true), counted);
        assert_eq!(counted.of_suite(false), Count { passed: 3, failed: 1 });
        assert_eq!(Count::default().of_suite(true), Count::one(true));
        assert_eq!(Count::default().of_suite(false), Count::one(false));
        assert_eq!(Count { passed: 1, failed: 2 }.of_suite(false), Count { passed: 1, failed: 2 });
    }
}
