//! What stands in for a missing value.

use serde::{Deserialize, Serialize};

use crate::learn::Features;

/// The median of each column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Typical {
    medians: Vec<f64>,
}

/// Values of a column that its median is taken from, evenly spread.
const LOOKED_AT: usize = 10_000;

impl Typical {
    /// `None` where no column has a value; a column without one stands at zero.
    pub(super) fn of(features: &Features<'_>) -> Option<Self> {
        let step = features.rows().div_ceil(LOOKED_AT).max(1);
        let median = |column: &&[f64]| {
            let mut seen: Vec<f64> = column.iter().step_by(step).copied().filter(|value| !value.is_nan()).collect();
            if seen.is_empty() {
                seen.extend(column.iter().copied().find(|value| !value.is_nan()));
            }
            let middle = seen.len() / 2;
            (!seen.is_empty()).then(|| *seen.select_nth_unstable_by(middle, f64::total_cmp).1)
        };
        let medians: Vec<Option<f64>> = features.columns().iter().map(median).collect();
        medians
            .iter()
            .any(Option::is_some)
            .then(|| Self { medians: medians.into_iter().map(|m| m.unwrap_or(0.0)).collect() })
    }

    pub(super) fn zero(width: usize) -> Self {
        Self { medians: vec![0.0; width] }
    }

    pub(super) fn width(&self) -> usize {
        self.medians.len()
    }

    pub(super) fn is_sound(&self) -> bool {
        !self.medians.is_empty() && self.medians.iter().all(|median| median.is_finite())
    }

    /// The value, or what stands in for it.
    #[inline]
    pub(super) fn value(&self, feature: usize, value: f64) -> f64 {
        if value.is_nan() { self.medians[feature] } else { value }
    }

    /// The same in single precision, finite.
    #[inline]
    pub(super) fn single(&self, feature: usize, value: f64) -> f32 {
        (self.value(feature, value) as f32).clamp(f32::MIN, f32::MAX)
    }
}
