//! Median, median absolute deviation, and the z score made of them.

/// The median absolute deviation of normal values times this is their standard deviation.
pub const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// The median, in `O(n)`; the mean of the two middle values for an even count.
///
/// Up to half of the values may be arbitrary. `None` if there are none or one is not finite.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    Some(middle(values.to_vec()))
}

/// The median of at least one number, of which infinite ones may be the greatest.
fn middle(mut values: Vec<f64>) -> f64 {
    let half = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    let upper = *upper;
    if !even {
        return upper;
    }
    below.iter().copied().fold(f64::NEG_INFINITY, f64::max).midpoint(upper)
}

/// The median distance from the median, not scaled, in `O(n)`.
///
/// `None` as for [`median`], and where the deviation is too large for a number; zero when more than
/// half of the values are equal.
#[must_use]
pub fn median_absolute_deviation(values: &[f64]) -> Option<f64> {
    let center = median(values)?;
    let deviation = middle(values.iter().map(|value| (value - center).abs()).collect());
    deviation.is_finite().then_some(deviation)
}

/// `(value - median) / (1.4826 MAD)` of a sample: a z score that outliers cannot mask.
///
/// `None` if the deviation is zero, as for constants: there is no scale then; or if the score is
/// too large for a number.
/// Reference: Iglewicz, Hoaglin (1993).
#[must_use]
pub fn robust_z(value: f64, sample: &[f64]) -> Option<f64> {
    let scale = MAD_TO_SIGMA * median_absolute_deviation(sample)?;
    let z = (value - median(sample)?) / scale;
    (scale > 0.0 && z.is_finite()).then_some(z)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1: `median_abs_deviation([1, 2, 3, 4, 100])` is 1.0.
    #[test]
    fn wild_values_change_little() {
        let values = [100.0, 3.0, 1.0, 4.0, 2.0];
        assert_eq!(median(&values), Some(3.0));
        assert_eq!(median_absolute_deviation(&values), Some(1.0));
        assert_eq!(median(&[1.0, 2.0, 3.0, 10.0]), Some(2.5));
        assert!((robust_z(100.0, &values).unwrap() - 97.0 / MAD_TO_SIGMA).abs() < 1e-9);
    }

    #[test]
    fn bad_input_gives_nothing() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[f64::NAN]), None);
        assert_eq!(median(&[f64::MAX, f64::MAX]), Some(f64::MAX));
        assert_eq!(median_absolute_deviation(&[f64::MIN, f64::MAX, f64::MAX]), Some(0.0));
        assert_eq!(median_absolute_deviation(&[f64::MIN, f64::MIN, f64::MAX, f64::MAX, f64::MAX]), Some(0.0));
        assert_eq!(robust_z(f64::MIN, &[f64::MAX, f64::MAX / 2.0, f64::MAX]), None);
        assert_eq!(robust_z(1.0, &[2.0, 2.0, 2.0]), None);
    }
}
