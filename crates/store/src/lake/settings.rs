//! Settings of the lake, checked.

use std::{collections::BTreeMap, time::Duration};

use wardline_domain::RecordKind;

use super::TableName;

/// How the lake stores what it is given.
#[derive(Clone, Debug)]
pub struct LakeSettings {
    /// A folder, or the URL of an object store.
    pub location: String,
    /// Names the journal whose records are stored, so that each is stored once. A lake that is fed by a
    /// new journal with sequences of its own needs another name.
    pub journal: String,
    /// A table's tail is written to a file at this many rows.
    pub flush_rows: usize,
    /// A table's tail is written to a file at this many bytes.
    pub flush_bytes: usize,
    /// A table's tail is written to a file at this age. A small tail waits up to five times as long, so
    /// that thousands of quiet models do not make thousands of tiny files a minute.
    pub flush_age: Duration,
    /// The most bytes in all tails; who brings more waits.
    pub max_tail_bytes: usize,
    /// Journal records after which the oldest tail is flushed, so that a quiet table does not hold the
    /// journal back.
    pub max_pinned_sequences: u64,
    /// Rows of a merged file.
    pub compacted_rows: u64,
    /// Bytes of a merged file.
    pub compacted_bytes: u64,
    /// How many files of like size are merged at once, at least.
    pub compaction_files: usize,
    /// How long removed files and old versions of a table are kept: time travel reaches this far back.
    pub history: Duration,
    /// A checkpoint of a table's log is made every so many commits.
    pub checkpoint_interval: u64,
    /// How long events are kept.
    pub retention: Retention,
}

/// How long events are kept; without a limit, for ever.
///
/// A file goes when its newest row is old enough. Where there is a limit, merged files span at most
/// a day, so that merging keeps no row for longer than that beyond its limit.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// Days by kind of record.
    pub days_by_kind: BTreeMap<RecordKind, u32>,
    /// Days by model, for its inferences and training rows; stronger than `days_by_kind`.
    pub days_by_model: BTreeMap<String, u32>,
    /// Days of the findings.
    pub finding_days: Option<u32>,
}

impl Retention {
    /// Days that a table's rows are kept.
    pub fn days(&self, table: &TableName) -> Option<u32> {
        let by_model = table.model().and_then(|model| self.days_by_model.get(model));
        let by_kind = || match table.kind() {
            Some(kind) => self.days_by_kind.get(&kind).copied(),
            None => self.finding_days,
        };
        by_model.copied().or_else(by_kind)
    }
}

impl LakeSettings {
    /// The defaults, for a folder or URL.
    pub fn at(location: impl Into<String>) -> Self {
        Self {
            location: location.into(),
            journal: "wardline-journal".to_owned(),
            flush_rows: 131_072,
            flush_bytes: 48 << 20,
            flush_age: Duration::from_secs(60),
            max_tail_bytes: 128 << 20,
            max_pinned_sequences: 150_000,
            compacted_rows: 1 << 20,
            compacted_bytes: 128 << 20,
            compaction_files: 8,
            history: Duration::from_secs(7 * 24 * 3600),
            checkpoint_interval: 100,
            retention: Retention::default(),
        }
    }
}
