use proptest::prelude::*;

use super::*;
use crate::random::SplitMix;

fn sketch(k: u16, seed: u64, values: &[f64]) -> Kll {
    let mut sketch = Kll::new(k, seed).unwrap();
    assert_eq!(sketch.insert_slice(values), 0);
    sketch
}

/// `0..n` in an order that a seed decides: the value is its own rank.
fn shuffled(n: usize, seed: u64) -> Vec<f64> {
    let mut values: Vec<f64> = (0..n).map(|i| i as f64).collect();
    SplitMix::new(seed).shuffle(&mut values);
    values
}

/// The error of the rank `p n` and the greatest error over all ranks, as shares of `n`.
fn errors(sketch: &Kll, n: usize, p: f64) -> (f64, f64) {
    let at = |rank: f64| (sketch.cdf(rank - 1.0).unwrap() - rank / n as f64).abs();
    let everywhere = (1..200).map(|step| at((n * step / 200) as f64)).fold(0.0, f64::max);
    (at((p * n as f64).floor()), everywhere)
}

#[test]
fn an_empty_sketch_answers_nothing() {
    let empty = Kll::default();
    assert_eq!((empty.quantile(0.5), empty.cdf(0.0), empty.min()), (None, None, None));
    assert_eq!(Kll::new(7, 0), None);
    let one = sketch(8, 0, &[3.0]);
    assert_eq!((one.quantile(0.0), one.quantile(0.5), one.quantile(1.0)), (Some(3.0), Some(3.0), Some(3.0)));
    assert_eq!((one.quantile(-0.1), one.quantile(f64::NAN), one.cdf(f64::NAN)), (None, None, None));
    assert_eq!(one.quantile_interval(0.5), Some((3.0, 3.0)));
}

#[test]
fn refuses_what_is_not_finite() {
    let mut sketch = Kll::default();
    assert_eq!(sketch.insert_slice(&[1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]), 3);
    assert_eq!(sketch.count(), 1);
}

/// `kll_doubles_sketch.get_normalized_rank_error(k, pmf)` of datasketches 5.2.0, without and with `pmf`.
const DATA_SKETCHES: [(u16, f64, f64); 3] = [
    (8, 0.30401673415817304, 0.3440104758563605),
    (200, 0.013294757464848584, 0.01651561908528982),
    (4096, 0.0007057880588678782, 0.0009570118464987379),
];

#[test]
fn the_stated_error_is_that_of_data_sketches() {
    for (k, one, everywhere) in DATA_SKETCHES {
        let sketch = sketch(k, 0, &shuffled(30_000, 1));
        assert!((sketch.rank_error() - one).abs() < 1e-9 * one);
        assert!((sketch.rank_error_everywhere() - everywhere).abs() < 1e-9 * everywhere);
    }
    assert_eq!(sketch(200, 0, &shuffled(200, 1)).rank_error(), 0.0);
}

/// 200 sketches: one in a hundred may be off by more, so 8 and more have a probability of 0.001.
#[test]
fn the_error_holds_as_often_as_stated() {
    let n = 20_000;
    let (mut one, mut everywhere) = (0, 0);
    for seed in 0..200 {
        let sketch = sketch(100, seed, &shuffled(n, seed + 1_000));
        let (at_median, anywhere) = errors(&sketch, n, 0.5);
        one += usize::from(at_median > sketch.rank_error());
        everywhere += usize::from(anywhere > sketch.rank_error_everywhere());
        assert!(sketch.retained() < 400, "{}", sketch.retained());
    }
    assert!(one < 8 && everywhere < 8, "{one} {everywhere}");
}

/// A sorted stream is the hardest: every halving of a level errs on the same side of the median.
#[test]
fn neither_order_nor_merging_costs_accuracy() {
    let n = 20_000;
    let ascending: Vec<f64> = (0..n).map(|i| i as f64).collect();
    let mut missed = 0;
    for seed in 0..100 {
        let mut merged = Kll::new(100, seed).unwrap();
        for (part, values) in ascending.chunks(700).enumerate() {
            merged.merge(&sketch(100, seed * 1_000 + part as u64, values)).unwrap();
        }
        assert_eq!(merged.count(), n as u64);
        missed += usize::from(errors(&merged, n, 0.5).1 > merged.rank_error_everywhere());
        missed += usize::from(errors(&sketch(100, seed, &ascending), n, 0.5).1 > merged.rank_error_everywhere());
    }
    assert!(missed < 8, "{missed}");
}

#[test]
fn a_million_values_take_five_kibibytes() {
    let mut sketch = Kll::default();
    let mut random = SplitMix::new(5);
    (0..1_000_000).for_each(|_| assert!(sketch.insert(random.unit())));
    assert!(sketch.retained() <= 660, "{}", sketch.retained());
    assert!((sketch.quantile(0.25).unwrap() - 0.25).abs() < sketch.rank_error());
    let (low, high) = sketch.quantile_interval(0.9).unwrap();
    assert!(low < 0.9 && 0.9 < high && high - low < 0.04);
}

#[test]
fn a_cleared_sketch_goes_on_like_a_new_one() {
    let values = shuffled(5_000, 3);
    let mut used = sketch(64, 9, &shuffled(50_000, 4));
    used.clear();
    assert_eq!(used, Kll::new(64, 9).unwrap());
    used.insert_slice(&values);
    assert_eq!(used, sketch(64, 9, &values));
}

#[test]
fn counts_that_cannot_be_held_are_refused() {
    let mut sketch = sketch(8, 0, &[1.0]);
    let mut doublings = 0;
    while sketch.merge(&sketch.clone()).is_ok() {
        doublings += 1;
    }
    assert_eq!((doublings, sketch.count()), (60, MOST_VALUES));
    assert!(!sketch.insert(1.0));
    assert_eq!(sketch.quantile(0.5), Some(1.0));
}

proptest! {
    #[test]
    fn small_streams_are_exact(all in proptest::collection::vec(-1e9..1e9_f64, 1..64), p in 0.0..=1.0_f64) {
        let sketch = sketch(64, 0, &all);
        let mut sorted = all.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = ((p * all.len() as f64).ceil() as usize).clamp(1, all.len());
        prop_assert_eq!(sketch.quantile(p), Some(sorted[rank - 1]));
        prop_assert_eq!(sketch.quantile_interval(p), Some((sorted[rank - 1], sorted[rank - 1])));
        let at_most = sorted.iter().filter(|value| **value <= all[0]).count();
        prop_assert_eq!(sketch.cdf(all[0]), Some(at_most as f64 / all.len() as f64));
    }

    #[test]
    fn weights_add_up_and_answers_are_in_order(
        left in proptest::collection::vec(-10..10_i32, 0..400),
        right in proptest::collection::vec(-10..10_i32, 0..400),
        k in 8..40_u16, other_k in 8..40_u16,
    ) {
        let of = |k, values: &[i32]| sketch(k, 1, &values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>());
        let mut merged = of(k, &left);
        merged.merge(&of(other_k, &right)).unwrap();
        let n = (left.len() + right.len()) as u64;
        prop_assert_eq!(merged.count(), n);
        prop_assert_eq!(merged.cumulated().last().map_or(0, |last| last.1), n);
        prop_assert_eq!(merged.min(), left.iter().chain(&right).min().map(|v| f64::from(*v)));
        prop_assert_eq!(merged.max(), left.iter().chain(&right).max().map(|v| f64::from(*v)));
        let shares: Vec<f64> = (-11..11).filter_map(|x| merged.cdf(f64::from(x))).collect();
        prop_assert!(shares.is_sorted());
        if let Some(quantiles) = merged.quantiles(&[0.0, 0.1, 0.5, 0.9, 1.0]) {
            prop_assert!(quantiles.is_sorted());
        }
    }

    #[test]
    fn survives_being_written_down(all in proptest::collection::vec(-1e9..1e9_f64, 0..500), more in -1e9..1e9_f64) {
        let mut sketch = sketch(16, 2, &all);
        let mut back = Kll::try_from(Stored::from(sketch.clone())).unwrap();
        prop_assert_eq!(&back, &sketch);
        prop_assert_eq!(back.insert(more), sketch.insert(more));
        prop_assert_eq!(back, sketch);
    }
}
