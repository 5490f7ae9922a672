//! Many rows through one tree at a time: no branch depends on the data, and rows do not wait for each other.

use super::tree::{Split, Tree};

/// Rows that walk side by side.
const LANES: usize = 16;
/// Rows that go through a tree before the next one: they and the tree stay in the first cache.
pub(super) const BLOCK: usize = 128;
/// The depth of the quick way: that of the usual sample of 256 rows.
const QUICK_DEPTH: u32 = 8;

/// Values of a block of rows: groups of as many rows as walk side by side, column by column.
pub(super) struct RowBlock {
    values: Vec<f32>,
    /// Columns of a group. A power of two, so that a place within is found by a mask.
    stride: usize,
}

impl RowBlock {
    pub(super) fn new(width: usize) -> Self {
        let stride = width.next_power_of_two();
        Self { values: vec![0.0; BLOCK * stride], stride }
    }

    pub(super) fn set(&mut self, row: usize, feature: usize, value: f32) {
        self.values[(row / LANES * self.stride + feature) * LANES + row % LANES] = value;
    }

    /// Adds the depth in this tree to each row's sum.
    pub(super) fn add_depths(&self, tree: &Tree, sums: &mut [f64; BLOCK]) {
        let quick = (tree.depth() == QUICK_DEPTH)
            .then(|| tree.splits.first_chunk::<256>().zip(tree.depths.first_chunk::<256>()))
            .flatten();
        let Some((splits, depths)) = quick else { return self.add_slowly(tree, sums) };
        match self.stride {
            1 => add_quickly::<LANES>(&self.values, splits, depths, sums),
            2 => add_quickly::<{ 2 * LANES }>(&self.values, splits, depths, sums),
            4 => add_quickly::<{ 4 * LANES }>(&self.values, splits, depths, sums),
            8 => add_quickly::<{ 8 * LANES }>(&self.values, splits, depths, sums),
            16 => add_quickly::<{ 16 * LANES }>(&self.values, splits, depths, sums),
            32 => add_quickly::<{ 32 * LANES }>(&self.values, splits, depths, sums),
            64 => add_quickly::<{ 64 * LANES }>(&self.values, splits, depths, sums),
            128 => add_quickly::<{ 128 * LANES }>(&self.values, splits, depths, sums),
            _ => self.add_slowly(tree, sums),
        }
    }

    fn add_slowly(&self, tree: &Tree, sums: &mut [f64; BLOCK]) {
        let groups = self.values.chunks_exact(LANES * self.stride);
        for (group, sums) in groups.zip(sums.chunks_exact_mut(LANES)) {
            for (lane, sum) in sums.iter_mut().enumerate() {
                *sum += tree.depths[walk(group, lane, tree)];
            }
        }
    }
}

/// Groups of `SIZE` numbers through a tree of depth eight. Masks in place of bounds: they change no place that is
/// within.
fn add_quickly<const SIZE: usize>(values: &[f32], splits: &[Split; 256], depths: &[f64; 256], sums: &mut [f64; BLOCK]) {
    for (group, sums) in values.as_chunks::<SIZE>().0.iter().zip(sums.as_chunks_mut::<LANES>().0) {
        let mut places = [1_usize; LANES];
        for _ in 0..QUICK_DEPTH {
            for (lane, place) in places.iter_mut().enumerate() {
                let split = splits[*place & 255];
                let value = group[(split.feature as usize * LANES + lane) & (SIZE - 1)];
                *place = 2 * *place + usize::from(value > split.threshold);
            }
        }
        for (place, sum) in places.iter().zip(sums) {
            *sum += depths[*place & 255];
        }
    }
}

fn walk(group: &[f32], lane: usize, tree: &Tree) -> usize {
    let mut place = 1;
    while place < tree.splits.len() {
        let split = tree.splits[place];
        place = 2 * place + usize::from(group[split.feature as usize * LANES + lane] > split.threshold);
    }
    place - tree.depths.len()
}
