//! Figures as people and programs read them.
pub mod bars;
mod comparison;
pub mod page;
pub mod plot;
mod ratio;
mod sdk;
mod table;

use std::{fs, path::Path};

use serde::Serialize;

pub use bars::Bar;
pub use comparison::{Comparison, Spread, comparison_table};
pub use ratio::Ratio;
pub use sdk::{SdkFigures, SdkReport};
pub use table::{details, header, row};

use crate::{error::Error, figures::Figures};

/// Everything that one run of the load generator found out.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// In the order in which they were measured.
    pub figures: Vec<Figures>,
    /// Of figures to others that were measured right before or after.
    pub ratios: Vec<Ratio>,
    /// The ratios of each workload together.
    pub comparisons: Vec<Comparison>,
    /// The numbers to hold, where they were measured.
    pub bars: Vec<Bar>,
}

impl Report {
    /// Writes the report as JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        write(self, path)
    }
}

fn write(report: &impl Serialize, path: &Path) -> Result<(), Error> {
    let what = format!("{} cannot be written", path.display());
    let json = serde_json::to_vec_pretty(report).map_err(std::io::Error::other);
    json.and_then(|json| fs::write(path, json)).map_err(Error::io(what))
}
