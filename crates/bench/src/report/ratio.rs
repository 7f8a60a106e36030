//! One server's figures as multiples of another's.
use std::fmt;

use serde::Serialize;

use crate::figures::Figures;

/// Figures of one server divided by those of another, for the same workload at nearly the same time.
#[derive(Debug, Clone, Serialize)]
pub struct Ratio {
    /// The workload's name.
    pub workload: String,
    /// The server above the line.
    pub of: String,
    /// The server below the line.
    pub to: String,
    /// Units per second.
    pub rate: f64,
    /// Processor time per unit.
    pub server_cpu: Option<f64>,
    /// The median latency.
    pub latency_p50: Option<f64>,
}

impl Ratio {
    /// `of` as a multiple of `to`.
    pub fn new(of: &Figures, to: &Figures) -> Self {
        let divide = |of: Option<f64>, to: Option<f64>| Some(of? / to?).filter(|ratio| ratio.is_finite());
        Ratio {
            workload: of.workload.clone(),
            of: of.server.clone(),
            to: to.server.clone(),
            rate: of.rate_per_s / to.rate_per_s,
            server_cpu: divide(of.server_cpu_ms, to.server_cpu_ms),
            latency_p50: divide(of.latency.map(|l| l.p50_ms), to.latency.map(|l| l.p50_ms)),
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ratio { workload, of, to, rate, .. } = self;
        write!(f, "{workload:<24} {of} / {to}: rate × {rate:.2}")?;
        let more = [("server CPU", self.server_cpu), ("p50", self.latency_p50)];
        more.iter().try_for_each(|(name, ratio)| ratio.map_or(Ok(()), |ratio| write!(f, ", {name} × {ratio:.2}")))
    }
}
