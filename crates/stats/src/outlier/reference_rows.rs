//! Rows that others are measured against, one after the other.

use serde::{Deserialize, Serialize};

use crate::learn::Features;

/// Rows of numbers, none missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ReferenceRows {
    values: Vec<f64>,
    width: usize,
}

impl ReferenceRows {
    /// `None` where a value is missing or too large to be squared.
    pub(super) fn of(features: &Features<'_>) -> Option<Self> {
        let width = features.width();
        let mut values = vec![0.0; features.rows() * width];
        for (feature, column) in features.columns().iter().enumerate() {
            for (row, value) in column.iter().enumerate() {
                if value.is_nan() || value.abs() > 1e150 {
                    return None;
                }
                values[row * width + feature] = *value;
            }
        }
        Some(Self { values, width })
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() / self.width
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn row(&self, at: usize) -> &[f64] {
        &self.values[at * self.width..(at + 1) * self.width]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width)
    }

    pub(super) fn is_sound(&self) -> bool {
        self.width > 0
            && !self.values.is_empty()
            && self.values.len().is_multiple_of(self.width)
            && self.values.iter().all(|value| value.abs() <= 1e150)
    }
}

/// The squared distance of two rows.
#[inline]
pub(super) fn squared_distance(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| (a - b) * (a - b)).sum()
}
