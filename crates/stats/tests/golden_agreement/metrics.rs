//! Metrics and calibration, against scikit-learn 1.9.1.

use wardline_stats::performance::{
    Average, BinaryMetric, Confusion, Isotonic, MulticlassConfusion, Platt, RankedList, RankingMetric,
    RegressionErrors, RegressionMetric, area_under_roc, average_precision, brier_score, log_loss, multiclass_brier,
    multiclass_log_loss, one_vs_rest_area, quantile_loss, weighted_area_under_roc,
};

use crate::inputs::{class_of, lcg, probabilities, scorer};
use crate::values::{close, metrics};

/// Scores on a grid of 40, labels, and weights of 1 to 4.
fn binary() -> (Vec<f64>, Vec<bool>, Vec<f64>) {
    let scores: Vec<f64> = lcg(400, 31).iter().map(|u| (u * 40.0).floor() / 40.0).collect();
    let labels = lcg(400, 33).iter().zip(&scores).map(|(u, score)| *u < 0.15 + 0.7 * score).collect();
    (scores, labels, lcg(400, 35).iter().map(|u| 1.0 + (u * 4.0).floor()).collect())
}

const DECISIONS: [(&str, BinaryMetric); 10] = [
    ("accuracy", BinaryMetric::Accuracy),
    ("balanced_accuracy", BinaryMetric::BalancedAccuracy),
    ("precision", BinaryMetric::Precision),
    ("recall", BinaryMetric::Recall),
    ("specificity", BinaryMetric::Specificity),
    ("f1", BinaryMetric::F1),
    ("f_half", BinaryMetric::FBeta(0.5)),
    ("f2", BinaryMetric::FBeta(2.0)),
    ("matthews", BinaryMetric::MatthewsCorrelation),
    ("kappa", BinaryMetric::Kappa),
];

/// A row of weight 3 is three rows.
#[test]
fn golden_metrics_of_decisions() {
    let all = metrics();
    all.is_from("scikit-learn", "1.9.1");
    let (scores, labels, weights) = binary();
    for (path, weighted) in [("/binary/plain", false), ("/binary/weighted", true)] {
        let golden = all.at(path);
        let mut table = Confusion::default();
        for ((score, label), weight) in scores.iter().zip(&labels).zip(&weights) {
            (0..if weighted { *weight as u32 } else { 1 }).for_each(|_| table.observe(*score >= 0.5, *label));
        }
        for (name, metric) in DECISIONS {
            close(name, table.metric(metric), golden.number(&format!("/{name}")), 1e-9);
        }
    }
}

#[test]
fn golden_metrics_of_scores() {
    let golden = metrics().at("/binary");
    let (scores, labels, weights) = binary();
    let close = |name: &str, found: Option<f64>, path: &str| close(name, found, golden.number(path), 1e-9);
    let area = area_under_roc(&scores, &labels).map(|area| area.value);
    close("area", area, "/plain/roc_auc");
    let area = weighted_area_under_roc(&scores, &labels, &weights).map(|area| area.value);
    close("weighted area", area, "/weighted/roc_auc");
    let precision = average_precision(&scores, &labels).map(|precision| precision.value);
    close("average precision", precision, "/plain/average_precision");
    close("brier", brier_score(&scores, &labels), "/plain/brier");
    let inside: Vec<f64> = scores.iter().map(|score| score.clamp(0.025, 0.975)).collect();
    close("log loss", log_loss(&inside, &labels), "/plain/log_loss_clipped_to_0.025");
}

#[test]
fn golden_metrics_of_classes() {
    let golden = metrics().at("/multiclass");
    let (scores, decisions) = probabilities(300, 41);
    let labels: Vec<usize> = lcg(300, 47).iter().zip(scores.chunks(3)).map(|(draw, p)| class_of(*draw, p)).collect();
    let mut table = MulticlassConfusion::new(3).unwrap();
    for (label, decision) in labels.iter().zip(&decisions) {
        assert!(table.observe(*label, *decision));
    }
    let close = |name: &str, found: Option<f64>, path: &str| close(name, found, golden.number(path), 1e-9);
    close("accuracy", table.accuracy().map(|accuracy| accuracy.value), "/accuracy");
    close("balanced accuracy", table.balanced_accuracy().map(|found| found.value), "/balanced_accuracy");
    close("matthews", table.matthews_correlation().map(|found| found.value), "/matthews");
    close("kappa", table.kappa().map(|found| found.value), "/kappa");
    close("log loss", multiclass_log_loss(&scores, &labels, 3).map(|loss| loss.value), "/log_loss");
    close("brier", multiclass_brier(&scores, &labels, 3).map(|loss| loss.value), "/brier_sum_over_classes");
    for (path, average) in [("macro", Average::Macro), ("micro", Average::Micro), ("weighted", Average::Weighted)] {
        for (name, metric) in
            [("precision", BinaryMetric::Precision), ("recall", BinaryMetric::Recall), ("f1", BinaryMetric::F1)]
        {
            let found = table.average(metric, average).map(|found| found.value);
            close(path, found, &format!("/{path}/{name}"));
        }
        if average != Average::Micro {
            let area = one_vs_rest_area(&scores, &labels, 3, average).map(|area| area.value);
            close(path, area, &format!("/{path}/roc_auc_one_vs_rest"));
        }
    }
}

#[test]
fn golden_metrics_of_numbers() {
    let golden = metrics().at("/regression");
    let truth: Vec<f64> = lcg(250, 51).iter().map(|u| 1.0 + 9.0 * u).collect();
    let estimate: Vec<f64> = lcg(250, 53).iter().zip(&truth).map(|(u, y)| y * (0.8 + 0.4 * u) + 0.1).collect();
    let errors = RegressionErrors::of(&truth, &estimate).unwrap();
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
        let found = errors.metric(metric).map(|found| found.value);
        close(name, found, golden.number(&format!("/{name}")), 1e-9);
    }
    close("r2", errors.r_squared(), golden.number("/r2"), 1e-9);
    for quantile in [0.1, 0.9] {
        let loss = quantile_loss(&truth, &estimate, quantile).map(|loss| loss.value);
        close("pinball", loss, golden.number(&format!("/pinball_{quantile}")), 1e-9);
    }
}

#[test]
fn golden_metrics_of_rankings() {
    for golden in metrics().items("/ranking") {
        let list = RankedList::by_score(&golden.numbers("/scores"), &golden.numbers("/gains"), 2.0).unwrap();
        for (name, metric, k) in [
            ("ndcg_5", RankingMetric::NormalizedGain, 5),
            ("ndcg", RankingMetric::NormalizedGain, 12),
            ("average_precision", RankingMetric::AveragePrecision, 12),
            ("reciprocal_rank", RankingMetric::ReciprocalRank, 12),
            ("precision_5", RankingMetric::Precision, 5),
            ("recall_5", RankingMetric::Recall, 5),
            ("hit_5", RankingMetric::HitRate, 5),
        ] {
            close(name, list.metric(metric, k), golden.number(&format!("/{name}")), 1e-9);
        }
    }
}

/// scikit-learn stops its search for Platt's curve early, some 1e-8 away: the values are of a search to the end.
#[test]
fn golden_calibration() {
    let golden = metrics().at("/calibration");
    let (scores, labels, _) = scorer();
    let curve = Isotonic::fit(&scores, &labels).unwrap();
    for pair in golden.items("/isotonic") {
        let pair = pair.numbers("");
        close("isotonic", curve.probability(pair[0]), pair[1], 1e-9);
    }
    let log_odds: Vec<f64> = scores.iter().map(|score| (score / (1.0 - score)).ln()).collect();
    for (path, scores) in [("/platt_scores", scores), ("/platt_log_odds", log_odds)] {
        let curve = Platt::fit(&scores, &labels).unwrap();
        close(path, curve.slope(), golden.number(&format!("{path}/a")), 1e-9);
        close(path, curve.intercept(), golden.number(&format!("{path}/b")), 1e-9);
        close(path, curve.slope(), golden.number(&format!("{path}/sklearn_a")), 1e-6);
    }
}
