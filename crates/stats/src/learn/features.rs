//! A table of numbers, column by column.

/// Features of rows: one column of numbers for each, all of one length. NaN stands for "missing".
///
/// Categories are given as numbers; their order is the caller's choice.
#[derive(Clone, Debug)]
pub struct Features<'a> {
    columns: Vec<&'a [f64]>,
    rows: usize,
}

impl<'a> Features<'a> {
    /// `None` if there is no column or no row, lengths differ, a value is infinite, or there are more
    /// than `2^31` rows or `2^16` columns.
    #[must_use]
    pub fn new(columns: Vec<&'a [f64]>) -> Option<Self> {
        let rows = columns.first()?.len();
        let sized = 0 < rows && rows <= 1 << 31 && columns.len() <= 1 << 16;
        let even = columns.iter().all(|column| column.len() == rows);
        let finite = columns.iter().all(|column| column.iter().all(|value| !value.is_infinite()));
        (sized && even && finite).then_some(Self { columns, rows })
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns there are.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[&'a [f64]] {
        &self.columns
    }
}

/// Whether weights are one for each row, finite, not negative, and not all zero.
pub(super) fn weights_are_valid(weights: Option<&[f64]>, rows: usize) -> bool {
    weights.is_none_or(|weights| {
        weights.len() == rows
            && weights.iter().all(|weight| 0.0 <= *weight && weight.is_finite())
            && weights.iter().sum::<f64>() > 0.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uneven_empty_or_infinite_columns_are_refused() {
        assert!(Features::new(vec![]).is_none());
        assert!(Features::new(vec![&[]]).is_none());
        assert!(Features::new(vec![&[1.0], &[1.0, 2.0]]).is_none());
        assert!(Features::new(vec![&[f64::INFINITY]]).is_none());
        assert!(Features::new(vec![&[f64::NAN, 1.0]]).is_some());
        assert!(!weights_are_valid(Some(&[0.0, 0.0]), 2));
        assert!(!weights_are_valid(Some(&[f64::NAN, 1.0]), 2));
    }
}
