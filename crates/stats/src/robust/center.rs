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
    let mut values = values.to_vec();
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if !even {
        return Some(upper);
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(lower + 0.5 * (upper - lower))
}

/// The median distance from the median, not scaled, in `O(n)`.
///
/// `None` as for [`median`]; zero when more than half of the values are equal.
#[must_use]
pub fn median_absolute_deviation(values: &[f64]) -> Option<f64> {
    let center = median(values)?;
    let distances: Vec<f64> = values.iter().map(|value| (value - center).abs()).collect();
    median(&distances)
}

/// `(value - median) / (1.4826 MAD)` of a sample: a z score that outliers cannot mask.
///
/// `None` if the deviation is zero, as for constants: there is no scale then.
/// Reference: Iglewicz, Hoaglin (1993).
#[must_use]
pub fn robust_z(value: f64, sample: &[f64]) -> Option<f64> {
    let scale = MAD_TO_SIGMA * median_absolute_deviation(sample)?;
    (scale > 0.0 && value.is_finite()).then(|| median(sample).map(|m| (value - m) / scale))?
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
        assert_eq!(robust_z(1.0, &[2.0, 2.0, 2.0]), None);
    }
}
