//! The journal: the durable log of what arrived. What it has acknowledged survives any crash.
//!
//! Appends go through a queue to one writer thread. All that is queued while the disk is busy, or that
//! arrives within a bounded wait, becomes one group: it is written to the newest segment, synced, and
//! only then acknowledged. Duplicates are told by the same thread (see [`crate::dedupe`]), so what is
//! written is new, and a duplicate of something in flight is acknowledged no earlier than that.
//!
//! **Numbers.** Each append that held something new becomes one record with the next sequence number;
//! numbers that were acknowledged are without gaps, and start at 1. What was never acknowledged may
//! still be found after a crash, but nothing is found twice.
//!
//! **On disk.** `<ordinal>-<first sequence>-<marker>.journal` holds records; `.seen` beside it holds
//! their fingerprints, and outlives the segment so that duplicates are told after a release, too;
//! `seed` makes fingerprints the store's own; `quarantine/` keeps bytes that failed their check.
//!
//! **Damage.** Opening succeeds whatever the folder holds. A torn tail is cut. A damaged record is copied
//! to `quarantine/`, reported by [`Replay`] and skipped. A failed sync is never repeated on the same file:
//! the kernel may have dropped the pages, so the group is written again to a new segment.

mod error;
mod fingerprint_file;
mod group;
mod payload;
mod quarantine;
mod reclaim;
pub(crate) mod record;
mod recovery;
mod replay;
mod scan;
mod segment;
mod storage;
mod writer;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use arrow::array::BooleanArray;
use tokio::sync::oneshot;
use wardline_domain::EventBatch;

use crate::dedupe::{DEFAULT_WINDOW, Fingerprinter};

pub use error::{AppendError, OpenError};
pub use replay::{DamagedRecord, Recorded, Replay};
#[doc(hidden)]
pub use scan::count_records;
pub(crate) use scan::{Scanned, Scanner};
pub(crate) use segment::{Segment, SegmentName, end_of, list as list_segments};
pub use storage::{FolderStorage, LogFile, ReadFile, Storage, StoredFile};
use writer::{Command, Request, Writer};

/// How the journal writes.
#[derive(Clone, Debug)]
pub struct JournalSettings {
    /// A segment that has reached this size is followed by a new one.
    pub segment_bytes: u64,
    /// How long an append may wait for others to share its sync.
    pub group_wait: Duration,
    /// A group of this size does not wait for more.
    pub group_bytes: usize,
    /// The most that may wait to be written; beyond it, appends are refused as [`AppendError::Busy`].
    pub queue_bytes: usize,
    /// How many fingerprints are remembered at least; see [`crate::dedupe`].
    pub seen_window: usize,
    /// The highest sequence number that anything downstream has stored: numbers go on behind it, even
    /// where the journal's own files are lost.
    pub resume_after: u64,
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self {
            segment_bytes: 64 * 1024 * 1024,
            group_wait: Duration::from_millis(2),
            group_bytes: 4 * 1024 * 1024,
            queue_bytes: 64 * 1024 * 1024,
            seen_window: DEFAULT_WINDOW,
            resume_after: 0,
        }
    }
}

/// What became of an append.
#[derive(Clone, Debug)]
pub struct Appended {
    /// The record's number; `None` where all was known already and nothing was written.
    pub sequence: Option<u64>,
    /// For each batch, which rows are new; `None` where all of them are.
    pub fresh: Vec<Option<BooleanArray>>,
    /// What was written: the new rows of each batch that has any.
    pub written: Vec<EventBatch>,
}

impl Appended {
    /// How many events were new.
    pub fn n_written(&self) -> usize {
        self.written.iter().map(EventBatch::len).sum()
    }
}

/// What the journal holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalStatus {
    /// The highest number that is durable; 0 before the first.
    pub durable_sequence: u64,
    /// Segments on disk.
    pub n_segments: usize,
    /// Their size.
    pub bytes: u64,
    /// Bytes that wait to be written.
    pub queued_bytes: usize,
}

/// Which segments there are, shared with whoever replays.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) segments: Vec<Segment>,
    pub(crate) durable_sequence: u64,
}

/// What the writer and its handles share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    catalog: Mutex<Catalog>,
    queued_bytes: AtomicUsize,
}

impl Shared {
    /// The catalog. A panic elsewhere leaves it whole, as each change is one assignment.
    pub(crate) fn catalog(&self) -> MutexGuard<'_, Catalog> {
        self.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The durable log of what arrived. Shared by reference; dropping it writes what is queued and stops.
pub struct Journal {
    storage: Arc<dyn Storage>,
    settings: JournalSettings,
    fingerprinter: Fingerprinter,
    shared: Arc<Shared>,
    commands: Option<mpsc::Sender<Command>>,
    writer: Option<JoinHandle<()>>,
}

impl Journal {
    /// Opens the journal in a folder of the local disk.
    ///
    /// # Errors
    /// Where the folder cannot be made or listed. Damaged contents are no error.
    pub fn open(folder: &Path, settings: JournalSettings) -> Result<Self, OpenError> {
        let storage = FolderStorage::open(folder)
            .map_err(|source| OpenError { location: folder.display().to_string(), source })?;
        Self::open_on(Arc::new(storage), settings)
    }

    /// Opens the journal on any storage.
    ///
    /// # Errors
    /// Where the storage cannot be listed. Damaged contents are no error.
    pub fn open_on(storage: Arc<dyn Storage>, settings: JournalSettings) -> Result<Self, OpenError> {
        let failed = |source| OpenError { location: storage.location(), source };
        let recovered = recovery::recover(storage.as_ref(), &settings).map_err(failed)?;
        let shared = Arc::new(Shared::default());
        *shared.catalog() = Catalog { segments: recovered.segments, durable_sequence: recovered.next_sequence - 1 };
        let (commands, receiver) = mpsc::channel();
        let writer = Writer::new(
            Arc::clone(&storage),
            settings.clone(),
            Arc::clone(&shared),
            receiver,
            writer::Start {
                reclaimer: reclaim::Reclaimer::start(Arc::clone(&storage), settings.seen_window as u64)
                    .map_err(failed)?,
                unwritten_seed: (!recovered.has_seed).then_some(recovered.seed),
                seen: recovered.seen,
                next_sequence: recovered.next_sequence,
                next_ordinal: recovered.next_ordinal,
            },
        );
        let writer =
            std::thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run()).map_err(failed)?;
        let fingerprinter = Fingerprinter::new(recovered.seed);
        Ok(Self { storage, settings, fingerprinter, shared, commands: Some(commands), writer: Some(writer) })
    }

    /// Makes events durable. They are queued when this returns, and durable when its future says so.
    pub fn append(
        &self,
        batches: Vec<EventBatch>,
    ) -> impl Future<Output = Result<Appended, AppendError>> + Send + use<> {
        let (sender, receiver) = oneshot::channel();
        self.append_then(batches, move |result| {
            // Who stopped waiting does not need the answer.
            let _ = sender.send(result);
        });
        async move { receiver.await.unwrap_or(Err(AppendError::Closed)) }
    }

    /// Makes events durable, and waits for it. Not to be called from an async task.
    ///
    /// # Errors
    /// As [`AppendError`] says.
    pub fn append_blocking(&self, batches: Vec<EventBatch>) -> Result<Appended, AppendError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.append_then(batches, move |result| {
            let _ = sender.send(result);
        });
        receiver.recv().unwrap_or(Err(AppendError::Closed))
    }

    /// Makes events durable and hands over what became of them, on the journal's own thread, **in the
    /// order of the sequence numbers**. What must see every record once and in order (the lake, the
    /// windows) is fed from here, as a caller that awaits may be cancelled. `deliver` must not block.
    ///
    /// An append that is refused at once is handed over on the caller's thread.
    pub fn append_then(
        &self,
        batches: Vec<EventBatch>,
        deliver: impl FnOnce(Result<Appended, AppendError>) + Send + 'static,
    ) {
        let bytes = batches.iter().map(payload::estimated_bytes).sum::<usize>();
        if let Err(error) = self.admit(bytes) {
            return deliver(Err(error));
        }
        let fingerprints = batches.iter().map(|batch| self.fingerprinter.fingerprints(batch)).collect();
        let request = Request { batches, fingerprints, bytes, deliver: Box::new(deliver) };
        let Some(commands) = &self.commands else { return };
        if let Err(mpsc::SendError(Command::Append(request))) = commands.send(Command::Append(request)) {
            self.shared.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
            (request.deliver)(Err(AppendError::Closed));
        }
    }

    /// Takes room in the queue, or says why there is none.
    fn admit(&self, bytes: usize) -> Result<(), AppendError> {
        let most_bytes = self.settings.queue_bytes;
        if bytes > most_bytes {
            return Err(AppendError::TooLarge { bytes, most_bytes });
        }
        let queued_bytes = self.shared.queued_bytes.fetch_add(bytes, Ordering::AcqRel);
        if queued_bytes + bytes > most_bytes {
            self.shared.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
            return Err(AppendError::Busy { queued_bytes, most_bytes, location: self.storage.location() });
        }
        Ok(())
    }

    /// Reads what is durable, from a sequence number on, one record at a time.
    pub fn replay(&self, from: u64) -> Replay {
        let catalog = self.shared.catalog();
        Replay::new(Arc::clone(&self.storage), catalog.segments.clone(), from)
    }

    /// Lets go of records up to a number, itself included, because they are stored elsewhere for good.
    /// Whole segments are deleted, in the background; their fingerprints stay.
    pub fn release(&self, up_to: u64) {
        if let Some(commands) = &self.commands {
            // A writer that has stopped deletes nothing more; the next start releases again.
            let _ = commands.send(Command::Release { up_to });
        }
    }

    /// What the journal holds now.
    pub fn status(&self) -> JournalStatus {
        let catalog = self.shared.catalog();
        JournalStatus {
            durable_sequence: catalog.durable_sequence,
            n_segments: catalog.segments.len(),
            bytes: catalog.segments.iter().map(|segment| segment.bytes).sum(),
            queued_bytes: self.shared.queued_bytes.load(Ordering::Acquire),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing left to hand over.
            let _ = writer.join();
        }
    }
}
