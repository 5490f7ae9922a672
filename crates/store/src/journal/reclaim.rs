//! Deletes released segments on a thread of its own: freeing 64 MiB can take longer than a whole group
//! may wait for its acknowledgement.

use std::{
    io,
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use tracing::warn;

use super::{SegmentName, fingerprint_file, recovery::JOURNAL, storage::Storage};

/// The thread that deletes. Dropping it deletes what is left to delete and stops.
pub(super) struct Reclaimer {
    released: Option<mpsc::Sender<Vec<SegmentName>>>,
    thread: Option<JoinHandle<()>>,
}

impl Reclaimer {
    /// Starts the thread; of the fingerprint files, as many stay as fill the window.
    pub(super) fn start(storage: Arc<dyn Storage>, window: u64) -> io::Result<Self> {
        let (released, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("journal-reclaim".to_owned())
            .spawn(move || run(storage.as_ref(), window, &receiver))?;
        Ok(Self { released: Some(released), thread: Some(thread) })
    }

    /// Deletes segments soon. One that outlives a crash is released again after the restart.
    pub(super) fn delete(&self, segments: Vec<SegmentName>) {
        if let Some(released) = &self.released {
            // A thread that has stopped deletes nothing more; the next start releases again.
            let _ = released.send(segments);
        }
    }
}

fn run(storage: &dyn Storage, window: u64, receiver: &mpsc::Receiver<Vec<SegmentName>>) {
    let mut left: Vec<SegmentName> = Vec::new();
    while let Ok(segments) = receiver.recv() {
        left.extend(segments);
        left.retain(|segment| match storage.remove(&segment.file(JOURNAL)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                warn!(%error, %segment, "segment not deleted yet");
                true
            }
            _ => false,
        });
        fingerprint_file::prune(storage, window);
    }
}

impl Drop for Reclaimer {
    fn drop(&mut self) {
        self.released = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}
