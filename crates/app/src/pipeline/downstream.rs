//! What happens to durable events, in the order of the journal: the lake, then detection.

use std::sync::Arc;

use arrow::array::BooleanArray;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use wardline_domain::{EventBatch, PrivacyError, PrivacyPolicy, Timestamp};
use wardline_store::lake::Lake;

use super::detection::{Detection, Seen};

/// Events of one journal record.
pub(super) struct Durable {
    /// The record's number.
    pub(super) sequence: u64,
    /// What is in the journal: the new rows, after the privacy policy.
    pub(super) written: Vec<EventBatch>,
    /// All rows, before the privacy policy.
    pub(super) arrived: Vec<EventBatch>,
    /// All rows, after the privacy policy.
    pub(super) treated: Vec<EventBatch>,
    /// Which rows are new; `None` where all are.
    pub(super) fresh: Vec<Option<BooleanArray>>,
    /// When they arrived.
    pub(super) received: Timestamp,
    /// A place among those that may wait; given back when the record is through.
    pub(super) place: OwnedSemaphorePermit,
}

/// Hands durable events on. The queue needs no bound of its own: who enters it holds a place.
#[derive(Clone)]
pub(super) struct Downstream {
    queue: mpsc::UnboundedSender<Durable>,
}

/// Records that may be under way at once; the next sender waits for its acknowledgement.
pub(super) const MOST_WAITING: usize = 12;

impl Downstream {
    /// Starts handing on. The task ends when the last sender is gone.
    pub(super) fn start(lake: Arc<Lake>, detection: Arc<Detection>) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, arrivals) = mpsc::unbounded_channel();
        (Self { queue }, tokio::spawn(hand_on(arrivals, lake, detection)))
    }

    /// Whether nobody takes what is handed on.
    pub(super) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Called by the journal's thread, in the order of its records.
    pub(super) fn pass(&self, durable: Durable) {
        // It is closed only while the process stops, and then the journal hands the record on at the next start.
        let _ = self.queue.send(durable);
    }
}

async fn hand_on(mut arrivals: mpsc::UnboundedReceiver<Durable>, lake: Arc<Lake>, detection: Arc<Detection>) {
    while let Some(durable) = arrivals.recv().await {
        if let Err(error) = lake.observe(durable.sequence, &durable.written).await {
            // The journal still has the record, and nothing behind it is held up.
            tracing::error!(error = %error, sequence = durable.sequence, "the lake refused a record of the journal");
        }
        let batches = durable.statistics().unwrap_or_else(|error| {
            tracing::error!(error = %error, "detection sees the events as they are written");
            durable.written.clone()
        });
        detection
            .see(Seen { sequence: durable.sequence, batches, received: durable.received, place: Some(durable.place) })
            .await;
    }
}

impl Durable {
    /// The new rows as detection may see them.
    fn statistics(&self) -> Result<Vec<EventBatch>, PrivacyError> {
        let mut seen = Vec::with_capacity(self.arrived.len());
        for ((arrived, treated), fresh) in self.arrived.iter().zip(&self.treated).zip(&self.fresh) {
            let mut batch = PrivacyPolicy::for_statistics(arrived, treated)?;
            if let Some(fresh) = fresh {
                batch.records = arrow::compute::filter_record_batch(&batch.records, fresh)?;
            }
            if !batch.is_empty() {
                seen.push(batch);
            }
        }
        Ok(seen)
    }
}
