//! The fewest workloads and faults that still lead to a violation.
use crate::{plan::Plan, sim, trace::Trace};

/// A smaller plan that fails too.
pub fn minimize(plan: &Plan) -> Plan {
    let mut smallest = plan.clone();
    let mut chunk = smallest.workloads.len().max(smallest.faults.len()).div_ceil(2);
    while chunk > 0 {
        let mut has_shrunk = false;
        for candidate in without_chunks(&smallest, chunk) {
            if !sim::run(&candidate, Trace::Silent).violations.is_empty() {
                smallest = candidate;
                has_shrunk = true;
                break;
            }
        }
        if !has_shrunk {
            chunk /= 2;
        }
    }
    smallest
}

/// The plan without each run of so many workloads, then of so many faults.
fn without_chunks(plan: &Plan, chunk: usize) -> Vec<Plan> {
    let starts = |length: usize| (0..length).step_by(chunk);
    let less_work = starts(plan.workloads.len()).map(|at| {
        let mut less = plan.clone();
        less.workloads.drain(at..(at + chunk).min(plan.workloads.len()));
        less
    });
    let fewer_faults = starts(plan.faults.len()).map(|at| {
        let mut fewer = plan.clone();
        fewer.faults.drain(at..(at + chunk).min(plan.faults.len()));
        fewer
    });
    less_work.chain(fewer_faults).collect()
}
