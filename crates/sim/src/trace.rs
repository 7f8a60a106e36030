//! What happens, in words, for who wants to read it.
#![allow(clippy::print_stdout)] // this is where it is shown
use std::time::Duration;

/// Where the lines go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trace {
    #[default]
    Silent,
    /// To standard output, as it happens, between the server's own log lines.
    Shown,
}

impl Trace {
    pub fn add(self, at: Duration, line: &str) {
        if self == Self::Shown {
            println!("{:>12.6}  {line}", at.as_secs_f64());
        }
    }
}
