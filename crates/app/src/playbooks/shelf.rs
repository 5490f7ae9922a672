//! The playbooks there are: those that come with the product, and those of a folder over them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use wardline_respond::playbook::{Playbook, PlaybookError, SHIPPED};

/// A playbook as it was read, or why it cannot be used.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    /// Its name in commands: the name of its file without `.json`.
    pub(crate) name: String,
    /// Its file; nothing where it comes with the product.
    pub(crate) path: Option<PathBuf>,
    /// The bytes of the file.
    pub(crate) bytes: Vec<u8>,
    /// The playbook, or everything that is wrong with it.
    pub(crate) read: Result<Playbook, Vec<PlaybookError>>,
}

/// All playbooks, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf {
    books: BTreeMap<String, Book>,
    /// Why the folder could not be read.
    pub(crate) problem: Option<String>,
}

impl Book {
    /// A playbook from a file, whatever is wrong with it.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(crate) fn of_file(path: &Path) -> std::io::Result<Self> {
        let bytes = std::fs::read(path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, path: Some(path.to_owned()), read: Playbook::read(&bytes), bytes })
    }
}

impl Shelf {
    /// Reads them. A file of the folder goes before the playbook of the same name that comes with the product.
    pub(crate) fn read(folder: Option<&Path>) -> Self {
        let shipped = SHIPPED.iter().map(|shipped| {
            let bytes = shipped.json.as_bytes().to_vec();
            let name = shipped.name.to_owned();
            (name.clone(), Book { name, path: None, read: Playbook::read(&bytes), bytes })
        });
        let mut shelf = Self { books: shipped.collect(), problem: None };
        if let Some(folder) = folder {
            shelf.add(folder);
        }
        shelf
    }

    fn add(&mut self, folder: &Path) {
        let files = match std::fs::read_dir(folder) {
            Ok(files) => files.filter_map(Result::ok).map(|file| file.path()),
            Err(error) => {
                self.problem = Some(format!(
                    "the folder of playbooks `{}` cannot be read: {error}; see `playbooks.folder` in the settings",
                    folder.display()
                ));
                return;
            }
        };
        for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
            match Book::of_file(&path) {
                Ok(book) => {
                    self.books.insert(book.name.clone(), book);
                }
                Err(error) => self.problem = Some(format!("`{}` cannot be read: {error}", path.display())),
            }
        }
    }

    /// All of them, by name.
    pub(crate) fn books(&self) -> impl Iterator<Item = &Book> {
        self.books.values()
    }

    /// One of them.
    pub(crate) fn get(&self, name: &str) -> Option<&Book> {
        self.books.get(name)
    }

    /// Their names, for whoever named none of them.
    pub(crate) fn names(&self) -> String {
        self.books.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_folder_goes_before_what_comes_with_the_product() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("drift.json"), "{}").unwrap();
        std::fs::write(folder.path().join("notes.txt"), "not a playbook").unwrap();
        std::fs::write(folder.path().join("own.json"), SHIPPED[0].json).unwrap();
        let shelf = Shelf::read(Some(folder.path()));
        assert_eq!(shelf.books().count(), SHIPPED.len() + 1);
        assert!(shelf.get("drift").unwrap().read.is_err());
        assert!(shelf.get("own").unwrap().read.is_ok());
        assert!(shelf.get("latency").unwrap().path.is_none());
        let missing = Shelf::read(Some(&folder.path().join("nowhere")));
        assert!(missing.problem.unwrap().contains("playbooks.folder"));
        assert_eq!(Shelf::read(None).books().count(), SHIPPED.len());
    }
}
