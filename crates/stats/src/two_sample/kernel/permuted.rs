//! Kernel sums over many permutations at once.

use crate::random::SplitMix;

/// Permutations that are summed side by side.
const LANES: usize = 8;

/// Which rows are current: as observed, and in each permutation.
pub(super) struct Labels {
    rows: usize,
    current: usize,
    /// For each batch, for each row, one number for each permutation of the batch: 1 where current.
    batches: Vec<Vec<[f64; LANES]>>,
    count: usize,
}

impl Labels {
    /// The observed order, the reference first, and `permutations` others.
    pub(super) fn new(reference: usize, current: usize, permutations: u32, seed: u64) -> Self {
        let rows = reference + current;
        let mut is_current: Vec<bool> = (0..rows).map(|row| row >= reference).collect();
        let count = permutations as usize + 1;
        let mut batches = vec![vec![[0.0; LANES]; rows]; count.div_ceil(LANES)];
        let mut random = SplitMix::new(seed);
        for place in 0..count {
            if place > 0 {
                random.shuffle(&mut is_current);
            }
            for (row, current) in batches[place / LANES].iter_mut().zip(&is_current) {
                row[place % LANES] = f64::from(u8::from(*current));
            }
        }
        Self { rows, current, batches, count }
    }

    /// The unbiased squared discrepancy of the observed order, then of each permutation.
    ///
    /// `kernel` holds the cells below the diagonal, row by row. `O(rows^2 permutations / 2)`.
    pub(super) fn discrepancies(&self, kernel: &[f64]) -> Vec<f64> {
        let mut row_sums = vec![0.0; self.rows];
        let mut at = 0;
        for i in 0..self.rows {
            for j in 0..i {
                row_sums[i] += kernel[at];
                row_sums[j] += kernel[at];
                at += 1;
            }
        }
        let all: f64 = row_sums.iter().sum();
        let m = self.current as f64;
        let n = self.rows as f64 - m;
        let mut found = Vec::with_capacity(self.count);
        for labels in &self.batches {
            let (own, touched) = sums(kernel, &row_sums, labels);
            for lane in 0..LANES {
                let between = touched[lane] - own[lane];
                let within = all - own[lane] - 2.0 * between;
                found.push(within / (n * (n - 1.0)) + own[lane] / (m * (m - 1.0)) - 2.0 * between / (n * m));
            }
        }
        found.truncate(self.count);
        found
    }
}

/// For each permutation: the sum over ordered current pairs, and over all pairs with a current row.
fn sums(kernel: &[f64], row_sums: &[f64], labels: &[[f64; LANES]]) -> ([f64; LANES], [f64; LANES]) {
    let (mut own, mut touched) = ([0.0; LANES], [0.0; LANES]);
    let mut rest = kernel;
    for (i, (mine, row_sum)) in labels.iter().zip(row_sums).enumerate() {
        let (row, below) = rest.split_at(i);
        rest = below;
        let mut to_current = [0.0; LANES];
        for (value, other) in row.iter().zip(labels) {
            for lane in 0..LANES {
                to_current[lane] += value * other[lane];
            }
        }
        for lane in 0..LANES {
            own[lane] += 2.0 * mine[lane] * to_current[lane];
            touched[lane] += mine[lane] * row_sum;
        }
    }
    (own, touched)
}
