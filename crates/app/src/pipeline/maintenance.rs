//! Housekeeping: tables are merged, kept no longer than they may be, and the journal lets go of what they hold.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;
use wardline_store::{journal::Journal, lake::Lake};

/// How often the journal is looked at.
const JOURNAL_EVERY: Duration = Duration::from_secs(1);
/// How often the tables are looked through; there is nothing to do most of the time.
const TABLES_EVERY: Duration = Duration::from_secs(60);

/// Starts housekeeping. `saved` is the journal record up to which the state of detection is durable.
pub(super) fn start(
    lake: Arc<Lake>,
    journal: Arc<Journal>,
    saved: Arc<AtomicU64>,
    max_journal_bytes: u64,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut tables_at = Instant::now();
        loop {
            tokio::time::sleep(JOURNAL_EVERY).await;
            release(&lake, &journal, &saved, max_journal_bytes).await;
            if tables_at.elapsed() >= TABLES_EVERY {
                tables_at = Instant::now();
                let report = lake.maintain(super::now()).await;
                tracing::debug!(?report, "tables maintained");
            }
        }
    })
}

/// A segment of the journal goes when both the tables and the state of detection hold what is in it. A quiet
/// table that keeps a long journal waiting is committed before its time.
async fn release(lake: &Lake, journal: &Journal, saved: &AtomicU64, max_journal_bytes: u64) {
    if journal.status().bytes > max_journal_bytes / 2
        && let Err(error) = lake.flush().await
    {
        tracing::error!(error = %error, "the tables could not be committed, and the journal grows");
    }
    if let Some(committed) = lake.committed_sequence() {
        journal.release(committed.min(saved.load(Ordering::Acquire)));
    }
}
