use proptest::prelude::*;

use super::*;

fn sketch(values: &[f64]) -> LogHistogram {
    let mut sketch = LogHistogram::new();
    sketch.insert_slice(values);
    sketch
}

fn exact_quantile(values: &[f64], p: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = ((p * values.len() as f64).ceil() as usize).clamp(1, values.len());
    sorted[rank - 1]
}

#[test]
fn an_empty_sketch_answers_nothing() {
    let empty = LogHistogram::new();
    assert_eq!(empty.quantile(0.5), None);
    assert_eq!(empty.mean(), None);
    assert_eq!(empty.cdf(1.0), None);
    assert_eq!(empty.count_above(1.0), 0);
    assert_eq!(empty.buckets().count(), 0);
    assert!(empty.quantile_edges(10).is_empty());
}

#[test]
fn refuses_what_is_not_finite() {
    let mut sketch = LogHistogram::new();
    assert_eq!(sketch.insert_slice(&[1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]), 3);
    assert_eq!(sketch.count(), 1);
}

#[test]
fn one_extreme_value_costs_no_memory_and_moves_no_quantile() {
    let mut values = vec![1.0; 999];
    values.extend([1e300, 1e-300, -1e300]);
    let sketch = sketch(&values);
    assert_eq!(sketch.quantile(0.5), Some(1.0 + 1.0 / 128.0));
    assert_eq!(sketch.max(), Some(1e300));
    assert!(sketch.octaves.len() <= 321);
}

#[test]
fn counts_past_32_bits() {
    let mut one = LogHistogram::new();
    one.insert_n(3.0, u64::from(u32::MAX));
    one.insert_n(3.0, 7);
    let mut other = LogHistogram::new();
    other.insert_n(3.0, u64::from(u32::MAX) + 7);
    assert_eq!(one, other);
    one.merge(&other);
    assert_eq!(one.buckets().map(|bucket| bucket.count).sum::<u64>(), one.count());
    assert_eq!(one.sum(), 3.0 * one.count() as f64);
}

#[test]
fn a_cleared_sketch_equals_a_new_one() {
    let mut used = sketch(&[1.0, -5.0, 1e9]);
    used.clear();
    assert_eq!(used, LogHistogram::new());
}

#[test]
fn negative_values_come_in_order() {
    let sketch = sketch(&[-100.0, -1.0, 0.0, 1.0, 100.0]);
    let midpoints: Vec<f64> = sketch.buckets().map(|bucket| bucket.midpoint).collect();
    assert!(midpoints.is_sorted());
    assert_eq!(sketch.count_above(-1.0), 3);
    assert_eq!(sketch.count_above(0.0), 2);
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        4 => -1e6..1e6_f64,
        2 => 0.0..1.0_f64,
        1 => Just(0.0),
        1 => proptest::num::f64::NORMAL,
    ];
    proptest::collection::vec(value, 1..200)
}

proptest! {
    #[test]
    fn the_sketch_of_halves_is_the_sketch_of_the_whole(all in values(), cut in 0.0..1.0_f64) {
        let (left, right) = all.split_at((all.len() as f64 * cut) as usize);
        let mut merged = sketch(right);
        merged.merge(&sketch(left));
        let whole = sketch(&all);
        prop_assert_eq!(&merged, &whole);
        prop_assert_eq!(merged.sum().to_bits(), whole.sum().to_bits());
        prop_assert_eq!(merged.quantile(0.9), whole.quantile(0.9));
    }

    #[test]
    fn quantiles_keep_the_relative_error(
        all in proptest::collection::vec(-1e9..1e9_f64, 1..300), p in 0.0..=1.0_f64
    ) {
        let exact = exact_quantile(&all, p);
        let found = sketch(&all).quantile(p).unwrap();
        prop_assert!((found - exact).abs() <= exact.abs() / 128.0 + 1e-12, "{found} for {exact}");
    }

    #[test]
    fn the_sum_is_exact(all in proptest::collection::vec(-1e9..1e9_f64, 1..300)) {
        let plain: f64 = all.iter().sum();
        let scale: f64 = all.iter().map(|value| value.abs()).sum();
        prop_assert!((sketch(&all).sum() - plain).abs() <= 1e-12 * scale + 1e-15);
    }

    #[test]
    fn cuts_count_buckets_and_values_alike(all in values(), bins in 2..20_usize) {
        let sketch = sketch(&all);
        let edges = sketch.quantile_edges(bins);
        prop_assert!(edges.len() < bins);
        prop_assert!(edges.is_sorted());
        let mut by_value = vec![0_u64; edges.len() + 1];
        for value in &all {
            by_value[edges.partition_point(|edge| edge <= value)] += 1;
        }
        prop_assert_eq!(sketch.counts_between(&edges), by_value);
    }

    #[test]
    fn survives_being_written_down(all in values()) {
        let sketch = sketch(&all);
        let back = LogHistogram::try_from(Stored::from(sketch.clone())).unwrap();
        prop_assert_eq!(back, sketch);
    }

    #[test]
    fn the_cdf_rises_from_zero_to_one(all in values(), x in -1e6..1e6_f64, y in -1e6..1e6_f64) {
        let sketch = sketch(&all);
        let (low, high) = (x.min(y), x.max(y));
        prop_assert!(sketch.cdf(low) <= sketch.cdf(high));
        prop_assert_eq!(sketch.cdf(f64::MAX), Some(1.0));
    }
}
