//! The one thread that writes the journal.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, atomic::Ordering, mpsc},
    time::Instant,
};

use tracing::{info, warn};
use wardline_domain::EventBatch;

use super::{
    AppendError, Appended, JournalSettings, Segment, SegmentName, Shared, end_of, fingerprint_file,
    group::Group,
    reclaim::Reclaimer,
    recovery::{JOURNAL, write_seed},
    storage::{LogFile, Storage},
};
use crate::dedupe::Seen;

/// Receives what became of an append.
pub(super) type Deliver = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;

/// What the writer is asked to do.
pub(super) enum Command {
    Append(Request),
    Release { up_to: u64 },
}

/// Events that wait to be written.
pub(super) struct Request {
    pub(super) batches: Vec<EventBatch>,
    pub(super) fingerprints: Vec<Vec<u64>>,
    pub(super) bytes: usize,
    pub(super) deliver: Deliver,
}

/// Where the writer goes on.
pub(super) struct Start {
    pub(super) reclaimer: Reclaimer,
    /// The store's seed, where it is not on disk yet.
    pub(super) unwritten_seed: Option<u64>,
    pub(super) seen: Seen,
    pub(super) next_sequence: u64,
    pub(super) next_ordinal: u64,
}

/// The segment that is being written.
struct Active {
    name: SegmentName,
    file: Box<dyn LogFile>,
    /// How much of it is durable.
    bytes: u64,
    /// The fingerprints of its durable rows.
    fingerprints: Vec<u64>,
}

pub(super) struct Writer {
    storage: Arc<dyn Storage>,
    settings: JournalSettings,
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    unwritten_seed: Option<u64>,
    seen: Seen,
    next_sequence: u64,
    next_ordinal: u64,
    active: Option<Active>,
    /// Closed segments whose fingerprints are known to be on disk. A file that is merely there may be
    /// half written, or not be durable.
    fingerprinted: HashSet<SegmentName>,
    reclaimer: Reclaimer,
    /// Whether the last group failed, so that a full disk is reported once and not for each append.
    failing: bool,
}

impl Writer {
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        settings: JournalSettings,
        shared: Arc<Shared>,
        commands: mpsc::Receiver<Command>,
        start: Start,
    ) -> Self {
        let Start { reclaimer, unwritten_seed, seen, next_sequence, next_ordinal } = start;
        Self {
            storage,
            settings,
            shared,
            commands,
            unwritten_seed,
            seen,
            next_sequence,
            next_ordinal,
            active: None,
            fingerprinted: HashSet::new(),
            reclaimer,
            failing: false,
        }
    }

    /// Writes until every handle is gone and the queue is empty.
    pub(super) fn run(mut self) {
        let mut group = Group::default();
        while let Ok(command) = self.commands.recv() {
            let Command::Append(first) = command else {
                self.obey(command);
                continue;
            };
            let (requests, releases) = self.collect(first);
            self.commit(&mut group, requests);
            releases.into_iter().for_each(|up_to| self.release(up_to));
        }
        self.finish_segment();
    }

    fn obey(&mut self, command: Command) {
        if let Command::Release { up_to } = command {
            self.release(up_to);
        }
    }

    /// Takes what is queued, and what arrives within the bounded wait.
    fn collect(&self, first: Request) -> (Vec<Request>, Vec<u64>) {
        let mut bytes = first.bytes;
        let (mut requests, mut releases) = (vec![first], Vec::new());
        let deadline = Instant::now() + self.settings.group_wait;
        while bytes < self.settings.group_bytes {
            let wait = deadline.saturating_duration_since(Instant::now());
            match self.commands.recv_timeout(wait) {
                Ok(Command::Append(request)) => {
                    bytes += request.bytes;
                    requests.push(request);
                }
                Ok(Command::Release { up_to }) => releases.push(up_to),
                Err(_) => break,
            }
        }
        (requests, releases)
    }

    /// Makes a group durable and tells everyone who waits for it.
    fn commit(&mut self, group: &mut Group, requests: Vec<Request>) {
        group.clear(self.settings.group_bytes);
        let first_sequence = self.next_sequence;
        let mut queued_bytes = 0;
        for request in requests {
            queued_bytes += request.bytes;
            if group.add(request, self.next_sequence, &mut self.seen).is_some() {
                self.next_sequence += 1;
            }
        }
        let persisted = if group.bytes.is_empty() { Ok(()) } else { self.persist(group, first_sequence) };
        self.shared.queued_bytes.fetch_sub(queued_bytes, Ordering::AcqRel);
        match persisted {
            Ok(()) => {
                self.report_recovery(!group.bytes.is_empty());
                group.acknowledge();
            }
            Err(error) => {
                self.seen.withdraw(group.fingerprints.drain(..));
                self.next_sequence = first_sequence;
                let error = AppendError::from_io(&error, self.storage.location());
                if !self.failing {
                    warn!(%error, "journal cannot write");
                }
                self.failing = true;
                group.refuse(&error);
            }
        }
    }

    fn report_recovery(&mut self, wrote: bool) {
        if wrote && self.failing {
            info!("journal writes again");
            self.failing = false;
        }
    }

    /// Writes a group, and once more to a new segment where the first one failed under it.
    fn persist(&mut self, group: &mut Group, first_sequence: u64) -> io::Result<()> {
        if let Some(seed) = self.unwritten_seed {
            // Fingerprints on disk are worth nothing without it, so it goes first.
            write_seed(self.storage.as_ref(), seed)?;
            self.unwritten_seed = None;
        }
        if self.active.as_ref().is_some_and(|active| active.bytes >= self.settings.segment_bytes) {
            self.finish_segment();
        }
        let was_open = self.active.is_some();
        let Err(error) = self.write_and_sync(group, first_sequence) else { return Ok(()) };
        // A segment that is still active took no harm: only space or permission is wanting.
        if !was_open || self.active.is_some() {
            return Err(error);
        }
        warn!(%error, "segment abandoned, writing to a new one");
        self.write_and_sync(group, first_sequence)
    }

    fn write_and_sync(&mut self, group: &mut Group, first_sequence: u64) -> io::Result<()> {
        let mut active = match self.active.take() {
            Some(active) => active,
            None => self.create_segment(first_sequence)?,
        };
        group.mark(active.name.marker);
        if let Err(error) = active.file.append(&group.bytes) {
            // Without the partial record, the segment is as good as before.
            match active.file.truncate(active.bytes) {
                Ok(()) if is_refusal(&error) => self.active = Some(active),
                _ => self.abandon(&active),
            }
            return Err(error);
        }
        if let Err(error) = active.file.sync() {
            // Nobody knows which pages reached the disk, and a second sync would succeed without them.
            let _ = active.file.truncate(active.bytes);
            self.abandon(&active);
            return Err(error);
        }
        active.bytes += group.bytes.len() as u64;
        active.fingerprints.extend_from_slice(&group.fingerprints);
        let mut catalog = self.shared.catalog();
        catalog.durable_sequence = self.next_sequence - 1;
        if let Some(segment) = catalog.segments.last_mut().filter(|segment| segment.name == active.name) {
            segment.bytes = active.bytes;
        }
        drop(catalog);
        self.active = Some(active);
        Ok(())
    }

    fn create_segment(&mut self, first_sequence: u64) -> io::Result<Active> {
        let name = SegmentName::new(self.next_ordinal, first_sequence);
        // Used up even if it fails: half a file may be left behind under this name.
        self.next_ordinal += 1;
        let file = self.storage.create(&name.file(JOURNAL))?;
        self.shared.catalog().segments.push(Segment { name, bytes: 0 });
        Ok(Active { name, file, bytes: 0, fingerprints: Vec::new() })
    }

    /// Leaves a segment behind that failed; what it holds durably stays.
    fn abandon(&self, active: &Active) {
        if active.bytes == 0 {
            self.shared.catalog().segments.retain(|segment| segment.name != active.name);
            let _ = self.storage.remove(&active.name.file(JOURNAL));
        }
    }

    /// Closes the active segment, and writes its fingerprints beside it.
    fn finish_segment(&mut self) {
        let Some(active) = self.active.take() else { return };
        if active.bytes == 0 {
            return self.abandon(&active);
        }
        let last_sequence = self.shared.catalog().durable_sequence;
        let written = fingerprint_file::write(self.storage.as_ref(), active.name, last_sequence, &active.fingerprints);
        match written {
            Ok(()) => drop(self.fingerprinted.insert(active.name)),
            // The segment holds them, too; they are written before it is deleted.
            Err(error) => warn!(%error, "fingerprints of a segment not written yet"),
        }
    }

    /// Lets go of segments that hold nothing above a number. The active one stays.
    fn release(&mut self, up_to: u64) {
        let mut released = Vec::new();
        while let Some((segment, end)) = self.oldest_released(up_to) {
            if !self.fingerprinted.contains(&segment.name)
                && let Err(error) = fingerprint_file::rewrite(self.storage.as_ref(), segment, end)
            {
                warn!(%error, segment = %segment.name, "segment not released yet: its fingerprints cannot be written");
                break;
            }
            self.fingerprinted.remove(&segment.name);
            self.shared.catalog().segments.retain(|each| each.name != segment.name);
            released.push(segment.name);
        }
        if !released.is_empty() {
            self.reclaimer.delete(released);
        }
    }

    /// The oldest segment and the number that it ends before, where all of it is released.
    fn oldest_released(&self, up_to: u64) -> Option<(Segment, u64)> {
        let catalog = self.shared.catalog();
        let segment = *catalog.segments.first()?;
        let end = end_of(&catalog.segments, 0).min(catalog.durable_sequence + 1);
        let is_active = self.active.as_ref().is_some_and(|active| active.name == segment.name);
        (!is_active && end <= up_to.saturating_add(1)).then_some((segment, end))
    }
}

/// Whether the system refused before anything could break: it will take the same file again later.
fn is_refusal(error: &io::Error) -> bool {
    matches!(AppendError::from_io(error, String::new()), AppendError::DiskFull { .. } | AppendError::ReadOnly { .. })
}
