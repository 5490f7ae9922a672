//! Estimated performance, against NannyML 0.13.1.

use wardline_stats::performance::{
    BinaryMetric, BusinessValue, CalibratedScores, Cbpe, MulticlassCbpe, MulticlassEstimate,
};

use crate::inputs::{class_of, lcg, probabilities, scorer};
use crate::values::{Golden, close, nannyml};

const METRICS: [(&str, BinaryMetric); 5] = [
    ("accuracy", BinaryMetric::Accuracy),
    ("precision", BinaryMetric::Precision),
    ("recall", BinaryMetric::Recall),
    ("specificity", BinaryMetric::Specificity),
    ("f1", BinaryMetric::F1),
];
const VALUE: BusinessValue =
    BusinessValue { true_positive: 10.0, false_positive: -2.0, true_negative: 1.0, false_negative: -5.0 };

fn decided(scores: &[f64]) -> Vec<bool> {
    scores.iter().map(|score| *score >= 0.5).collect()
}

/// Every number of a window. Areas: NannyML rounds its sums to five places.
fn check(window: &CalibratedScores, golden: &Golden, path: impl Fn(&str) -> String) {
    for (name, metric) in METRICS {
        let found = window.metric(metric).map(|found| found.value);
        close(name, found, golden.number(&path(name)), 1e-9);
    }
    let value = window.business_value(&VALUE).map(|value| value.value);
    close("business value", value, golden.number(&path("business_value")), 1e-9);
    let area = window.area_under_roc().map(|area| area.value);
    close("roc_auc", area, golden.number(&path("roc_auc")), 1e-7);
    let precision = window.average_precision().map(|precision| precision.value);
    close("average_precision", precision, golden.number(&path("average_precision")), 1e-6);
}

#[test]
fn golden_estimates_without_calibration() {
    let all = nannyml();
    all.is_from("nannyml", "0.13.1");
    let (_, _, current) = scorer();
    let window = Cbpe::uncalibrated().window(&current, &decided(&current)).unwrap();
    check(&window, &all.at("/formulas_without_calibration"), |name| format!("/{name}"));
}

/// Whole, and in two chunks.
#[test]
fn golden_estimates_with_isotonic_calibration() {
    let (reference, labels, current) = scorer();
    let estimator = Cbpe::fit(&reference, &labels).unwrap();
    let all = nannyml();
    let window = |scores: &[f64]| estimator.window(scores, &decided(scores)).unwrap();
    let whole = window(&current);
    check(&whole, &all.at("/cbpe_one_chunk"), |name| format!("/{name}/value/0"));
    let names = ["true_positive", "false_positive", "true_negative", "false_negative"];
    for (name, found) in names.into_iter().zip(whole.confusion().cells()) {
        close(name, found, all.number(&format!("/cbpe_one_chunk/{name}/value/0")), 1e-9);
    }
    let halves = all.at("/cbpe_two_chunks");
    check(&window(&current[..75]), &halves, |name| format!("/{name}/value/0"));
    check(&window(&current[75..]), &halves, |name| format!("/{name}/value/1"));
}

/// NannyML's sampling error asks how a metric would vary between chunks of the reference; ours, how far the estimate may
/// be off given the scores of this window. They are of one size, and need not be equal.
#[test]
fn golden_errors_of_estimates_are_of_one_size() {
    let (reference, labels, current) = scorer();
    let estimator = Cbpe::fit(&reference, &labels).unwrap();
    let window = estimator.window(&current, &decided(&current)).unwrap();
    for (name, metric) in METRICS {
        let theirs = nannyml().number(&format!("/cbpe_one_chunk/{name}/sampling_error/0"));
        let ours = window.metric(metric).unwrap().standard_error;
        assert!(0.5 * theirs < ours && ours < 2.0 * theirs, "{name}: {ours} and {theirs}");
    }
}

/// With the scores as they are, and with each class calibrated against the rest.
#[test]
fn golden_estimates_of_classes() {
    let (reference, _) = probabilities(600, 41);
    let labels: Vec<usize> = lcg(600, 47).iter().zip(reference.chunks(3)).map(|(draw, p)| class_of(*draw, p)).collect();
    let estimators = [
        ("/multiclass_uncalibrated", MulticlassCbpe::uncalibrated(3)),
        ("/multiclass_isotonic", MulticlassCbpe::fit(&reference, &labels, 3)),
    ];
    let (scores, decisions) = probabilities(300, 71);
    for (path, estimator) in estimators {
        let window = estimator.unwrap().window(&scores, &decisions).unwrap();
        check_classes(&window, &nannyml().at(path));
    }
}

fn check_classes(window: &MulticlassEstimate, golden: &Golden) {
    for label in 0..3 {
        for decision in 0..3 {
            let expected = golden.number(&format!("/confusion/{label}/{decision}"));
            close("cell", window.cell(label, decision), expected, 1e-9);
        }
    }
    for (name, metric) in METRICS {
        let found = match metric {
            BinaryMetric::Accuracy => window.accuracy(),
            other => window.macro_average(other),
        };
        close(name, found.map(|found| found.value), golden.number(&format!("/{name}/value/0")), 1e-9);
    }
    // NannyML rounds its sums to five places.
    let area = window.area_under_roc().map(|area| area.value);
    close("roc_auc", area, golden.number("/roc_auc/value/0"), 1e-7);
    let precision = window.average_precision().map(|precision| precision.value);
    close("average_precision", precision, golden.number("/average_precision/value/0"), 1e-6);
}
