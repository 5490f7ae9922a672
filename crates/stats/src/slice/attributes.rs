//! Rows described by small codes.

/// The code of a row that has no value; it belongs to no slice of the attribute.
pub const NO_VALUE: u32 = u32::MAX;

/// Most values of an attribute: more are bins or rare values that the caller merges.
const MOST_VALUES: u32 = 1_024;
/// Most attributes.
const MOST_ATTRIBUTES: usize = 64;

/// `attribute = value`, both as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Condition {
    /// The attribute's place.
    pub attribute: usize,
    /// Its code.
    pub value: u32,
}

/// Columns of codes, one for each attribute. Memory: two bytes for each cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributes {
    columns: Vec<Column>,
    n_rows: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    /// Codes below `n_values`; `n_values` itself is "no value".
    pub(super) codes: Vec<u16>,
    pub(super) n_values: usize,
}

impl Attributes {
    /// One column for each attribute, with codes from 0; [`NO_VALUE`] where there is none.
    ///
    /// Returns `None` for no column, no row, uneven columns, over 64 columns, or a code of 1,024 or more (see
    /// [`merge_rare`](super::merge_rare) and [`quantile_codes`](super::quantile_codes)).
    ///
    /// ```
    /// use wardline_stats::slice::{Attributes, NO_VALUE};
    ///
    /// let attributes = Attributes::new(&[vec![0, 1, 1], vec![2, 0, NO_VALUE]]).unwrap();
    /// assert_eq!((attributes.n_rows(), attributes.n_attributes()), (3, 2));
    /// ```
    pub fn new(columns: &[Vec<u32>]) -> Option<Self> {
        let n_rows = columns.first()?.len();
        let is_even = columns.iter().all(|column| column.len() == n_rows);
        if n_rows == 0 || u32::try_from(n_rows).is_err() || !is_even || columns.len() > MOST_ATTRIBUTES {
            return None;
        }
        let columns = columns.iter().map(|codes| Column::new(codes)).collect::<Option<Vec<_>>>()?;
        Some(Self { columns, n_rows })
    }

    /// Rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Attributes.
    pub fn n_attributes(&self) -> usize {
        self.columns.len()
    }

    /// Whether a row meets all conditions; one that names no attribute here is met by no row.
    pub fn meets(&self, row: usize, conditions: &[Condition]) -> bool {
        conditions.iter().all(|condition| {
            self.columns.get(condition.attribute).is_some_and(|column| {
                (condition.value as usize) < column.n_values
                    && column.codes.get(row).is_some_and(|code| u32::from(*code) == condition.value)
            })
        })
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Values of all attributes together.
    pub(super) fn n_values(&self) -> usize {
        self.columns.iter().map(|column| column.n_values).sum()
    }

    /// These rows alone, in this order.
    pub(super) fn rows(&self, rows: &[usize]) -> Self {
        let of = |column: &Column| Column {
            codes: rows.iter().map(|row| column.codes[*row]).collect(),
            n_values: column.n_values,
        };
        Self { columns: self.columns.iter().map(of).collect(), n_rows: rows.len() }
    }
}

impl Column {
    fn new(codes: &[u32]) -> Option<Self> {
        let most = codes.iter().filter(|code| **code != NO_VALUE).max().map_or(0, |most| most.saturating_add(1));
        if most > MOST_VALUES {
            return None;
        }
        let none = most as u16;
        let codes = codes.iter().map(|code| if *code == NO_VALUE { none } else { *code as u16 }).collect();
        Some(Self { codes, n_values: most as usize })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_columns_are_refused() {
        assert_eq!(Attributes::new(&[]), None);
        assert_eq!(Attributes::new(&[vec![]]), None);
        assert_eq!(Attributes::new(&[vec![0], vec![0, 1]]), None);
        assert_eq!(Attributes::new(&[vec![1_024]]), None);
        assert!(Attributes::new(&[vec![1_023, NO_VALUE]]).is_some());
    }

    #[test]
    fn a_row_without_a_value_is_in_no_slice() {
        let attributes = Attributes::new(&[vec![0, 1, NO_VALUE]]).unwrap();
        let is = |row, value| attributes.meets(row, &[Condition { attribute: 0, value }]);
        assert!(is(0, 0) && is(1, 1) && !is(2, 0) && !is(2, 2) && !is(2, NO_VALUE) && !is(9, 0));
        assert!(!attributes.meets(0, &[Condition { attribute: 7, value: 0 }]));
    }
}
