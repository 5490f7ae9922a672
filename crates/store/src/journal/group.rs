//! A group of appends on its way to disk: what of it is new, as the bytes that will be written.

use arrow::{array::BooleanArray, compute::filter_record_batch};
use wardline_domain::EventBatch;

use super::{
    AppendError, Appended, payload,
    record::{self, RecordType},
    writer::{Deliver, Request},
};
use crate::dedupe::Seen;

/// Appends that become durable together.
#[derive(Default)]
pub(super) struct Group {
    /// Whole records, still without the marker of a segment.
    pub(super) bytes: Vec<u8>,
    /// Where each record starts in `bytes`.
    pub(super) starts: Vec<usize>,
    /// The fingerprints of all new rows.
    pub(super) fingerprints: Vec<u64>,
    /// Who waits, in the order of arrival.
    waiting: Vec<(Deliver, Result<Appended, AppendError>)>,
}

impl Group {
    /// Adds an append; `sequence` is the number of its record if it needs one, which is then returned.
    pub(super) fn add(&mut self, request: Request, sequence: u64, seen: &mut Seen) -> Option<u64> {
        let mut parts = Vec::with_capacity(request.batches.len());
        let mut new_fingerprints = Vec::new();
        let mut fresh = Vec::with_capacity(request.batches.len());
        for (batch, fingerprints) in request.batches.into_iter().zip(&request.fingerprints) {
            let is_new = seen.reserve(fingerprints);
            let kept = if is_new.iter().all(|&is_new| is_new) { None } else { Some(BooleanArray::from(is_new)) };
            parts.push(Part::new(batch, fingerprints, kept.as_ref()));
            fresh.push(kept);
        }
        for part in parts.iter().flatten() {
            new_fingerprints.extend_from_slice(&part.fingerprints);
        }
        let parts: Vec<Part> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            self.waiting.push((request.deliver, Ok(Appended { sequence: None, fresh, written: Vec::new() })));
            return None;
        }
        let start = self.bytes.len();
        let views: Vec<(&EventBatch, &[u64])> =
            parts.iter().map(|part| (&part.batch, part.fingerprints.as_slice())).collect();
        let written =
            record::write(&mut self.bytes, (0, sequence, RecordType::Batches), |buffer| payload::write(buffer, &views));
        if let Err(error) = written {
            seen.withdraw(new_fingerprints);
            self.waiting.push((request.deliver, Err(AppendError::Unencodable { detail: error.to_string() })));
            return None;
        }
        self.starts.push(start);
        self.fingerprints.append(&mut new_fingerprints);
        let written = parts.into_iter().map(|part| part.batch).collect();
        self.waiting.push((request.deliver, Ok(Appended { sequence: Some(sequence), fresh, written })));
        Some(sequence)
    }

    /// Gives each record the marker of the segment that it goes to.
    pub(super) fn mark(&mut self, marker: u64) {
        for &start in &self.starts {
            record::remark(&mut self.bytes[start..], marker);
        }
    }

    /// Tells everyone who waits that all is durable, in order.
    pub(super) fn acknowledge(&mut self) {
        for (deliver, result) in self.waiting.drain(..) {
            deliver(result);
        }
    }

    /// Tells everyone who waits that nothing is stored. A duplicate fails with what it duplicates, as
    /// its original may be in this very group.
    pub(super) fn refuse(&mut self, error: &AppendError) {
        for (deliver, result) in self.waiting.drain(..) {
            deliver(result.and_then(|_| Err(error.clone())));
        }
    }

    /// Empties the group; its memory is kept for the next one unless it was unusually large.
    pub(super) fn clear(&mut self, usual_bytes: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(2 * usual_bytes);
        self.starts.clear();
        self.fingerprints.clear();
    }
}

/// The new rows of one batch.
struct Part {
    batch: EventBatch,
    fingerprints: Vec<u64>,
}

impl Part {
    /// `None` where no row is new.
    fn new(batch: EventBatch, fingerprints: &[u64], kept: Option<&BooleanArray>) -> Option<Self> {
        let Some(kept) = kept else {
            return (!batch.is_empty()).then(|| Self { batch, fingerprints: fingerprints.to_vec() });
        };
        let fingerprints: Vec<u64> =
            fingerprints.iter().zip(kept.values()).filter(|(_, is_new)| *is_new).map(|(&each, _)| each).collect();
        if fingerprints.is_empty() {
            return None;
        }
        // The mask is as long as the batch, which is all that filtering can refuse.
        let records = filter_record_batch(&batch.records, kept).ok()?;
        Some(Self { batch: EventBatch { records, ..batch }, fingerprints })
    }
}
