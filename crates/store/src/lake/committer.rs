//! Writes tails to files in the background: the full, the old, and the largest when memory is short.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    LakeSettings, Shared, TableName,
    table::{Table, Waiting},
};

/// How often tails are looked at when nothing wakes the committer.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a failed commit is left alone: what keeps it from succeeding, such as a full disk, stays a while.
const RETRY_AFTER: Duration = Duration::from_secs(3);
/// A tail of fewer rows waits [`SMALL_TAIL_PATIENCE`] times as long.
const SMALL_TAIL_ROWS: usize = 2_000;
const SMALL_TAIL_PATIENCE: u32 = 5;

/// Runs until the lake is gone.
pub(super) async fn run(lake: Weak<Shared>, work: Arc<Notify>) {
    loop {
        // Elapsed or woken, the same is to be done.
        let _ = tokio::time::timeout(LOOK_EVERY, work.notified()).await;
        let Some(shared) = lake.upgrade() else { return };
        for table in due_tables(&shared) {
            let name = table.name().clone();
            if let Err(error) = shared.flush_table(table).await {
                tracing::warn!(table = %name, %error, "rows wait in memory because their table cannot be written");
                tokio::time::sleep_until(Instant::now() + RETRY_AFTER).await;
                break;
            }
        }
    }
}

/// Bytes of all tails from which on the largest are written, so that nobody has to wait for room.
pub(super) const fn pressing_bytes(settings: &LakeSettings) -> usize {
    settings.max_tail_bytes / 4 * 3
}

/// Tables to flush now, the most pressing first.
pub(super) fn due_tables(shared: &Shared) -> Vec<Arc<Table>> {
    let settings = &shared.settings;
    let observed = shared.observed.load(Ordering::Relaxed);
    let mut waiting: Vec<(Waiting, Arc<Table>)> =
        shared.all_tables().into_iter().filter_map(|table| Some((table.waiting()?, table))).collect();
    // A round ends at the first failure. Those that failed before come last, in turn, so that a table that
    // cannot be written keeps no other one from its files.
    waiting.sort_by_cached_key(|(waiting, table)| {
        (shared.troubles.failures(table.name()), std::cmp::Reverse(waiting.bytes))
    });
    let total: usize = waiting.iter().map(|(waiting, _)| waiting.bytes).sum();
    // The largest go until half of the limit is left: few at a time, so that each file is as large as can be.
    let mut excess = if total > pressing_bytes(settings) { total - settings.max_tail_bytes / 2 } else { 0 };
    waiting
        .into_iter()
        .filter(|(waiting, table)| {
            let pressing = excess > 0;
            // Findings have numbers of their own, and hold no journal back.
            let observed = if *table.name() == TableName::Finding { 0 } else { observed };
            let due = pressing || is_due(waiting, settings, observed);
            if due {
                excess = excess.saturating_sub(waiting.bytes);
            }
            due
        })
        .map(|(_, table)| table)
        .collect()
}

fn is_due(waiting: &Waiting, settings: &LakeSettings, observed: u64) -> bool {
    let patience = if waiting.rows < SMALL_TAIL_ROWS { SMALL_TAIL_PATIENCE } else { 1 };
    waiting.rows >= settings.flush_rows
        || waiting.bytes >= settings.flush_bytes
        || waiting.since.elapsed() >= settings.flush_age * patience
        || observed.saturating_sub(waiting.first_sequence) > settings.max_pinned_sequences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(rows: usize) -> Waiting {
        Waiting { rows, bytes: rows * 100, since: std::time::Instant::now(), first_sequence: 10 }
    }

    /// Goal: a full tail goes at once, a small one waits, and one that holds the journal back goes.
    #[test]
    fn tails_go_when_they_are_full_or_hold_the_journal_back() {
        let settings = LakeSettings::at("unused");
        assert!(is_due(&waiting(settings.flush_rows), &settings, 11));
        assert!(!is_due(&waiting(settings.flush_rows - 1), &settings, 11));
        assert!(!is_due(&waiting(1), &settings, 10 + settings.max_pinned_sequences));
        assert!(is_due(&waiting(1), &settings, 11 + settings.max_pinned_sequences));
    }
}
