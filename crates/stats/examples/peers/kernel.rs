//! Kernel drift of a million rows of 20 numbers, by random features.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::two_sample::{KernelReference, KernelSettings, Rows};

use crate::data::numeric;
use crate::measure::{measured, told};
use crate::random::Random;

const COLUMNS: usize = 20;
const ALPHA: f64 = 0.05;
/// By how many standard deviations one of the columns moves where power is measured, as for the peer.
const SHIFT: f64 = 0.15;
const PAIRS: usize = 40;

pub(crate) fn judge(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let side = |name: &str| numeric(folder, name).map(|columns| rows(&columns));
    let (reference, current) = (side("reference")?, side("million")?);
    let (kept, kept_cost) =
        measured(|| KernelReference::new(Rows::new(&reference, COLUMNS)?, &KernelSettings::default()));
    let kept = kept.ok_or("too little data")?;
    drop(reference);
    let (found, cost) = measured(|| {
        let mut window = kept.window();
        window.insert(Rows::new(&current, COLUMNS)?);
        kept.compare(&window)
    });
    let found = found.ok_or("too little data")?;
    let mut said = told("kernel", cost, json!({"squared_discrepancy": found.squared_discrepancy, "p": found.p_value}));
    said["keeping_the_reference_s"] = kept_cost["cpu_s"].clone();
    Ok(said)
}

/// Shares of small shifts found; 200,000 rows are a fifth of what the time is measured for.
pub(crate) fn judge_power(_folder: &Path) -> Result<Value, Box<dyn Error>> {
    let (found, cost) =
        measured(|| Some([power(200_000, 10, SHIFT)?, power(2_000, PAIRS, SHIFT)?, power(2_000, 10 * PAIRS, 0.0)?]));
    let [large, small, unchanged] = found.ok_or("too little data")?;
    let mut said = told("kernel_power", cost, json!({}));
    said["power"] = json!(large);
    said["power_at_2000_rows"] = json!(small);
    said["false_alarms"] = json!(unchanged);
    Ok(said)
}

/// The share of pairs of samples of so many rows that are told apart.
fn power(size: usize, pairs: usize, shift: f64) -> Option<f64> {
    let mut random = Random::new(7);
    let mut found = 0;
    for _ in 0..pairs {
        let mut sample = |moved: f64| -> Vec<f64> {
            (0..size * COLUMNS).map(|at| random.normal() + if at % COLUMNS == 0 { moved } else { 0.0 }).collect()
        };
        let (reference, current) = (sample(0.0), sample(shift));
        let kept = KernelReference::new(Rows::new(&reference, COLUMNS)?, &KernelSettings::default())?;
        let mut window = kept.window();
        window.insert(Rows::new(&current, COLUMNS)?);
        found += usize::from(kept.compare(&window)?.p_value <= ALPHA);
    }
    Some(found as f64 / pairs as f64)
}

/// Row after row.
fn rows(columns: &[Vec<f64>]) -> Vec<f64> {
    let length = columns.iter().map(Vec::len).min().unwrap_or(0);
    (0..length).flat_map(|row| columns.iter().map(move |column| column[row])).collect()
}
