//! Records that were refused, kept sealed until someone replays or drops them.
//!
//! A dead letter holds what arrived byte by byte, also what the privacy policy would have hashed. So
//! each record is sealed with XChaCha20-Poly1305 under a key that the caller derives from the privacy
//! key; on disk in the clear are only times, reasons and counts.
//!
//! Letters are numbered from 1 in the order of arrival. What an append has returned for is on disk.
//! Concurrent appends share a sync. The total size is bounded: the oldest segment goes first, and how
//! many letters went that way is counted. Torn tails are cut and damage is skipped, as in the journal.

mod filter;
mod index;
mod sealed;
mod synced_file;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    ops::Range,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing::warn;
use wardline_domain::{DeadLetter, DeadLetterReason};

use crate::journal::{AppendError, FolderStorage, Scanned, Scanner, SegmentName, Storage, record::RecordType};
pub use filter::DeadLetterFilter;
use index::{Index, LETTERS};
use sealed::{Sealer, Summary};
use synced_file::SyncedFile;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetterSettings {
    /// The most bytes on disk; the oldest segment goes when they are exceeded.
    pub most_bytes: u64,
    /// A segment of this size is followed by a new one.
    pub segment_bytes: u64,
}

impl Default for DeadLetterSettings {
    fn default() -> Self {
        Self { most_bytes: 1024 * 1024 * 1024, segment_bytes: 16 * 1024 * 1024 }
    }
}

/// A dead letter and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDeadLetter {
    /// What `resolve` takes.
    pub id: u64,
    /// The letter.
    pub letter: DeadLetter,
    /// Whether the letter holds the record as it arrived. A record that was cut at
    /// [`DeadLetter::MAX_RECORD_BYTES`], or had bytes that are no text replaced, is another record than the
    /// one that was sent, and must not be taken in for it.
    pub is_complete: bool,
}

impl StoredDeadLetter {
    fn new(id: u64, letter: DeadLetter) -> Self {
        let is_complete = is_complete(&letter);
        Self { id, letter, is_complete }
    }
}

/// Whether a letter holds the record as it arrived. One that ends right at the limit counts as cut, as
/// nothing tells it from one that was.
fn is_complete(letter: &DeadLetter) -> bool {
    let was_changed = matches!(letter.reason, DeadLetterReason::NotUtf8 { .. } | DeadLetterReason::TooLong { .. });
    !was_changed && letter.record.len() < DeadLetter::MAX_RECORD_BYTES
}

/// What is kept now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterStatus {
    /// Unresolved letters by reason.
    pub by_reason: BTreeMap<String, u64>,
    /// Bytes on disk.
    pub bytes: u64,
    /// Letters that were dropped unresolved, because there were too many.
    pub dropped: u64,
}

/// Why dead letters could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// They could not be written; none of them is kept.
    #[error(transparent)]
    NotStored(#[from] AppendError),
    /// They could not be read.
    #[error(
        "dead letters at `{location}` cannot be read: check that the folder is there and that the user of this process may read and write it"
    )]
    Unreadable {
        /// Where they are.
        location: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The most bytes that the letters of one record unpack to.
const MOST_PLAIN_BYTES: usize = 1024 * 1024 * 1024;

struct Active {
    name: SegmentName,
    file: Arc<SyncedFile>,
}

struct State {
    index: Index,
    active: Option<Active>,
}

/// The dead letters of a store. All methods wait for the disk: not to be called from an async task.
pub struct DeadLetters {
    storage: Arc<dyn Storage>,
    settings: DeadLetterSettings,
    sealer: Sealer,
    state: Mutex<State>,
}

impl DeadLetters {
    /// Opens the dead letters in a folder. With another key than before, the older ones stay sealed.
    ///
    /// # Errors
    /// Where the folder cannot be made or listed. Damaged contents are no error.
    pub fn open(folder: &Path, key: [u8; 32], settings: DeadLetterSettings) -> Result<Self, DeadLetterError> {
        let location = folder.display().to_string();
        let storage = FolderStorage::open(folder).map_err(|source| DeadLetterError::Unreadable { location, source })?;
        Self::open_on(Arc::new(storage), key, settings)
    }

    /// Opens the dead letters on any storage.
    ///
    /// # Errors
    /// Where the storage cannot be listed. Damaged contents are no error.
    pub fn open_on(
        storage: Arc<dyn Storage>,
        key: [u8; 32],
        settings: DeadLetterSettings,
    ) -> Result<Self, DeadLetterError> {
        let index = Index::read(storage.as_ref())
            .map_err(|source| DeadLetterError::Unreadable { location: storage.location(), source })?;
        let state = Mutex::new(State { index, active: None });
        Ok(Self { storage, settings, sealer: Sealer::new(key), state })
    }

    /// Keeps letters; they are on disk when this returns. Returns the number of the first.
    ///
    /// # Errors
    /// Where they could not be made durable.
    pub fn append(&self, letters: &[DeadLetter]) -> Result<Option<u64>, DeadLetterError> {
        if letters.is_empty() {
            return Ok(None);
        }
        let summary = Summary::of(letters);
        let (first_id, name) = self.write(letters.len() as u64, RecordType::DeadLetters, |id, buffer| {
            self.sealer.seal(buffer, id, &summary, letters)
        })?;
        self.state().index.add(name, &summary);
        self.drop_oldest();
        Ok(Some(first_id))
    }

    /// The newest letters first, at most `limit`. Letters that another key sealed are left out.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn list(&self, filter: &DeadLetterFilter, limit: usize) -> Result<Vec<StoredDeadLetter>, DeadLetterError> {
        let mut newest = Vec::new();
        let segments = self.state().index.segments();
        for segment in segments.into_iter().rev() {
            if newest.len() >= limit {
                break;
            }
            let wanted = limit - newest.len();
            let mut of_segment = VecDeque::new();
            self.scan(segment.name, filter, |letter| {
                of_segment.push_back(letter);
                if of_segment.len() > wanted {
                    of_segment.pop_front();
                }
                true
            })?;
            newest.extend(of_segment.into_iter().rev());
        }
        Ok(newest)
    }

    /// The oldest unresolved letters, at most `limit`, to be taken in once more. They stay until
    /// [`Self::resolve`] is told that they were, so a crash in between loses none. Letters that do not hold
    /// the whole record are left out: see [`StoredDeadLetter::is_complete`].
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn take_for_replay(
        &self,
        filter: &DeadLetterFilter,
        limit: usize,
    ) -> Result<Vec<StoredDeadLetter>, DeadLetterError> {
        let mut oldest = Vec::new();
        let segments = self.state().index.segments();
        for segment in segments {
            if oldest.len() >= limit {
                break;
            }
            self.scan(segment.name, filter, |stored| {
                if stored.is_complete {
                    oldest.push(stored);
                }
                oldest.len() < limit
            })?;
        }
        Ok(oldest)
    }

    /// Marks letters as done with, durably; returns how many were not already. Unknown numbers are passed over.
    ///
    /// Reads each segment that holds any of them once, and opens only the records that do: better called
    /// once with many numbers than many times with one.
    ///
    /// # Errors
    /// Where it could not be written or the letters not be read.
    pub fn resolve(&self, ids: &[u64]) -> Result<usize, DeadLetterError> {
        let wanted: BTreeSet<u64> = ids.iter().copied().collect();
        let segments = self.state().index.segments_of(&wanted);
        let mut resolved = Vec::new();
        for name in segments {
            let holds_any = |ids: Range<u64>, _: &Summary| wanted.range(ids).next().is_some();
            self.scan_records(name, holds_any, |id, letter| {
                if wanted.contains(&id) && !self.state().index.is_resolved(id) {
                    resolved.push((id, letter.reason_name().to_owned()));
                }
                true
            })?;
        }
        if resolved.is_empty() {
            return Ok(0);
        }
        self.write(0, RecordType::Resolved, |_, buffer| {
            index::write_resolved(buffer, &resolved);
            Ok(())
        })?;
        Ok(self.state().index.resolve(resolved))
    }

    /// What is kept now.
    pub fn status(&self) -> DeadLetterStatus {
        let state = self.state();
        DeadLetterStatus {
            by_reason: state.index.by_reason(),
            bytes: state.index.bytes(),
            dropped: state.index.dropped(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes one record that takes up `n_ids` numbers, and waits until it is durable.
    fn write(
        &self,
        n_ids: u64,
        record_type: RecordType,
        payload: impl FnOnce(u64, &mut Vec<u8>) -> Result<(), AppendError>,
    ) -> Result<(u64, SegmentName), AppendError> {
        let refused = |error: io::Error| AppendError::from_io(&error, self.storage.location());
        let mut state = self.state();
        let State { index, active } = &mut *state;
        if active.as_ref().is_some_and(|active| {
            active.file.has_failed() || self.settings.segment_bytes <= active.file.written_bytes()
        }) {
            *active = None;
        }
        let first_id = index.next_id();
        let Active { name, file } = match active {
            Some(active) => active,
            None => {
                let name = index.next_segment();
                let file = self.storage.create(&name.file(LETTERS)).map_err(refused)?;
                index.push(name);
                active.insert(Active { name, file: Arc::new(SyncedFile::new(file)) })
            }
        };
        let (name, file) = (*name, Arc::clone(file));
        let mut bytes = Vec::new();
        crate::journal::record::write(&mut bytes, (name.marker, first_id, record_type), |buffer| {
            payload(first_id, buffer)
        })?;
        let end = file.append(&bytes).map_err(refused)?;
        index.advance(name, n_ids, end);
        drop(state);
        file.sync_to(end).map_err(refused)?;
        Ok((first_id, name))
    }

    /// Drops the oldest segments until the rest fits.
    fn drop_oldest(&self) {
        let mut dropped_any = false;
        loop {
            let mut state = self.state();
            let active = state.active.as_ref().map(|active| active.name);
            if state.index.bytes() <= self.settings.most_bytes {
                break;
            }
            let oldest = state.index.segments().first().map(|segment| segment.name);
            let Some(name) = oldest.filter(|name| active != Some(*name)) else { break };
            if let Err(error) = self.storage.remove(&name.file(LETTERS)) {
                warn!(%error, segment = %name, "oldest dead letters not dropped yet");
                break;
            }
            state.index.drop_segment(name);
            dropped_any = true;
        }
        if !dropped_any {
            return;
        }
        let dropped = self.state().index.dropped();
        warn!(dropped, "dead letters exceeded their limit, the oldest were dropped");
        let written = self.write(0, RecordType::Resolved, |_, buffer| {
            index::write_dropped(buffer, dropped);
            Ok(())
        });
        if let Err(error) = written {
            warn!(%error, "number of dropped dead letters not written");
        }
    }

    /// Hands over the unresolved letters of a segment that pass a filter, until told to stop.
    fn scan(
        &self,
        name: SegmentName,
        filter: &DeadLetterFilter,
        mut receive: impl FnMut(StoredDeadLetter) -> bool,
    ) -> Result<(), DeadLetterError> {
        let may_match = |_: Range<u64>, summary: &Summary| filter.may_match(summary);
        self.scan_records(name, may_match, |id, letter| {
            let is_wanted = filter.matches(&letter) && !self.state().index.is_resolved(id);
            !is_wanted || receive(StoredDeadLetter::new(id, letter))
        })
    }

    /// Hands over the letters of those records of a segment that are of interest by their numbers and
    /// summary, until told to stop.
    fn scan_records(
        &self,
        name: SegmentName,
        is_of_interest: impl Fn(Range<u64>, &Summary) -> bool,
        mut receive: impl FnMut(u64, DeadLetter) -> bool,
    ) -> Result<(), DeadLetterError> {
        let file = match self.storage.open(&name.file(LETTERS)) {
            // Dropped in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other,
        };
        let unreadable = |source| DeadLetterError::Unreadable { location: self.storage.location(), source };
        let file = file.map_err(unreadable)?;
        let end = file.length().map_err(unreadable)?;
        for scanned in Scanner::new(file, name.marker, 0, end) {
            let Scanned::Record { header, payload, .. } = scanned else { continue };
            if header.record_type != RecordType::DeadLetters {
                continue;
            }
            let Some((summary, _)) = Summary::read(&payload) else { continue };
            let ids = header.sequence..header.sequence.saturating_add(summary.n_letters());
            if !is_of_interest(ids, &summary) {
                continue;
            }
            let letters = self.sealer.open(header.sequence, &payload).unwrap_or_default();
            for (id, letter) in (header.sequence..).zip(letters) {
                if !receive(id, letter) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
