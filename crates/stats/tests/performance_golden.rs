//! The same metrics as scikit-learn 1.9.1 and the same estimates as NannyML 0.13.1, to 1e-9 relative.
//!
//! `testdata/regenerate` makes the values anew.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use serde_json::Value;
use wardline_stats::interval::{Estimate, bootstrap};
use wardline_stats::performance::*;

fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn metrics() -> Value {
    golden(include_str!("../testdata/golden_metrics.json"))
}

fn nannyml() -> Value {
    golden(include_str!("../testdata/golden_nannyml.json"))
}

fn lcg(n: usize, mut z: u64) -> Vec<f64> {
    let next = || {
        z = (1_103_515_245 * z + 12_345) & 0x7fff_ffff;
        z as f64 / 2_147_483_648.0
    };
    std::iter::repeat_with(next).take(n).collect()
}

#[track_caller]
fn close(found: Option<f64>, all: &Value, path: &str, tolerance: f64) {
    let expected = all.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no golden value at {path}"));
    let found = found.unwrap_or_else(|| panic!("nothing at {path}"));
    assert!((found - expected).abs() <= tolerance * expected.abs(), "{path}: {found} where {expected} is expected");
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

#[test]
fn binary_metrics_agree_with_scikit_learn() {
    let (all, (scores, labels, weights)) = (metrics(), binary());
    let decisions: Vec<bool> = scores.iter().map(|score| *score >= 0.5).collect();
    let plain = Confusion::of(&decisions, &labels).unwrap();
    // Whole weights are repeated rows.
    let mut weighted = Confusion::default();
    for ((decision, label), weight) in decisions.iter().zip(&labels).zip(&weights) {
        (0..*weight as u32).for_each(|_| weighted.observe(*decision, *label));
    }
    for (name, metric) in TABLE_METRICS.into_iter().chain([("kappa", BinaryMetric::Kappa)]) {
        close(plain.metric(metric), &all, &format!("/binary/plain/{name}"), 1e-9);
        close(weighted.metric(metric), &all, &format!("/binary/weighted/{name}"), 1e-9);
    }
    close(value(area_under_roc(&scores, &labels)), &all, "/binary/plain/roc_auc", 1e-9);
    close(value(weighted_area_under_roc(&scores, &labels, &weights)), &all, "/binary/weighted/roc_auc", 1e-9);
    close(value(average_precision(&scores, &labels)), &all, "/binary/plain/average_precision", 1e-9);
    close(value(brier_estimate(&scores, &labels)), &all, "/binary/plain/brier", 1e-9);
    let inside: Vec<f64> = scores.iter().map(|score| score.clamp(0.025, 0.975)).collect();
    close(value(log_loss_estimate(&inside, &labels)), &all, "/binary/plain/log_loss_clipped_to_0.025", 1e-9);
}

fn classes(n: usize, seed: u64) -> Vec<f64> {
    let columns = [lcg(n, seed), lcg(n, seed + 2), lcg(n, seed + 4)];
    let row = |at: usize| {
        let raw = [0.2 + columns[0][at], 0.2 + columns[1][at], 0.2 + columns[2][at]];
        let total: f64 = raw.iter().sum();
        raw.map(|value| value / total)
    };
    (0..n).flat_map(row).collect()
}

fn drawn(scores: &[f64], seed: u64) -> Vec<usize> {
    let draws = lcg(scores.len() / 3, seed);
    let label = |(row, draw): (&[f64], f64)| if draw < row[0] { 0 } else { 1 + usize::from(draw >= row[0] + row[1]) };
    scores.chunks_exact(3).zip(draws).map(label).collect()
}

fn greatest(scores: &[f64]) -> Vec<usize> {
    let best = |row: &[f64]| (0..3).max_by(|a, b| row[*a].total_cmp(&row[*b]).then(b.cmp(a))).unwrap();
    scores.chunks_exact(3).map(best).collect()
}

#[test]
fn multiclass_metrics_agree_with_scikit_learn() {
    let all = metrics();
    let scores = classes(300, 41);
    let (labels, decisions) = (drawn(&scores, 47), greatest(&scores));
    let mut table = MulticlassConfusion::new(3).unwrap();
    assert!(labels.iter().zip(&decisions).all(|(label, decision)| table.observe(*label, *decision)));
    close(value(table.accuracy()), &all, "/multiclass/accuracy", 1e-9);
    close(table.balanced_accuracy(), &all, "/multiclass/balanced_accuracy", 1e-9);
    close(table.matthews_correlation(), &all, "/multiclass/matthews", 1e-9);
    close(table.kappa(), &all, "/multiclass/kappa", 1e-9);
    close(value(multiclass_log_loss(&scores, &labels, 3)), &all, "/multiclass/log_loss", 1e-9);
    close(value(multiclass_brier(&scores, &labels, 3)), &all, "/multiclass/brier_sum_over_classes", 1e-9);
    for (name, average) in [("macro", Average::Macro), ("micro", Average::Micro), ("weighted", Average::Weighted)] {
        for (of, metric) in
            [("precision", BinaryMetric::Precision), ("recall", BinaryMetric::Recall), ("f1", BinaryMetric::F1)]
        {
            close(value(table.average(metric, average)), &all, &format!("/multiclass/{name}/{of}"), 1e-9);
        }
        if average != Average::Micro {
            let found = value(one_vs_rest_area(&scores, &labels, 3, average));
            close(found, &all, &format!("/multiclass/{name}/roc_auc_one_vs_rest"), 1e-9);
        }
    }
}

#[test]
fn regression_metrics_agree_with_scikit_learn() {
    let all = metrics();
    let actual: Vec<f64> = lcg(250, 51).iter().map(|u| 1.0 + 9.0 * u).collect();
    let predicted: Vec<f64> = lcg(250, 53).iter().zip(&actual).map(|(u, y)| y * (0.8 + 0.4 * u) + 0.1).collect();
    let errors = RegressionErrors::of(&actual, &predicted).unwrap();
    for (name, metric) in [
        ("mae", RegressionMetric::MeanAbsoluteError),
        ("mse", RegressionMetric::MeanSquaredError),
        ("rmse", RegressionMetric::RootMeanSquaredError),
        ("bias", RegressionMetric::Bias),
        ("mape", RegressionMetric::MeanAbsolutePercentageError),
        ("smape_of_mean", RegressionMetric::SymmetricPercentageError),
        ("msle", RegressionMetric::MeanSquaredLogError),
        ("rmsle", RegressionMetric::RootMeanSquaredLogError),
    ] {
        close(value(errors.metric(metric)), &all, &format!("/regression/{name}"), 1e-9);
    }
    close(errors.r_squared(), &all, "/regression/r2", 1e-9);
    close(value(r_squared(&actual, &predicted)), &all, "/regression/r2", 1e-9);
    close(value(quantile_loss(&actual, &predicted, 0.1)), &all, "/regression/pinball_0.1", 1e-9);
    close(value(quantile_loss(&actual, &predicted, 0.9)), &all, "/regression/pinball_0.9", 1e-9);
}

/// scikit-learn has the gain and the average precision; the others are their definitions in numpy.
#[test]
fn ranking_metrics_agree_with_scikit_learn() {
    let all = metrics();
    for at in 0..6 {
        let numbers = |name: &str| -> Vec<f64> {
            let values = all.pointer(&format!("/ranking/{at}/{name}")).unwrap().as_array().unwrap();
            values.iter().map(|value| value.as_f64().unwrap()).collect()
        };
        let list = RankedList::by_score(&numbers("scores"), &numbers("gains"), 2.0).unwrap();
        for (name, metric, k) in [
            ("ndcg_5", RankingMetric::NormalizedGain, 5),
            ("ndcg", RankingMetric::NormalizedGain, 100),
            ("average_precision", RankingMetric::AveragePrecision, 12),
            ("reciprocal_rank", RankingMetric::ReciprocalRank, 12),
            ("precision_5", RankingMetric::Precision, 5),
            ("recall_5", RankingMetric::Recall, 5),
            ("hit_5", RankingMetric::HitRate, 5),
        ] {
            close(list.metric(metric, k), &all, &format!("/ranking/{at}/{name}"), 1e-9);
        }
    }
}

fn scorer() -> (Vec<f64>, Vec<bool>, Vec<f64>) {
    let scores: Vec<f64> = (0..200).map(|i| (f64::from((i * 67) % 200) + 0.5) / 200.0).collect();
    let labels = lcg(200, 7).iter().zip(&scores).map(|(u, score)| *u < score.powf(1.5)).collect();
    let current = (0..150).map(|j| 0.9 * (f64::from((83 * j) % 150) + 0.5) / 150.0).collect();
    (scores, labels, current)
}

/// The minimum itself: scikit-learn stops its search at about 1e-4 of it.
#[test]
fn platt_agrees_with_the_minimum_of_scikit_learns_loss() {
    let all = metrics();
    let (scores, labels, _) = scorer();
    let log_odds: Vec<f64> = scores.iter().map(|score| (score / (1.0 - score)).ln()).collect();
    for (name, values) in [("platt_scores", scores), ("platt_log_odds", log_odds)] {
        let fitted = Platt::fit(&values, &labels).unwrap();
        close(Some(fitted.slope()), &all, &format!("/calibration/{name}/a"), 1e-9);
        close(Some(fitted.intercept()), &all, &format!("/calibration/{name}/b"), 1e-9);
        close(Some(fitted.slope()), &all, &format!("/calibration/{name}/sklearn_a"), 1e-3);
        close(Some(fitted.intercept()), &all, &format!("/calibration/{name}/sklearn_b"), 1e-3);
    }
}

/// NannyML rounds running counts to five decimals for its two areas, hence 1e-6 there.
#[test]
fn estimates_agree_with_nannyml() {
    let all = nannyml();
    let (scores, labels, current) = scorer();
    let worth = BusinessValue { true_positive: 10.0, false_positive: -2.0, true_negative: 1.0, false_negative: -5.0 };
    let check = |estimator: &Cbpe, current: &[f64], path: &dyn Fn(&str) -> String| {
        let decisions: Vec<bool> = current.iter().map(|score| *score >= 0.5).collect();
        let window = estimator.window(current, &decisions).unwrap();
        for (name, metric) in &TABLE_METRICS[..6] {
            if all.pointer(&path(name)).is_some() {
                close(value(window.metric(*metric)), &all, &path(name), 1e-9);
            }
        }
        close(value(window.business_value(&worth)), &all, &path("business_value"), 1e-9);
        close(value(window.area_under_roc()), &all, &path("roc_auc"), 1e-6);
        close(value(window.average_precision()), &all, &path("average_precision"), 1e-6);
    };
    check(&Cbpe::uncalibrated(), &current, &|name| format!("/formulas_without_calibration/{name}"));
    let fitted = Cbpe::fit(&scores, &labels).unwrap();
    check(&fitted, &current, &|name| format!("/cbpe_one_chunk/{name}/value/0"));
    check(&fitted, &current[..75], &|name| format!("/cbpe_two_chunks/{name}/value/0"));
    check(&fitted, &current[75..], &|name| format!("/cbpe_two_chunks/{name}/value/1"));
    let window = fitted.window(&current, &vec![true; 150]).unwrap();
    assert!(window.confusion().cells()[2..] == [0.0, 0.0]);
}

#[test]
fn multiclass_estimates_agree_with_nannyml() {
    let all = nannyml();
    let scores = classes(300, 71);
    let decisions = greatest(&scores);
    let reference = classes(600, 41);
    let fitted = MulticlassCbpe::fit(&reference, &drawn(&reference, 47), 3).unwrap();
    let window = fitted.window(&scores, &decisions).unwrap();
    for label in 0..3 {
        for decision in 0..3 {
            close(window.cell(label, decision), &all, &format!("/multiclass/confusion/{label}/{decision}"), 1e-9);
        }
    }
    for (name, metric) in &TABLE_METRICS[2..6] {
        close(value(window.macro_average(*metric)), &all, &format!("/multiclass/{name}/value/0"), 1e-9);
    }
    close(value(window.accuracy()), &all, "/multiclass/accuracy/value/0", 1e-9);
    // All scores of the second class are 1/3 up to rounding, which NannyML ranks by.
    close(value(window.area_under_roc()), &all, "/multiclass/roc_auc/value/0", 1e-3);
    close(value(window.average_precision()), &all, "/multiclass/average_precision/value/0", 1e-2);
}

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
