//! The data folder's side of a metadata store that is elsewhere: a file that says so, with an id of the folder.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use super::MetadataError;

/// The file of a store in SQLite.
pub(super) const SQLITE: &str = "metadata.sqlite";
/// Its name once everything in it went to PostgreSQL.
const SET_ASIDE: &str = "metadata.sqlite.moved";
/// The folder's id, and in a second line where its metadata is.
const MARK: &str = "metadata.elsewhere";

/// A data folder whose metadata is elsewhere.
pub(super) struct Folder {
    path: PathBuf,
    /// What no other folder has.
    pub(super) id: String,
    /// The folder and its machine, as a person knows them.
    pub(super) name: String,
}

impl Folder {
    /// The folder with its id, which is made where it has none.
    pub(super) fn at(path: &Path) -> Result<Self, MetadataError> {
        let file = path.join(MARK);
        let failed = |doing, source| MetadataError::File { doing, file: file.display().to_string(), source };
        let id = match fs::read_to_string(&file) {
            Ok(text) => text.lines().next().unwrap_or_default().to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let id = format!("{:032x}", rand::random::<u128>());
                write(path, &file, &format!("{id}\n")).map_err(|error| failed("write", error))?;
                id
            }
            Err(error) => return Err(failed("read", error)),
        };
        let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let name = match machine.trim() {
            "" => format!("`{}`", whole.display()),
            machine => format!("`{}` on `{machine}`", whole.display()),
        };
        Ok(Self { path: path.to_owned(), id, name })
    }

    /// Says in the folder where its metadata is, once it is there.
    pub(super) fn mark(&self, store: &str) -> Result<(), MetadataError> {
        let file = self.path.join(MARK);
        let text = format!("{}\n{store}\n", self.id);
        if fs::read_to_string(&file).is_ok_and(|before| before == text) {
            return Ok(());
        }
        let failed = |source| MetadataError::File { doing: "write", file: file.display().to_string(), source };
        write(&self.path, &file, &text).map_err(failed)
    }

    /// Where the store was before.
    pub(super) fn sqlite(&self) -> PathBuf {
        self.path.join(SQLITE)
    }

    /// Renames the file of the store before, once all of it is in the other one.
    pub(super) fn set_sqlite_aside(&self) -> Result<(), MetadataError> {
        let file = self.sqlite();
        match fs::rename(&file, self.path.join(SET_ASIDE)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(MetadataError::File { doing: "rename", file: file.display().to_string(), source })
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a folder whose metadata is elsewhere: an empty store would look as if nothing had ever happened.
pub(super) fn refuse_marked(folder: &Path) -> Result<(), MetadataError> {
    let file = folder.join(MARK);
    let Ok(text) = fs::read_to_string(&file) else { return Ok(()) };
    // Without a second line the folder has an id, and nothing was written elsewhere yet.
    let Some(store) = text.lines().nth(1) else { return Ok(()) };
    Err(MetadataError::Elsewhere { store: store.to_owned(), file: file.display().to_string() })
}

/// Whole or not at all: with half an id the folder would be another one at the next start.
fn write(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    fs::File::open(folder)?.sync_all()
}
