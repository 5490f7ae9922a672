//! Estimated performance of a million unlabelled scores, after calibration on a million labelled ones.
//!
//! As the peer does: the realised metrics of 20 chunks of the reference give limits of three standard deviations, and
//! each chunk of the window gets estimates with standard errors and whether they leave the limits.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::interval::Estimate;
use wardline_stats::performance::{BinaryMetric, Cbpe, Confusion, area_under_roc};
use wardline_stats::sketch::Moments;

use crate::data::{codes, numbers};
use crate::measure::{measured, told};

/// Rows of a chunk, on both sides.
const CHUNK: usize = 50_000;
const NAMES: [&str; 3] = ["roc_auc", "f1", "accuracy"];

struct Judged {
    estimate: Estimate,
    alerts: bool,
}

pub(crate) fn judge(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let reference = numbers(folder, "reference-score")?;
    let labels: Vec<bool> = codes(folder, "reference-label")?.iter().map(|label| *label == 1).collect();
    let current = numbers(folder, "current-score")?;
    let (found, cost) = measured(|| {
        let estimator = Cbpe::fit(&reference, &labels)?;
        let limits = limits(&reference, &labels)?;
        current.chunks(CHUNK).map(|scores| judge_chunk(&estimator, scores, &limits)).collect::<Option<Vec<_>>>()
    });
    let found = found.ok_or("too little data")?;
    let mut said = json!({"alerts": found.iter().flatten().filter(|judged| judged.alerts).count()});
    for (place, name) in NAMES.into_iter().enumerate() {
        let mean = |of: fn(&Estimate) -> f64| {
            found.iter().map(|chunk| of(&chunk[place].estimate)).sum::<f64>() / found.len() as f64
        };
        said[name] = json!(mean(|estimate| estimate.value));
        said[format!("{name}_standard_error")] = json!(mean(|estimate| estimate.standard_error));
    }
    Ok(told("estimate", cost, said))
}

fn decided(scores: &[f64]) -> Vec<bool> {
    scores.iter().map(|score| *score >= 0.5).collect()
}

/// Mean and deviation of each metric over the chunks of the reference.
fn limits(scores: &[f64], labels: &[bool]) -> Option<[Moments; 3]> {
    let mut limits = [Moments::new(); 3];
    for (scores, labels) in scores.chunks(CHUNK).zip(labels.chunks(CHUNK)) {
        let table = Confusion::of(&decided(scores), labels)?;
        let realised = [
            area_under_roc(scores, labels)?.value,
            table.metric(BinaryMetric::F1)?,
            table.metric(BinaryMetric::Accuracy)?,
        ];
        limits.iter_mut().zip(realised).for_each(|(limit, value)| {
            limit.insert(value);
        });
    }
    Some(limits)
}

fn judge_chunk(estimator: &Cbpe, scores: &[f64], limits: &[Moments; 3]) -> Option<[Judged; 3]> {
    let window = estimator.window(scores, &decided(scores))?;
    let judged = |estimate: Option<Estimate>, limits: &Moments| {
        let estimate = estimate?;
        let away = (estimate.value - limits.mean()?).abs();
        Some(Judged { estimate, alerts: away > 3.0 * limits.standard_deviation()? })
    };
    Some([
        judged(window.area_under_roc(), &limits[0])?,
        judged(window.metric(BinaryMetric::F1), &limits[1])?,
        judged(window.metric(BinaryMetric::Accuracy), &limits[2])?,
    ])
}
