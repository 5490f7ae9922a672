//! The few file operations that the journal needs, so that tests can make each of them fail.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// A file and its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name within the folder.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A folder of append-only files.
///
/// Names are relative; one may begin with the name of a folder below, which is made where it is missing.
pub trait Storage: Send + Sync + 'static {
    /// Where it is, as people know it.
    fn location(&self) -> String;

    /// The files directly in the folder.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    fn list(&self) -> io::Result<Vec<StoredFile>>;

    /// Makes a new file whose name survives a crash once this returns.
    ///
    /// # Errors
    /// Where it exists, or the folder cannot be written.
    fn create(&self, name: &str) -> io::Result<Box<dyn LogFile>>;

    /// Opens a file to read.
    ///
    /// # Errors
    /// Where it is not there or not readable.
    fn open(&self, name: &str) -> io::Result<Box<dyn ReadFile>>;

    /// Cuts a file to a length, durably.
    ///
    /// # Errors
    /// Where the file cannot be written.
    fn truncate(&self, name: &str, bytes: u64) -> io::Result<()>;

    /// Deletes a file.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A file that is being written, at its end only.
pub trait LogFile: Send + Sync {
    /// Adds bytes at the end; after an error some of them may be there.
    ///
    /// # Errors
    /// Where the disk is full or failing.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Makes all that was appended durable. After an error nobody knows what is.
    ///
    /// # Errors
    /// Where the disk is full or failing.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file to a length.
    ///
    /// # Errors
    /// Where the disk is failing.
    fn truncate(&self, bytes: u64) -> io::Result<()>;
}

/// A file that is being read.
pub trait ReadFile: Send {
    /// Fills a part of the buffer from an offset; 0 at the end of the file.
    ///
    /// # Errors
    /// Where the disk is failing.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// The file's length now.
    ///
    /// # Errors
    /// Where the disk is failing.
    fn length(&self) -> io::Result<u64>;
}

/// A folder on a local disk.
#[derive(Debug)]
pub struct FolderStorage {
    folder: PathBuf,
}

impl FolderStorage {
    /// Opens a folder, and makes it where it is missing.
    ///
    /// # Errors
    /// Where it neither exists nor can be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn sync_folder_of(&self, path: &Path) -> io::Result<()> {
        File::open(path.parent().unwrap_or(&self.folder))?.sync_all()
    }
}

impl Storage for FolderStorage {
    fn location(&self) -> String {
        self.folder.display().to_string()
    }

    fn list(&self) -> io::Result<Vec<StoredFile>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            // A name that is not text is none of ours.
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                files.push(StoredFile { name, bytes: metadata.len() });
            }
        }
        Ok(files)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        let path = self.folder.join(name);
        if let Some(parent) = path.parent().filter(|parent| *parent != self.folder) {
            fs::create_dir_all(parent)?;
            File::open(&self.folder)?.sync_all()?;
        }
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        self.sync_folder_of(&path)?;
        Ok(Box::new(AppendedFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ReadFile>> {
        Ok(Box::new(OpenedFile(File::open(self.folder.join(name))?)))
    }

    fn truncate(&self, name: &str, bytes: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.folder.join(name))?;
        file.set_len(bytes)?;
        file.sync_all()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))
    }
}

struct AppendedFile(File);

impl LogFile for AppendedFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.0).write_all(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        rustix::fs::fdatasync(&self.0).map_err(io::Error::from)
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }
}

struct OpenedFile(File);

impl ReadFile for OpenedFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}
