//! One table: its files, its tail, and the way from the tail into a file.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use object_store::ObjectStoreExt as _;
use ulid::Ulid;
use wardline_domain::{Span, Timestamp};

use super::{
    DataFile, LakeError, LakeSettings, Root, TableName,
    columns::Columns,
    delta_log::{self, Change, DeltaLog, LogState},
    durable,
    parquet_file::{self, EncodedFile},
    tail::{Tail, TailBatch},
};

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    name: TableName,
    log: DeltaLog,
    /// Rows of records up to this one were in the files when the table was opened.
    recovered_sequence: Option<u64>,
    /// Held by whoever writes to the table: a flush, a merge of files, a retention.
    writer: tokio::sync::Mutex<()>,
    last_vacuum: Mutex<Option<Timestamp>>,
    shown: Mutex<Shown>,
}

/// What queries see. Changed in one step, so that a row is never seen twice and never missing.
#[derive(Debug)]
struct Shown {
    state: Arc<LogState>,
    columns: Columns,
    tail: Tail,
    /// When the oldest row of the tail came in.
    tail_since: Instant,
    /// Rows on their way into a file.
    flushing: Option<Arc<Tail>>,
    /// The last commit failed, and may have reached the store all the same.
    uncertain: bool,
}

/// A table at one moment.
#[derive(Clone, Debug)]
pub(crate) struct TableSnapshot {
    /// The table.
    pub(crate) name: TableName,
    /// Its columns, those of the tail included.
    pub(crate) schema: SchemaRef,
    /// What the log says.
    pub(crate) state: Arc<LogState>,
    /// Rows that are in no file yet.
    pub(crate) tail: Vec<Arc<TailBatch>>,
}

/// A change of files that is under way; no other begins before it is dropped.
#[derive(Debug)]
pub(super) struct Writing<'a> {
    table: &'a Table,
    /// What the log says.
    pub(super) state: Arc<LogState>,
    /// The table's columns.
    pub(super) schema: SchemaRef,
    _guard: tokio::sync::MutexGuard<'a, ()>,
}

/// What a record added to a table.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Added {
    /// Growth of the tail in bytes; less than nothing where merging small batches freed more.
    pub(super) bytes: isize,
    rows: usize,
    tail_bytes: usize,
}

/// How much waits to be flushed, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) rows: usize,
    pub(super) bytes: usize,
    pub(super) since: Instant,
    pub(super) first_sequence: u64,
}

impl Added {
    pub(super) const fn is_full(&self, settings: &LakeSettings) -> bool {
        self.rows >= settings.flush_rows || self.tail_bytes >= settings.flush_bytes
    }
}

impl TableSnapshot {
    /// The columns of a table without rows.
    pub(crate) fn empty_schema(name: &TableName) -> SchemaRef {
        Arc::clone(Columns::base(name).schema())
    }
}

impl Writing<'_> {
    /// Commits a change and shows it to queries.
    pub(super) async fn commit(&mut self, change: Change) -> Result<(), LakeError> {
        let state = self.table.log.commit(&self.state, change).await?;
        self.show(state);
        Ok(())
    }

    /// Reads the log again, after something else wrote to it.
    pub(super) async fn reload(&mut self) -> Result<(), LakeError> {
        let state = self.table.log.load().await?;
        self.show(state);
        Ok(())
    }

    fn show(&mut self, state: LogState) {
        self.table.adopt(state, false);
        self.state = Arc::clone(&self.table.shown().state);
    }
}

impl Table {
    /// A table that has no log yet.
    pub(super) fn new(name: TableName, root: &Root, settings: &LakeSettings) -> Result<Self, LakeError> {
        let log = DeltaLog::new(name.clone(), root, settings)?;
        Ok(Self::with_state(name, log, LogState::default()))
    }

    /// A table as its log has it.
    pub(super) async fn open(name: TableName, root: &Root, settings: &LakeSettings) -> Result<Self, LakeError> {
        let log = DeltaLog::new(name.clone(), root, settings)?;
        let state = log.load().await?;
        let name = match state.model() {
            Some(model) if name.model().is_some_and(|read| read != model) => name.with_model(model),
            _ => name,
        };
        Ok(Self::with_state(name, log, state))
    }

    fn with_state(name: TableName, log: DeltaLog, state: LogState) -> Self {
        let mut columns = Columns::base(&name);
        if let Some(logged) = state.columns() {
            let base = columns;
            columns = logged;
            columns.merge(base.schema());
        }
        let shown = Shown {
            state: Arc::new(state),
            columns,
            tail: Tail::default(),
            tail_since: Instant::now(),
            flushing: None,
            uncertain: false,
        };
        let recovered_sequence = shown.state.sequence;
        Self {
            name,
            log,
            recovered_sequence,
            writer: tokio::sync::Mutex::new(()),
            last_vacuum: Mutex::new(None),
            shown: Mutex::new(shown),
        }
    }

    pub(super) const fn name(&self) -> &TableName {
        &self.name
    }

    pub(super) const fn log(&self) -> &DeltaLog {
        &self.log
    }

    /// The sequence up to which the log has every row.
    pub(super) fn committed_sequence(&self) -> Option<u64> {
        self.shown().state.sequence
    }

    /// The first sequence with rows that are in no file.
    pub(super) fn first_uncommitted_sequence(&self) -> Option<u64> {
        let shown = self.shown();
        let flushing = shown.flushing.as_ref().and_then(|tail| tail.first_sequence());
        flushing.or_else(|| shown.tail.first_sequence())
    }

    /// What waits to be flushed.
    pub(super) fn waiting(&self) -> Option<Waiting> {
        let shown = self.shown();
        let flushing = shown.flushing.as_deref();
        let first_sequence = flushing.and_then(Tail::first_sequence).or_else(|| shown.tail.first_sequence())?;
        Some(Waiting {
            rows: shown.tail.rows() + flushing.map_or(0, Tail::rows),
            bytes: shown.tail.bytes() + flushing.map_or(0, Tail::bytes),
            since: shown.tail_since,
            first_sequence,
        })
    }

    /// Takes in rows of one record, all of them in one step. What was added is told also where a batch is
    /// refused: the tail has grown by the others.
    pub(super) fn observe(&self, sequence: u64, records: &[RecordBatch]) -> (Added, Result<(), LakeError>) {
        if self.recovered_sequence.is_some_and(|recovered| sequence <= recovered) {
            return (Added::default(), Ok(()));
        }
        let mut refused = Ok(());
        let mut shown = self.shown();
        let before = shown.tail.bytes();
        if shown.tail.is_empty() {
            shown.tail_since = Instant::now();
        }
        for batch in records {
            let schema = shown.columns.place(batch.schema_ref());
            let named = RecordBatch::try_new(schema, batch.columns().to_vec());
            let pushed = named.and_then(|named| shown.tail.push(sequence, named));
            refused = refused.and(pushed.map_err(LakeError::from));
        }
        let tail_bytes = shown.tail.bytes();
        let added = Added { bytes: tail_bytes as isize - before as isize, rows: shown.tail.rows(), tail_bytes };
        (added, refused)
    }

    /// The table at this moment.
    pub(super) fn snapshot(&self) -> TableSnapshot {
        let shown = self.shown();
        let mut tail = shown.flushing.as_ref().map_or_else(Vec::new, |flushing| flushing.batches().to_vec());
        tail.extend_from_slice(shown.tail.batches());
        TableSnapshot {
            name: self.name.clone(),
            schema: Arc::clone(shown.columns.schema()),
            state: Arc::clone(&shown.state),
            tail,
        }
    }

    /// Commits the tail as it is when its turn comes, and tells the bytes of each part of it as soon as the
    /// part is committed: a part that fails later takes nothing back. What comes in meanwhile waits until it
    /// is worth a file.
    ///
    /// Rows that an earlier flush failed to commit go first, in a file of their own: the log may have
    /// them after all, and its sequence tells.
    pub(super) async fn flush(&self, root: &Root, freed: impl Fn(usize)) -> Result<(), LakeError> {
        let _writer = self.writer.lock().await;
        let mut has_earlier = self.shown().flushing.is_some();
        while let Some((rows, schema)) = self.begin_flush() {
            let is_last = !std::mem::take(&mut has_earlier);
            let arrived = self.shown().uncertain && {
                let state = self.log.load().await?;
                let arrived = state.sequence >= rows.last_sequence();
                self.adopt(state, arrived);
                arrived
            };
            if !arrived {
                self.commit_rows(root, &rows, schema).await?;
            }
            freed(rows.bytes());
            if is_last {
                break;
            }
        }
        Ok(())
    }

    /// Begins a change of files, with no other writer at work.
    pub(super) async fn begin_write(&self) -> Writing<'_> {
        let guard = self.writer.lock().await;
        let shown = self.shown();
        Writing {
            table: self,
            state: Arc::clone(&shown.state),
            schema: Arc::clone(shown.columns.schema()),
            _guard: guard,
        }
    }

    /// Whether a vacuum is due; if so, notes that it was begun.
    pub(super) fn begin_vacuum(&self, now: Timestamp, every: Span) -> bool {
        let mut last = self.last_vacuum.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.since(last) >= every);
        if due {
            *last = Some(now);
        }
        due
    }

    fn begin_flush(&self) -> Option<(Arc<Tail>, SchemaRef)> {
        let mut shown = self.shown();
        if shown.flushing.is_none() && !shown.tail.is_empty() {
            shown.flushing = Some(Arc::new(std::mem::take(&mut shown.tail)));
            shown.tail_since = Instant::now();
        }
        let schema = Arc::clone(shown.columns.schema());
        shown.flushing.clone().map(|rows| (rows, schema))
    }

    async fn commit_rows(&self, root: &Root, rows: &Arc<Tail>, schema: SchemaRef) -> Result<(), LakeError> {
        match self.write_file(root, rows, schema).await {
            Ok(state) => {
                self.adopt(state, true);
                Ok(())
            }
            Err(error) => {
                self.shown().uncertain = true;
                Err(error)
            }
        }
    }

    async fn write_file(&self, root: &Root, rows: &Arc<Tail>, schema: SchemaRef) -> Result<LogState, LakeError> {
        let encoded = {
            let (rows, schema) = (Arc::clone(rows), Arc::clone(&schema));
            let task = tokio::task::spawn_blocking(move || parquet_file::encode(rows.batches(), &schema));
            task.await.unwrap_or(Err(LakeError::Stopped))?
        };
        let added = self.store_file(root, encoded).await?;
        let state = Arc::clone(&self.shown().state);
        let change = Change {
            operation: delta_log::append(),
            schema,
            added: vec![added],
            removed: Vec::new(),
            data_change: true,
            sequence: rows.last_sequence(),
        };
        self.log.commit(&state, change).await
    }

    async fn store_file(&self, root: &Root, encoded: EncodedFile) -> Result<(DataFile, String), LakeError> {
        let path = new_file_name();
        let size = encoded.bytes.len() as u64;
        let failed = |source| LakeError::File { table: self.name.to_string(), doing: "write", source };
        root.store().put(&root.file_path(&self.name, &path), encoded.bytes.into()).await.map_err(failed)?;
        if let Some(local) = root.local_file(&self.name, &path) {
            durable::sync_file(local).await?;
        }
        let stats = encoded.statistics.to_json();
        let modified_ms = chrono::Utc::now().timestamp_millis();
        Ok((DataFile::from_log(path, size, modified_ms, Some(&stats)), stats))
    }

    fn adopt(&self, state: LogState, flushed: bool) {
        let mut shown = self.shown();
        if let Some(logged) = state.columns() {
            // The log is first in the order of columns; those of the tail follow.
            let known = std::mem::replace(&mut shown.columns, logged);
            shown.columns.merge(known.schema());
        }
        shown.state = Arc::new(state);
        shown.uncertain = false;
        if flushed {
            shown.flushing = None;
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A new file's name, which sorts by the time it was made.
pub(super) fn new_file_name() -> String {
    format!("part-{}.parquet", Ulid::generate().to_string().to_lowercase())
}
