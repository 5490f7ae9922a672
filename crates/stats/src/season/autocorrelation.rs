//! How much a series repeats itself, and how many independent values it is worth.

use crate::distribution::chi_square;

/// Windows of this many correlation times end the sum: Sokal's rule.
const SOKAL: f64 = 5.0;
/// Fewer correlation times than this are too little to measure one.
const LEAST_TIMES: f64 = 20.0;

/// The correlation of a series with itself `lag` steps later, from -1 to 1.
///
/// `r_k = sum (x_t - m)(x_{t+k} - m) / sum (x_t - m)^2`, with the mean `m` of the whole and all `n`
/// squares below, so that a row of them is one of a real process (biased towards zero by the factor
/// `(n - k) / n`). `O(n)`. Under independence it is about normal with variance `1 / n`.
///
/// `None` if the lag leaves no pair, a value is not finite, or all are equal.
/// Reference: Box, Jenkins, "Time Series Analysis", 2.1.
#[must_use]
pub fn autocorrelation(values: &[f64], lag: usize) -> Option<f64> {
    let centered = Centered::new(values)?;
    (lag < values.len()).then(|| centered.at(lag))
}

/// The autocorrelations from lag 0, which is 1, to `max_lag`; `O(n max_lag)`.
///
/// `None` as for [`autocorrelation`].
#[must_use]
pub fn autocorrelations(values: &[f64], max_lag: usize) -> Option<Vec<f64>> {
    let centered = Centered::new(values)?;
    (max_lag < values.len()).then(|| (0..=max_lag).map(|lag| centered.at(lag)).collect())
}

/// Over how many steps a series forgets: `tau = 1 + 2 sum r_k`, one for independent values.
///
/// The mean of `n` values has the variance of a mean of `n / tau` independent ones. The sum ends at
/// the first lag of at least `5 max(tau, 1)` (Sokal's window). `O(n tau)`. Below one, down to zero,
/// for a series that swings to and fro. It is too low by some 10 % at 50 correlation times, more
/// below, and knows nothing of trends or seasons longer than the series: take those out first.
///
/// `None` as for [`autocorrelation`], or if the series is shorter than 20 correlation times.
/// Reference: Sokal, "Monte Carlo Methods in Statistical Mechanics" (1996), section 3.
#[must_use]
pub fn correlation_time(values: &[f64]) -> Option<f64> {
    let centered = Centered::new(values)?;
    let mut tau = 1.0;
    for lag in 1..values.len() {
        tau += 2.0 * centered.at(lag);
        // Where the end of the window is out of reach already, the rest of the sum is vain.
        if lag as f64 * LEAST_TIMES > SOKAL * values.len() as f64 {
            return None;
        }
        if lag as f64 >= SOKAL * tau.max(1.0) {
            return (LEAST_TIMES * tau.max(1.0) <= values.len() as f64).then_some(tau.max(0.0));
        }
    }
    None
}

/// How many independent values have a mean as sure as that of this series: `n / max(tau, 1)`.
///
/// Put it where a test or an interval asks for the size of the sample, and its error rate holds for
/// dependent values about as it does for independent ones; for a statistic that takes no size,
/// shuffle blocks instead ([`crate::resample`]). Never more than `n`: what a swinging
/// series would gain is not to be relied on. `None` as for [`correlation_time`].
///
/// ```
/// use wardline_stats::season::effective_sample_size;
/// // Each value comes four times in a row: a fourth as much is known.
/// let values: Vec<f64> = (0..4_000_u32).map(|i| f64::from((i / 4) * (i / 4)).sin()).collect();
/// let size = effective_sample_size(&values).unwrap_or_default();
/// assert!(800.0 < size && size < 1_250.0);
/// ```
#[must_use]
pub fn effective_sample_size(values: &[f64]) -> Option<f64> {
    correlation_time(values).map(|tau| values.len() as f64 / tau.max(1.0))
}

/// Whether a series depends on itself at all, up to a lag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LjungBox {
    /// `n (n + 2) sum r_k^2 / (n - k)`.
    pub statistic: f64,
    /// How likely independent values are to give as much.
    pub p_value: f64,
}

/// The Ljung-Box test that the first `lags` autocorrelations are all zero; `O(n lags)`.
///
/// The p-value is that of chi-square with `lags` degrees of freedom: good from some 10 values for
/// each lag on. `None` as for [`autocorrelation`], or for no lags.
/// Reference: Ljung, Box, Biometrika 65 (1978).
#[must_use]
pub fn ljung_box(values: &[f64], lags: usize) -> Option<LjungBox> {
    let n = values.len() as f64;
    let correlations = autocorrelations(values, lags).filter(|_| lags > 0)?;
    let sum: f64 = correlations.iter().enumerate().skip(1).map(|(lag, r)| r * r / (n - lag as f64)).sum();
    let statistic = n * (n + 2.0) * sum;
    Some(LjungBox { statistic, p_value: chi_square::sf(statistic, lags as f64)? })
}

/// Deviations from the mean, in units of the greatest, so that no square is too large.
struct Centered {
    deviations: Vec<f64>,
    squares: f64,
}

impl Centered {
    fn new(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        // Each value is divided before the sum, which may be too large for a number.
        let mean: f64 = values.iter().map(|value| value / count).sum();
        let greatest = values.iter().map(|value| (value - mean).abs()).fold(0.0, f64::max);
        // Differences below the last digits of the mean are rounding, not spread.
        let spread = greatest > 4.0 * f64::EPSILON * mean.abs();
        if !(spread && mean.is_finite() && greatest.is_finite() && values.iter().all(|value| value.is_finite())) {
            return None;
        }
        let deviations: Vec<f64> = values.iter().map(|value| (value - mean) / greatest).collect();
        let squares = deviations.iter().map(|deviation| deviation * deviation).sum();
        Some(Self { deviations, squares })
    }

    fn at(&self, lag: usize) -> f64 {
        let later = self.deviations.iter().skip(lag);
        self.deviations.iter().zip(later).map(|(a, b)| a * b).sum::<f64>() / self.squares
    }
}

#[cfg(test)]
mod tests;
