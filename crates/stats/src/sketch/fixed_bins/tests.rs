use proptest::prelude::*;

use super::*;

#[test]
fn bins_are_closed_below() {
    let mut bins = FixedBins::new(vec![0.0, 1.0]).unwrap();
    assert_eq!(bins.insert_slice(&[-1.0, 0.0, 0.5, 1.0, 9.0, f64::NAN]), 1);
    assert_eq!(bins.counts(), [1, 2, 2]);
}

#[test]
fn refuses_cuts_out_of_order() {
    assert_eq!(FixedBins::new(vec![1.0, 1.0]), None);
    assert_eq!(FixedBins::new(vec![0.0, f64::INFINITY]), None);
    assert_eq!(FixedBins::from_reference(&LogHistogram::new(), 10), None);
    assert_eq!(FixedBins::from_quantiles(&Kll::default(), 10), None);
    assert_eq!((FixedBins::from_values(&[], 10), FixedBins::from_values(&[1.0], 0)), (None, None));
    assert_eq!(FixedBins::from_values(&[1.0, f64::NAN], 10), None);
}

fn sketched(values: &[f64]) -> LogHistogram {
    let mut sketch = LogHistogram::new();
    sketch.insert_slice(values);
    sketch
}

fn ranked(values: &[f64]) -> Kll {
    let mut sketch = Kll::default();
    sketch.insert_slice(values);
    sketch
}

/// Bins of a reference, made in each of the three ways.
fn made(reference: &[f64], bins: usize) -> [FixedBins; 3] {
    [
        FixedBins::from_reference(&sketched(reference), bins),
        FixedBins::from_quantiles(&ranked(reference), bins),
        FixedBins::from_values(reference, bins),
    ]
    .map(Option::unwrap)
}

#[test]
fn different_values_make_even_bins() {
    let reference: Vec<f64> = (0..150).map(|i| f64::from(i * 37 % 150)).collect();
    let [_, by_rank, by_value] = made(&reference, 10);
    assert_eq!(by_value.counts(), [15; 10]);
    assert_eq!(by_rank, by_value);
    let many: Vec<f64> = (0..100_000).map(|i| f64::from(i * 37 % 100_003)).collect();
    for bins in made(&many, 20) {
        assert_eq!(bins.total(), 100_000);
        assert_eq!(bins.counts().len(), 20);
        assert!(bins.counts().iter().all(|count| (3_400..6_700).contains(count)), "{:?}", bins.counts());
    }
}

/// A constant that is replaced by another, higher or lower, must not fall into the same bin.
#[test]
fn a_constant_has_a_bin_of_its_own() {
    for constant in [5.0, -5.0, 0.0, 1e300, -1e300, f64::MAX, f64::MIN] {
        // Beyond 2^96 a histogram tells no magnitudes apart.
        let first = usize::from(constant.abs() > 2.0_f64.powi(96));
        for mut bins in made(&[constant; 300], 10).into_iter().skip(first) {
            assert_eq!((bins.total(), bins.counts().iter().max()), (300, Some(&300)));
            bins.clear();
            bins.insert_slice(&[constant; 7]);
            assert!(bins.counts().contains(&7));
            let elsewhere = if constant == 0.0 { 0.5 } else { constant / 2.0 };
            bins.insert_slice(&[elsewhere; 3]);
            assert!(bins.counts().contains(&7) && bins.counts().contains(&3), "{constant}: {:?}", bins.counts());
        }
    }
}

#[test]
fn a_point_mass_is_cut_off_on_both_sides() {
    let mut reference = vec![0.0; 900];
    reference.extend((0..100).map(|i| 1.0 + f64::from(i) / 100.0));
    for bins in made(&reference, 10) {
        let mut current = bins.empty_like();
        current.insert_slice(&[-1e-3, 0.0, 1e-3, 1.5]);
        let held: Vec<u64> =
            bins.counts().iter().zip(current.counts()).filter(|pair| *pair.1 > 0).map(|p| *p.0).collect();
        // A quantile sketch of 1,000 values is off by a few.
        assert!(held[0] == 0 && held[1].abs_diff(900) < 10, "{bins:?}");
        assert!(bins.counts().len() <= 12);
    }
    // Two values only, as a flag has: each by itself.
    for bins in made(&[[0.0; 70].as_slice(), [1.0; 30].as_slice()].concat(), 10) {
        assert_eq!(bins.counts().iter().filter(|count| **count > 0).collect::<Vec<_>>(), [&70, &30]);
        assert_eq!(bins.counts().len(), 5);
    }
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        4 => -1e3..1e3_f64,
        2 => (-3..3_i32).prop_map(f64::from),
        1 => proptest::num::f64::NORMAL,
    ];
    proptest::collection::vec(value, 1..300)
}

proptest! {
    #[test]
    fn a_sketch_and_its_values_count_alike(reference in values(), current in values(), cuts in 1..20_usize) {
        let sketch = sketched(&reference);
        let bins = FixedBins::from_reference(&sketch, cuts).unwrap();
        let mut again = bins.empty_like();
        again.insert_slice(&reference);
        prop_assert_eq!(&again, &bins);

        let mut by_value = bins.empty_like();
        by_value.insert_slice(&current);
        let mut by_sketch = bins.empty_like();
        by_sketch.insert_sketch(&sketched(&current));
        prop_assert_eq!(by_value, by_sketch);
    }

    #[test]
    fn bins_of_values_hold_those_values(reference in values(), cuts in 1..20_usize) {
        let bins = FixedBins::from_values(&reference, cuts).unwrap();
        let mut again = bins.empty_like();
        again.insert_slice(&reference);
        prop_assert_eq!(&again, &bins);
        prop_assert!(bins.counts().len() <= 3 * cuts);
        // No bin with two different values holds a share more than asked for, and one atom.
        let most = reference.len() / cuts + 1;
        for (low, high) in bins.edges().windows(2).map(|pair| (pair[0], pair[1])) {
            let inside: Vec<f64> = reference.iter().copied().filter(|v| low <= *v && *v < high).collect();
            let constant = inside.windows(2).all(|pair| pair[0] == pair[1]);
            prop_assert!(constant || inside.len() <= 2 * most, "{} of {}", inside.len(), reference.len());
        }
    }

    #[test]
    fn merging_adds_up(reference in values(), left in values(), right in values()) {
        let empty = FixedBins::from_values(&reference, 10).unwrap().empty_like();
        let count = |values: &[f64]| {
            let mut bins = empty.clone();
            bins.insert_slice(values);
            bins
        };
        let mut merged = count(&left);
        prop_assert!(merged.merge(&count(&right)));
        prop_assert_eq!(merged, count(&[left, right].concat()));
    }
}
