//! Hashed n-grams of texts: learning, and judging new ones.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::learn::{TextClassifier, TextRow, TextSettings};
use wardline_stats::performance::area_under_roc;

use crate::data::codes;
use crate::measure::{measured, told};

const LEARNED: usize = 16_000;
const PASSES: u32 = 3;

/// Learns 16,000 texts and judges 4,000.
pub(crate) fn judge(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let file = std::fs::read_to_string(folder.join("texts.txt"))?;
    let texts: Vec<&str> = file.lines().collect();
    let classes = codes(folder, "texts")?;
    if texts.len() != classes.len() || texts.len() <= LEARNED {
        return Err("not the texts".into());
    }
    let (learned, new) = texts.split_at(LEARNED);
    let (labels, truth) = classes.split_at(LEARNED);
    let learn = || TextClassifier::fit(learned, labels, 2, &TextSettings::default(), PASSES, 1);
    let (found, mut cost) = measured(|| {
        let (model, learning) = measured(learn);
        let model = model?;
        let mut row = TextRow::new();
        let found: Vec<f64> = new.iter().map(|text| model.probabilities(text, &mut row)[1]).collect();
        Some((found, learning))
    });
    let (found, learning) = found.ok_or("nothing learned")?;
    let of = |cost: &Value, what: &str| cost[what].as_f64().unwrap_or(f64::NAN);
    let judging = 1e6 * (of(&cost, "cpu_s") - of(&learning, "cpu_s")) / new.len() as f64;
    let is_odd: Vec<bool> = truth.iter().map(|class| *class == 1).collect();
    let area = area_under_roc(&found, &is_odd).ok_or("one class only")?.value;
    let right = found.iter().zip(&is_odd).filter(|(p, is_odd)| (**p > 0.5) == **is_odd).count();
    let accuracy = right as f64 / new.len() as f64;
    cost["peak_mib"] = json!(of(&cost, "peak_mib").max(of(&learning, "peak_mib")));
    Ok(told("text", cost, json!({"area": area, "accuracy": accuracy, "microseconds_for_a_text": judging})))
}
