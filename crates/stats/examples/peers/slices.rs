//! The responsible slice among 100,000 rows of 25 attributes, significance and share included.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use wardline_stats::slice::{Attributes, Settings, responsible_slices};

use crate::measure::{measured, told};

const ROWS: u64 = 100_000;
const ATTRIBUTES: u64 = 25;

/// In `[0, 1)`, by SplitMix64 of row and place.
fn unit(row: u64, place: u64) -> f64 {
    let mut z = (row * 64 + place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
}

/// Attributes of 2 to 30 values, skewed; the fifth and the tenth together carry a fivefold rate of errors.
fn table() -> (Vec<Vec<u32>>, Vec<f64>) {
    let column = |place: u64| {
        let values = (2 + place * 7 % 29) as f64;
        (0..ROWS).map(|row| (values * unit(row, place).powi(2)) as u32).collect()
    };
    let columns: Vec<Vec<u32>> = (0..ATTRIBUTES).map(column).collect();
    let failed = |row: u64| {
        let is_planted = columns[4][row as usize] == 1 && columns[9][row as usize] == 0;
        f64::from(u8::from(unit(row, 60) < if is_planted { 0.25 } else { 0.05 }))
    };
    let failed = (0..ROWS).map(failed).collect();
    (columns, failed)
}

pub(crate) fn judge(_: &Path) -> Result<Value, Box<dyn Error>> {
    let (columns, failed) = table();
    let (found, cost) = measured(|| {
        let attributes = Attributes::new(&columns).ok_or("no attributes")?;
        responsible_slices(&attributes, &failed, Settings::default()).map_err(|error| error.to_string())
    });
    let found = found?;
    let slices: Vec<Value> = found
        .slices
        .iter()
        .map(|slice| {
            let names: Vec<String> = slice
                .conditions
                .iter()
                .map(|condition| format!("a{}={}", condition.attribute, condition.value))
                .collect();
            json!({"slice": names, "n": slice.n_inside, "p": slice.p_value, "score": slice.score})
        })
        .collect();
    Ok(told("slices", cost, json!({"slices": slices, "tested": found.n_tested})))
}
