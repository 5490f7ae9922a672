//! The files that are checked: text by path.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// Files by path below the repository, with `/` between the parts.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Text of every file that is text.
    pub(crate) files: BTreeMap<String, String>,
}

/// Folders that hold nothing that is written by hand.
const LEFT_OUT: [&str; 7] = [".git", "target", ".venv", "node_modules", "corpus", "artifacts", "__pycache__"];
/// Larger files are data.
const MOST_BYTES: u64 = 1 << 20;

impl Tree {
    /// The repository that this program was built from.
    pub(crate) fn of_the_repository() -> Result<Self> {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).context("xtask lies in no repository")?;
        let mut tree = Self::default();
        tree.add(&root, &root)?;
        Ok(tree)
    }

    /// Rust files below `crates/*/src` and `xtask/src` that are not only tests.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rust().filter(|(path, _)| {
            let parts: Vec<&str> = path.split('/').collect();
            let in_source = matches!(parts.as_slice(), ["crates", _, "src", ..] | ["xtask", "src", ..]);
            in_source && !parts.iter().any(|part| matches!(*part, "tests" | "tests.rs"))
        })
    }

    /// Every Rust file.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter(|(path, _)| path.ends_with(".rs")).map(|(path, text)| (path.as_str(), text.as_str()))
    }

    fn add(&mut self, root: &Path, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("cannot list `{}`", folder.display()))? {
            let entry = entry?;
            let path = entry.path();
            if LEFT_OUT.contains(&entry.file_name().to_string_lossy().as_ref()) {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.add(root, &path)?;
            } else if kind.is_file() && entry.metadata()?.len() <= MOST_BYTES {
                // What is no text has no lines to complain about.
                let Ok(text) = fs::read_to_string(&path) else { continue };
                let below = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                self.files.insert(below, text);
            }
        }
        Ok(())
    }

    /// A tree for a test.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }
}
