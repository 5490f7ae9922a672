use super::*;
use crate::learn::{CrossFit, DomainScores};
use crate::performance::estimated_area_under_roc;
use crate::sequential::tests_stream::Lcg;

/// Four columns of 4,000 rows, the probability of each row by an interaction, a jump and a slope, and
/// labels drawn from it.
fn planted() -> (Vec<Vec<f64>>, Vec<f64>, Vec<f64>) {
    let mut stream = Lcg::exactly(11);
    let rows: Vec<[f64; 5]> = (0..4_000).map(|_| std::array::from_fn(|_| stream.next())).collect();
    let columns = (0..4).map(|at| rows.iter().map(|row| row[at]).collect()).collect();
    let probability = |row: &[f64; 5]| {
        let interaction = if (row[0] > 0.5) == (row[1] > 0.5) { 1.5 } else { -1.5 };
        sigmoid(interaction + if row[2] > 0.8 { 1.0 } else { 0.0 } + row[3] - 0.5)
    };
    let probabilities: Vec<f64> = rows.iter().map(probability).collect();
    let labels = rows.iter().zip(&probabilities).map(|(row, p)| f64::from(u8::from(row[4] < *p))).collect();
    (columns, probabilities, labels)
}

fn features(columns: &[Vec<f64>]) -> Features<'_> {
    Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap()
}

fn area(scores: &[f64], labels: &[f64]) -> f64 {
    estimated_area_under_roc(scores, labels).unwrap()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// Goal: as good out of fold as the reference implementation on the same rows.
/// Method: scikit-learn 1.9.1, `HistGradientBoostingClassifier(max_iter=60, learning_rate=0.15,
/// max_depth=4)` by `cross_val_predict` of five shuffled folds: areas of 0.8198 to 0.8297 over ten
/// seeds, probabilities 0.080 to 0.093 off. The true probabilities have 0.8471.
#[test]
fn ranks_as_well_as_scikit_learn() {
    let (columns, probabilities, labels) = planted();
    let fitted = CrossFit::fit(&features(&columns), &labels, None, &BoostSettings::new(Loss::Logistic), 5, 1).unwrap();
    let found = area(fitted.out_of_fold(), &labels);
    assert!((0.8198..0.8471).contains(&found), "{found} of {}", area(&probabilities, &labels));
    let off = mean(fitted.out_of_fold().iter().zip(&probabilities).map(|(found, p)| (found - p).abs()));
    assert!(off < 0.093, "{off}");
    let importance = fitted.importance();
    assert!(importance[0] > 0.25 && importance[1] > 0.25 && (importance.iter().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn learns_a_mean_with_missing_values_and_weights() {
    let x: Vec<f64> = (0..2_000).map(|i| if i % 5 == 0 { f64::NAN } else { f64::from(i % 49) }).collect();
    let target = |x: f64| if x.is_nan() { 7.0 } else { (x / 15.0).floor() };
    let y: Vec<f64> = x.iter().map(|x| target(*x)).collect();
    let settings = BoostSettings { trees: 200, ..BoostSettings::new(Loss::Squared) };
    let columns = [x.clone()];
    let fitted = BoostedTrees::fit(&features(&columns), &y, None, &settings).unwrap();
    let predicted = fitted.predict(&features(&columns)).unwrap();
    let off = predicted.iter().zip(&y).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off < 0.1, "{off}");
    // Rows without weight do not count.
    let weights: Vec<f64> = x.iter().map(|x| f64::from(u8::from(x.is_nan()))).collect();
    let fitted = BoostedTrees::fit(&features(&columns), &y, Some(&weights), &settings).unwrap();
    assert!(fitted.predict(&features(&columns)).unwrap().iter().all(|value| (value - 7.0).abs() < 1e-6));
}

#[test]
fn finds_nothing_in_noise() {
    let (columns, _, _) = planted();
    let mut stream = Lcg::exactly(5);
    let labels: Vec<f64> = (0..4_000).map(|_| f64::from(u8::from(stream.next() < 0.3))).collect();
    let settings = BoostSettings::new(Loss::Logistic);
    let fitted = CrossFit::fit(&features(&columns), &labels, None, &settings, 5, 1).unwrap();
    let found = area(fitted.out_of_fold(), &labels);
    assert!((0.46..0.54).contains(&found), "{found}");
}

#[test]
fn tells_samples_apart_only_where_they_differ() {
    let (columns, _, _) = planted();
    let halves = |from: usize, to: usize, shift: f64| -> Vec<Vec<f64>> {
        columns.iter().map(|column| column[from..to].iter().map(|x| x + shift).collect()).collect()
    };
    for (shift, low, high) in [(0.0, 0.45, 0.55), (0.3, 0.85, 1.0)] {
        let (reference, current) = (halves(0, 2_000, 0.0), halves(2_000, 4_000, shift));
        let settings = BoostSettings::new(Loss::Logistic);
        let scores = DomainScores::fit(&features(&reference), &features(&current), &settings, 3, 1).unwrap();
        let labels: Vec<f64> = (0..4_000).map(|row| f64::from(u8::from(row >= 2_000))).collect();
        let found = area(&[scores.reference, scores.current].concat(), &labels);
        assert!((low..=high).contains(&found), "{shift}: {found}");
    }
}

#[test]
fn bad_input_gives_nothing() {
    let columns = [vec![1.0, 2.0, 3.0]];
    let settings = BoostSettings::new(Loss::Logistic);
    let fit = |targets: &[f64], weights: Option<&[f64]>, settings: &BoostSettings| {
        BoostedTrees::fit(&features(&columns), targets, weights, settings)
    };
    assert!(fit(&[0.0, 1.0], None, &settings).is_none());
    assert!(fit(&[0.0, 1.0, 2.0], None, &settings).is_none());
    assert!(fit(&[0.0, 1.0, f64::NAN], None, &settings).is_none());
    assert!(fit(&[0.0, 1.0, 1.0], Some(&[1.0, -1.0, 1.0]), &settings).is_none());
    assert!(fit(&[0.0, 1.0, 1.0], None, &BoostSettings { bins: 1, ..settings }).is_none());
    assert!(fit(&[0.0, 1.0, 1.0], None, &BoostSettings { learning_rate: f64::NAN, ..settings }).is_none());
    // Constants and few rows: the mean, no split.
    let fitted = fit(&[0.0, 1.0, 1.0], None, &settings).unwrap();
    let predicted = fitted.predict(&features(&columns)).unwrap();
    assert!(predicted.iter().all(|p| (p - 2.0 / 3.0).abs() < 1e-6), "{predicted:?}");
    assert!(fitted.predict(&features(&[vec![1.0], vec![1.0]])).is_none());
    assert!(CrossFit::fit(&features(&columns), &[0.0, 1.0, 1.0], None, &settings, 4, 1).is_none());
    let extreme = [vec![f64::MAX, -f64::MAX, f64::NAN, 0.0]];
    let fitted = BoostedTrees::fit(&features(&extreme), &[1.0, 0.0, 1.0, 0.0], None, &settings).unwrap();
    assert!(fitted.predict(&features(&extreme)).unwrap().iter().all(|p| (0.0..=1.0).contains(p)));
}

#[test]
fn is_stored_and_what_is_corrupt_is_refused() {
    let (columns, _, labels) = planted();
    let settings = BoostSettings { trees: 3, ..BoostSettings::new(Loss::Logistic) };
    let fitted = BoostedTrees::fit(&features(&columns), &labels, None, &settings).unwrap();
    let stored = serde_json::to_string(&fitted).unwrap();
    let back: BoostedTrees = serde_json::from_str(&stored).unwrap();
    // This reading of JSON may be off by the last bit: rows that lie exactly on an end are moved off it.
    let off: Vec<Vec<f64>> = columns.iter().map(|column| column.iter().map(|x| x + 1e-9).collect()).collect();
    let both = back.predict(&features(&off)).unwrap().into_iter().zip(fitted.predict(&features(&off)).unwrap());
    assert!(both.into_iter().all(|(a, b)| (a - b).abs() < 1e-12));
    for (from, to) in [("\"child\":1", "\"child\":9999"), ("\"feature\":0", "\"feature\":900")] {
        assert!(stored.contains(from));
        assert!(serde_json::from_str::<BoostedTrees>(&stored.replacen(from, to, 1)).is_err(), "{to}");
    }
}
