//! A file whose writers share syncs: while one of them waits for the disk, the others' bytes gather.

use std::{
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::journal::LogFile;

pub(super) struct SyncedFile {
    file: Box<dyn LogFile>,
    progress: Mutex<Progress>,
    advanced: Condvar,
}

#[derive(Default)]
struct Progress {
    written: u64,
    durable: u64,
    is_syncing: bool,
    /// What went wrong; the file takes nothing more then.
    failed: Option<(io::ErrorKind, String)>,
}

impl SyncedFile {
    pub(super) fn new(file: Box<dyn LogFile>) -> Self {
        Self { file, progress: Mutex::default(), advanced: Condvar::new() }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn written_bytes(&self) -> u64 {
        self.progress().written
    }

    pub(super) fn has_failed(&self) -> bool {
        self.progress().failed.is_some()
    }

    /// Adds bytes, and returns up to where the file must be durable for them to be.
    pub(super) fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let mut progress = self.progress();
        if let Some((kind, text)) = &progress.failed {
            return Err(io::Error::new(*kind, text.clone()));
        }
        if let Err(error) = self.file.append(bytes) {
            if self.file.truncate(progress.written).is_err() {
                progress.failed = Some((error.kind(), error.to_string()));
            }
            return Err(error);
        }
        progress.written += bytes.len() as u64;
        Ok(progress.written)
    }

    /// Waits until the file is durable up to a length; one of those who wait does the sync for all.
    pub(super) fn sync_to(&self, end: u64) -> io::Result<()> {
        let mut progress = self.progress();
        loop {
            if end <= progress.durable {
                return Ok(());
            }
            if let Some((kind, text)) = &progress.failed {
                return Err(io::Error::new(*kind, text.clone()));
            }
            if progress.is_syncing {
                progress = self.advanced.wait(progress).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            progress.is_syncing = true;
            let written = progress.written;
            drop(progress);
            let synced = self.file.sync();
            progress = self.progress();
            progress.is_syncing = false;
            match synced {
                Ok(()) => progress.durable = written,
                Err(error) => {
                    // A second sync of the same file would not tell the truth.
                    progress.failed = Some((error.kind(), error.to_string()));
                    let _ = self.file.truncate(progress.durable);
                }
            }
            self.advanced.notify_all();
        }
    }
}
