//! A text as a sparse row of hashed n-grams.

use super::TextSettings;
use super::grams::for_each_gram;

/// Room for the row of one text, to be used again for the next: `4 * 2^bits` bytes and the entries.
#[derive(Clone, Debug, Default)]
pub struct TextRow {
    /// By bucket; all zero between texts.
    counts: Vec<f32>,
    /// Buckets that the text has met; one whose count went through zero is there twice.
    met: Vec<u32>,
    entries: Vec<(u32, f64)>,
    pub(super) outputs: Vec<f64>,
}

impl TextRow {
    /// Room for rows of any settings; grows with the first text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn fill(&mut self, text: &str, settings: &TextSettings) {
        let Self { counts, met, entries, .. } = self;
        if counts.len() != 1 << settings.bits {
            *counts = vec![0.0; 1 << settings.bits];
        }
        met.clear();
        entries.clear();
        for_each_gram(text, settings, |gram| {
            let (bucket, sign) = place(gram.hash, settings.bits);
            let count = &mut counts[bucket as usize];
            if *count == 0.0 {
                met.push(bucket);
            }
            *count += sign;
        });
        let mut squares = 0.0;
        for bucket in met.drain(..) {
            let count = f64::from(std::mem::take(&mut counts[bucket as usize]));
            if count != 0.0 {
                let value = if settings.sublinear { dampened(count) } else { count };
                squares += value * value;
                entries.push((bucket, value));
            }
        }
        if settings.unit_length && squares > 0.0 {
            let inverse = 1.0 / squares.sqrt();
            entries.iter_mut().for_each(|(_, value)| *value *= inverse);
        }
    }

    pub(super) fn entries(&self) -> &[(u32, f64)] {
        &self.entries
    }
}

/// The bucket is the hash's upper bits, the sign its lowest.
pub(super) fn place(hash: u64, bits: u32) -> (u32, f32) {
    ((hash >> (64 - bits)) as u32, if hash & 1 == 0 { 1.0 } else { -1.0 })
}

/// `1 + ln |count|` with the count's sign; most counts are one.
fn dampened(count: f64) -> f64 {
    if count.abs() == 1.0 { count } else { (1.0 + count.abs().ln()).copysign(count) }
}
