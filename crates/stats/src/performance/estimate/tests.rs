use proptest::prelude::*;

use super::*;
use crate::interval::Estimate;
use crate::performance::{BinaryMetric, Confusion, area_under_roc, average_precision};
use crate::random::SplitMix;

/// Scores, decisions and labels, where a score's square is its probability.
fn window(rows: usize, random: &mut SplitMix) -> (Vec<f64>, Vec<bool>, Vec<bool>) {
    let scores: Vec<f64> = (0..rows).map(|_| (random.unit() * 500.0).floor() / 500.0).collect();
    let labels = scores.iter().map(|score| random.unit() < score * score).collect();
    let decisions = scores.iter().map(|score| *score >= 0.7).collect();
    (scores, decisions, labels)
}

/// Goal: without a shift, intervals cover what the labels show as often as stated, for every metric.
/// Method: 300 references of 2,000 rows with windows of 1,000.
#[test]
fn intervals_cover_what_labels_will_show() {
    let mut random = SplitMix::new(2);
    let metrics = [
        BinaryMetric::Accuracy,
        BinaryMetric::Precision,
        BinaryMetric::Recall,
        BinaryMetric::Specificity,
        BinaryMetric::F1,
    ];
    let mut covered = [0; 7];
    for _ in 0..300 {
        let (scores, _, labels) = window(2_000, &mut random);
        let fitted = Cbpe::fit(&scores, &labels).unwrap();
        let (scores, decisions, labels) = window(1_000, &mut random);
        let found = fitted.window(&scores, &decisions).unwrap();
        let truth = Confusion::of(&decisions, &labels).unwrap();
        let mut pairs: Vec<(Estimate, f64)> =
            metrics.iter().map(|metric| (found.metric(*metric).unwrap(), truth.metric(*metric).unwrap())).collect();
        pairs.push((found.area_under_roc().unwrap(), area_under_roc(&scores, &labels).unwrap().value));
        pairs.push((found.average_precision().unwrap(), average_precision(&scores, &labels).unwrap().value));
        for (covered, (found, truth)) in covered.iter_mut().zip(pairs) {
            *covered += u32::from(found.share_interval(0.95).unwrap().contains(truth));
        }
    }
    assert!(covered.iter().all(|covered| (273..=297).contains(covered)), "{covered:?} of 300");
}

/// The same numbers by two ways: from sorted stretches, and from slopes row by row.
#[test]
fn areas_agree_with_the_plain_functions() {
    let mut random = SplitMix::new(5);
    let (scores, decisions, _) = window(700, &mut random);
    let found = Cbpe::uncalibrated().window(&scores, &decisions).unwrap();
    for (found, expected) in [
        (found.area_under_roc(), estimated_area(&scores, &scores)),
        (found.average_precision(), estimated_average_precision(&scores, &scores)),
    ] {
        let (found, expected) = (found.unwrap(), expected.unwrap());
        assert!((found.value - expected.value).abs() < 1e-12, "{found:?} {expected:?}");
        assert!((found.standard_error - expected.standard_error).abs() < 1e-12, "{found:?} {expected:?}");
    }
}

/// Goal: several classes vary as stated too. Method: 200 windows of labels drawn from the probabilities.
#[test]
fn several_classes_vary_as_stated() {
    let mut random = SplitMix::new(9);
    let mut scores = Vec::new();
    for _ in 0..400 {
        let raw = [random.unit(), random.unit(), 0.5 * random.unit()];
        let total: f64 = raw.iter().sum();
        scores.extend(raw.map(|value| value / total));
    }
    let decisions: Vec<usize> = scores.chunks_exact(3).map(|row| usize::from(row[1] > row[0])).collect();
    let found = MulticlassCbpe::uncalibrated(3).unwrap().window(&scores, &decisions).unwrap();
    let stated =
        [found.macro_average(BinaryMetric::F1).unwrap(), found.accuracy().unwrap(), found.area_under_roc().unwrap()];
    let mut seen = [crate::sketch::Moments::new(); 3];
    for _ in 0..200 {
        let mut table = crate::performance::MulticlassConfusion::new(3).unwrap();
        let mut labels = Vec::new();
        for (row, decision) in scores.chunks_exact(3).zip(&decisions) {
            let u = random.unit();
            labels.push(if u < row[0] { 0 } else { 1 + usize::from(u >= row[0] + row[1]) });
            table.observe(labels[labels.len() - 1], *decision);
        }
        let area = crate::performance::one_vs_rest_area(&scores, &labels, 3, crate::performance::Average::Macro);
        seen[0].insert(table.average(BinaryMetric::F1, crate::performance::Average::Macro).unwrap().value);
        seen[1].insert(table.accuracy().unwrap().value);
        seen[2].insert(area.unwrap().value);
    }
    for (stated, seen) in stated.iter().zip(seen) {
        let ratio = stated.standard_error / seen.standard_deviation().unwrap();
        assert!((0.85..1.15).contains(&ratio), "{ratio}");
        assert!((stated.value - seen.mean().unwrap()).abs() < 0.3 * stated.standard_error);
    }
}

#[test]
fn bad_input_gives_nothing() {
    assert_eq!(Cbpe::fit(&[], &[]), None);
    assert_eq!(Cbpe::fit(&[f64::NAN], &[true]), None);
    assert_eq!(Cbpe::fit(&[0.5], &[]), None);
    let one = Cbpe::fit(&[0.5], &[true]).unwrap();
    assert_eq!(one.window(&[], &[]), None);
    assert_eq!(one.window(&[1.1], &[true]), None);
    assert_eq!(one.window(&[0.5], &[]), None);
    // A reference of one class: nothing can be wrong, and no area has a value.
    let window = one.window(&[0.0, -0.0, 1.0], &[true; 3]).unwrap();
    assert_eq!(window.metric(BinaryMetric::Precision).unwrap().value, 1.0);
    assert_eq!((window.area_under_roc(), window.metric(BinaryMetric::Specificity)), (None, None));
    assert_eq!(Cbpe::uncalibrated().window(&[0.0], &[true]).unwrap().average_precision(), None);
    assert_eq!(estimated_average_precision(&[0.5], &[]), None);
    assert_eq!(estimated_area(&[0.5], &[f64::INFINITY]), None);
    assert_eq!(MulticlassCbpe::fit(&[0.5, 0.5], &[2], 2), None);
    assert_eq!(MulticlassCbpe::fit(&[0.5, f64::NAN], &[1], 2), None);
    assert_eq!(MulticlassCbpe::fit(&[], &[], 2), None);
    assert_eq!(MulticlassCbpe::fit(&[0.5], &[0], 1), None);
    assert_eq!(MulticlassCbpe::fit(&[0.5; 4], &[0, 1], usize::MAX), None);
    let fitted = MulticlassCbpe::fit(&[0.5; 4], &[0, 1], 2).unwrap();
    assert_eq!(fitted.window(&[0.5; 4], &[0, 5]), None);
    assert_eq!(fitted.window(&[0.5; 4], &[0, 1]).unwrap().cell(0, 2), None);
    // Rows of zeros are as likely each class.
    let zeros = MulticlassCbpe::uncalibrated(2).unwrap().window(&[0.0; 4], &[0, 1]).unwrap();
    assert_eq!(zeros.accuracy().unwrap().value, 0.5);
}

proptest! {
    #[test]
    fn expected_tables_merge(rows in proptest::collection::vec((0.0..=1.0_f64, any::<bool>()), 2..100), cut in 0..100_usize) {
        let cut = cut % rows.len();
        let table = |rows: &[(f64, bool)]| {
            let mut table = ExpectedConfusion::new();
            assert!(rows.iter().all(|(p, decision)| table.observe(*p, *decision)));
            table
        };
        let whole = table(&rows);
        let mut merged = table(&rows[..cut]);
        merged.merge(&table(&rows[cut..]));
        prop_assert_eq!(merged.count(), whole.count());
        for (a, b) in merged.cells().iter().zip(whole.cells()) {
            prop_assert!((a - b).abs() < 1e-9);
        }
        let accuracy = whole.accuracy().unwrap();
        prop_assert!((0.0..=1.0 + 1e-12).contains(&accuracy));
        // The order of rows does not matter.
        let (scores, decisions): (Vec<f64>, Vec<bool>) = rows.iter().copied().unzip();
        let (turned, others): (Vec<f64>, Vec<bool>) = rows.iter().rev().copied().unzip();
        let estimator = Cbpe::uncalibrated();
        prop_assert_eq!(
            estimator.window(&scores, &decisions).unwrap().area_under_roc(),
            estimator.window(&turned, &others).unwrap().area_under_roc()
        );
    }
}

proptest! {
    /// The bound holds against all scores, and halves make the whole.
    #[test]
    fn the_histogram_is_within_its_bound(
        rows in proptest::collection::vec((0.0..=1.0_f64, 0.01..0.99_f64), 2..200),
        bins in 1..100_usize,
        cut in 0..200_usize,
    ) {
        let cut = cut % rows.len();
        let histogram = |rows: &[(f64, f64)]| {
            let mut histogram = ExpectedHistogram::new(bins).unwrap();
            assert!(rows.iter().all(|(score, p)| histogram.observe(*score, *p)));
            histogram
        };
        let mut merged = histogram(&rows[..cut]);
        prop_assert!(merged.merge(&histogram(&rows[cut..])));
        let (scores, probabilities): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
        let exact = estimated_area(&scores, &probabilities).unwrap();
        let found = merged.area_under_roc().unwrap();
        prop_assert!((found.estimate.value - exact.value).abs() <= found.error_bound + 1e-9);
        let whole = histogram(&rows).area_under_roc().unwrap();
        prop_assert!((whole.estimate.value - found.estimate.value).abs() < 1e-9);
        prop_assert!((whole.estimate.standard_error - found.estimate.standard_error).abs() < 1e-9);
    }
}

#[test]
fn many_bins_show_what_all_scores_show() {
    let mut random = SplitMix::new(3);
    let (scores, _, _) = window(5_000, &mut random);
    let mut histogram = ExpectedHistogram::new(4_096).unwrap();
    assert!(scores.iter().all(|score| histogram.observe(*score, score * score)));
    let squares: Vec<f64> = scores.iter().map(|score| score * score).collect();
    let (found, exact) = (histogram.area_under_roc().unwrap(), estimated_area(&scores, &squares).unwrap());
    assert!((found.estimate.value - exact.value).abs() < 1e-9 && found.error_bound < 2e-3, "{found:?} {exact:?}");
    assert!((found.estimate.standard_error / exact.standard_error - 1.0).abs() < 1e-6);
    assert!(!histogram.observe(f64::NAN, 0.5) && !histogram.observe(0.5, 1.5));
    assert_eq!(ExpectedHistogram::new(0), None);
    assert_eq!(ExpectedHistogram::new(4).unwrap().area_under_roc(), None);
    assert!(!histogram.merge(&ExpectedHistogram::new(4).unwrap()));
}
