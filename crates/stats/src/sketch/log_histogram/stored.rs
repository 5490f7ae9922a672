//! How a `LogHistogram` is written down: only the buckets that hold anything.

use serde::{Deserialize, Serialize};

use super::bucket::{HIGHEST_OCTAVE, MANTISSA_BITS};
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

impl TryFrom<Stored> for LogHistogram {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let mut sketch = Self {
            turns: stored.turns,
            zeros: stored.zeros,
            count: stored.count,
            min: stored.min,
            max: stored.max,
            ..Self::default()
        };
        if !sketch.turns.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)) {
            return Err("a histogram whose buckets are out of order");
        }
        for written in &stored.octaves {
            sketch.take_octave(written)?;
        }
        sketch.check_sums()?;
        Ok(sketch)
    }
}

impl LogHistogram {
    fn take_octave(&mut self, written: &StoredOctave) -> Result<(), &'static str> {
        // An octave outside the range is not ours; it must not decide how much memory we take.
        if !(1..=HIGHEST_OCTAVE).contains(&written.octave.unsigned_abs()) {
            return Err("a histogram with a bucket that no number falls into");
        }
        let octave: &mut Octave = self.octave_mut(written.octave);
        if octave.mantissas != 0 {
            return Err("a histogram with an octave twice");
        }
        octave.mantissas = (u128::from(written.mantissas.0) << 64) | u128::from(written.mantissas.1);
        for (cell, count) in &written.cells {
            match octave.counts.get_mut(usize::from(*cell)) {
                Some(slot) if *slot == 0 => *slot = *count,
                _ => return Err("a histogram with a bucket twice"),
            }
        }
        Ok(())
    }

    /// Counts add up, and the mantissas of an octave are as many numbers from 1 to 2 as it counts.
    fn check_sums(&self) -> Result<(), &'static str> {
        let turned = |octave: i16| self.turns.iter().filter(move |turn| turn.0 == octave);
        let mut total = u128::from(self.zeros);
        let mut turns_seen = 0;
        for (key, octave) in self.octaves_in_order() {
            turns_seen += turned(key).count();
            let turns: u128 = turned(key).map(|turn| u128::from(turn.2) << 32).sum();
            let count = octave.counts.iter().map(|count| u128::from(*count)).sum::<u128>() + turns;
            total += count;
            let (low, high) = (count << MANTISSA_BITS, count << (MANTISSA_BITS + 1));
            if octave.mantissas < low || (octave.mantissas > high && octave.mantissas != u128::MAX) {
                return Err("a histogram whose sum is not that of its buckets");
            }
        }
        let saturated = self.count == u64::MAX && total > u128::from(self.count);
        let range = self.min.is_finite() && self.max.is_finite() && self.min <= self.max;
        if total != u128::from(self.count) && !saturated || turns_seen != self.turns.len() {
            return Err("a histogram whose buckets do not add up to its count");
        }
        if !range || (self.count == 0 && (self.min, self.max) != (0.0, 0.0)) {
            return Err("a histogram with no possible range");
        }
        Ok(())
    }
}
