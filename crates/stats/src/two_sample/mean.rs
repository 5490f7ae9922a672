//! Do two means differ?

use serde::{Deserialize, Serialize};

use crate::distribution::student_t as law;
use crate::sketch::Moments;

/// The comparison of two means.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanTest {
    /// `current - reference` in standard errors: positive where the current mean is greater.
    pub t: f64,
    /// Of Student's law; not whole for Welch's form.
    pub degrees_of_freedom: f64,
    /// Two-sided.
    pub p_value: f64,
    /// `current - reference`, in the unit of the values.
    pub difference: f64,
    /// The difference in standard deviations of the reference; zero where it is constant.
    pub effect: f64,
}

/// Welch's t test of two means with different variances, in `O(n + m)`; order does not matter.
///
/// `t = (mean_c - mean_r) / sqrt(v_r/n + v_c/m)`, degrees of freedom by Satterthwaite. Right for means
/// of many values of any law with a variance; with few values only for normal ones. One extreme value
/// hides a change: the variance grows faster than the difference.
/// `None` for fewer than two values a side, a value that is not finite, or two constants.
/// Reference: Welch, Biometrika 34 (1947).
#[must_use]
pub fn welch_t(reference: &[f64], current: &[f64]) -> Option<MeanTest> {
    welch_t_moments(&moments(reference)?, &moments(current)?)
}

/// The same from running moments.
#[must_use]
pub fn welch_t_moments(reference: &Moments, current: &Moments) -> Option<MeanTest> {
    let (n, m) = (reference.count() as f64, current.count() as f64);
    let (of_reference, of_current) = (reference.variance()? / n, current.variance()? / m);
    let error = of_reference + of_current;
    let degrees = error * error / (of_reference.powi(2) / (n - 1.0) + of_current.powi(2) / (m - 1.0));
    finish(reference, current, error, degrees)
}

/// Student's t test with a pooled variance, in `O(n + m)`; order does not matter.
///
/// Wrong where the variances differ and the sizes do too: use [`welch_t`]. `None` as there.
/// Reference: Student, Biometrika 6 (1908).
#[must_use]
pub fn student_t(reference: &[f64], current: &[f64]) -> Option<MeanTest> {
    let (reference, current) = (moments(reference)?, moments(current)?);
    let (n, m) = (reference.count() as f64, current.count() as f64);
    if n < 2.0 || m < 2.0 {
        return None;
    }
    let degrees = n + m - 2.0;
    let pooled = (reference.m2() + current.m2()) / degrees;
    finish(&reference, &current, pooled * (1.0 / n + 1.0 / m), degrees)
}

fn moments(values: &[f64]) -> Option<Moments> {
    let mut moments = Moments::new();
    (moments.insert_slice(values) == 0).then_some(moments)
}

fn finish(reference: &Moments, current: &Moments, squared_error: f64, degrees: f64) -> Option<MeanTest> {
    let difference = current.mean()? - reference.mean()?;
    let t = difference / squared_error.sqrt();
    if squared_error <= 0.0 || !t.is_finite() || !degrees.is_finite() {
        return None;
    }
    let p_value = law::two_sided(t, degrees)?;
    let deviation = reference.standard_deviation()?;
    let effect = if deviation > 0.0 { difference / deviation } else { 0.0 };
    Some(MeanTest { t, degrees_of_freedom: degrees, p_value, difference, effect })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::two_sample::kolmogorov_smirnov::tests::golden_samples;

    /// golden-stats.json, scipy 1.17.1 `ttest_ind(a, b, equal_var=False)`, and evidently 0.7.23
    /// `t_test`, which is `ttest_ind(a, b)`.
    #[test]
    fn agrees_with_scipy() {
        let (a, b) = golden_samples();
        let test = welch_t(&a, &b).unwrap();
        assert!((test.t - 3.002_543_584_560_471).abs() < 1e-9);
        assert!((test.degrees_of_freedom / 67.865_581_570_017_8 - 1.0).abs() < 1e-9);
        assert!((test.p_value / 0.003_745_526_978_916_549_3 - 1.0).abs() < 1e-9);
        let pooled = super::student_t(&a, &b).unwrap();
        assert!((pooled.p_value / 0.005_036_993_216_867_957 - 1.0).abs() < 1e-9);
        assert_eq!(pooled.degrees_of_freedom, 68.0);
    }

    #[test]
    fn exchanging_the_samples_turns_the_sign() {
        let (a, b) = golden_samples();
        let (there, back) = (welch_t(&a, &b).unwrap(), welch_t(&b, &a).unwrap());
        assert_eq!((there.t, there.p_value), (-back.t, back.p_value));
    }

    #[test]
    fn bad_input_gives_nothing() {
        let (a, _) = golden_samples();
        for bad in [&[][..], &[1.0], &[1.0, f64::NAN], &[f64::INFINITY, 1.0], &[f64::MAX, f64::MIN]] {
            assert_eq!(welch_t(&a, bad), None);
            assert_eq!(super::student_t(bad, &a), None);
        }
        assert_eq!(welch_t(&[2.0; 9], &[2.0; 9]), None);
        assert_eq!(super::student_t(&[2.0; 9], &[3.0; 9]), None);
    }
}
