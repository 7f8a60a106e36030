//! What a seed comes to: which clients there are, and what goes wrong when.
use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::SmallRng, seq::IndexedRandom};

use crate::{faults, workloads};

/// Everything begins within this.
const WINDOW: Duration = Duration::from_secs(120);
const WORKLOADS_MAX: usize = 24;
const FAULTS_MAX: usize = 12;

/// A workload and when it begins.
#[derive(Clone, Debug)]
pub struct PlannedWorkload {
    /// Its place in [`workloads::ALL`].
    pub kind: usize,
    pub number: usize,
    pub at: Duration,
}

/// A fault and when it happens.
#[derive(Clone, Debug)]
pub struct PlannedFault {
    /// Its place in [`faults::ALL`].
    pub kind: usize,
    pub at: Duration,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub workloads: Vec<PlannedWorkload>,
    pub faults: Vec<PlannedFault>,
}

impl Plan {
    /// Each seed has its own mix: some workloads and some faults of all, so that a rare pair meets often somewhere.
    pub fn of(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed ^ 0x9e37_79b9_7f4a_7c15);
        let kinds_of_work = some_of(workloads::ALL.len(), &mut rng);
        let kinds_of_fault = some_of(faults::ALL.len(), &mut rng);
        let at = |rng: &mut SmallRng| Duration::from_micros(rng.random_range(0..WINDOW.as_micros() as u64));
        let workloads = (0..rng.random_range(1..=WORKLOADS_MAX))
            .map(|number| {
                let kind = kinds_of_work.choose(&mut rng).copied().unwrap_or(0);
                PlannedWorkload { kind, number, at: at(&mut rng) }
            })
            .collect();
        let faults = (0..rng.random_range(0..=FAULTS_MAX))
            .map(|_| PlannedFault { kind: kinds_of_fault.choose(&mut rng).copied().unwrap_or(0), at: at(&mut rng) })
            .collect();
        Self { seed, workloads, faults }
    }
}

/// Each of so many with an even chance, and at least one.
fn some_of(count: usize, rng: &mut SmallRng) -> Vec<usize> {
    let mut some: Vec<usize> = (0..count).filter(|_| rng.random_bool(0.5)).collect();
    if some.is_empty() {
        some.push(rng.random_range(0..count));
    }
    some
}
