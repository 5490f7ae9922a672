//! Five metrics with intervals over twelve crossed groups, from 1,000,000 rows.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::fairness::{
    CalibrationRules, GroupCounts, GroupMetric, ImpactRules, ReferenceGroup, ScoreSweep, ScoredRows, crossed,
};

use crate::measure::{measured, told};

const ROWS: u64 = 1_000_000;
const METRICS: [GroupMetric; 5] = [
    GroupMetric::SelectionRate,
    GroupMetric::TruePositiveRate,
    GroupMetric::FalsePositiveRate,
    GroupMetric::Precision,
    GroupMetric::Accuracy,
];

/// In `[0, 1)`, by SplitMix64 of row and place; `peer_fairness.py` makes the same.
fn unit(row: u64, place: u64) -> f64 {
    let mut z = (row * 64 + place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
}

struct Rows {
    groups: Vec<u32>,
    scores: Vec<f64>,
    decisions: Vec<bool>,
    labels: Vec<bool>,
}

/// Two, three and two levels, skewed; one level in five is selected less.
fn rows() -> Rows {
    let mut rows = Rows { groups: vec![], scores: vec![], decisions: vec![], labels: vec![] };
    for row in 0..ROWS {
        let level = |place: u64, levels: usize| ((levels as f64 * unit(row, place).powi(2)) as usize, levels);
        let levels = [level(0, 2), level(1, 3), level(2, 2)];
        let label = unit(row, 3) < 0.3;
        let score = 0.6 * unit(row, 4) + 0.3 * f64::from(u8::from(label)) - 0.05 * levels[1].0 as f64;
        rows.groups.push(crossed(&levels).map_or(0, |group| group as u32));
        rows.scores.push(score.clamp(0.0, 1.0));
        rows.decisions.push(score >= 0.4);
        rows.labels.push(label);
    }
    rows
}

pub(crate) fn judge(_: &Path) -> Result<Value, Box<dyn Error>> {
    let rows = rows();
    let (found, cost) = measured(|| {
        let counts = GroupCounts::from_rows(&rows.groups, &rows.decisions, &rows.labels, 12)?;
        let values = METRICS.map(|metric| counts.by_group(metric, 0.95));
        let gaps = METRICS.map(|metric| counts.gap(metric, 0.95));
        let odds = counts.equalized_odds(0.95)?;
        let impacts = counts.impacts(ReferenceGroup::Group(0), &ImpactRules::default())?;
        Some((values, gaps, odds, impacts))
    });
    let (values, gaps, odds, impacts) = found.ok_or("no groups")?;
    let of_metric = |metric: usize| values[metric].iter().flatten().map(|group| group.value).collect::<Vec<f64>>();
    Ok(told(
        "fairness",
        cost,
        json!({
            "selection_rate": of_metric(0), "true_positive_rate": of_metric(1), "odds": odds,
            "gaps": gaps.iter().flatten().count(), "compared": impacts.rows.len(),
        }),
    ))
}

/// Every distinct score as a cut-off, and calibration by group.
pub(crate) fn sweep(_: &Path) -> Result<Value, Box<dyn Error>> {
    let rows = rows();
    let scored = ScoredRows::new(&rows.groups, &rows.scores, &rows.labels, 12).ok_or("no rows")?;
    let (swept, mut cost) = measured(|| scored.sweep(30));
    let swept = swept.ok_or("no groups")?;
    let (of_bins, bins_cost) = measured(|| {
        let histograms = scored.histograms(1_000)?;
        ScoreSweep::from_histograms(&histograms, 30)
    });
    let of_bins = of_bins.ok_or("no groups")?;
    let (calibrated, calibration_cost) = measured(|| scored.calibration(&CalibrationRules::default()));
    cost["bins_cpu_s"] = bins_cost["cpu_s"].clone();
    cost["calibration_cpu_s"] = calibration_cost["cpu_s"].clone();
    let said = json!({
        "cutoffs": swept.cutoffs().len(), "meeting": swept.meeting(0.8, 1), "best": swept.most_accurate(),
        "meeting_by_bins": of_bins.meeting(0.8, 1), "calibrated": calibrated.iter().flatten().count(),
    });
    Ok(told("fairness_sweep", cost, said))
}
