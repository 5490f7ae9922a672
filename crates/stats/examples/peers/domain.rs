//! The classifier two-sample test: 100,000 rows of 20 numbers a side.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::learn::Features;
use wardline_stats::two_sample::{ClassifierSettings, classifier_test};

use crate::data::numeric;
use crate::measure::{measured, told};

const ROWS: usize = 100_000;

pub(crate) fn judge(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let (reference, current) = (numeric(folder, "reference")?, numeric(folder, "current")?);
    let (found, cost) =
        measured(|| classifier_test(&features(&reference)?, &features(&current)?, &ClassifierSettings::default()));
    let found = found.ok_or("too little data")?;
    let said = json!({"area_under_curve": found.area_under_curve, "p": found.p_value});
    Ok(told("domain", cost, said))
}

fn features(columns: &[Vec<f64>]) -> Option<Features<'_>> {
    Features::new(columns.iter().map(|column| &column[..ROWS]).collect())
}
