//! One-class machines, robust distances, neighbours, histograms and tails: fitting, and scoring the same rows.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::learn::Features;
use wardline_stats::outlier::{
    HistogramScore, LinearOneClass, LinearOneClassSettings, LocalOutlierFactor, NearestDistance, OneClassSvm,
    RobustDistance, TailRule, TailScore, scale_gamma,
};

use crate::data::numeric;
use crate::measure::{measured, told};

/// The share of rows outside of a border.
const NU: f64 = 0.05;

/// Fits and scores the first `rows` of the 20 columns.
fn judged(
    folder: &Path,
    job: &str,
    rows: usize,
    score: impl FnOnce(&Features<'_>) -> Option<Vec<f64>>,
) -> Result<Value, Box<dyn Error>> {
    let columns = numeric(folder, "reference")?;
    let table: Option<Vec<&[f64]>> = columns.iter().map(|column| column.get(..rows)).collect();
    let table = table.and_then(Features::new).ok_or("too little data")?;
    let (scores, cost) = measured(|| score(&table));
    let scores = scores.ok_or("no scores")?;
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    Ok(told(job, cost, json!({"mean": mean})))
}

/// The exact machine with libsvm's usual tolerance.
pub(crate) fn one_class(folder: &Path) -> Result<Value, Box<dyn Error>> {
    judged(folder, "one_class", 10_000, |rows| OneClassSvm::fit(rows, NU, scale_gamma(rows)?, 1e-3)?.score(rows))
}

/// The machine of random features.
pub(crate) fn linear_one_class(folder: &Path) -> Result<Value, Box<dyn Error>> {
    judged(folder, "linear_one_class", 1_000_000, |rows| {
        let settings = LinearOneClassSettings { nu: NU, ..LinearOneClassSettings::new(scale_gamma(rows)?) };
        LinearOneClass::fit(rows, &settings)?.score(rows)
    })
}

pub(crate) fn local_outlier_factor(folder: &Path) -> Result<Value, Box<dyn Error>> {
    judged(folder, "local_outlier_factor", 10_000, |rows| {
        Some(LocalOutlierFactor::fit(rows, 20)?.reference_scores().to_vec())
    })
}

pub(crate) fn nearest(folder: &Path) -> Result<Value, Box<dyn Error>> {
    judged(folder, "nearest", 10_000, |rows| Some(NearestDistance::fit(rows, 5)?.reference_scores()))
}

pub(crate) fn histograms(folder: &Path) -> Result<Value, Box<dyn Error>> {
    judged(folder, "histograms", 100_000, |rows| HistogramScore::fit(rows, 10)?.score(rows))
}

pub(crate) fn ecod(folder: &Path) -> Result<Value, Box<dyn Error>> {
    judged(folder, "ecod", 100_000, |rows| TailScore::among_themselves(rows, TailRule::Ecod))
}

pub(crate) fn copod(folder: &Path) -> Result<Value, Box<dyn Error>> {
    judged(folder, "copod", 100_000, |rows| TailScore::among_themselves(rows, TailRule::Copod))
}

pub(crate) fn robust_distance(folder: &Path) -> Result<Value, Box<dyn Error>> {
    judged(folder, "robust_distance", 100_000, |rows| RobustDistance::fit(rows, 1)?.score(rows))
}
