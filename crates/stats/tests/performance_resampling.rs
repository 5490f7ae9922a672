//! Standard errors that have no textbook formula are those of resampling.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use wardline_stats::interval::{Estimate, bootstrap};
use wardline_stats::performance::*;

fn lcg(n: usize, mut z: u64) -> Vec<f64> {
    let next = || {
        z = (1_103_515_245 * z + 12_345) & 0x7fff_ffff;
        z as f64 / 2_147_483_648.0
    };
    std::iter::repeat_with(next).take(n).collect()
}

fn value(estimate: Option<Estimate>) -> Option<f64> {
    estimate.map(|estimate| estimate.value)
}

fn binary() -> (Vec<f64>, Vec<bool>, Vec<f64>) {
    let scores: Vec<f64> = lcg(400, 31).iter().map(|u| (u * 40.0).floor() / 40.0).collect();
    let labels = lcg(400, 33).iter().zip(&scores).map(|(u, score)| *u < 0.15 + 0.7 * score).collect();
    let weights = lcg(400, 35).iter().map(|u| 1.0 + (u * 4.0).floor()).collect();
    (scores, labels, weights)
}

const TABLE_METRICS: [(&str, BinaryMetric); 9] = [
    ("accuracy", BinaryMetric::Accuracy),
    ("balanced_accuracy", BinaryMetric::BalancedAccuracy),
    ("precision", BinaryMetric::Precision),
    ("recall", BinaryMetric::Recall),
    ("specificity", BinaryMetric::Specificity),
    ("f1", BinaryMetric::F1),
    ("f_half", BinaryMetric::FBeta(0.5)),
    ("f2", BinaryMetric::FBeta(2.0)),
    ("matthews", BinaryMetric::MatthewsCorrelation),
];

/// Goal: standard errors without a textbook formula are those of resampling.
/// Method: 1,000 resamples of the golden rows, whose own error is 2 to 3 %.
#[test]
fn standard_errors_agree_with_resampling() {
    let (scores, labels, _) = binary();
    let picked = |weights: &[f64]| -> Vec<usize> {
        weights.iter().enumerate().flat_map(|(row, weight)| std::iter::repeat_n(row, *weight as usize)).collect()
    };
    let check = |name: &str, found: Estimate, statistic: &dyn Fn(&[usize]) -> Option<f64>| {
        let resampled = bootstrap(400, 1_000, 0.95, 3, |weights| statistic(&picked(weights))).unwrap().estimate;
        let ratio = found.standard_error / resampled.standard_error;
        assert!((0.88..1.12).contains(&ratio), "{name}: {found:?} where {resampled:?}");
        assert!((found.value - resampled.value).abs() < 1e-12);
    };
    let rows = |rows: &[usize]| -> (Vec<f64>, Vec<bool>) {
        (rows.iter().map(|row| scores[*row]).collect(), rows.iter().map(|row| labels[*row]).collect())
    };
    let table = |scores: &[f64], labels: &[bool]| {
        Confusion::of(&scores.iter().map(|score| *score >= 0.5).collect::<Vec<_>>(), labels).unwrap()
    };
    for (name, metric) in TABLE_METRICS {
        check(name, table(&scores, &labels).estimate(metric).unwrap(), &|picked| {
            let (scores, labels) = rows(picked);
            table(&scores, &labels).metric(metric)
        });
    }
    check("area", area_under_roc(&scores, &labels).unwrap(), &|picked| {
        let (scores, labels) = rows(picked);
        value(area_under_roc(&scores, &labels))
    });
    check("average precision", average_precision(&scores, &labels).unwrap(), &|picked| {
        let (scores, labels) = rows(picked);
        value(average_precision(&scores, &labels))
    });
    let numbers: Vec<f64> =
        labels.iter().zip(&scores).map(|(label, score)| f64::from(u8::from(*label)) + score).collect();
    check("determination", r_squared(&numbers, &scores).unwrap(), &|picked| {
        let numbers: Vec<f64> = picked.iter().map(|row| numbers[*row]).collect();
        value(r_squared(&numbers, &rows(picked).0))
    });
}
