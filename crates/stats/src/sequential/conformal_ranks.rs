//! Smoothed conformal p-values of a stream of numbers, in bounded memory.

use serde::{Deserialize, Serialize};

use crate::random::SplitMix;

/// Quantiles of the learned values that separate cells: one less than a power of two.
const EDGES: usize = 127;

/// Cells of a block, and blocks.
const BLOCK: usize = 16;

/// Ones from a place on: what a value adds to the sums of a block.
const FROM: [[u64; BLOCK]; BLOCK] = {
    let mut from = [[0; BLOCK]; BLOCK];
    let mut cell = 0;
    while cell < BLOCK * BLOCK {
        from[cell / BLOCK][cell % BLOCK] = (cell % BLOCK >= cell / BLOCK) as u64;
        cell += 1;
    }
    from
};

/// How many values are learned before the first p-value, unless a sample is given.
const LEARNED: usize = 2_000;

/// Turns each value into its rank among all so far: a number that is even in `(0, 1)` while nothing
/// changes, whatever the law of the values.
///
/// Values fall into cells: at a quantile of the learned values, or between two of them (255 cells,
/// so that a value which repeats has a cell of its own). With `g` values in higher cells and `s` in
/// the same cell, this one included, of `n` in all, `p = (g + U s) / n` with `U` even in `(0, 1)`
/// from the seed: small for large values. While the values are exchangeable, these p-values are
/// independent and even, exactly; cells only blur them. The learned values set the cells and are
/// no part of `n`.
///
/// Not to be trusted as a single test against a reference: the changed values join the bag.
/// Cost: 7 steps of search and 32 additions a value; 3 KiB, and while learning 16 KiB more; allocates
/// once, when learning ends.
/// Source: Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World" (2005), section 8.1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConformalRanks {
    learned: Vec<f64>,
    to_learn: usize,
    /// The greatest number of all where fewer quantiles differ; empty while learning.
    edges: Vec<f64>,
    /// How many values lie in the cells of a block up to each, and in the blocks up to each.
    within: Vec<[u64; BLOCK]>,
    blocks: [u64; BLOCK],
    total: u64,
    random: SplitMix,
}

impl ConformalRanks {
    /// Learns the cells from the first 2,000 values, which have no p-value.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            learned: Vec::with_capacity(LEARNED),
            to_learn: LEARNED,
            edges: Vec::new(),
            within: Vec::new(),
            blocks: [0; BLOCK],
            total: 0,
            random: SplitMix::new(seed),
        }
    }

    /// Learns the cells from every other value of a sample and ranks the rest, so that p-values
    /// start with the next value; `None` for fewer than 20 finite values.
    ///
    /// The order of the sample must be of no importance, as that of the stream before a change.
    #[must_use]
    pub fn from_sample(sample: &[f64], seed: u64) -> Option<Self> {
        let finite: Vec<f64> = sample.iter().copied().filter(|value| value.is_finite()).collect();
        if finite.len() < 20 {
            return None;
        }
        let mut ranks = Self::new(seed);
        ranks.learned = finite.iter().copied().step_by(2).collect();
        ranks.finish();
        for value in finite.iter().skip(1).step_by(2) {
            ranks.observe(*value);
        }
        Some(ranks)
    }

    /// Takes in one value and gives its p-value; `None` while learning, and for a value that is not
    /// finite, which is ignored.
    pub fn observe(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        if self.edges.is_empty() {
            self.learned.push(value);
            if self.learned.len() >= self.to_learn {
                self.finish();
            }
            return None;
        }
        let cell = self.cell(value);
        self.add(cell);
        self.total += 1;
        let at_most = self.at_most(cell);
        let below = if cell > 0 { self.at_most(cell - 1) } else { 0 };
        let greater = (self.total - at_most) as f64;
        let same = (at_most - below) as f64;
        Some((greater + self.random.unit() * same) / self.total as f64)
    }

    /// How many values have had a p-value.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.total
    }

    /// Forgets everything and learns anew; the random numbers go on.
    pub fn relearn(&mut self) {
        *self = Self { random: self.random.clone(), ..Self::new(0) };
    }

    fn finish(&mut self) {
        self.learned.sort_unstable_by(f64::total_cmp);
        let n = self.learned.len();
        self.edges = (1..=EDGES).map(|edge| self.learned[(edge * n / (EDGES + 1)).min(n - 1)]).collect();
        self.edges.dedup();
        self.edges.resize(EDGES, f64::MAX);
        self.within = vec![[0; BLOCK]; BLOCK];
        self.learned = Vec::new();
    }

    /// From 0 on: below the first edge, at it, between it and the second, and so on.
    #[inline]
    fn cell(&self, value: f64) -> usize {
        // Which way a value falls is chance: a branch would be mistaken half of the time.
        let mut edge = 0;
        let mut step = EDGES.div_ceil(2);
        while step > 0 {
            edge = std::hint::select_unpredictable(self.edges[edge + step - 1] < value, edge + step, edge);
            step /= 2;
        }
        2 * edge + usize::from(self.edges.get(edge) == Some(&value))
    }

    #[inline]
    fn add(&mut self, cell: usize) {
        let (block, place) = (cell / BLOCK, cell % BLOCK);
        for (count, step) in self.within[block].iter_mut().zip(&FROM[place]) {
            *count += step;
        }
        for (count, step) in self.blocks.iter_mut().zip(&FROM[block]) {
            *count += step;
        }
    }

    #[inline]
    fn at_most(&self, cell: usize) -> u64 {
        let (block, place) = (cell / BLOCK, cell % BLOCK);
        let before = if block > 0 { self.blocks[block - 1] } else { 0 };
        before + self.within[block][place]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Goal: p-values are even and independent of the one before, for continuous and for few-valued
    /// numbers. Method: a 4 by 4 table of pairs, chi-square with 15 degrees of freedom below 37.7
    /// (one in a thousand).
    #[test]
    fn p_values_are_even_and_independent() {
        let laws: [fn(&mut SplitMix) -> f64; 3] =
            [SplitMix::normal, |random| (random.unit() * 3.0).floor(), |random| random.unit().powi(9)];
        for (seed, law) in laws.into_iter().enumerate() {
            let mut ranks = ConformalRanks::new(seed as u64);
            let mut stream = SplitMix::new(seed as u64 + 50);
            let mut cells = [[0.0_f64; 4]; 4];
            let mut before = None;
            for _ in 0..42_000 {
                let Some(p) = ranks.observe(law(&mut stream)) else { continue };
                let now = ((p * 4.0) as usize).min(3);
                if let Some(before) = before {
                    let row: &mut [f64; 4] = &mut cells[before];
                    row[now] += 1.0;
                }
                before = Some(now);
            }
            let expected = cells.iter().flatten().sum::<f64>() / 16.0;
            let distance: f64 = cells.iter().flatten().map(|n| (n - expected).powi(2) / expected).sum();
            assert!(distance < 37.7, "law {seed}: {distance}");
        }
    }

    #[test]
    fn a_sample_replaces_learning() {
        let sample: Vec<f64> = (0..100).map(f64::from).collect();
        let mut ranks = ConformalRanks::from_sample(&sample, 1).unwrap();
        assert!(ranks.observe(1e9).unwrap() < 0.04);
        assert!(ranks.observe(-1e9).unwrap() > 0.96);
        assert_eq!(ranks.observe(f64::NAN), None);
        assert_eq!(ConformalRanks::from_sample(&[f64::NAN; 50], 1), None);
    }

    proptest! {
        /// Cells and blocks give the ranks that counting gives.
        #[test]
        fn ranks_agree_with_counting(values in proptest::collection::vec(-5..5_i32, 30..120)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let mut ranks = ConformalRanks::from_sample(&values, 3).unwrap();
            let bag: Vec<f64> = values.iter().copied().skip(1).step_by(2).collect();
            // Cells of whole numbers that were learned; the others share theirs with neighbours.
            let value = values[0];
            let p = ranks.observe(value).unwrap();
            let greater = bag.iter().filter(|other| **other > value).count() as f64;
            let same = 1.0 + bag.iter().filter(|other| **other == value).count() as f64;
            let n = bag.len() as f64 + 1.0;
            prop_assert!(greater / n <= p && p <= (greater + same) / n);
        }
    }
}
