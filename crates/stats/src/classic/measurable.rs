//! Which numbers a detector that adds up can take.

/// Greater numbers are not taken: their squares and sums would overflow, and blind a detector for
/// ever.
const GREATEST: f64 = 1e100;

/// Finite and at most 1e100 away from zero.
#[inline]
pub(super) fn is_measurable(value: f64) -> bool {
    value.abs() <= GREATEST
}
