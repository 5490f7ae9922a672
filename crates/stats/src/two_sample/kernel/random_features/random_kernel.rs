//! Random frequencies for three widths, and the features of many rows at once.

use serde::{Deserialize, Serialize};

use super::super::Rows;
use super::super::sin_cos::sin_cos;
use super::{KernelSettings, Scaling};
use crate::random::SplitMix;
use crate::robust::median;
use crate::two_sample::symmetric::Symmetric;

/// Rows that are taken together, so that their features are computed by vector instructions.
pub(super) const LANES: usize = 16;
/// Rows that scales and widths are taken from.
const ROWS_FOR_WIDTH: usize = 512;
/// Rows that the null law is taken from.
const ROWS_FOR_NULL: usize = 4_096;
/// A column's value is limited to this many scales, so that no row can turn the angles to noise.
const MOST_SCALES: f32 = 100.0;
/// Kernels at a quarter of the median squared distance, at it, and at four times it: small widths see
/// detail, large ones a shift of everything.
pub(super) const WIDTHS: [f64; 3] = [0.25, 1.0, 4.0];

/// The transformation that reference and window share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RandomKernel {
    pub(super) dimensions: usize,
    pub(super) frequencies: usize,
    /// Of each column: the middle and one over the scale.
    pub(super) middles: Vec<f32>,
    pub(super) per_scale: Vec<f32>,
    /// Frequencies of the first width, then of the second, and so on; each of `dimensions` numbers.
    pub(super) weights: Vec<f32>,
}

impl RandomKernel {
    pub(super) fn draw(rows: Rows<'_>, settings: &KernelSettings) -> Option<Self> {
        let dimensions = rows.width();
        let some: Vec<&[f64]> = spread(rows, ROWS_FOR_WIDTH).collect();
        let mut kernel = Self {
            dimensions,
            frequencies: settings.frequencies,
            middles: vec![0.0; dimensions],
            per_scale: vec![1.0; dimensions],
            weights: Vec::new(),
        };
        if settings.scaling == Scaling::EachColumn {
            for column in 0..dimensions {
                let values: Vec<f64> = spread(rows, ROWS_FOR_NULL).map(|row| row[column]).collect();
                let (middle, scale) = middle_and_scale(values);
                kernel.middles[column] = middle as f32;
                kernel.per_scale[column] = (1.0 / scale) as f32;
            }
        } else {
            let largest = some.iter().flat_map(|row| row.iter()).fold(0.0_f64, |most, value| most.max(value.abs()));
            kernel.per_scale.fill(if largest > 0.0 { (1.0 / largest) as f32 } else { 1.0 });
        }
        if kernel.per_scale.iter().chain(&kernel.middles).any(|value| !value.is_finite()) {
            return None;
        }
        let width = kernel.median_squared_distance(&some)?;
        let mut random = SplitMix::new(settings.seed);
        kernel.weights = WIDTHS
            .iter()
            .flat_map(|factor| std::iter::repeat_n((2.0 / (factor * width)).sqrt(), settings.frequencies * dimensions))
            .map(|scale| (scale * random.normal()) as f32)
            .collect();
        Some(kernel)
    }

    fn value(&self, column: usize, value: f64) -> f32 {
        // The difference first and in double precision: a large offset must not eat the digits.
        let scaled = (value - f64::from(self.middles[column])) as f32 * self.per_scale[column];
        scaled.clamp(-MOST_SCALES, MOST_SCALES)
    }

    /// Of all pairs of some rows; the mean where more than half of the pairs are equal.
    fn median_squared_distance(&self, rows: &[&[f64]]) -> Option<f64> {
        let scaled: Vec<Vec<f64>> = rows
            .iter()
            .map(|row| row.iter().enumerate().map(|(column, x)| f64::from(self.value(column, *x))).collect())
            .collect();
        let pairs =
            scaled.iter().enumerate().flat_map(|(at, row)| scaled[at + 1..].iter().map(move |other| (row, other)));
        let distances: Vec<f64> =
            pairs.map(|(row, other)| row.iter().zip(other).map(|(x, y)| (x - y) * (x - y)).sum()).collect();
        let mean = distances.iter().sum::<f64>() / distances.len() as f64;
        let width = median(&distances).filter(|width| *width > 0.0).unwrap_or(mean);
        (width > 0.0 && width.is_finite()).then_some(width)
    }

    /// Puts up to sixteen rows side by side, column by column; returns how many.
    #[inline]
    pub(super) fn standardise(&self, rows: &[f64], block: &mut [[f32; LANES]]) -> usize {
        let held = rows.len() / self.dimensions;
        for (lane, row) in rows.chunks_exact(self.dimensions).enumerate() {
            for (column, value) in row.iter().enumerate() {
                block[column][lane] = self.value(column, *value);
            }
        }
        held
    }

    /// Sines and cosines of all frequencies for a block of rows.
    #[inline(always)]
    pub(super) fn for_each_frequency(
        &self,
        block: &[[f32; LANES]],
        mut visit: impl FnMut(usize, &[f32; LANES], &[f32; LANES]),
    ) {
        for (frequency, weights) in self.weights.chunks_exact(self.dimensions).enumerate() {
            let mut angles = [0.0_f32; LANES];
            for (weight, values) in weights.iter().zip(block) {
                for (angle, value) in angles.iter_mut().zip(values) {
                    *angle += weight * value;
                }
            }
            let (mut sines, mut cosines) = ([0.0_f32; LANES], [0.0_f32; LANES]);
            for lane in 0..LANES {
                (sines[lane], cosines[lane]) = sin_cos(angles[lane]);
            }
            visit(frequency, &sines, &cosines);
        }
    }

    /// The power sums of the eigenvalues of the features' covariance, for each width.
    pub(super) fn power_sums(&self, rows: Rows<'_>) -> Vec<[f64; 3]> {
        let features = 2 * self.frequencies;
        let some: Vec<&[f64]> = spread(rows, ROWS_FOR_NULL).collect();
        let mut columns = vec![Vec::with_capacity(some.len()); WIDTHS.len() * features];
        let mut block = vec![[0.0; LANES]; self.dimensions];
        for rows in some.chunks(LANES) {
            let held = self.standardise(&rows.concat(), &mut block);
            self.for_each_frequency(&block, |frequency, sines, cosines| {
                columns[2 * frequency].extend_from_slice(&cosines[..held]);
                columns[2 * frequency + 1].extend_from_slice(&sines[..held]);
            });
        }
        columns.chunks_mut(features).map(|columns| covariance_power_sums(columns, some.len())).collect()
    }
}

/// Power sums of the eigenvalues of the covariance of columns, with the trace of one kernel.
fn covariance_power_sums(columns: &mut [Vec<f32>], rows: usize) -> [f64; 3] {
    let per_frequency = 2.0 / columns.len() as f64;
    for column in columns.iter_mut() {
        let mean = (column.iter().map(|value| f64::from(*value)).sum::<f64>() / rows as f64) as f32;
        column.iter_mut().for_each(|value| *value -= mean);
    }
    let mut covariance = Symmetric::zeros(columns.len());
    for i in 0..columns.len() {
        for j in 0..=i {
            let product: f64 =
                columns[i].chunks(256).zip(columns[j].chunks(256)).map(|(x, y)| f64::from(dot(x, y))).sum();
            covariance.set(i, j, product * per_frequency / (rows as f64 - 1.0));
        }
    }
    let [first, second, third] = covariance.power_sums();
    // A sample's covariance scatters, which adds to the sums of squares and cubes; both have bounds.
    let n = rows as f64;
    let second = (second - first * first / n).max(first * first / columns.len() as f64);
    let third = (third - 3.0 * second * first / n - first.powi(3) / (n * n)).max(second * second / first);
    [first, second, third]
}

/// Eight sums side by side, so that they become vector instructions.
#[inline]
fn dot(x: &[f32], y: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (xs, ys) = (x.chunks_exact(8), y.chunks_exact(8));
    let rest: f32 = xs.remainder().iter().zip(ys.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in xs.zip(ys) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Up to `most` rows, evenly spread.
fn spread<'a>(rows: Rows<'a>, most: usize) -> impl Iterator<Item = &'a [f64]> {
    let (n, width) = (rows.len(), rows.width());
    let kept = n.min(most);
    (0..kept).map(move |k| {
        let at = k * n / kept;
        &rows.values[at * width..(at + 1) * width]
    })
}

/// The median and the spread of the middle half in units of a normal deviation; the standard
/// deviation where more than half of the values are equal, and one where all are.
fn middle_and_scale(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    let at = |p: f64| values[((values.len() - 1) as f64 * p) as usize];
    let middle = at(0.5);
    let scale = (at(0.75) - at(0.25)) / 1.349;
    if scale > 0.0 && scale.is_finite() {
        return (middle, scale);
    }
    let mut moments = crate::sketch::Moments::new();
    moments.insert_slice(&values);
    let deviation = moments.standard_deviation().filter(|deviation| *deviation > 0.0 && deviation.is_finite());
    (middle, deviation.unwrap_or(1.0))
}
