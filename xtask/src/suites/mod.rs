//! `cargo xtask test`: what has to pass, part by part.
pub(crate) mod conformance;
mod go;
mod numbers;
pub(crate) mod python;
mod rust;
mod typescript;

use anyhow::{Result, bail};

use crate::{sim, tally::Tally};

/// The parts, in the order in which they run: what is quick to fail comes first.
const PARTS: [&str; 6] = ["rust", "simulator", "conformance", "python", "typescript", "go"];

/// Runs the parts named, or all.
pub(crate) fn test(named: &[String]) -> Result<bool> {
    if let Some(unknown) = named.iter().find(|name| !PARTS.contains(&name.as_str())) {
        bail!("there is no part {unknown:?}: {}", PARTS.join(", "));
    }
    let mut tally = Tally::default();
    for part in PARTS.into_iter().filter(|part| named.is_empty() || named.iter().any(|name| name == part)) {
        match part {
            "rust" => rust::run(&mut tally),
            // Whoever asks for it by name wants to hear that it is not there.
            "conformance" => conformance::run(&mut tally, &conformance::Options::in_test(named.is_empty())),
            "simulator" => {
                tally.step("planted faults", sim::planted_faults);
                tally.step("seeds", sim::many_seeds);
            }
            "python" => tally.step("python", python::run),
            "typescript" => tally.step("typescript", typescript::run),
            _ => tally.step("go", go::run),
        }
    }
    Ok(tally.report())
}
