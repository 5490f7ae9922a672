//! Estimated performance, against NannyML 0.13.1.

use wardline_stats::performance::{ExpectedConfusion, Isotonic, estimated_area_under_roc};

use crate::inputs::scorer;
use crate::values::{Golden, close, nannyml};

fn check_confusion(expected: &ExpectedConfusion, golden: &Golden, path: fn(&str) -> String) {
    for (name, found) in [
        ("accuracy", expected.accuracy()),
        ("precision", expected.precision()),
        ("recall", expected.recall()),
        ("specificity", expected.specificity()),
        ("f1", expected.f1()),
    ] {
        close(name, found, golden.number(&path(name)), 1e-9);
    }
}

fn confusion(scores: &[f64], probabilities: &[f64]) -> ExpectedConfusion {
    let mut expected = ExpectedConfusion::new();
    for (score, probability) in scores.iter().zip(probabilities) {
        assert!(expected.observe(*probability, *score >= 0.5));
    }
    expected
}

#[test]
fn golden_estimates_without_calibration() {
    let (_, _, current) = scorer();
    let golden = nannyml().at("/formulas_without_calibration");
    check_confusion(&confusion(&current, &current), &golden, |name| format!("/{name}"));
    close("roc_auc", estimated_area_under_roc(&current, &current), golden.number("/roc_auc"), 1e-7);
}

#[test]
fn golden_estimates_with_isotonic_calibration() {
    let (reference, labels, current) = scorer();
    let curve = Isotonic::fit(&reference, &labels).unwrap();
    let golden = nannyml();
    let probabilities: Vec<f64> = current.iter().map(|score| curve.probability(*score).unwrap()).collect();
    let whole = golden.at("/cbpe_one_chunk");
    check_confusion(&confusion(&current, &probabilities), &whole, |name| format!("/{name}/value/0"));
    // NannyML rounds the sums to five places.
    let area = estimated_area_under_roc(&current, &probabilities);
    close("roc_auc", area, whole.number("/roc_auc/value/0"), 1e-7);
    let halves = golden.at("/cbpe_two_chunks");
    check_confusion(&confusion(&current[..75], &probabilities[..75]), &halves, |name| format!("/{name}/value/0"));
    check_confusion(&confusion(&current[75..], &probabilities[75..]), &halves, |name| format!("/{name}/value/1"));
}
