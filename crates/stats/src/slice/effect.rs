//! What two periods differ in, as an effect by row.

/// Over-representation: 1 for a current row and 0 for one of the reference.
///
/// A slice carries it if it has a larger share of the current rows than the others. One minus it is the effect of
/// having become rare.
pub fn shift_effect(is_current: &[bool]) -> Vec<f64> {
    is_current.iter().map(|is_current| f64::from(u8::from(*is_current))).collect()
}

/// Change of a mean between two periods: `y - mean` for a current row, and `-(n_current / n_reference) (y - mean)` for
/// one of the reference, each from the mean of its own period.
///
/// Its sum over a slice is how much more the slice exceeds the mean now than before, in units of `y` times current
/// rows. It is zero over all rows: a change that strikes all alike is no slice's.
///
/// Returns `None` for uneven lengths, a value that is not finite, or a period without a row.
pub fn change_effect(values: &[f64], is_current: &[bool]) -> Option<Vec<f64>> {
    if values.len() != is_current.len() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let of = |current: bool| {
        let inside = values.iter().zip(is_current).filter(move |(_, is)| **is == current);
        inside.fold((0.0, 0.0), |(n, sum), (value, _)| (n + 1.0, sum + value))
    };
    let ((n_reference, reference), (n_current, current)) = (of(false), of(true));
    if n_reference == 0.0 || n_current == 0.0 {
        return None;
    }
    let (before, now, scale) = (reference / n_reference, current / n_current, n_current / n_reference);
    let effect = values.iter().zip(is_current).map(|(y, is)| if *is { y - now } else { -scale * (y - before) });
    let effect: Vec<f64> = effect.collect();
    effect.iter().all(|value| value.is_finite()).then_some(effect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_strikes_all_alike_is_no_effect() {
        let effect = change_effect(&[1.0, 2.0, 11.0, 12.0], &[false, false, true, true]).unwrap();
        assert_eq!(effect, [0.5, -0.5, -0.5, 0.5]);
        assert_eq!(change_effect(&[1.0, 2.0], &[true, true]), None);
        assert_eq!(change_effect(&[1.0, f64::NAN], &[false, true]), None);
        assert_eq!(shift_effect(&[true, false]), [1.0, 0.0]);
    }
}
