//! The Delta log of one table: what it says, and commits to it.
//!
//! Of a log only what queries need is kept in memory: the schema and, of each file, its path, size and
//! ranges. Delta's own snapshot, which is many times as large, is made to read a log and then dropped.

use std::{collections::HashSet, sync::Arc};

use arrow::datatypes::{Schema, SchemaRef};
use chrono::Utc;
use deltalake::{
    DeltaTable, DeltaTableError,
    kernel::{
        Action, Metadata, MetadataExt as _, Protocol, StructType, Transaction, Version,
        engine::arrow_conversion::{TryIntoArrow as _, TryIntoKernel as _},
        new_metadata,
        transaction::{CommitData, TransactionError},
    },
    logstore::{CommitOrBytes, LogStoreRef},
    protocol::{DeltaOperation, SaveMode},
};
use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use uuid::Uuid;

use super::{DataFile, LakeError, LakeSettings, Root, TableName, columns::Columns, durable, root};

/// How often a commit is tried again after another writer was quicker.
const ATTEMPTS: usize = 10;

/// What a table's log says.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogState {
    /// Version of the last commit; `None` before the table exists.
    pub(crate) version: Option<Version>,
    /// The files that make up the table.
    pub(crate) files: Vec<Arc<DataFile>>,
    /// The journal's sequence up to which every row is in the files.
    pub(super) sequence: Option<u64>,
    metadata: Option<Metadata>,
    schema: Option<SchemaRef>,
}

/// What a commit changes.
#[derive(Debug)]
pub(super) struct Change {
    /// What the log says was done.
    pub(super) operation: DeltaOperation,
    /// The schema that the added files need.
    pub(super) schema: SchemaRef,
    /// Files that come, with their statistics.
    pub(super) added: Vec<(DataFile, String)>,
    /// Files that go.
    pub(super) removed: Vec<Arc<DataFile>>,
    /// Whether rows come or go, or only move between files.
    pub(super) data_change: bool,
    /// The journal's sequence that the added rows reach.
    pub(super) sequence: Option<u64>,
}

/// The log of one table.
#[derive(Clone)]
pub(super) struct DeltaLog {
    table: TableName,
    store: LogStoreRef,
    root: Root,
    journal: String,
    properties: std::collections::HashMap<String, String>,
}

impl std::fmt::Debug for DeltaLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeltaLog").field("table", &self.table).finish_non_exhaustive()
    }
}

impl LogState {
    /// The columns, as the log has them.
    pub(super) fn columns(&self) -> Option<Columns> {
        self.schema.as_ref().map(Columns::of)
    }

    /// The name that the table was made with.
    pub(super) fn model(&self) -> Option<&str> {
        self.metadata.as_ref()?.name()
    }
}

impl DeltaLog {
    pub(super) fn new(table: TableName, root: &Root, settings: &LakeSettings) -> Result<Self, LakeError> {
        let store = root.log_store(&table)?;
        let properties = root::table_properties(settings);
        Ok(Self { table, store, root: root.clone(), journal: settings.journal.clone(), properties })
    }

    pub(super) const fn store(&self) -> &LogStoreRef {
        &self.store
    }

    /// Reads the log from the store; a table without a commit is empty.
    pub(super) async fn load(&self) -> Result<LogState, LakeError> {
        let failed = |error| self.failed("read the log of", error);
        self.drop_torn_commit().await?;
        let mut table = DeltaTable::new(Arc::clone(&self.store));
        match table.load().await {
            Ok(()) => {}
            Err(DeltaTableError::NotATable(_)) => return Ok(LogState::default()),
            Err(error) => {
                return match table.verify_deltatable_existence().await {
                    Ok(false) => Ok(LogState::default()),
                    _ => Err(failed(error)),
                };
            }
        }
        let snapshot = table.snapshot().map_err(failed)?;
        let sequence = snapshot.transaction_version(self.store.as_ref(), &self.journal).await.map_err(failed)?;
        let log_data = snapshot.log_data();
        let files = log_data.iter().map(|file| {
            let stats = file.stats();
            let size = u64::try_from(file.size()).unwrap_or(0);
            Arc::new(DataFile::from_log(file.path().into_owned(), size, file.modification_time(), stats.as_deref()))
        });
        let schema: Schema = snapshot
            .schema()
            .as_ref()
            .try_into_arrow()
            .map_err(|error: arrow::error::ArrowError| failed(error.into()))?;
        Ok(LogState {
            version: Some(snapshot.version()),
            files: files.collect(),
            sequence: sequence.and_then(|sequence| u64::try_from(sequence).ok()),
            metadata: Some(snapshot.metadata().clone()),
            schema: Some(Arc::new(schema)),
        })
    }

    /// Commits a change on top of a state. Where another writer was quicker, reads the log again and
    /// tries on top of that.
    pub(super) async fn commit(&self, state: &LogState, change: Change) -> Result<LogState, LakeError> {
        let mut state = state.clone();
        for _ in 0..ATTEMPTS {
            if change.sequence.is_some() && state.sequence >= change.sequence {
                // An earlier attempt did reach the store, though its answer was lost.
                return Ok(state);
            }
            let active: HashSet<&str> = state.files.iter().map(|file| file.path.as_str()).collect();
            if !change.removed.iter().all(|file| active.contains(file.path.as_str())) {
                return Err(LakeError::Conflict { table: self.table.to_string() });
            }
            match self.try_commit(&state, &change).await {
                Ok(next) => return Ok(next),
                Err(LakeError::Commit { source, .. })
                    if matches!(*source, TransactionError::VersionAlreadyExists(_)) =>
                {
                    state = self.load().await?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(LakeError::Conflict { table: self.table.to_string() })
    }

    async fn try_commit(&self, state: &LogState, change: &Change) -> Result<LogState, LakeError> {
        let mut columns = state.columns().unwrap_or_else(|| Columns::of(&change.schema));
        columns.merge(&change.schema);
        let grown = state.schema.as_ref().is_none_or(|known| known.fields().len() < columns.schema().fields().len());
        let mut next = state.clone();
        let mut actions = Vec::new();
        if grown {
            let metadata = self.metadata(state, columns.schema()).map_err(|error| self.failed("describe", error))?;
            if state.version.is_none() {
                actions.push(Action::Protocol(protocol().map_err(|error| self.failed("describe", error.into()))?));
            }
            actions.push(Action::Metadata(metadata.clone()));
            next.metadata = Some(metadata);
            next.schema = Some(Arc::clone(columns.schema()));
        }
        let now_ms = Utc::now().timestamp_millis();
        actions.extend(change.removed.iter().map(|file| Action::Remove(file.remove(now_ms, change.data_change))));
        actions
            .extend(change.added.iter().map(|(file, stats)| Action::Add(file.add(stats.clone(), change.data_change))));
        let transactions: Vec<Transaction> = change
            .sequence
            .and_then(|sequence| i64::try_from(sequence).ok())
            .map(|sequence| Transaction::new_with_last_update(&self.journal, sequence, Some(now_ms)))
            .into_iter()
            .collect();
        let data = CommitData::new(actions, change.operation.clone(), std::collections::HashMap::new(), transactions);
        let version = state.version.map_or(0, |version| version + 1);
        self.write(version, &data).await?;

        let removed: HashSet<&str> = change.removed.iter().map(|file| file.path.as_str()).collect();
        next.version = Some(version);
        next.files.retain(|file| !removed.contains(file.path.as_str()));
        next.files.extend(change.added.iter().map(|(file, _)| Arc::new(file.clone())));
        next.sequence = change.sequence.or(state.sequence);
        Ok(next)
    }

    async fn write(&self, version: Version, data: &CommitData) -> Result<(), LakeError> {
        let failed = |source| LakeError::Commit { table: self.table.to_string(), source: Box::new(source) };
        let bytes = CommitOrBytes::LogBytes(data.get_bytes().map_err(failed)?);
        self.store.write_commit_entry(version, bytes, Uuid::nil()).await.map_err(failed)?;
        match self.root.local_file(&self.table, &format!("_delta_log/{version:020}.json")) {
            Some(path) => durable::sync_file(path).await,
            None => Ok(()),
        }
    }

    fn metadata(&self, state: &LogState, schema: &SchemaRef) -> Result<Metadata, DeltaTableError> {
        let schema: StructType = schema.as_ref().try_into_kernel()?;
        match &state.metadata {
            Some(metadata) => Ok(metadata.clone().with_schema(&schema)?),
            None => {
                let name = self.table.model().unwrap_or(self.table.kind_name()).to_owned();
                let no_partitions: [String; 0] = [];
                Ok(new_metadata(&schema, no_partitions, self.properties.clone())?.with_name(name)?)
            }
        }
    }

    /// A power cut may leave the last commit's name without its bytes. It was never reported as done, so
    /// its rows come again from the journal, and the name goes.
    async fn drop_torn_commit(&self) -> Result<(), LakeError> {
        let failed = |source| LakeError::File { table: self.table.to_string(), doing: "check the log of", source };
        let store = self.store.object_store(None);
        let listed = store.list(Some(self.store.log_path())).try_collect::<Vec<_>>().await.map_err(failed)?;
        let commits = listed.iter().filter(|entry| entry.location.extension() == Some("json"));
        let last = commits
            .filter(|entry| entry.location.filename().is_some_and(|name| name.len() == 25))
            .max_by_key(|entry| entry.location.clone());
        if let Some(last) = last.filter(|last| last.size == 0) {
            tracing::warn!(table = %self.table, commit = %last.location, "dropped a commit without content");
            store.delete(&last.location).await.map_err(failed)?;
        }
        Ok(())
    }

    pub(super) fn failed(&self, doing: &'static str, source: DeltaTableError) -> LakeError {
        LakeError::Log { table: self.table.to_string(), doing, source: Box::new(source) }
    }
}

/// A write that adds rows.
pub(super) const fn append() -> DeltaOperation {
    DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None }
}

/// The oldest protocol, which every Delta reader knows.
fn protocol() -> Result<Protocol, serde_json::Error> {
    serde_json::from_value(serde_json::json!({ "minReaderVersion": 1, "minWriterVersion": 2 }))
}
