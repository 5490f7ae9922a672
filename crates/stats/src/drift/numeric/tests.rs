use proptest::prelude::*;

use super::*;
use crate::random::SplitMix;
use crate::two_sample;

fn normals(seed: u64, n: usize, shift: f64) -> Vec<f64> {
    let mut random = SplitMix::new(seed);
    (0..n).map(|_| random.normal() + shift).collect()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

fn filled(reference: &NumericReference, values: &[f64]) -> NumericWindow {
    let mut window = reference.window();
    window.insert_slice(values);
    window
}

#[track_caller]
fn near(found: Option<f64>, expected: Option<f64>, tolerance: f64) {
    let (found, expected) = (found.unwrap(), expected.unwrap());
    assert!((found - expected).abs() <= tolerance * expected.abs() + 1e-300, "{found} for {expected}");
}

/// Goal: small samples get the answers of the exact functions.
/// Method: 1,000 values with ties against 300, all measures.
#[test]
fn small_samples_are_compared_exactly() {
    let round = |values: Vec<f64>| values.into_iter().map(|value| (value * 50.0).round() / 50.0).collect::<Vec<_>>();
    let (a, b) = (round(normals(1, 1_000, 0.0)), round(normals(2, 300, 0.2)));
    let reference = NumericReference::new(&a).unwrap();
    let window = filled(&reference, &b);
    let both = reference.compare(&window).unwrap();
    let (a, b) = (sorted(&a), sorted(&b));
    assert!(reference.is_whole());
    assert_eq!(both.kolmogorov_smirnov(), two_sample::kolmogorov_smirnov(&a, &b));
    assert_eq!(both.cramer_von_mises(), two_sample::cramer_von_mises(&a, &b));
    assert_eq!(both.anderson_darling(), two_sample::anderson_darling(&a, &b));
    assert_eq!(both.mann_whitney(), two_sample::mann_whitney(&a, &b));
    assert_eq!(both.epps_singleton(), two_sample::epps_singleton(&a, &b));
    assert_eq!(both.wasserstein(), two_sample::wasserstein(&a, &b));
    assert_eq!(both.energy_distance(), two_sample::energy_distance(&a, &b));
    near(both.wasserstein_normalised(), two_sample::wasserstein_normalised(&a, &b), 1e-12);
    near(both.welch_t().map(|test| test.p_value), two_sample::welch_t(&a, &b).map(|test| test.p_value), 1e-9);
}

/// Goal: counting on knots changes the answers by less than chance would.
/// Method: 200,000 values, a tenth of them zero, against 20,000 shifted by 0.05.
#[test]
fn long_samples_are_compared_closely() {
    let make = |seed, n, shift| {
        let mut values = normals(seed, n, shift);
        values.iter_mut().step_by(10).for_each(|value| *value = 0.0);
        values
    };
    let (a, b) = (make(3, 200_000, 0.0), make(4, 20_000, 0.05));
    let reference = NumericReference::new(&a).unwrap();
    let window = filled(&reference, &b);
    let both = reference.compare(&window).unwrap();
    let (a, b) = (sorted(&a), sorted(&b));
    let (found, exact) = (both.kolmogorov_smirnov().unwrap(), two_sample::kolmogorov_smirnov(&a, &b).unwrap());
    assert!(found.statistic <= exact.statistic + 1e-15, "never too large");
    assert!(found.statistic >= exact.statistic - 1.0 / 3_500.0, "{found:?} for {exact:?}");
    near(both.cramer_von_mises().map(|t| t.statistic), two_sample::cramer_von_mises(&a, &b).map(|t| t.statistic), 2e-3);
    near(both.anderson_darling().map(|t| t.statistic), two_sample::anderson_darling(&a, &b).map(|t| t.statistic), 2e-3);
    near(both.mann_whitney().map(|t| t.z), two_sample::mann_whitney(&a, &b).map(|t| t.z), 2e-3);
    near(both.epps_singleton().map(|t| t.statistic), two_sample::epps_singleton(&a, &b).map(|t| t.statistic), 2e-3);
    near(both.wasserstein(), two_sample::wasserstein(&a, &b), 2e-3);
    near(both.energy_distance(), two_sample::energy_distance(&a, &b), 2e-3);
}

#[test]
fn an_empty_or_foreign_window_is_not_compared() {
    assert_eq!(NumericReference::new(&[]), None);
    assert_eq!(NumericReference::new(&[f64::NAN, f64::INFINITY, f64::MAX]), None);
    let reference = NumericReference::new(&[1.0, 2.0]).unwrap();
    let other = NumericReference::new(&[1.0, 3.0]).unwrap();
    assert!(reference.compare(&reference.window()).is_none());
    assert!(reference.compare(&filled(&other, &[1.0])).is_none());
    let mut window = filled(&reference, &[1.0]);
    assert!(!window.merge(&filled(&other, &[1.0])));
}

/// Goal: no measure is NaN or panics, whatever comes.
#[test]
fn wild_values_give_numbers_or_nothing() {
    let wild = [1e120, -1e120, 0.0, -0.0, f64::MIN_POSITIVE, 1e100, f64::MAX, 5e-324, 1.0, f64::INFINITY];
    let samples: [&[f64]; 5] = [&[1.0], &[2.0; 50], &wild, &[-1e120; 9], &[0.0, -0.0, f64::NAN]];
    for a in samples {
        let reference = NumericReference::new(a).unwrap();
        for b in samples {
            let window = filled(&reference, b);
            let text = format!("{:?}", reference.compare(&window).unwrap().measures(0.01));
            assert!(!text.contains("NaN") && !text.contains("inf"), "{a:?} {b:?} {text}");
        }
    }
}

#[test]
fn a_reference_survives_storage_and_refuses_what_does_not_fit() {
    let long: Vec<f64> = (0..9_000).map(|i| f64::from(i) * 0.25).collect();
    let reference = NumericReference::new(&long).unwrap();
    let text = serde_json::to_string(&reference).unwrap();
    assert!(serde_json::from_str::<NumericReference>(&text).unwrap() == reference);
    let small = serde_json::to_string(&NumericReference::new(&[1.0, 2.0]).unwrap()).unwrap();
    for (from, to) in [("[1.0,2.0]", "[2.0,1.0]"), ("[0,1,0,1,0]", "[0,1,0,1]"), ("[0,1,0,1,0]", "[0,1,0,9,0]")] {
        assert!(small.contains(from));
        assert!(serde_json::from_str::<NumericReference>(&small.replace(from, to)).is_err());
    }
}

proptest! {
    #[test]
    fn a_window_of_two_halves_is_the_window_of_the_whole(
        reference in proptest::collection::vec(-1e3..1e3_f64, 1..200),
        left in proptest::collection::vec(-2e3..2e3_f64, 0..100),
        right in proptest::collection::vec(-2e3..2e3_f64, 1..100),
    ) {
        let reference = NumericReference::new(&reference).unwrap();
        let mut merged = filled(&reference, &left);
        prop_assert!(merged.merge(&filled(&reference, &right)));
        let whole = filled(&reference, &[left, right].concat());
        prop_assert_eq!(&merged.counts, &whole.counts);
        prop_assert_eq!(&merged.below, &whole.below);
        let (merged, whole) = (reference.compare(&merged).unwrap(), reference.compare(&whole).unwrap());
        prop_assert_eq!(merged.kolmogorov_smirnov(), whole.kolmogorov_smirnov());
        prop_assert_eq!(merged.quantile_bins(7), whole.quantile_bins(7));
    }

    #[test]
    fn bins_keep_the_totals_and_follow_the_reference(
        reference in proptest::collection::vec(-1e3..1e3_f64, 1..300),
        current in proptest::collection::vec(-2e3..2e3_f64, 1..300),
        bins in 1..30_usize,
    ) {
        let kept = NumericReference::new(&reference).unwrap();
        let window = filled(&kept, &current);
        let (ours, theirs) = kept.compare(&window).unwrap().quantile_bins(bins);
        prop_assert!(ours.len() <= bins);
        prop_assert_eq!(ours.iter().sum::<u64>(), reference.len() as u64);
        prop_assert_eq!(theirs.iter().sum::<u64>(), current.len() as u64);
        prop_assert!(ours.iter().all(|count| *count > 0));
        let other = filled(&kept, &[0.0]);
        prop_assert_eq!(kept.compare(&other).unwrap().quantile_bins(bins).0, ours);
    }
}
