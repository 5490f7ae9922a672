//! The classifier two-sample test: 100,000 rows of 20 numbers a side.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::learn::{BoostSettings, DomainScores, Features, Loss};

use crate::data::numeric;
use crate::measure::{measured, told};

const ROWS: usize = 100_000;

pub(crate) fn judge(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let (reference, current) = (numeric(folder, "reference")?, numeric(folder, "current")?);
    let side = |columns: &'_ [Vec<f64>]| columns.iter().map(|column| column[..ROWS].to_vec()).collect::<Vec<_>>();
    let (reference, current) = (side(&reference), side(&current));
    let (found, cost) = measured(|| {
        let reference = Features::new(reference.iter().map(Vec::as_slice).collect())?;
        let current = Features::new(current.iter().map(Vec::as_slice).collect())?;
        DomainScores::fit(&reference, &current, &BoostSettings::new(Loss::Logistic), 5, 1)
    });
    let found = found.ok_or("too little data")?;
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
    let said = json!({"mean_score": [mean(&found.reference), mean(&found.current)]});
    Ok(told("domain", cost, said))
}
