//! Tells events that arrive twice.
//!
//! A sender that got no answer sends again, so the same events come more than once; they are stored
//! once. Each event has a **fingerprint**, 64 bits of its identity, and the journal remembers the last
//! few million of them, across restarts. An event whose fingerprint is remembered is a duplicate.
//!
//! What makes two events the same:
//!
//! | kind | the same are |
//! | --- | --- |
//! | inference | sender, id |
//! | outcome | sender, id, time, label, value, feedback, source |
//! | training_row | sender, model, dataset, dataset_version, row_id; without row_id, all fields |
//! | deployment, metric, log | all fields but `received` |
//!
//! **Limits.** The memory is a window: a duplicate is told for as long as at most
//! [`DEFAULT_WINDOW`] events (4 million) came between, and perhaps up to a third more. At 150,000 events
//! a second the least is 27 seconds, at 1,000 a second more than an hour. A duplicate that comes later is
//! stored again. Two different events with the same 64 bits would be taken for one: with a full window
//! the odds are 1 in 3,000,000,000,000 for each event, and the seed is the store's own, so nobody can
//! look for such a pair.

mod fingerprint;
mod seen;

pub use fingerprint::Fingerprinter;
pub use seen::{DEFAULT_WINDOW, Seen};
