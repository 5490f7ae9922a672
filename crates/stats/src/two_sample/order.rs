//! Two sorted samples merged: the places where either distribution function rises.

/// A stretch of the number line and how many values of each sample lie on it.
///
/// Where `low == high` the values are tied. Otherwise they are taken to lie evenly between the ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cell {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) reference: u64,
    pub(crate) current: u64,
}

impl Cell {
    pub(crate) fn at(value: f64, reference: u64, current: u64) -> Self {
        Self { low: value, high: value, reference, current }
    }

    pub(crate) fn is_tie(&self) -> bool {
        self.low == self.high
    }

    pub(crate) fn middle(&self) -> f64 {
        self.low + 0.5 * (self.high - self.low)
    }
}

/// Totals of both sides; `None` if one is empty.
pub(crate) fn totals(cells: &[Cell]) -> Option<(u64, u64)> {
    let (n, m) = cells.iter().fold((0, 0), |(n, m), cell| (n + cell.reference, m + cell.current));
    (n > 0 && m > 0).then_some((n, m))
}

/// Visits each cell with `F_reference - F_current` before and after it; `None` if a side is empty.
///
/// From whole counts, because sums of shares gather rounding errors that one far value multiplies.
pub(crate) fn for_each_difference(cells: &[Cell], mut visit: impl FnMut(&Cell, f64, f64)) -> Option<()> {
    let (n, m) = totals(cells)?;
    let (mut seen_n, mut seen_m, mut before) = (0_u64, 0_u64, 0.0);
    for cell in cells {
        seen_n += cell.reference;
        seen_m += cell.current;
        let after = seen_n as f64 / n as f64 - seen_m as f64 / m as f64;
        visit(cell, before, after);
        before = after;
    }
    Some(())
}

/// One cell for each different value; `None` if a sample is empty, not sorted, or holds a value that
/// is not finite.
pub(crate) fn merge(reference: &[f64], current: &[f64]) -> Option<Vec<Cell>> {
    let valid =
        |values: &[f64]| !values.is_empty() && values.is_sorted() && values.iter().all(|value| value.is_finite());
    if !valid(reference) || !valid(current) {
        return None;
    }
    let mut cells = Vec::with_capacity(reference.len() + current.len());
    let (mut i, mut j) = (0, 0);
    loop {
        let value = match (reference.get(i), current.get(j)) {
            (Some(x), Some(y)) => x.min(*y),
            (Some(x), None) => *x,
            (None, Some(y)) => *y,
            (None, None) => return Some(cells),
        };
        let (from_i, from_j) = (i, j);
        while i < reference.len() && reference[i] <= value {
            i += 1;
        }
        while j < current.len() && current[j] <= value {
            j += 1;
        }
        cells.push(Cell::at(value, (i - from_i) as u64, (j - from_j) as u64));
    }
}
