//! Rows that are kept, and their columns.

use super::MOST_ROWS;
use crate::learn::Features;
use crate::random::SplitMix;

/// All rows in order, or a seeded sample of 50,000, in order.
pub(super) fn sample(rows: usize, seed: u64) -> Vec<u32> {
    let mut chosen: Vec<u32> = (0..rows as u32).collect();
    if rows > MOST_ROWS {
        SplitMix::new(seed).shuffle(&mut chosen);
        chosen.truncate(MOST_ROWS);
        chosen.sort_unstable();
    }
    chosen
}

pub(super) fn picked<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|row| values[*row as usize]).collect()
}

/// The features of rows, and one more column.
pub(super) fn with_column(features: &Features<'_>, rows: &[u32], column: Vec<f64>) -> Vec<Vec<f64>> {
    let mut columns: Vec<Vec<f64>> = features.columns().iter().map(|column| picked(column, rows)).collect();
    columns.push(column);
    columns
}

pub(super) fn table(columns: &[Vec<f64>]) -> Option<Features<'_>> {
    Features::new(columns.iter().map(Vec::as_slice).collect())
}
