use proptest::prelude::*;

use super::*;
use crate::golden::{close, numbers};
use crate::sequential::tests_stream::Lcg;

/// The samples a and b of the golden values, sorted.
pub(crate) fn golden_samples() -> (Vec<f64>, Vec<f64>) {
    let mut a: Vec<f64> = (0..40).map(|i| f64::from((i * 37) % 101) / 101.0).collect();
    let mut b: Vec<f64> = (0..30).map(|j| f64::from((j * 53 + 7) % 101) / 101.0 * 0.8 + 0.3).collect();
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    (a, b)
}

/// golden-stats.json, scipy 1.17.1 `ks_2samp(a, b, method="exact")`.
#[test]
fn agrees_with_scipy() {
    let (a, b) = golden_samples();
    let test = kolmogorov_smirnov(&a, &b).unwrap();
    assert!((test.statistic - 0.35).abs() < 1e-12);
    assert!((test.p_value / 0.023_651_374_035_440_8 - 1.0).abs() < 1e-9, "{}", test.p_value);
    assert!((test.location - 0.326_732_673_267_326_75).abs() < 1e-12);
    assert!(test.current_is_greater);
}

/// scipy 1.17.1: `ks_2samp(x, y, method="exact")`; the first is D = 1/3 for 0..30 against 10..40.
#[test]
fn small_samples_are_exact() {
    let range = |from: u32, to: u32| (from..to).map(f64::from).collect::<Vec<_>>();
    let mut uneven_a = stream(5, 200);
    let mut uneven_b: Vec<f64> = stream(9, 37).iter().map(|value| value.powf(1.5)).collect();
    uneven_a.sort_by(f64::total_cmp);
    uneven_b.sort_by(f64::total_cmp);
    for (path, a, b) in [
        ("/two_sample/ks_30", range(0, 30), range(10, 40)),
        ("/two_sample/ks_far", range(0, 60), range(40, 100)),
        ("/two_sample/ks_uneven", uneven_a, uneven_b),
    ] {
        let expected = numbers(path);
        let test = kolmogorov_smirnov(&a, &b);
        close(test.map(|test| test.statistic), expected[0], 1e-12);
        close(test.map(|test| test.p_value), expected[1], 1e-9);
    }
}

fn stream(state: u64, n: usize) -> Vec<f64> {
    let mut stream = Lcg::exactly(state);
    (0..n).map(|_| stream.next()).collect()
}

#[test]
fn large_samples_take_the_limit() {
    let a: Vec<f64> = (0..2_000).map(f64::from).collect();
    let b: Vec<f64> = (0..2_000).map(|i| f64::from(i) + 90.0).collect();
    let test = kolmogorov_smirnov(&a, &b).unwrap();
    assert!((test.statistic - 0.045).abs() < 1e-9);
    assert!((0.030..0.040).contains(&test.p_value), "{}", test.p_value);
}

#[test]
fn bad_input_gives_nothing() {
    assert_eq!(kolmogorov_smirnov(&[], &[1.0]), None);
    assert_eq!(kolmogorov_smirnov(&[2.0, 1.0], &[1.0]), None);
    assert_eq!(kolmogorov_smirnov(&[f64::NAN], &[1.0]), None);
    assert_eq!(kolmogorov_smirnov_counts(&[1, 2], &[0, 0]), None);
    assert_eq!(kolmogorov_smirnov_sketches(&LogHistogram::new(), &LogHistogram::new()), None);
}

proptest! {
    #[test]
    fn a_sketch_is_near_the_samples(
        mut a in proptest::collection::vec(0.0..100.0_f64, 20..80),
        mut b in proptest::collection::vec(0.0..100.0_f64, 20..80),
    ) {
        a.sort_by(f64::total_cmp);
        b.sort_by(f64::total_cmp);
        let sketch = |values: &[f64]| {
            let mut sketch = LogHistogram::new();
            sketch.insert_slice(values);
            sketch
        };
        let exact = kolmogorov_smirnov(&a, &b).unwrap();
        let sketched = kolmogorov_smirnov_sketches(&sketch(&a), &sketch(&b)).unwrap();
        prop_assert!(sketched.statistic <= exact.statistic + 1e-12);
        prop_assert!((0.0..=1.0).contains(&exact.p_value));
        let exchanged = kolmogorov_smirnov(&b, &a).unwrap();
        prop_assert!((exchanged.p_value - exact.p_value).abs() < 1e-9);
    }
}
