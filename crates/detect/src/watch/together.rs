//! Several models' and kinds' batches, put back into the order in which their events happened.
//!
//! A decoder groups what arrives by kind and model, as far as one body or one piece of a file reaches. Where
//! such a piece ends says nothing about the models, so the watch must not depend on it: events are taken
//! minute by minute over all batches, and the clock of every model moves on between two minutes.

use std::collections::BTreeMap;

use wardline_domain::{EventBatch, RecordKind, Span, Timestamp};

use super::{Observed, Watch};

/// Events of different models within a stretch of this length may be seen in another order.
const STEP: Span = Timestamp::MINUTE;
/// Share of predictions whose times are believed to be those of the stream: one event with a broken clock
/// must not move the clocks of all models.
const BELIEVED: f64 = 0.98;
/// The least predictions whose times can be believed.
const LEAST_BELIEVED: usize = 50;

impl Watch {
    /// Takes the batches of one body or of one piece of a file.
    pub fn observe_together(&mut self, batches: &[EventBatch]) -> Observed {
        let mut all = Observed::default();
        let latest = batches.iter().filter_map(believed_end).max();
        for (minute, parts) in by_minute(batches, latest) {
            // The clock never runs ahead of what is believed, and moves once for each minute.
            if latest.is_some() && self.advanced.is_none_or(|advanced| advanced < minute) {
                self.advanced = Some(minute);
                all.join(self.advance(minute));
            }
            for part in parts {
                all.join(self.observe(&part));
            }
        }
        all
    }
}

/// The time that nearly all predictions of a batch lie before.
fn believed_end(batch: &EventBatch) -> Option<Timestamp> {
    if batch.kind != RecordKind::Inference {
        return None;
    }
    let mut times = batch.times().ok()?.values().to_vec();
    if times.len() < LEAST_BELIEVED {
        return None;
    }
    let place = ((times.len() - 1) as f64 * BELIEVED) as usize;
    Some(Timestamp::from_micros(*times.select_nth_unstable(place).1))
}

/// Runs of rows by the minute in which they are seen. A row that is late, or that is later than what is
/// believed, is seen with the one before it, so that no batch changes its own order.
fn by_minute(batches: &[EventBatch], latest: Option<Timestamp>) -> BTreeMap<Timestamp, Vec<EventBatch>> {
    let last = latest.map(|latest| latest.floor(STEP));
    let mut minutes: BTreeMap<Timestamp, Vec<EventBatch>> = BTreeMap::new();
    for batch in batches {
        let Ok(times) = batch.times() else { continue };
        let seen_in = |time: &i64| {
            let minute = Timestamp::from_micros(*time).floor(STEP);
            last.map_or(minute, |last| minute.min(last))
        };
        let Some(mut minute) = times.values().first().map(seen_in) else { continue };
        let mut start = 0;
        for (row, next) in times.values().iter().map(seen_in).enumerate() {
            if minute < next {
                minutes.entry(minute).or_default().push(part_of(batch, start, row));
                (start, minute) = (row, next);
            }
        }
        minutes.entry(minute).or_default().push(part_of(batch, start, batch.len()));
    }
    minutes
}

fn part_of(batch: &EventBatch, start: usize, end: usize) -> EventBatch {
    if start == 0 && end == batch.len() {
        return batch.clone();
    }
    EventBatch { kind: batch.kind, model: batch.model.clone(), records: batch.records.slice(start, end - start) }
}
