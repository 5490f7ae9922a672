//! What keeps a lake small and quick to open: retention, merging, checkpoints, vacuum.

use std::{sync::Arc, time::Duration};

use deltalake::{
    DeltaTable,
    checkpoints::{cleanup_metadata, create_checkpoint},
    operations::vacuum::VacuumMode,
    protocol::DeltaOperation,
};
use object_store::ObjectStoreExt as _;
use wardline_domain::{Timestamp, column};

use super::{
    CompactionReport, DataFile, Lake, LakeError, Shared, compaction,
    delta_log::{Change, DeltaLog},
    table::Table,
};

/// A table is vacuumed this often.
const VACUUM_EVERY: i64 = Timestamp::DAY;

/// What one round of maintenance did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaintenanceReport {
    /// Merged files.
    pub compaction: CompactionReport,
    /// Files that went because their rows are too old.
    pub files_expired: usize,
    /// Files that were deleted from the store, because no version within the history needs them.
    pub files_deleted: usize,
    /// Checkpoints of a log.
    pub checkpoints: usize,
    /// Tables that could not be maintained; the log says why.
    pub failures: usize,
}

impl Lake {
    /// Does all that is due on every table. One that fails does not keep the others from theirs.
    pub async fn maintain(&self, now: Timestamp) -> MaintenanceReport {
        let mut report = MaintenanceReport::default();
        for table in self.shared.all_tables() {
            if let Err(error) = self.shared.maintain_table(&table, now, &mut report).await {
                tracing::warn!(table = %table.name(), %error, "table could not be maintained");
                report.failures += 1;
            }
        }
        report
    }

    /// Merges small files of every table now.
    ///
    /// # Errors
    /// [`LakeError`] of the first table that cannot be merged.
    pub async fn compact(&self) -> Result<CompactionReport, LakeError> {
        let mut report = CompactionReport::default();
        for table in self.shared.all_tables() {
            report.add(self.shared.compact_table(&table).await?);
        }
        Ok(report)
    }

    /// Drops rows that are older than their retention from every table; returns the files that went.
    ///
    /// # Errors
    /// [`LakeError`] of the first table that cannot be changed.
    pub async fn expire(&self, now: Timestamp) -> Result<usize, LakeError> {
        let mut files = 0;
        for table in self.shared.all_tables() {
            files += self.shared.expire_table(&table, now).await?;
        }
        Ok(files)
    }

    /// Deletes files that no version of a table within the history needs; returns how many.
    ///
    /// # Errors
    /// [`LakeError`] of the first table that cannot be vacuumed.
    pub async fn vacuum(&self, history: Duration) -> Result<usize, LakeError> {
        let mut files = 0;
        for table in self.shared.all_tables() {
            files += self.shared.vacuum_table(&table, history).await?;
        }
        Ok(files)
    }
}

impl Shared {
    async fn maintain_table(
        &self,
        table: &Table,
        now: Timestamp,
        report: &mut MaintenanceReport,
    ) -> Result<(), LakeError> {
        report.files_expired += self.expire_table(table, now).await?;
        report.compaction.add(self.compact_table(table).await?);
        report.checkpoints += usize::from(self.checkpoint(table).await?);
        if table.begin_vacuum(now, VACUUM_EVERY) {
            report.files_deleted += self.vacuum_table(table, self.settings.history).await?;
        }
        Ok(())
    }

    async fn compact_table(&self, table: &Table) -> Result<CompactionReport, LakeError> {
        compaction::compact(table, self).await
    }

    async fn expire_table(&self, table: &Table, now: Timestamp) -> Result<usize, LakeError> {
        let Some(days) = self.settings.retention.days(table.name()) else { return Ok(0) };
        let limit = now.plus(-i64::from(days) * Timestamp::DAY);
        let mut writing = table.begin_write().await;
        let is_expired = |file: &&Arc<DataFile>| file.time_range.is_some_and(|(_, high)| high < limit);
        let removed: Vec<Arc<DataFile>> = writing.state.files.iter().filter(is_expired).cloned().collect();
        let count = removed.len();
        if count > 0 {
            let change = Change {
                operation: DeltaOperation::Delete { predicate: Some(format!("{} < '{limit}'", column::TIME)) },
                schema: Arc::clone(&writing.schema),
                added: Vec::new(),
                removed,
                data_change: true,
                sequence: None,
            };
            writing.commit(change).await?;
        }
        Ok(count)
    }

    /// Makes a checkpoint where the last one is too many commits ago, and drops what of the log it replaces
    /// and the history does not need. The table goes on taking commits.
    async fn checkpoint(&self, table: &Table) -> Result<bool, LakeError> {
        let Some(version) = table.snapshot().state.version else { return Ok(false) };
        let log = table.log().clone();
        if version.saturating_sub(last_checkpoint(&log).await) < self.settings.checkpoint_interval {
            return Ok(false);
        }
        self.background.run(make_checkpoint(log)).await?;
        Ok(true)
    }

    async fn vacuum_table(&self, table: &Table, history: Duration) -> Result<usize, LakeError> {
        if table.snapshot().state.version.is_none() {
            return Ok(0);
        }
        // Most of the time there is nothing to delete, and whoever writes to the table need not wait to know that.
        let log = table.log();
        if self.background.run(vacuum(log.clone(), history, true)).await? == 0 {
            return Ok(0);
        }
        let mut writing = table.begin_write().await;
        let deleted = vacuum(log.clone(), history, false).await?;
        writing.reload().await?;
        Ok(deleted)
    }
}

async fn make_checkpoint(log: DeltaLog) -> Result<(), LakeError> {
    let table = loaded(&log).await?;
    create_checkpoint(&table, None).await.map_err(|error| log.failed("make a checkpoint of", error))?;
    cleanup_metadata(&table, None).await.map_err(|error| log.failed("shorten the log of", error))?;
    Ok(())
}

/// Version of the last checkpoint; 0 where there is none, or its note cannot be read.
async fn last_checkpoint(log: &DeltaLog) -> u64 {
    let store = log.store().object_store(None);
    let note = async {
        let read = store.get(&log.store().log_path().clone().join("_last_checkpoint")).await.ok()?;
        let note: serde_json::Value = serde_json::from_slice(&read.bytes().await.ok()?).ok()?;
        note["version"].as_u64()
    };
    note.await.unwrap_or(0)
}

/// Deletes files that no version within the history needs, or only counts them.
async fn vacuum(log: DeltaLog, history: Duration, only_count: bool) -> Result<usize, LakeError> {
    let retention = chrono::Duration::from_std(history).unwrap_or(chrono::Duration::MAX);
    // Full, because a file whose commit never came is in no log. Its age is what keeps a file safe that
    // another writer is about to commit.
    let vacuum = loaded(&log).await?.vacuum().with_mode(VacuumMode::Full).with_retention_period(retention);
    let vacuum = vacuum.with_enforce_retention_duration(false).with_dry_run(only_count);
    let (_, metrics) = vacuum.await.map_err(|error| log.failed("vacuum", error))?;
    Ok(metrics.files_deleted.len())
}

async fn loaded(log: &DeltaLog) -> Result<DeltaTable, LakeError> {
    let mut table = DeltaTable::new(Arc::clone(log.store()));
    table.load().await.map_err(|error| log.failed("read", error))?;
    Ok(table)
}
