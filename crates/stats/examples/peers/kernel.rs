//! Kernel drift of a million rows of 20 numbers, by random features.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::two_sample::FourierFeatures;

use crate::data::numeric;
use crate::measure::{measured, told};

pub(crate) fn judge(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let side = |name: &str| numeric(folder, name).map(|columns| rows(&columns));
    let (reference, current) = (side("reference")?, side("million")?);
    let features = FourierFeatures::new(20, 256, 40.0, 1).ok_or("no features")?;
    let mut kept = features.empty();
    reference.chunks_exact(20).for_each(|row| {
        kept.insert(row);
    });
    let (found, cost) = measured(|| {
        let mut window = features.empty();
        current.chunks_exact(20).for_each(|row| {
            window.insert(row);
        });
        kept.squared_discrepancy(&window)
    });
    Ok(told("kernel", cost, json!({"squared_discrepancy": found})))
}

/// Row after row.
pub(crate) fn rows(columns: &[Vec<f64>]) -> Vec<f64> {
    let length = columns.iter().map(Vec::len).min().unwrap_or(0);
    (0..length).flat_map(|row| columns.iter().map(move |column| column[row])).collect()
}
