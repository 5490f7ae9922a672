//! Many rows through one tree at a time: no branch depends on the data, and rows do not wait for each other.

use super::tree::{Split, Tree};

/// Rows that walk side by side.
const LANES: usize = 8;
/// Rows that go through a tree before the next one: they and the tree stay in the first cache.
pub(super) const BLOCK: usize = 128;
/// Places of a row in the quick layout.
const MOST_QUICK: usize = 128;
/// The depth of the quick layout: that of the usual sample of 256 rows.
const QUICK_DEPTH: u32 = 8;

/// Values of a block of rows.
pub(super) struct RowBlock {
    values: Vec<f32>,
    /// A power of two, so that a place within is found by a mask.
    stride: usize,
}

impl RowBlock {
    pub(super) fn new(width: usize) -> Self {
        let stride = width.next_power_of_two();
        Self { values: vec![0.0; BLOCK * stride], stride }
    }

    pub(super) fn set(&mut self, row: usize, feature: usize, value: f32) {
        self.values[row * self.stride + feature] = value;
    }

    /// Adds the depth in this tree to each row's sum.
    pub(super) fn add_depths(&self, tree: &Tree, sums: &mut [f64; BLOCK]) {
        let quick = (self.stride <= MOST_QUICK && tree.depth() == QUICK_DEPTH)
            .then(|| tree.splits.first_chunk::<256>().zip(tree.depths.first_chunk::<256>()))
            .flatten();
        match quick {
            Some((splits, depths)) => {
                for (rows, sums) in self.values.chunks_exact(LANES * self.stride).zip(sums.chunks_exact_mut(LANES)) {
                    let mut lanes = [0.0; LANES * MOST_QUICK];
                    lanes[..rows.len()].copy_from_slice(rows);
                    add_quickly(&lanes, self.stride, splits, depths, sums);
                }
            }
            None => {
                for (row, sum) in self.values.chunks_exact(self.stride).zip(sums.iter_mut()) {
                    *sum += tree.depths[walk(row, tree)];
                }
            }
        }
    }
}

/// Eight rows through a tree of depth eight. Masks in place of bounds: they change no place that is within.
fn add_quickly(
    lanes: &[f32; LANES * MOST_QUICK],
    stride: usize,
    splits: &[Split; 256],
    depths: &[f64; 256],
    sums: &mut [f64],
) {
    let mut places = [1_usize; LANES];
    for _ in 0..QUICK_DEPTH {
        for (lane, place) in places.iter_mut().enumerate() {
            let split = splits[*place & 255];
            let value = lanes[(lane * stride + split.feature as usize) & (LANES * MOST_QUICK - 1)];
            *place = 2 * *place + usize::from(value > split.threshold);
        }
    }
    for (place, sum) in places.iter().zip(sums) {
        *sum += depths[*place & 255];
    }
}

fn walk(row: &[f32], tree: &Tree) -> usize {
    let mut place = 1;
    while place < tree.splits.len() {
        let split = tree.splits[place];
        place = 2 * place + usize::from(row[split.feature as usize] > split.threshold);
    }
    place - tree.depths.len()
}
