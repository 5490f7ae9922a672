//! A question to one feature.

use serde::{Deserialize, Serialize};

/// Numbers that LightGBM takes for zero.
const ZERO: f64 = 1e-35;

/// Where a missing value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Missing {
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// Where a zero goes.
    AsZero,
    /// To the left, and a zero as well.
    ZeroTooLeft,
    /// To the right, and a zero as well.
    ZeroTooRight,
}

/// A split of a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Split {
    /// A number that is at most the threshold goes left.
    Number {
        /// The column.
        feature: u32,
        /// Of double precision: a comparison of single precision is moved to where it decides alike.
        threshold: f64,
        /// Where a missing number goes.
        missing: Missing,
    },
    /// A whole number that is in the set goes to one side; all others, negative ones too, to the other.
    Category {
        /// The column.
        feature: u32,
        /// A bit for each category.
        set: Vec<u64>,
        /// Whether the set goes left.
        set_is_left: bool,
        /// Whether a missing value goes left.
        missing_is_left: bool,
    },
}

impl Split {
    /// The column that is asked.
    #[must_use]
    pub fn feature(&self) -> usize {
        match self {
            Self::Number { feature, .. } | Self::Category { feature, .. } => *feature as usize,
        }
    }

    /// Whether a value goes left. NaN stands for "missing".
    #[must_use]
    #[inline]
    pub fn goes_left(&self, value: f64) -> bool {
        match self {
            Self::Number { threshold, missing, .. } => match missing {
                Missing::Left => value <= *threshold || value.is_nan(),
                Missing::Right => value <= *threshold,
                Missing::AsZero => (if value.is_nan() { 0.0 } else { value }) <= *threshold,
                Missing::ZeroTooLeft => value <= *threshold || value.is_nan() || value.abs() <= ZERO,
                Missing::ZeroTooRight => value <= *threshold && value.abs() > ZERO,
            },
            Self::Category { set, set_is_left, missing_is_left, .. } => {
                if value.is_nan() {
                    return *missing_is_left;
                }
                let is_in = value > -1.0 && {
                    // Cut off towards zero; what is too large saturates, and no set holds it.
                    let category = value as u64;
                    set.get((category / 64) as usize).is_some_and(|word| word >> (category % 64) & 1 == 1)
                };
                is_in == *set_is_left
            }
        }
    }

    pub(super) fn is_sound(&self, width: usize) -> bool {
        let known = self.feature() < width;
        known && !matches!(self, Self::Number { threshold, .. } if threshold.is_nan())
    }
}

/// The greatest number whose single precision is below a threshold of single precision.
///
/// `value as f32 < threshold` and `value <= below_single(threshold)` decide alike, for every number.
pub(super) fn below_single(threshold: f32) -> f64 {
    at_most_single(threshold.next_down())
}

/// The greatest number whose single precision is at most a threshold of single precision.
pub(super) fn at_most_single(threshold: f32) -> f64 {
    if !threshold.is_finite() {
        return f64::from(threshold).clamp(f64::MIN, f64::MAX);
    }
    let next = threshold.next_up();
    // The middle between two neighbours is exact in double precision; it rounds to the one whose last bit is zero.
    // Beyond the greatest number stands what the next one would be.
    let above = if next.is_finite() { f64::from(next) } else { 2.0_f64.powi(128) };
    let middle = 0.5 * (f64::from(threshold) + above);
    if threshold.to_bits() & 1 == 0 { middle } else { middle.next_down() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sets_hold_whole_numbers() {
        let split = Split::Category { feature: 0, set: vec![0b1010, 1], set_is_left: true, missing_is_left: false };
        for (value, left) in
            [(1.0, true), (1.9, true), (0.0, false), (3.0, true), (64.0, true), (-1.0, false), (1e300, false)]
        {
            assert_eq!(split.goes_left(value), left, "{value}");
        }
        assert!(!split.goes_left(f64::NAN));
        assert!(!split.goes_left(-0.5), "cut off it is zero, which is not in the set");
    }

    #[test]
    fn missing_values_have_their_side() {
        let at = |missing, value| Split::Number { feature: 0, threshold: 1.0, missing }.goes_left(value);
        assert!(at(Missing::Left, f64::NAN) && !at(Missing::Right, f64::NAN));
        assert!(at(Missing::AsZero, f64::NAN) && !at(Missing::AsZero, 1.5));
        assert!(at(Missing::ZeroTooLeft, 0.0) && !at(Missing::ZeroTooRight, -0.0) && at(Missing::ZeroTooRight, 0.5));
    }

    proptest! {
        #[test]
        fn thresholds_of_single_precision_decide_alike(bits in any::<u32>(), step in -3_i32..=3, value in -1e3_f64..1e3) {
            let threshold = f32::from_bits(bits);
            prop_assume!(threshold.is_finite());
            let near = f64::from(threshold);
            let middle = 0.5 * (near + f64::from(threshold.next_up().clamp(f32::MIN, f32::MAX)));
            let beside = (0..step.abs()).fold(middle, |x, _| if step > 0 { x.next_up() } else { x.next_down() });
            for value in [value, near, near.next_up(), near.next_down(), middle, beside, f64::from(threshold.next_down())] {
                let single = value as f32;
                prop_assert_eq!(value <= at_most_single(threshold), single <= threshold, "{} {}", value, threshold);
                prop_assert_eq!(value <= below_single(threshold), single < threshold, "{} {}", value, threshold);
            }
        }
    }
}
