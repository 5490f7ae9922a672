//! Where values of trees are summed, column by column.

/// A column of sums.
#[derive(Clone, Copy)]
pub(super) struct Cells {
    pub(super) output: usize,
    /// Two features in any order; the same twice for the value (or the main effect) of one.
    pub(super) pair: (usize, usize),
}

/// Sums by output, feature (or pair of features) and row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sums {
    pub(super) of_pairs: bool,
    rows: usize,
    features: usize,
    cells: Vec<f64>,
}

/// Numbers that are kept, at most: 1 GiB.
const MOST_CELLS: usize = 1 << 27;

impl Sums {
    /// `None` where they would take more than a gibibyte.
    pub(super) fn new(of_pairs: bool, rows: usize, features: usize, outputs: usize) -> Option<Self> {
        let columns = if of_pairs { features.checked_mul(features + 1)? / 2 } else { features };
        let cells = columns.checked_mul(outputs)?.checked_mul(rows)?;
        (cells <= MOST_CELLS).then(|| Self { of_pairs, rows, features, cells: vec![0.0; cells] })
    }

    fn start(&self, Cells { output, pair }: Cells) -> usize {
        let (low, high) = (pair.0.min(pair.1), pair.0.max(pair.1));
        let column = if self.of_pairs {
            output * (self.features * (self.features + 1) / 2) + low * (2 * self.features - low + 1) / 2 + high - low
        } else {
            output * self.features + low
        };
        column * self.rows
    }

    /// All rows of a column.
    pub(super) fn column(&self, cells: Cells) -> &[f64] {
        let start = self.start(cells);
        &self.cells[start..start + self.rows]
    }

    /// Some rows of a column: the first, and how many.
    pub(super) fn cells(&mut self, cells: Cells, (first, count): (usize, usize)) -> &mut [f64] {
        let start = self.start(cells) + first;
        &mut self.cells[start..start + count]
    }

    /// One cell.
    pub(super) fn cell(&mut self, cells: Cells, row: usize) -> &mut f64 {
        let start = self.start(cells);
        &mut self.cells[start + row]
    }

    pub(super) fn is_finite(&self) -> bool {
        self.cells.iter().all(|cell| cell.is_finite())
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }
}
