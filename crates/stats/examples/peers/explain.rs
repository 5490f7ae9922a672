//! Shapley values of XGBoost's trees, beside shap: the model that `benches/peers/peer_explain.py` learned.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::explain::TreeShap;
use wardline_stats::learn::Features;
use wardline_stats::trees::{Ensemble, read_xgboost_json};

use crate::data::numeric;
use crate::measure::{measured, told};

const ROWS: usize = 10_000;
const BACKGROUND: usize = 100;
const INTERACTIONS: usize = 1_000;
const PREDICTED: usize = 100_000;

fn model(folder: &Path) -> Result<Ensemble, Box<dyn Error>> {
    Ok(read_xgboost_json(&fs::read(folder.join("explain-model.json"))?)?)
}

/// The explained rows and the background: as the peer's.
fn rows(folder: &Path) -> Result<[Vec<Vec<f64>>; 2], Box<dyn Error>> {
    let columns = numeric(folder, "reference")?;
    let part = |first: usize, count: usize| -> Vec<Vec<f64>> {
        columns.iter().map(|column| column[first..first + count].to_vec()).collect()
    };
    Ok([part(0, ROWS), part(20_000 - BACKGROUND, BACKGROUND)])
}

fn table(columns: &[Vec<f64>], rows: usize) -> Result<Features<'_>, &'static str> {
    Features::new(columns.iter().map(|column| &column[..rows]).collect()).ok_or("no table")
}

fn judge(folder: &Path, job: &str, with_background: bool) -> Result<Value, Box<dyn Error>> {
    let model = model(folder)?;
    let [columns, others] = rows(folder)?;
    let (explained, background) = (table(&columns, ROWS)?, table(&others, BACKGROUND)?);
    let (found, cost) = measured(|| {
        let shap = if with_background {
            TreeShap::interventional(&model, &background)
        } else {
            TreeShap::path_dependent(&model)
        };
        shap?.values(&explained)
    });
    let found = found.ok_or("no values")?;
    let sum: f64 = (0..20).flat_map(|feature| found.column(feature, 0)).map(|value| value.abs()).sum();
    Ok(told(job, cost, json!({"sum": sum})))
}

/// Values where features follow the training rows' shares.
pub(crate) fn path_dependent(folder: &Path) -> Result<Value, Box<dyn Error>> {
    judge(folder, "shap_path_dependent", false)
}

/// Values against a background of 100 rows.
pub(crate) fn interventional(folder: &Path) -> Result<Value, Box<dyn Error>> {
    judge(folder, "shap_interventional", true)
}

/// All pairs of features, of 1,000 rows.
pub(crate) fn interactions(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let model = model(folder)?;
    let [columns, _] = rows(folder)?;
    let explained = table(&columns, INTERACTIONS)?;
    let (found, cost) = measured(|| TreeShap::path_dependent(&model)?.interactions(&explained));
    let found = found.ok_or("no values")?;
    let pairs = (0..400).map(|at| (at / 20, at % 20));
    let sum: f64 = pairs.flat_map(|pair| found.column(pair, 0)).map(|value| value.abs()).sum();
    Ok(told("shap_interactions", cost, json!({"sum": sum})))
}

/// Margins of 100,000 rows.
pub(crate) fn predict(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let model = model(folder)?;
    let columns = numeric(folder, "current")?;
    let rows = table(&columns, PREDICTED)?;
    let (margins, cost) = measured(|| model.margins(&rows));
    let sum: f64 = margins.ok_or("another number of columns")?.iter().sum();
    Ok(told("trees_predict", cost, json!({"sum": sum})))
}
