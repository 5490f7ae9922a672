//! How a `LogHistogram` is written down: only the buckets that hold anything.

use serde::{Deserialize, Serialize};

use super::{CELLS, LogHistogram, Octave};

#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    octaves: Vec<StoredOctave>,
    turns: Vec<(i16, u8, u32)>,
    zeros: u64,
    count: u64,
    min: f64,
    max: f64,
}

#[derive(Serialize, Deserialize)]
struct StoredOctave {
    octave: i16,
    /// The high and the low half of the sum of mantissas: 128-bit integers are not in every format.
    mantissas: (u64, u64),
    cells: Vec<(u8, u32)>,
}

impl From<LogHistogram> for Stored {
    fn from(sketch: LogHistogram) -> Self {
        let octaves = sketch
            .octaves_in_order()
            .filter(|(_, octave)| octave.mantissas > 0)
            .map(|(key, octave)| StoredOctave {
                octave: key,
                mantissas: ((octave.mantissas >> 64) as u64, octave.mantissas as u64),
                cells: (0..CELLS)
                    .filter(|cell| octave.counts[*cell] > 0)
                    .map(|cell| (cell as u8, octave.counts[cell]))
                    .collect(),
            })
            .collect();
        Self {
            octaves,
            turns: sketch.turns,
            zeros: sketch.zeros,
            count: sketch.count,
            min: sketch.min,
            max: sketch.max,
        }
    }
}

impl From<Stored> for LogHistogram {
    fn from(stored: Stored) -> Self {
        let mut sketch = Self {
            turns: stored.turns,
            zeros: stored.zeros,
            count: stored.count,
            min: stored.min,
            max: stored.max,
            ..Self::default()
        };
        for written in stored.octaves {
            // An octave outside the range is not ours; it must not decide how much memory we take.
            if !(1..=160).contains(&written.octave.unsigned_abs()) {
                continue;
            }
            let octave: &mut Octave = sketch.octave_mut(written.octave);
            octave.mantissas = (u128::from(written.mantissas.0) << 64) | u128::from(written.mantissas.1);
            for (cell, count) in written.cells {
                if let Some(slot) = octave.counts.get_mut(usize::from(cell)) {
                    *slot = count;
                }
            }
        }
        sketch
    }
}
