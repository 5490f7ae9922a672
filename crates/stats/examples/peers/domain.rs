//! The classifier two-sample test: 100,000 rows of 20 numbers a side.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::learn::Features;
use wardline_stats::two_sample::{ClassifierSettings, classifier_test};

use crate::data::numeric;
use crate::measure::{measured, told};
use crate::random::Random;

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

const SMALL: usize = 2_000;
const COLUMNS: usize = 20;
const PAIRS: usize = 200;

/// The share of shifts by 0.15 deviations of one column that is found in 2,000 rows, and of alarms without one.
pub(crate) fn judge_power(_folder: &Path) -> Result<Value, Box<dyn Error>> {
    let (found, cost) = measured(|| Some([power(0.15)?, power(0.0)?]));
    let [found, unchanged] = found.ok_or("too little data")?;
    let mut said = told("domain_power", cost, json!({}));
    said["power"] = json!(found);
    said["false_alarms"] = json!(unchanged);
    Ok(said)
}

fn power(shift: f64) -> Option<f64> {
    let mut random = Random::new(7);
    let mut found = 0;
    for pair in 0..PAIRS {
        let mut sample = |moved: f64| -> Vec<Vec<f64>> {
            let of_column = |column| if column == 0 { moved } else { 0.0 };
            (0..COLUMNS).map(|column| (0..SMALL).map(|_| random.normal() + of_column(column)).collect()).collect()
        };
        let (reference, current) = (sample(0.0), sample(shift));
        let settings = ClassifierSettings { seed: pair as u64, ..ClassifierSettings::default() };
        let test = classifier_test(&whole(&reference)?, &whole(&current)?, &settings)?;
        found += usize::from(test.p_value <= 0.05);
    }
    Some(found as f64 / PAIRS as f64)
}

fn whole(columns: &[Vec<f64>]) -> Option<Features<'_>> {
    Features::new(columns.iter().map(Vec::as_slice).collect())
}
