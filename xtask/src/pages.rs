//! Writes the pages that are made from the code.

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context, Result};

use crate::tidy::{Tree, detector_pages, hunts_page};

/// Writes each detector's page, and that of the saved hunts.
pub(crate) fn run() -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in no repository")?;
    let tree = Tree::of_the_repository()?;
    for (path, text) in detector_pages(&tree).into_iter().chain(hunts_page(&tree)) {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
