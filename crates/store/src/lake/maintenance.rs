//! What keeps a lake small and quick to open: retention, merging, checkpoints, vacuum.

use std::sync::Arc;

use deltalake::{
    DeltaTable,
    checkpoints::{cleanup_metadata, create_checkpoint},
    operations::vacuum::VacuumMode,
    protocol::DeltaOperation,
};
use object_store::ObjectStoreExt as _;
use wardline_domain::{Timestamp, column};

use super::{
    CompactionReport, DataFile, Lake, LakeError, Shared, TableName, compaction,
    delta_log::Change,
    table::{Table, Writing},
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
    pub async fn vacuum(&self, history: std::time::Duration) -> Result<usize, LakeError> {
        let mut files = 0;
        for table in self.shared.all_tables() {
            files += vacuum(&table, history).await?;
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
        report.checkpoints += usize::from(checkpoint(table, self.settings.checkpoint_interval).await?);
        if table.begin_vacuum(now, VACUUM_EVERY) {
            report.files_deleted += vacuum(table, self.settings.history).await?;
        }
        Ok(())
    }

    async fn compact_table(&self, table: &Table) -> Result<CompactionReport, LakeError> {
        compaction::compact(table, &self.root, &self.settings).await
    }

    async fn expire_table(&self, table: &Table, now: Timestamp) -> Result<usize, LakeError> {
        let Some(days) = self.settings.retention.days(table.name()) else { return Ok(0) };
        let limit = now.plus(-i64::from(days) * Timestamp::DAY);
        let mut writing = table.begin_write().await;
        let files = writing.state.files.iter().filter_map(|file| Some((file, file.time_range?)));
        let (mut expired, mut across) = (Vec::new(), Vec::new());
        for (file, (low, high)) in files {
            match () {
                () if high < limit => expired.push(Arc::clone(file)),
                () if low < limit => across.push(Arc::clone(file)),
                () => {}
            }
        }
        let count = expired.len();
        if !expired.is_empty() {
            let change = removal(&writing, limit, expired, None);
            writing.commit(change).await?;
        }
        if self.settings.retention.rewrite {
            self.rewrite(table.name(), &mut writing, limit, across).await?;
        }
        Ok(count)
    }

    /// Rewrites files that lie across the limit without their old rows.
    async fn rewrite(
        &self,
        table: &TableName,
        writing: &mut Writing<'_>,
        limit: Timestamp,
        files: Vec<Arc<DataFile>>,
    ) -> Result<(), LakeError> {
        for file in files {
            let parts = [file];
            let (rest, stats, _) =
                compaction::merge(table, &writing.schema, &self.root, &parts, Some(limit.micros())).await?;
            let [file] = parts;
            let change = removal(writing, limit, vec![file], rest.map(|rest| (rest, stats)));
            writing.commit(change).await?;
        }
        Ok(())
    }
}

fn removal(
    writing: &Writing<'_>,
    limit: Timestamp,
    removed: Vec<Arc<DataFile>>,
    rest: Option<(DataFile, String)>,
) -> Change {
    Change {
        operation: DeltaOperation::Delete { predicate: Some(format!("{} < '{limit}'", column::TIME)) },
        schema: Arc::clone(&writing.schema),
        added: rest.into_iter().collect(),
        removed,
        data_change: true,
        sequence: None,
    }
}

/// Makes a checkpoint where the last one is too many commits ago, and drops what of the log it replaces
/// and the history does not need.
async fn checkpoint(table: &Table, interval: u64) -> Result<bool, LakeError> {
    let writing = table.begin_write().await;
    let Some(version) = writing.state.version else { return Ok(false) };
    if version.saturating_sub(last_checkpoint(table).await) < interval {
        return Ok(false);
    }
    let log = table.log();
    let mut delta = DeltaTable::new(Arc::clone(log.store()));
    delta.load().await.map_err(|error| log.failed("read", error))?;
    create_checkpoint(&delta, None).await.map_err(|error| log.failed("make a checkpoint of", error))?;
    cleanup_metadata(&delta, None).await.map_err(|error| log.failed("shorten the log of", error))?;
    Ok(true)
}

/// Version of the last checkpoint; 0 where there is none, or its note cannot be read.
async fn last_checkpoint(table: &Table) -> u64 {
    let store = table.log().store().object_store(None);
    let note = async {
        let read = store.get(&table.log().store().log_path().clone().join("_last_checkpoint")).await.ok()?;
        let note: serde_json::Value = serde_json::from_slice(&read.bytes().await.ok()?).ok()?;
        note["version"].as_u64()
    };
    note.await.unwrap_or(0)
}

async fn vacuum(table: &Table, history: std::time::Duration) -> Result<usize, LakeError> {
    let mut writing = table.begin_write().await;
    if writing.state.version.is_none() {
        return Ok(0);
    }
    let log = table.log();
    let mut delta = DeltaTable::new(Arc::clone(log.store()));
    delta.load().await.map_err(|error| log.failed("read", error))?;
    let retention = chrono::Duration::from_std(history).unwrap_or(chrono::Duration::MAX);
    // Full, because a file whose commit never came is in no log. Its age is what keeps a file safe that
    // another writer is about to commit.
    let (_, metrics) = delta
        .vacuum()
        .with_mode(VacuumMode::Full)
        .with_retention_period(retention)
        .with_enforce_retention_duration(false)
        .await
        .map_err(|error| log.failed("vacuum", error))?;
    writing.reload().await?;
    Ok(metrics.files_deleted.len())
}
