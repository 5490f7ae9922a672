//! How long blocks must be to keep what hangs together in them.

/// The block length at which blocks shuffled or drawn from a series keep its autocorrelation, by the
/// rule of Politis and White with a flat-top window, in `O(n log10 n)` and at most `n / 5`.
///
/// One for independent values; grows with the cube root of the length. Take the longer of the two
/// lengths where two series are compared, and more than a season where there is one: seasons make
/// every block length of this rule too short.
/// `None` for fewer than 20 values, a value that is not finite, or a constant.
/// Reference: Politis, White, Econometric Reviews 23 (2004), with the correction of Patton, Politis,
/// White, 28 (2009): the circular form.
#[must_use]
pub fn block_length(series: &[f64]) -> Option<usize> {
    let n = series.len();
    if n < 20 || series.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mean = series.iter().sum::<f64>() / n as f64;
    let centred: Vec<f64> = series.iter().map(|value| value - mean).collect();
    let covariance = |lag: usize| centred.iter().zip(&centred[lag..]).map(|(x, y)| x * y).sum::<f64>() / n as f64;
    let variance = covariance(0);
    if variance <= 0.0 || !variance.is_finite() {
        return None;
    }
    let size = n as f64;
    // The first lag after which so many correlations in a row are no more than chance gives.
    let in_a_row = (size.log10().sqrt().ceil() as usize).max(5);
    let most_lag = (size.sqrt().ceil() as usize + in_a_row).min(n - 1);
    let bound = 2.0 * (size.log10() / size).sqrt();
    let covariances: Vec<f64> = (0..=most_lag).map(covariance).collect();
    let small = |lag: usize| covariances.get(lag).is_none_or(|value| (value / variance).abs() < bound);
    let quiet_after = (0..=most_lag).find(|lag| (1..=in_a_row).all(|step| small(lag + step)));
    let last = quiet_after.unwrap_or(most_lag).max(1);
    let window = (2 * last).min(most_lag);
    let (mut slope, mut spectrum) = (0.0, variance);
    for (lag, value) in covariances.iter().enumerate().take(window + 1).skip(1) {
        let place = lag as f64 / window as f64;
        let weight = if place <= 0.5 { 1.0 } else { 2.0 * (1.0 - place) };
        slope += 2.0 * weight * lag as f64 * value;
        spectrum += 2.0 * weight * value;
    }
    // Of the circular block form; a spectrum that noise makes tiny or negative tells nothing.
    let scale = (4.0 / 3.0) * spectrum * spectrum;
    let length = if scale > 0.0 { (2.0 * slope * slope / scale).cbrt() * size.cbrt() } else { 1.0 };
    let most = (n / 5).max(1);
    Some(if length.is_finite() { (length.ceil() as usize).clamp(1, most) } else { most })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    fn autoregressive(seed: u64, n: usize, coefficient: f64) -> Vec<f64> {
        let mut random = SplitMix::new(seed);
        let mut last = 0.0;
        (0..n)
            .map(|_| {
                last = coefficient * last + random.normal();
                last
            })
            .collect()
    }

    /// For coefficient `a` the theory gives `(3/2)^(1/3) (2a / (1 - a^2))^(2/3) n^(1/3)`.
    #[test]
    fn follows_the_theory_for_autoregression() {
        for (coefficient, n) in [(0.3_f64, 4_000_usize), (0.6, 4_000), (0.9, 4_000)] {
            let lengths = (0..15).map(|seed| block_length(&autoregressive(seed, n, coefficient)).unwrap() as f64);
            let mean = lengths.sum::<f64>() / 15.0;
            let memory = 2.0 * coefficient / (1.0 - coefficient * coefficient);
            let theory = (1.5 * n as f64 * memory * memory).cbrt();
            assert!((0.6..1.6).contains(&(mean / theory)), "{coefficient}: {mean} for {theory}");
        }
    }

    #[test]
    fn independent_values_need_short_blocks() {
        let lengths: Vec<usize> =
            (0..15).map(|seed| block_length(&autoregressive(seed, 2_000, 0.0)).unwrap()).collect();
        assert!(lengths.iter().sum::<usize>() < 15 * 12, "{lengths:?}");
    }

    #[test]
    fn bad_series_give_nothing() {
        assert_eq!(block_length(&[1.0; 100]), None);
        assert_eq!(block_length(&[1.0; 5]), None);
        assert_eq!(block_length(&[f64::NAN; 50]), None);
    }
}
