//! The nearest rows by comparing all, sixteen judged rows at a time.

use std::collections::BinaryHeap;

use super::{Near, keep};
use crate::outlier::reference_rows::{ReferenceRows, squared_distance};

/// Judged rows that are compared together, by vector instructions.
pub(super) const LANES: usize = 16;

/// Visits the `count` nearest rows of each point, as [`super::Neighbours::for_each_nearest`] does.
///
/// Distances in single precision rule out nearly all rows; what may be near is compared in double precision, so that the
/// answer is exact.
pub(super) fn for_each_nearest(
    rows: &ReferenceRows,
    points: &ReferenceRows,
    count: usize,
    are_own: bool,
    mut visit: impl FnMut(&mut BinaryHeap<Near>),
) {
    let scale = Scale::of(rows, points);
    let narrow = scale.narrow(rows);
    let width = rows.width();
    let mut block = vec![[0.0_f32; LANES]; width];
    for first in (0..points.len()).step_by(LANES) {
        let held = LANES.min(points.len() - first);
        let mut found = vec![BinaryHeap::with_capacity(count + 1); held];
        // Lanes that hold no row are never near.
        let mut limits = [-1.0_f32; LANES];
        limits[..held].fill(f32::INFINITY);
        for (column, cells) in block.iter_mut().enumerate() {
            for (lane, cell) in cells.iter_mut().enumerate().take(held) {
                *cell = scale.narrow_value(column, points.row(first + lane)[column]);
            }
        }
        for (at, reference) in narrow.chunks_exact(width).enumerate() {
            let sums = squared_distances(reference, &block);
            if !any_below(&sums, &limits) {
                continue;
            }
            for (lane, found) in found.iter_mut().enumerate() {
                if sums[lane] < limits[lane] && !(are_own && at == first + lane) {
                    let squared = squared_distance(points.row(first + lane), rows.row(at));
                    keep(found, Near { squared, row: at as u32 }, count);
                    limits[lane] = scale.limit(found, count, width);
                }
            }
        }
        found.iter_mut().for_each(&mut visit);
    }
}

#[inline(always)]
fn squared_distances(reference: &[f32], block: &[[f32; LANES]]) -> [f32; LANES] {
    let mut sums = [0.0_f32; LANES];
    for (value, lanes) in reference.iter().zip(block) {
        for (sum, lane) in sums.iter_mut().zip(lanes) {
            let distance = lane - value;
            *sum += distance * distance;
        }
    }
    sums
}

/// By the sign bits of differences: comparisons would not become vector instructions.
#[inline(always)]
fn any_below(sums: &[f32; LANES], limits: &[f32; LANES]) -> bool {
    let mut signs = 0;
    for (sum, limit) in sums.iter().zip(limits) {
        signs |= (sum - limit).to_bits();
    }
    signs >> 31 == 1
}

/// Moves and shrinks all columns alike, so that every value lies in `-1..=1`: distances keep their order.
struct Scale {
    middles: Vec<f64>,
    factor: f64,
}

impl Scale {
    fn of(rows: &ReferenceRows, points: &ReferenceRows) -> Self {
        let count = rows.len() as f64;
        let mut middles = vec![0.0; rows.width()];
        for row in rows.iter() {
            middles.iter_mut().zip(row).for_each(|(middle, value)| *middle += value / count);
        }
        let values = rows.iter().chain(points.iter()).flat_map(|row| row.iter().zip(&middles));
        let largest = values.fold(0.0_f64, |largest, (value, middle)| largest.max((value - middle).abs()));
        Self { middles, factor: if largest > 1e-300 { 1.0 / largest } else { 1.0 } }
    }

    fn narrow_value(&self, column: usize, value: f64) -> f32 {
        ((value - self.middles[column]) * self.factor) as f32
    }

    fn narrow(&self, rows: &ReferenceRows) -> Vec<f32> {
        rows.iter()
            .flat_map(|row| row.iter().enumerate().map(|(column, value)| self.narrow_value(column, *value)))
            .collect()
    }

    /// What a squared distance in single precision may be at most for the row to be near.
    fn limit(&self, found: &BinaryHeap<Near>, count: usize, width: usize) -> f32 {
        let Some(farthest) = found.peek().filter(|_| found.len() == count) else {
            return f32::INFINITY;
        };
        // Each value is rounded by 2^-24 at most and each difference once more; sums by as much for each column.
        let distance = farthest.squared.sqrt() * self.factor + 5e-7 * (width as f64).sqrt();
        // Never zero: what is as near as the farthest lies below.
        (distance * distance * (1.0 + 1e-6 + 2e-7 * width as f64)) as f32
    }
}
