//! Estimated performance of a million unlabelled scores, after calibration on a million labelled ones.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::performance::{ExpectedConfusion, Isotonic, estimated_area_under_roc};

use crate::data::{codes, numbers};
use crate::measure::{measured, told};

/// Rows of a chunk, on both sides.
const CHUNK: usize = 50_000;

/// What is said of each chunk: area under the curve, F1, accuracy.
struct Estimated {
    area: f64,
    f1: f64,
    accuracy: f64,
}

pub(crate) fn judge(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let reference = numbers(folder, "reference-score")?;
    let labels: Vec<bool> = codes(folder, "reference-label")?.iter().map(|label| *label == 1).collect();
    let current = numbers(folder, "current-score")?;
    let (found, cost) = measured(|| {
        let curve = Isotonic::fit(&reference, &labels)?;
        current.chunks(CHUNK).map(|scores| estimate(&curve, scores)).collect::<Option<Vec<Estimated>>>()
    });
    let found = found.ok_or("too little data")?;
    let mean = |of: fn(&Estimated) -> f64| found.iter().map(of).sum::<f64>() / found.len() as f64;
    let said = json!({
        "roc_auc": mean(|chunk| chunk.area), "f1": mean(|chunk| chunk.f1), "accuracy": mean(|chunk| chunk.accuracy),
    });
    Ok(told("estimate", cost, said))
}

fn estimate(curve: &Isotonic, scores: &[f64]) -> Option<Estimated> {
    let probabilities = scores.iter().map(|score| curve.probability(*score)).collect::<Option<Vec<f64>>>()?;
    let mut confusion = ExpectedConfusion::new();
    for (score, probability) in scores.iter().zip(&probabilities) {
        confusion.observe(*probability, *score >= 0.5);
    }
    Some(Estimated {
        area: estimated_area_under_roc(scores, &probabilities)?,
        f1: confusion.f1()?,
        accuracy: confusion.accuracy()?,
    })
}
