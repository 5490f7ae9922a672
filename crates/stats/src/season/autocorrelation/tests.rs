use proptest::prelude::*;

use super::*;
use crate::random::SplitMix;

/// `x_t = phi x_{t-1} + u_t`, with numbers that any language makes alike.
fn series(n: usize, phi: f64, mut state: u64) -> Vec<f64> {
    let mut x = 0.0;
    let step = |_| {
        state = (1_103_515_245 * state + 12_345) % 2_147_483_648;
        x = phi * x + state as f64 / 2_147_483_648.0 - 0.5;
        x
    };
    (0..n).map(step).collect()
}

#[track_caller]
fn close(found: Option<f64>, expected: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found} where {expected} is expected");
}

/// statsmodels 0.15.0, `acf(x, fft=False)[3]` and `acorr_ljungbox(x, lags=[10])`; emcee 3.1.6,
/// `integrated_time(x, c=5)`.
#[test]
fn agrees_with_statsmodels_and_emcee() {
    type Golden = (usize, f64, u64, [f64; 3], Option<f64>);
    let golden: [Golden; 4] = [
        (500, 0.0, 1, [0.028171833266029647, 6.912192220226283, 0.7337077343709484], Some(1.1054066698773197)),
        (2_000, 0.6, 2, [0.23381852391558397, 1159.9237158015173, 6.340921511120606e-243], Some(4.165363724811126)),
        (1_000, -0.5, 4, [-0.137027624734645, 381.1822888711165, 9.477191052837458e-76], None),
        (60, 0.3, 5, [0.1896831423182018, 26.40892769265794, 0.003227434587188619], Some(1.273009136369355)),
    ];
    for (n, phi, seed, [third, statistic, p_value], time) in golden {
        let x = series(n, phi, seed);
        close(autocorrelation(&x, 3), third);
        let found = ljung_box(&x, 10).unwrap();
        close(Some(found.statistic), statistic);
        close(Some(found.p_value), p_value);
        if let Some(time) = time {
            close(correlation_time(&x), time);
        }
    }
    close(correlation_time(&series(5_000, 0.9, 3)), 23.18895668304175);
}

/// The mean of an autoregression has the variance `(1 + phi) / (1 - phi)` times that of a mean of
/// independent values.
#[test]
fn a_series_is_worth_as_many_values_as_its_mean_says() {
    for (phi, expected) in [(0.0, 1.0), (0.5, 3.0), (0.9, 19.0)] {
        let sizes: Vec<f64> =
            (0..20).map(|seed| effective_sample_size(&normal_series(5_000, phi, seed)).unwrap()).collect();
        let mean = sizes.iter().sum::<f64>() / 20.0 / 5_000.0;
        assert!((mean * expected - 1.0).abs() < 0.12, "{phi}: {mean}");
    }
    // What swings is worth more, which nobody is promised.
    assert_eq!(effective_sample_size(&normal_series(5_000, -0.5, 1)), Some(5_000.0));
    assert!(correlation_time(&normal_series(5_000, -0.5, 1)).unwrap() < 0.6);
}

fn normal_series(n: usize, phi: f64, seed: u64) -> Vec<f64> {
    let mut random = SplitMix::new(seed);
    let mut x = 0.0;
    (0..n)
        .map(|_| {
            x = phi * x + random.normal();
            x
        })
        .collect()
}

/// A z test of the mean at 5 %: with `n` it errs far too often, with the effective size about as
/// often as it says.
#[test]
fn the_effective_size_keeps_the_error_rate() {
    let (n, trials) = (1_000, 400);
    let (mut plain, mut aware) = (0, 0);
    for seed in 0..trials {
        let x = normal_series(n, 0.7, seed + 50);
        let mean = x.iter().sum::<f64>() / n as f64;
        let deviation = (x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1) as f64).sqrt();
        let z = |size: f64| (mean / deviation * size.sqrt()).abs();
        plain += usize::from(z(n as f64) > 1.96);
        aware += usize::from(z(effective_sample_size(&x).unwrap()) > 1.96);
    }
    // 20 are promised of 400; a standard deviation is 4.4, and the estimate costs a few more.
    assert!(plain > 120 && (8..40).contains(&aware), "{plain} {aware}");
}

#[test]
fn bad_input_gives_nothing() {
    for bad in [&[][..], &[1.0], &[2.0; 50], &[0.1; 50], &[1.0, f64::NAN, 2.0], &[1.0, f64::INFINITY]] {
        assert_eq!((ljung_box(bad, 1), effective_sample_size(bad)), (None, None));
    }
    let x = series(50, 0.0, 1);
    assert_eq!((autocorrelation(&x, 50), autocorrelations(&x, usize::MAX), ljung_box(&x, 0)), (None, None, None));
    let extreme: Vec<f64> = x.iter().map(|x| if *x > 0.0 { f64::MAX } else { f64::MIN }).collect();
    assert!(autocorrelation(&extreme, 1).is_none_or(|r| r.abs() <= 1.0));
    let trend: Vec<f64> = (0..1_000).map(f64::from).collect();
    assert_eq!(correlation_time(&trend), None);
}

proptest! {
    #[test]
    fn correlations_have_bounds_and_know_no_units(
        all in proptest::collection::vec(-1e3..1e3_f64, 12..80), scale in 1e-3..1e3_f64, offset in -1e3..1e3_f64,
    ) {
        let moved: Vec<f64> = all.iter().map(|x| x * scale + offset).collect();
        if let (Some(found), Some(again)) = (autocorrelations(&all, 11), autocorrelations(&moved, 11)) {
            prop_assert!((found[0] - 1.0).abs() < 1e-12);
            prop_assert!(found.iter().all(|r| r.abs() <= 1.0 + 1e-12));
            prop_assert!(found.iter().zip(again).all(|(a, b)| (a - b).abs() < 1e-6));
        }
        if let Some(size) = effective_sample_size(&all) {
            prop_assert!(1.0 <= size && size <= all.len() as f64);
        }
    }
}
