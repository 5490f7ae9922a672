//! A storage in memory whose disk can be made to fail, and whose power can be cut, at any operation.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use wardline_store::journal::{LogFile, ReadFile, Storage, StoredFile};

/// What goes wrong, from one operation on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power goes: nothing works any more.
    PowerCut,
    /// So many operations find the disk full; a write leaves half of its bytes behind.
    Full { operations: usize },
    /// So many operations fail; a failed sync loses what it should have kept.
    Failing { operations: usize },
}

#[derive(Clone, Default)]
struct Content {
    /// What is in the system's memory, which readers see.
    visible: Vec<u8>,
    /// What would be there after a power cut.
    durable: Vec<u8>,
    /// Bytes that a failed sync lost: a later sync does not bring them to disk.
    lost: Option<(usize, usize)>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Content>,
    /// Files that are there and cannot be opened.
    locked: BTreeSet<String>,
    operations: usize,
    fault: Option<(usize, Fault)>,
}

#[derive(Clone, Default)]
pub(crate) struct FaultyStorage {
    state: Arc<Mutex<State>>,
}

impl FaultyStorage {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Makes the operation with this number, counted from now, go wrong.
    pub(crate) fn fail_at(&self, operation: usize, fault: Fault) {
        let mut state = self.state();
        state.operations = 0;
        state.fault = Some((operation, fault));
    }

    pub(crate) fn heal(&self) {
        self.state().fault = None;
    }

    /// How many operations that change something there were.
    pub(crate) fn operations(&self) -> usize {
        self.state().operations
    }

    /// What is left after a power cut: all that was synced, and this share of what was not.
    pub(crate) fn after_power_cut(&self, kept_of_8: usize) -> Self {
        let mut files = BTreeMap::new();
        for (name, content) in &self.state().files {
            let mut left = content.durable.clone();
            if let Some(unsynced) = content.visible.get(content.durable.len()..)
                && content.lost.is_none()
            {
                left.extend_from_slice(&unsynced[..unsynced.len() * kept_of_8 / 8]);
            }
            files.insert(name.clone(), Content { visible: left.clone(), durable: left, lost: None });
        }
        Self { state: Arc::new(Mutex::new(State { files, ..State::default() })) }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.state().files.keys().cloned().collect()
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let content = Content { visible: bytes.to_vec(), durable: bytes.to_vec(), lost: None };
        self.state().files.insert(name.to_owned(), content);
    }

    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let content = state.files.get_mut(name).unwrap();
        change(&mut content.visible);
        content.durable.clone_from(&content.visible);
    }

    /// Refuses to open a file, as where its permissions were changed.
    pub(crate) fn lock(&self, name: &str) {
        self.state().locked.insert(name.to_owned());
    }

    pub(crate) fn unlock(&self, name: &str) {
        self.state().locked.remove(name);
    }

    pub(crate) fn delete(&self, name: &str) {
        self.state().files.remove(name);
    }
}

impl State {
    /// Counts an operation, and tells whether it goes wrong.
    fn begin(&mut self) -> Option<Fault> {
        let now = self.operations;
        self.operations += 1;
        let (at, fault) = self.fault?;
        let lasts = match fault {
            Fault::PowerCut => usize::MAX,
            Fault::Full { operations } | Fault::Failing { operations } => operations,
        };
        (at <= now && now - at < lasts).then_some(fault)
    }

    fn content(&mut self, name: &str) -> io::Result<&mut Content> {
        self.files.get_mut(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn error(fault: Fault) -> io::Error {
    match fault {
        Fault::Full { .. } => io::ErrorKind::StorageFull.into(),
        Fault::PowerCut | Fault::Failing { .. } => io::Error::other("the disk does not answer"),
    }
}

impl Storage for FaultyStorage {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn list(&self) -> io::Result<Vec<StoredFile>> {
        let files = self
            .state()
            .files
            .iter()
            .map(|(name, content)| (name.clone(), content.visible.len() as u64))
            .collect::<Vec<_>>();
        Ok(files.into_iter().map(|(name, bytes)| StoredFile { name, bytes }).collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        let mut state = self.state();
        if let Some(fault) = state.begin() {
            return Err(error(fault));
        }
        if state.files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.files.insert(name.to_owned(), Content::default());
        Ok(Box::new(Handle { storage: self.clone(), name: name.to_owned() }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ReadFile>> {
        let mut state = self.state();
        state.content(name)?;
        if state.locked.contains(name) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(Box::new(Handle { storage: self.clone(), name: name.to_owned() }))
    }

    fn truncate(&self, name: &str, bytes: u64) -> io::Result<()> {
        let mut state = self.state();
        if let Some(fault) = state.begin() {
            return Err(error(fault));
        }
        let content = state.content(name)?;
        content.visible.truncate(bytes as usize);
        content.durable.clone_from(&content.visible);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        if let Some(fault) = state.begin() {
            return Err(error(fault));
        }
        state.files.remove(name).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

struct Handle {
    storage: FaultyStorage,
    name: String,
}

impl LogFile for Handle {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.storage.state();
        let fault = state.begin();
        let content = state.content(&self.name)?;
        match fault {
            None => content.visible.extend_from_slice(bytes),
            Some(_) => content.visible.extend_from_slice(&bytes[..bytes.len() / 2]),
        }
        fault.map_or(Ok(()), |fault| Err(error(fault)))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.storage.state();
        let fault = state.begin();
        let content = state.content(&self.name)?;
        match fault {
            None => {
                content.durable.clone_from(&content.visible);
                if let Some((from, until)) = content.lost.take() {
                    let until = until.min(content.durable.len());
                    content.durable[from.min(until)..until].fill(0);
                }
                Ok(())
            }
            Some(fault) => {
                if !matches!(fault, Fault::PowerCut) {
                    content.lost = Some((content.durable.len(), content.visible.len()));
                }
                Err(error(fault))
            }
        }
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.storage.state();
        if let Some(fault) = state.begin() {
            return Err(error(fault));
        }
        let content = state.content(&self.name)?;
        content.visible.truncate(bytes as usize);
        Ok(())
    }
}

impl ReadFile for Handle {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.storage.state();
        let visible = &state.content(&self.name)?.visible;
        let rest = visible.get(offset as usize..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.storage.state().content(&self.name)?.visible.len() as u64)
    }
}
