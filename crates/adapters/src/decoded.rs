//! What a decoder gives.

use wardline_domain::{DeadLetter, EventBatch, Timestamp};

/// What some bytes held: every record is in a batch or is a dead letter.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// One batch per kind and model, in the order of their first arrival. None is empty.
    pub batches: Vec<EventBatch>,
    /// The records that were refused, in the order of arrival.
    pub dead_letters: Vec<DeadLetter>,
    /// How many records there were, good and refused.
    pub records: u64,
}

impl Decoded {
    /// How many records are in batches.
    pub fn events(&self) -> u64 {
        self.batches.iter().map(|batch| batch.len() as u64).sum()
    }
}

/// How bytes came in. The caller says it, because decoders look at no clock.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// When.
    pub received: Timestamp,
    /// Who sent it: becomes the `sender` column.
    pub sender: &'a str,
    /// What dead letters name as their source: the sender again, or a file.
    pub source: &'a str,
    /// Where in the source the bytes start.
    pub offset: u64,
}
