//! A kernel test of millions of rows: means of random features against their null law.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Rows;
use crate::distribution::chi_square;

mod random_kernel;

use random_kernel::{LANES, RandomKernel, WIDTHS};

/// Adding it to a number in `-1..=1` leaves the number in steps of `2^-20` in the lowest bits.
const STEPS: f32 = 12.0;
/// Steps to one.
const ONE: f64 = 1_048_576.0;
/// Fewer rows than this are not tested: the null law is one of many rows.
const LEAST_ROWS: u64 = 20;

/// Whether columns have units of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scaling {
    /// Each column by its median and interquartile range: columns of a table.
    EachColumn,
    /// Columns are comparable already: embeddings, counts of n-grams.
    Together,
}

/// How the random features are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KernelSettings {
    /// Frequencies for each of the three widths; two features each. 1 to 4,096.
    pub frequencies: usize,
    /// Whether columns have units of their own.
    pub scaling: Scaling,
    /// Of the frequencies.
    pub seed: u64,
}

impl Default for KernelSettings {
    fn default() -> Self {
        Self { frequencies: 64, scaling: Scaling::EachColumn, seed: 1 }
    }
}

/// What is kept of the rows of a reference: the mean of `6 frequencies` random features, and the law
/// of its distance to the mean of as many unchanged rows. Some kilobytes, whatever the number of rows.
///
/// `cos(w x)` and `sin(w x)` with `w` normal have inner products whose mean is the kernel
/// `exp(-d^2 / width)`, so the squared distance of the means is the (biased) squared discrepancy of
/// the kernel means. Its null law is `(1/n + 1/m) sum l_i chi2_i` with the eigenvalues of the
/// features' covariance, matched by three cumulants. So no permutations are needed, and the p-value
/// holds for any sizes (of 1,000 unchanged pairs of 20 columns 4 to 5 % alarm at 5 %; at 1 %, 1.0 % of
/// 1,000 rows against 1,000 and 1.9 % of windows of 25); below 1e-6 only its order of magnitude does.
/// At equal sizes its power is a little below that of the exact test with permutations, and equal to
/// it with 128 frequencies; it is meant for sizes that the exact test cannot take.
///
/// Rows must be independent. Cost of a row: `3 frequencies x dimensions` multiply-adds and as many
/// sines, by vector instructions: 1.5 microseconds for 20 columns and 192 frequencies.
/// References: Rahimi, Recht, NIPS (2007); Gretton et al., JMLR 13 (2012); Buckley, Eagleson, Austral.
/// J. Statist. 30 (1988); several widths as in Schrab et al., JMLR 24 (2023).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct KernelReference {
    kernel: Arc<RandomKernel>,
    sums: Vec<i64>,
    count: u64,
    /// Of each width: the sums of the eigenvalues, their squares and their cubes.
    power_sums: Vec<[f64; 3]>,
}

/// As serialised, before it is checked.
#[derive(Deserialize)]
struct Stored {
    kernel: RandomKernel,
    sums: Vec<i64>,
    count: u64,
    power_sums: Vec<[f64; 3]>,
}

/// A window of rows, to be compared with a [`KernelReference`].
///
/// Features are summed in steps of `2^-20`, so merging is exact in any order.
#[derive(Clone, Debug)]
pub struct KernelWindow {
    kernel: Arc<RandomKernel>,
    sums: Vec<i64>,
    count: u64,
    /// Rows on their way into the sums; means nothing between calls.
    block: Vec<[f32; LANES]>,
}

impl PartialEq for KernelWindow {
    fn eq(&self, other: &Self) -> bool {
        self.kernel == other.kernel && self.sums == other.sums && self.count == other.count
    }
}

/// How far apart the kernel means are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KernelDrift {
    /// The unbiased squared discrepancy at the median width: about zero, and often negative, under no
    /// change; at most 2.
    pub squared_discrepancy: f64,
    /// The least of the three widths' p-values, times three.
    pub p_value: f64,
    /// The p-value of each width: a quarter of the median, the median, four times it.
    pub p_values: [f64; 3],
}

impl KernelReference {
    /// Draws the features and takes in the reference, in one pass after a look at 4,096 rows.
    ///
    /// `None` for fewer than 20 rows, more than 16,384 columns, rows that are all equal, or
    /// frequencies not in `1..=4096`.
    #[must_use]
    pub fn new(rows: Rows<'_>, settings: &KernelSettings) -> Option<Self> {
        let mut reference = Self::from_sample(rows, settings)?;
        reference.insert(rows);
        Some(reference)
    }

    /// An empty reference whose features and null law follow a sample of the rows to come: for a
    /// reference that is too long for memory, or arrives in parts. `None` as for [`Self::new`].
    #[must_use]
    pub fn from_sample(sample: Rows<'_>, settings: &KernelSettings) -> Option<Self> {
        let valid = (1..=4_096).contains(&settings.frequencies) && sample.width() <= 16_384;
        if !valid || (sample.len() as u64) < LEAST_ROWS {
            return None;
        }
        let kernel = Arc::new(RandomKernel::draw(sample, settings)?);
        let power_sums = kernel.power_sums(sample);
        if power_sums.iter().any(|sums| sums.iter().any(|sum| !(*sum > 0.0 && sum.is_finite()))) {
            return None;
        }
        let KernelWindow { sums, .. } = KernelWindow::of(&kernel);
        Some(Self { kernel, sums, count: 0, power_sums })
    }

    /// Takes rows into the reference; `false`, and no change, if their width is another.
    pub fn insert(&mut self, rows: Rows<'_>) -> bool {
        let mut window = self.window();
        if !window.insert(rows) {
            return false;
        }
        self.sums.iter_mut().zip(&window.sums).for_each(|(ours, theirs)| *ours += theirs);
        self.count += window.count;
        true
    }

    /// An empty window, to be compared with this reference.
    #[must_use]
    pub fn window(&self) -> KernelWindow {
        KernelWindow::of(&self.kernel)
    }

    /// How many rows the reference had.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Numbers in each row.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.kernel.dimensions
    }

    /// Tests whether the window's rows have the reference's law, in microseconds.
    ///
    /// `None` for fewer than 20 rows a side, or a window of another reference.
    #[must_use]
    pub fn compare(&self, window: &KernelWindow) -> Option<KernelDrift> {
        let same = Arc::ptr_eq(&self.kernel, &window.kernel) || self.kernel == window.kernel;
        if !same || self.count.min(window.count) < LEAST_ROWS {
            return None;
        }
        let (n, m) = (self.count as f64, window.count as f64);
        let noise = 1.0 / n + 1.0 / m;
        let features = 2 * self.kernel.frequencies;
        let sides = self.sums.chunks_exact(features).zip(window.sums.chunks_exact(features));
        let mut squared_discrepancy = 0.0;
        let mut p_values = [1.0; 3];
        for (width, ((ours, theirs), powers)) in sides.zip(&self.power_sums).enumerate() {
            let distance =
                ours.iter().zip(theirs).map(|(x, y)| ((*x as f64 / n - *y as f64 / m) / ONE).powi(2)).sum::<f64>()
                    / self.kernel.frequencies as f64;
            p_values[width] = weighted_chi_square_sf(distance / noise, *powers);
            if width == 1 {
                squared_discrepancy = distance - noise * powers[0];
            }
        }
        let least = p_values.iter().copied().fold(1.0, f64::min);
        Some(KernelDrift { squared_discrepancy, p_value: (3.0 * least).min(1.0), p_values })
    }
}

impl TryFrom<Stored> for KernelReference {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { kernel, sums, count, power_sums } = stored;
        let all = WIDTHS.len().checked_mul(kernel.frequencies);
        let weights = all.and_then(|all| all.checked_mul(kernel.dimensions));
        let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        let fits = kernel.frequencies > 0
            && kernel.dimensions > 0
            && Some(kernel.weights.len()) == weights
            && Some(sums.len()) == all.map(|all| 2 * all)
            && kernel.middles.len() == kernel.dimensions
            && kernel.per_scale.len() == kernel.dimensions
            && power_sums.len() == WIDTHS.len()
            && power_sums.iter().flatten().all(|sum| sum.is_finite() && *sum > 0.0)
            && finite(&kernel.weights)
            && finite(&kernel.middles)
            && finite(&kernel.per_scale);
        if !fits {
            return Err("the parts of a kernel reference do not fit together");
        }
        Ok(Self { kernel: Arc::new(kernel), sums, count, power_sums })
    }
}

impl KernelWindow {
    fn of(kernel: &Arc<RandomKernel>) -> Self {
        let features = 2 * WIDTHS.len() * kernel.frequencies;
        Self {
            kernel: Arc::clone(kernel),
            sums: vec![0; features],
            count: 0,
            block: vec![[0.0; LANES]; kernel.dimensions],
        }
    }

    /// Takes in rows, sixteen at a time; `false`, and no change, if their width is another.
    pub fn insert(&mut self, rows: Rows<'_>) -> bool {
        if rows.width() != self.kernel.dimensions {
            return false;
        }
        let kernel = &self.kernel;
        for rows in rows.values.chunks(LANES * rows.width()) {
            let held = kernel.standardise(rows, &mut self.block);
            kernel.for_each_frequency(&self.block, |frequency, sines, cosines| {
                self.sums[2 * frequency] += sum_of_steps(&cosines[..held], cosines);
                self.sums[2 * frequency + 1] += sum_of_steps(&sines[..held], sines);
            });
            self.count += held as u64;
        }
        true
    }

    /// Adds everything that `other` has seen; `false`, and no change, if it was made for another
    /// reference.
    #[must_use = "windows of another reference are not merged"]
    pub fn merge(&mut self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.kernel, &other.kernel) || self.kernel == other.kernel;
        if same {
            for (ours, theirs) in self.sums.iter_mut().zip(&other.sums) {
                *ours += theirs;
            }
            self.count += other.count;
        }
        same
    }

    /// How many rows were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Numbers in each row.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.kernel.dimensions
    }

    /// Forgets all rows, for the next window.
    pub fn clear(&mut self) {
        self.sums.fill(0);
        self.count = 0;
    }
}

/// The sum of the values in steps of `2^-20`: exact, so that it does not depend on the order.
#[inline(always)]
fn sum_of_steps(held: &[f32], all: &[f32; LANES]) -> i64 {
    let steps = |value: f32| ((value + STEPS).to_bits() as i32).wrapping_sub(STEPS.to_bits() as i32);
    if held.len() == LANES {
        let mut sum = 0_i32;
        for value in all {
            sum += steps(*value);
        }
        return i64::from(sum);
    }
    held.iter().map(|value| i64::from(steps(*value))).sum()
}

/// `P(sum l_i chi2_i > x)` from the sums of the first three powers of the `l`: the law of
/// `a + b chi2_v` with the same mean, variance and skewness.
fn weighted_chi_square_sf(x: f64, powers: [f64; 3]) -> f64 {
    let [mean, squares, cubes] = powers;
    let deviation = (2.0 * squares).sqrt();
    let degrees = squares.powi(3) / (cubes * cubes);
    let standard = (x - mean) / deviation;
    chi_square::sf((degrees + standard * (2.0 * degrees).sqrt()).max(0.0), degrees).unwrap_or(1.0)
}

#[cfg(test)]
mod tests;
