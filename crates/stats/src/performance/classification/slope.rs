//! Numbers that carry their slopes: exact derivatives for the delta method.

use std::ops::{Add, Div, Mul, Sub};

/// A function of four counts at one point: its value and its slope by each count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::performance) struct Sloped {
    pub(in crate::performance) value: f64,
    pub(in crate::performance) slope: [f64; 4],
}

impl Sloped {
    /// One of the counts itself.
    pub(in crate::performance) fn count(value: f64, which: usize) -> Self {
        let mut slope = [0.0; 4];
        slope[which] = 1.0;
        Self { value, slope }
    }

    pub(in crate::performance) fn constant(value: f64) -> Self {
        Self { value, slope: [0.0; 4] }
    }

    pub(in crate::performance) fn square_root(self) -> Self {
        let root = self.value.sqrt();
        Self { value: root, slope: self.slope.map(|slope| 0.5 * slope / root) }
    }

    /// `None` where `whole` is not positive.
    pub(in crate::performance) fn share_of(self, whole: Self) -> Option<Self> {
        (whole.value > 0.0).then(|| self / whole)
    }

    /// The value of a function of two numbers, and its slopes by either.
    fn with(self, other: Self, value: f64, by: [f64; 2]) -> Self {
        Self { value, slope: std::array::from_fn(|at| by[0] * self.slope[at] + by[1] * other.slope[at]) }
    }
}

impl Add for Sloped {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.with(other, self.value + other.value, [1.0, 1.0])
    }
}

impl Sub for Sloped {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.with(other, self.value - other.value, [1.0, -1.0])
    }
}

impl Mul for Sloped {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.with(other, self.value * other.value, [other.value, self.value])
    }
}

impl Div for Sloped {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        self.with(other, value, [other.value.recip(), -value / other.value])
    }
}
