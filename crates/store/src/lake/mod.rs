//! The lake: Delta tables of Parquet on an object store, and the newest rows that are not there yet.
//!
//! **Invariant:** a row that was observed is seen by every later query exactly once, whether it is in
//! memory, on its way into a file, or in a file; and a record of the journal enters a table once, even
//! when the process dies between a table's commit and the journal's release.
//!
//! What a model's inferences carry decides its columns, so each model has a wide table of its own at
//! `inference/<slug>`; the other kinds have one table each. Tables have no partition columns, deletion
//! vectors or column mapping: any Delta reader can open them, and files are pruned by the log's minima
//! and maxima.

mod background;
mod columns;
mod committer;
mod compaction;
mod data_file;
mod delta_log;
mod durable;
mod encoding;
mod error;
mod file_statistics;
mod finding_rows;
mod maintenance;
mod parquet_file;
mod root;
mod settings;
mod slug;
mod table;
mod table_name;
mod tail;
mod trouble;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicIsize, AtomicU64, Ordering},
    },
};

use futures::{StreamExt, TryStreamExt, stream};
use tokio::{sync::Notify, task::JoinHandle};
use wardline_domain::{EventBatch, Finding};

pub use columns::stored_column;
pub use compaction::CompactionReport;
pub use error::LakeError;
pub use maintenance::MaintenanceReport;
pub use settings::{LakeSettings, Retention};
pub use table_name::TableName;

pub(crate) use data_file::{DataFile, TEXT_RANGES};
pub(crate) use parquet_file::view_schema;
pub(crate) use root::Root;
pub(crate) use table::TableSnapshot;
pub(crate) use tail::TailBatch;

use background::Background;
use table::Table;
use trouble::Troubles;

/// How many tables are opened at once.
const OPEN_CONCURRENCY: usize = 4;

/// The tables, and the rows on their way into them.
#[derive(Debug)]
pub struct Lake {
    shared: Arc<Shared>,
    committer: Mutex<Option<JoinHandle<()>>>,
}

/// What the lake shares with its background committer.
#[derive(Debug)]
pub(crate) struct Shared {
    settings: LakeSettings,
    root: Root,
    tables: RwLock<BTreeMap<TableName, Arc<Table>>>,
    /// Bytes of all tails.
    tail_bytes: AtomicIsize,
    /// One more than the highest sequence observed, so that 0 means none.
    observed: AtomicU64,
    /// Where files are merged.
    background: Background,
    /// Wakes the committer.
    work: Arc<Notify>,
    /// Wakes those who wait for room in the tails.
    room: Notify,
    /// The tables whose last commit failed.
    troubles: Troubles,
}

impl Lake {
    /// Opens the tables below a location and starts the background committer.
    ///
    /// # Errors
    /// [`LakeError`] where the location or one of its tables cannot be read.
    pub async fn open(settings: LakeSettings) -> Result<Self, LakeError> {
        let root = Root::open(&settings.location)?;
        let names = root.table_names().await?;
        let background = Background::start()?;
        let tables: BTreeMap<TableName, Arc<Table>> = stream::iter(names)
            .map(|name| {
                let (root, settings) = (root.clone(), settings.clone());
                background.run(async move {
                    let table = Table::open(name, &root, &settings).await?;
                    Ok((table.name().clone(), Arc::new(table)))
                })
            })
            .buffer_unordered(OPEN_CONCURRENCY)
            .try_collect()
            .await?;
        let shared = Arc::new(Shared {
            settings,
            root,
            tables: RwLock::new(tables),
            tail_bytes: AtomicIsize::new(0),
            observed: AtomicU64::new(0),
            background,
            work: Arc::new(Notify::new()),
            room: Notify::new(),
            troubles: Troubles::default(),
        });
        tracing::debug!(location = %shared.settings.location, "lake opened");
        let committer = tokio::spawn(committer::run(Arc::downgrade(&shared), Arc::clone(&shared.work)));
        Ok(Self { shared, committer: Mutex::new(Some(committer)) })
    }

    /// Takes in the batches of one journal record; queries see them when this returns.
    ///
    /// Records come in the order of their sequence, each once while the process lives; after a restart
    /// the journal is replayed from [`Lake::committed_sequence`], and what a table already holds is
    /// skipped. Waits while the rows that are not yet in files exceed their limit.
    ///
    /// # Errors
    /// [`LakeError::Refused`] names the first table that did not take its rows; those of all other tables
    /// are in. [`LakeError::NoModel`] where a batch cannot be given a table.
    pub async fn observe(&self, sequence: u64, batches: &[EventBatch]) -> Result<(), LakeError> {
        self.wait_for_room().await;
        let mut by_table: BTreeMap<TableName, Vec<arrow::array::RecordBatch>> = BTreeMap::new();
        let mut nameless = Ok(());
        for batch in batches.iter().filter(|batch| !batch.is_empty()) {
            match TableName::of(batch) {
                Ok(name) => by_table.entry(name).or_default().push(batch.records.clone()),
                Err(error) => nameless = nameless.and(Err(error)),
            }
        }
        nameless.and(self.shared.insert(sequence, by_table))
    }

    /// Takes in findings under a number of the caller's own, which grows from call to call.
    ///
    /// Findings are not records of the journal, and do not hold it back: whoever makes them saves the
    /// number with what they were made from, after [`Lake::flush_findings`]. After a restart, findings of
    /// a number that the table already holds are skipped.
    ///
    /// # Errors
    /// As [`Lake::observe`].
    pub async fn observe_findings(&self, number: u64, findings: &[Finding]) -> Result<(), LakeError> {
        if findings.is_empty() {
            return Ok(());
        }
        self.wait_for_room().await;
        let records = finding_rows::record_batch(findings)?;
        let table = self.shared.table(&TableName::Finding)?;
        let (added, taken) = table.observe(number, &[records]);
        self.shared.tail_bytes.fetch_add(added.bytes, Ordering::Relaxed);
        taken
    }

    /// Commits the findings that are in memory only.
    ///
    /// # Errors
    /// As [`Lake::flush`].
    pub async fn flush_findings(&self) -> Result<(), LakeError> {
        self.shared.flush_table(self.shared.table(&TableName::Finding)?).await
    }

    /// The sequence up to which every record is in committed files; `None` before the first.
    ///
    /// The journal may drop what is not above it.
    pub fn committed_sequence(&self) -> Option<u64> {
        self.shared.committed_sequence()
    }

    /// The highest sequence that a table's log names: a new journal must start above it, or its records
    /// would be taken for ones that were stored before.
    pub fn highest_stored_sequence(&self) -> Option<u64> {
        self.shared.journal_tables().filter_map(|table| table.committed_sequence()).max()
    }

    /// Commits every row that is in memory only.
    ///
    /// # Errors
    /// [`LakeError`] where a file cannot be written; the rows stay visible and are tried again.
    pub async fn flush(&self) -> Result<(), LakeError> {
        self.shared.flush_tables(self.shared.all_tables()).await
    }

    /// Commits the tables that hold rows of a record up to this one in memory only, the findings left out.
    ///
    /// A quiet table's rows wait for minutes before they are worth a file, and hold the journal back all
    /// the while. Whoever sees the journal grow calls this with the last sequence that it wants released;
    /// afterwards [`Lake::committed_sequence`] is at least that, as far as it was observed.
    ///
    /// # Errors
    /// As [`Lake::flush`].
    pub async fn flush_before(&self, sequence: u64) -> Result<(), LakeError> {
        let holds_back = |table: &Arc<Table>| table.first_uncommitted_sequence().is_some_and(|first| first <= sequence);
        self.shared.flush_tables(self.shared.journal_tables().filter(holds_back).collect()).await
    }

    /// Why rows cannot leave memory, while so many are there that [`Lake::observe`] waits; `None` where it
    /// takes rows, or where only a commit that is under way holds it up.
    ///
    /// It names the table and the error of its last commit, and is cleared by that table's next success.
    pub fn commit_trouble(&self) -> Option<String> {
        if self.has_room() { None } else { self.shared.troubles.first() }
    }

    /// Stops the committer and commits what is left.
    ///
    /// # Errors
    /// As [`Lake::flush`].
    pub async fn close(&self) -> Result<(), LakeError> {
        let committer = self.committer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = committer {
            task.abort();
        }
        self.flush().await
    }

    /// Names of all tables that hold or have held rows.
    pub fn table_names(&self) -> Vec<TableName> {
        self.shared.read_tables().keys().cloned().collect()
    }

    /// Each table with the version of its log, where something was committed.
    pub fn table_versions(&self) -> Vec<(String, Option<u64>)> {
        let tables = self.shared.read_tables();
        tables.iter().map(|(name, table)| (name.to_string(), table.snapshot().state.version)).collect()
    }

    /// Bytes of rows that are not yet in files.
    pub fn tail_bytes(&self) -> usize {
        usize::try_from(self.shared.tail_bytes.load(Ordering::Relaxed)).unwrap_or(0)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    async fn wait_for_room(&self) {
        loop {
            let room = self.shared.room.notified();
            if self.has_room() {
                return;
            }
            self.shared.work.notify_one();
            room.await;
        }
    }

    fn has_room(&self) -> bool {
        self.tail_bytes() <= self.shared.settings.max_tail_bytes
    }
}

impl Drop for Lake {
    fn drop(&mut self) {
        if let Some(task) = self.committer.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl Shared {
    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// A consistent picture of one table; `None` where no row of it was ever seen.
    pub(crate) fn snapshot(&self, name: &TableName) -> Option<TableSnapshot> {
        self.read_tables().get(name).map(|table| table.snapshot())
    }

    /// Models that have rows of a kind, by name.
    pub(crate) fn tables_where(&self, wanted: impl Fn(&TableName) -> bool) -> Vec<TableSnapshot> {
        self.read_tables().iter().filter(|(name, _)| wanted(name)).map(|(_, table)| table.snapshot()).collect()
    }

    pub(crate) fn names(&self) -> Vec<TableName> {
        self.read_tables().keys().cloned().collect()
    }

    fn all_tables(&self) -> Vec<Arc<Table>> {
        self.read_tables().values().cloned().collect()
    }

    /// Tables whose rows come from the journal.
    fn journal_tables(&self) -> impl Iterator<Item = Arc<Table>> {
        self.all_tables().into_iter().filter(|table| *table.name() != TableName::Finding)
    }

    fn read_tables(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<TableName, Arc<Table>>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self, name: &TableName) -> Result<Arc<Table>, LakeError> {
        if let Some(table) = self.read_tables().get(name) {
            return Ok(Arc::clone(table));
        }
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = tables.get(name) {
            return Ok(Arc::clone(table));
        }
        let table = Arc::new(Table::new(name.clone(), &self.root, &self.settings)?);
        tables.insert(name.clone(), Arc::clone(&table));
        Ok(table)
    }

    fn insert(
        &self,
        sequence: u64,
        by_table: BTreeMap<TableName, Vec<arrow::array::RecordBatch>>,
    ) -> Result<(), LakeError> {
        let mut wake = false;
        let mut refused = Ok(());
        for (name, records) in by_table {
            // A table that refuses its rows does not keep other models' rows out of theirs.
            let taken = self.table(&name).and_then(|table| {
                let (added, taken) = table.observe(sequence, &records);
                self.tail_bytes.fetch_add(added.bytes, Ordering::Relaxed);
                wake |= added.is_full(&self.settings);
                taken
            });
            let named = |error| LakeError::Refused { table: name.to_string(), sequence, source: Box::new(error) };
            refused = refused.and(taken.map_err(named));
        }
        self.observed.fetch_max(sequence + 1, Ordering::Relaxed);
        if wake || self.tail_bytes.load(Ordering::Relaxed) > committer::pressing_bytes(&self.settings) as isize {
            self.work.notify_one();
        }
        refused
    }

    fn committed_sequence(&self) -> Option<u64> {
        let observed = self.observed.load(Ordering::Relaxed);
        let pinned = self.journal_tables().filter_map(|table| table.first_uncommitted_sequence()).min();
        // `observed` is read first: a record that arrives in between can only make the answer lower.
        pinned.map_or(observed, |first| observed.min(first)).checked_sub(1)
    }

    /// Flushes all of these tables, whichever fails; returns the first error.
    async fn flush_tables(self: &Arc<Self>, tables: Vec<Arc<Table>>) -> Result<(), LakeError> {
        let mut flushed = Ok(());
        for table in tables {
            flushed = flushed.and(self.flush_table(table).await);
        }
        flushed
    }

    /// Flushes on a task of its own, so that a caller who gives up does not tear a commit in two.
    async fn flush_table(self: &Arc<Self>, table: Arc<Table>) -> Result<(), LakeError> {
        let shared = Arc::clone(self);
        let task = tokio::spawn(async move {
            let flushed = table.flush(&shared.root, |bytes| shared.make_room(bytes)).await;
            shared.troubles.note(table.name(), &flushed);
            flushed
        });
        task.await.unwrap_or(Err(LakeError::Stopped))
    }

    fn make_room(&self, bytes: usize) {
        self.tail_bytes.fetch_sub(bytes as isize, Ordering::Relaxed);
        self.room.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
