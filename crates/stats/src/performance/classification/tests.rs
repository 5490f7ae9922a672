use proptest::prelude::*;

use super::*;
use crate::golden::close;
use crate::interval::Estimate;
use crate::sequential::tests_stream::Lcg;

fn scored(n: usize, state: u64, levels: f64) -> (Vec<f64>, Vec<bool>) {
    let mut stream = Lcg::new(state);
    let scores: Vec<f64> = (0..n).map(|_| (stream.next() * levels).floor() / levels).collect();
    let labels = scores.iter().map(|score| stream.next() < 0.2 + 0.6 * score).collect();
    (scores, labels)
}

/// DeLong's definition, pair by pair.
fn by_pairs(scores: &[f64], labels: &[bool]) -> (f64, f64) {
    let wins = |a: f64, b: f64| {
        if a > b {
            1.0
        } else if a == b {
            0.5
        } else {
            0.0
        }
    };
    let side = |wanted: bool| -> Vec<f64> {
        scores.iter().zip(labels).filter(|(_, label)| **label == wanted).map(|(score, _)| *score).collect()
    };
    let (positive, negative) = (side(true), side(false));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let of_positive: Vec<f64> =
        positive.iter().map(|a| mean(&negative.iter().map(|b| wins(*a, *b)).collect::<Vec<_>>())).collect();
    let of_negative: Vec<f64> =
        negative.iter().map(|b| mean(&positive.iter().map(|a| wins(*a, *b)).collect::<Vec<_>>())).collect();
    let area = mean(&of_positive);
    let variance = |values: &[f64]| {
        let squares: f64 = values.iter().map(|value| (value - area) * (value - area)).sum();
        squares / (values.len() * (values.len() - 1)) as f64
    };
    (area, variance(&of_positive) + variance(&of_negative))
}

#[test]
fn the_area_is_that_of_all_pairs() {
    for (n, levels) in [(60, 8.0), (300, 1e9)] {
        let (scores, labels) = scored(n, 3, levels);
        let (area, variance) = by_pairs(&scores, &labels);
        let found = area_under_roc(&scores, &labels).unwrap();
        close(Some(found.value), area, 1e-12);
        close(Some(found.standard_error), variance.sqrt(), 1e-12);
        let weighted = weighted_area_under_roc(&scores, &labels, &vec![2.0; n]).unwrap();
        close(Some(weighted.value), area, 1e-12);
        assert!((weighted.standard_error / found.standard_error - 1.0).abs() < 0.03);
    }
}

/// Goal: two scores of the same rows differ by as little as their own noise allows.
#[test]
fn common_rows_make_a_difference_surer() {
    let (scores, labels) = scored(500, 5, 1e9);
    let mut stream = Lcg::new(9);
    let near: Vec<f64> = scores.iter().map(|score| score + 0.02 * stream.next()).collect();
    let found = area_under_roc_difference(&scores, &near, &labels).unwrap();
    assert!(found.difference.standard_error < 0.2 * found.reference.standard_error);
    assert!(found.difference.interval(0.99).unwrap().contains(0.0));
    let worse: Vec<f64> = scores.iter().map(|score| score + 2.0 * stream.next()).collect();
    let found = area_under_roc_difference(&scores, &worse, &labels).unwrap();
    assert!(found.difference.interval(0.99).unwrap().high < 0.0, "{found:?}");
}

/// Goal: the interval of the area covers as often as stated. Method: 400 samples of 150 rows from a law
/// whose area is known by 200,000 rows.
#[test]
fn the_interval_of_the_area_covers() {
    let (scores, labels) = scored(200_000, 1, 1e9);
    let truth = area_under_roc(&scores, &labels).unwrap().value;
    let covers = |seed| {
        let (scores, labels) = scored(150, seed, 1e9);
        area_under_roc(&scores, &labels).unwrap().share_interval(0.95).unwrap().contains(truth)
    };
    let covered = (1_000..1_400).filter(|seed| covers(*seed)).count();
    assert!((368..=394).contains(&covered), "{covered} of 400");
}

#[test]
fn perfect_inverse_and_equal_scores() {
    let labels = [false, false, true, true];
    assert_eq!(area_under_roc(&[0.1, 0.2, 0.3, 0.4], &labels).unwrap().value, 1.0);
    assert_eq!(area_under_roc(&[0.4, 0.3, 0.2, 0.1], &labels).unwrap().value, 0.0);
    assert_eq!(area_under_roc(&[0.5; 4], &labels).unwrap().value, 0.5);
    assert_eq!(average_precision(&[0.1, 0.2, 0.3, 0.4], &labels).unwrap().value, 1.0);
    assert_eq!(average_precision(&[0.5; 4], &labels).unwrap().value, 0.5);
    assert_eq!(area_under_precision_recall(&[0.1, 0.2, 0.3, 0.4], &labels), Some(1.0));
}

#[test]
fn bad_input_gives_nothing() {
    for (scores, labels) in [
        (vec![], vec![]),
        (vec![0.5], vec![true]),
        (vec![0.5, 0.6], vec![true]),
        (vec![f64::NAN, 0.1, 0.2, 0.3], vec![true, true, false, false]),
        (vec![0.1, 0.2], vec![true, true]),
    ] {
        assert_eq!(area_under_roc(&scores, &labels), None);
        assert_eq!(area_under_roc_difference(&scores, &scores, &labels), None);
        assert_eq!(weighted_area_under_roc(&scores, &labels, &[]), None);
        assert!(average_precision(&scores, &labels).is_none() || !scores.iter().any(|score| score.is_nan()));
    }
    let infinite = area_under_roc(&[f64::INFINITY, 1.0, f64::NEG_INFINITY, 0.0], &[true, true, false, false]);
    assert_eq!(infinite.unwrap().value, 1.0);
    assert_eq!(average_precision(&[0.1, 0.2], &[false, false]), None);
    assert_eq!(area_under_precision_recall(&[0.1], &[false]), None);
    assert_eq!(weighted_area_under_roc(&[0.1, 0.2], &[true, false], &[1.0, f64::NAN]), None);
    assert_eq!(weighted_area_under_roc(&[0.1, 0.2], &[true, false], &[1.0, 0.0]), None);
    for average in [Average::Macro, Average::Micro, Average::Weighted] {
        assert_eq!(one_vs_rest_area(&[], &[], 3, average), None);
        assert_eq!(one_vs_rest_area(&[0.1, 0.2], &[0, 1], 2, average), None);
        assert_eq!(one_vs_rest_area(&[0.1; 4], &[0, 2], 2, average), None);
        assert_eq!(one_vs_rest_area(&[0.1; 2], &[0, 1], usize::MAX, average), None);
        assert_eq!(one_vs_rest_area(&[f64::NAN; 4], &[0, 1], 2, average), None);
    }
    assert_eq!(Confusion::of(&[true], &[]), None);
    assert_eq!(MulticlassConfusion::new(1), None);
    assert_eq!(MulticlassConfusion::new(1_000_000), None);
    let mut table = MulticlassConfusion::new(3).unwrap();
    assert!(!table.observe(3, 0) && !table.observe(0, 3));
    assert_eq!((table.accuracy(), table.kappa(), table.matthews_correlation()), (None, None, None));
    assert_eq!(table.average(BinaryMetric::F1, Average::Macro), None);
    assert_eq!((table.of_class(5, BinaryMetric::Recall), table.cell(0, 9)), (None, None));
    assert!(serde_json::from_str::<MulticlassConfusion>(r#"{"classes":3,"counts":[1,2]}"#).is_err());
}

#[test]
fn metrics_without_a_value_give_nothing() {
    let empty = Confusion::default();
    for metric in [BinaryMetric::Accuracy, BinaryMetric::F1, BinaryMetric::MatthewsCorrelation, BinaryMetric::Kappa] {
        assert_eq!((empty.metric(metric), empty.interval(metric, 0.95)), (None, None));
    }
    let decided_no = Confusion { true_negative: 5, false_negative: 2, ..empty };
    assert_eq!(decided_no.metric(BinaryMetric::Precision), None);
    assert_eq!(decided_no.metric(BinaryMetric::Recall), Some(0.0));
    assert_eq!(decided_no.metric(BinaryMetric::FBeta(f64::NAN)), None);
    assert_eq!(decided_no.metric(BinaryMetric::FBeta(0.0)), None);
    // Perfect decisions are no certainty.
    let perfect = Confusion { true_positive: 20, true_negative: 20, ..empty };
    assert!(perfect.interval(BinaryMetric::Accuracy, 0.95).unwrap().low < 0.93);
    assert_eq!(perfect.metric(BinaryMetric::MatthewsCorrelation), Some(1.0));
    let huge = Confusion { true_positive: u64::MAX, false_positive: u64::MAX, true_negative: 1, false_negative: 1 };
    assert!(huge.metric(BinaryMetric::MatthewsCorrelation).unwrap().is_finite());
    let mut merged = huge;
    merged.merge(&huge);
    assert_eq!(merged.count(), u64::MAX);
}

/// Goal: numbers of three classes vary as much as their standard errors say.
/// Method: 400 tables of 300 decisions from one law.
#[test]
fn numbers_of_classes_vary_as_stated() {
    let mut stream = Lcg::new(12);
    let numbers: [fn(&MulticlassConfusion) -> Option<Estimate>; 6] = [
        |table| table.average(BinaryMetric::F1, Average::Macro),
        |table| table.average(BinaryMetric::Precision, Average::Weighted),
        |table| table.average(BinaryMetric::F1, Average::Micro),
        MulticlassConfusion::balanced_accuracy,
        MulticlassConfusion::matthews_correlation,
        MulticlassConfusion::kappa,
    ];
    let mut seen = [crate::sketch::Moments::new(); 6];
    let mut stated = [0.0; 6];
    for _ in 0..400 {
        let mut table = MulticlassConfusion::new(3).unwrap();
        for _ in 0..300 {
            let label = if stream.next() < 0.5 { 0 } else { 1 + usize::from(stream.next() < 0.3) };
            let decision = if stream.next() < 0.7 { label } else { (label + 1 + usize::from(stream.next() < 0.4)) % 3 };
            table.observe(label, decision);
        }
        for (at, number) in numbers.iter().enumerate() {
            let found = number(&table).unwrap();
            seen[at].insert(found.value);
            stated[at] += found.standard_error / 400.0;
        }
    }
    for (at, (stated, seen)) in stated.iter().zip(seen).enumerate() {
        let ratio = stated / seen.standard_deviation().unwrap();
        assert!((0.9..1.1).contains(&ratio), "{at}: {ratio}");
    }
}

proptest! {
    #[test]
    fn halves_make_the_whole(rows in proptest::collection::vec((0..4_usize, 0..4_usize, 0.0..=1.0_f64), 1..200), cut in 0..200_usize) {
        let cut = cut % rows.len();
        let table = |rows: &[(usize, usize, f64)]| {
            let mut tables = (Confusion::default(), MulticlassConfusion::new(4).unwrap(), ScoreHistogram::new(16).unwrap());
            for (label, decision, score) in rows {
                tables.0.observe(*decision > 1, *label > 1);
                assert!(tables.1.observe(*label, *decision) && tables.2.observe(*score, *label > 1));
            }
            tables
        };
        let whole = table(&rows);
        let mut merged = table(&rows[..cut]);
        let rest = table(&rows[cut..]);
        merged.0.merge(&rest.0);
        prop_assert!(merged.1.merge(&rest.1) && merged.2.merge(&rest.2));
        prop_assert_eq!(&whole, &merged);
        for metric in [BinaryMetric::F1, BinaryMetric::MatthewsCorrelation, BinaryMetric::Kappa, BinaryMetric::BalancedAccuracy] {
            if let Some(value) = whole.0.metric(metric) {
                prop_assert!(-1.0 - 1e-12 <= value && value <= 1.0 + 1e-12);
                let interval = whole.0.interval(metric, 0.9).unwrap();
                prop_assert!(interval.low <= value + 1e-9 && value <= interval.high + 1e-9);
            }
        }
    }

    /// The bound of the histogram holds, and more bins never make it worse by much.
    #[test]
    fn the_histogram_is_within_its_bound(rows in proptest::collection::vec((0.0..=1.0_f64, any::<bool>()), 8..300), bins in 1..200_usize) {
        let (scores, labels): (Vec<f64>, Vec<bool>) = rows.iter().copied().unzip();
        let mut histogram = ScoreHistogram::new(bins).unwrap();
        rows.iter().for_each(|(score, label)| assert!(histogram.observe(*score, *label)));
        let exact = area_under_roc(&scores, &labels);
        prop_assert_eq!(exact.is_none(), histogram.area_under_roc().is_none());
        if let (Some(exact), Some(found)) = (exact, histogram.area_under_roc()) {
            prop_assert!((exact.value - found.estimate.value).abs() <= found.error_bound + 1e-12);
        }
        prop_assert!(!histogram.observe(f64::NAN, true) && !histogram.observe(1.5, true));
    }

    #[test]
    fn ranks_alone_matter(rows in proptest::collection::vec((0.0..=1.0_f64, any::<bool>()), 8..100)) {
        let (scores, labels): (Vec<f64>, Vec<bool>) = rows.into_iter().unzip();
        let bent: Vec<f64> = scores.iter().map(|score| 100.0 * score - 7.0).collect();
        prop_assert_eq!(area_under_roc(&scores, &labels), area_under_roc(&bent, &labels));
        prop_assert_eq!(average_precision(&scores, &labels), average_precision(&bent, &labels));
        // Turning both scores and labels round changes nothing.
        let turned: Vec<f64> = scores.iter().map(|score| -score).collect();
        let others: Vec<bool> = labels.iter().map(|label| !label).collect();
        if let Some(area) = area_under_roc(&scores, &labels) {
            prop_assert!((area_under_roc(&turned, &others).unwrap().value - area.value).abs() < 1e-12);
        }
    }
}
