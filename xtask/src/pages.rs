//! Writes the pages that are made from the code.

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context, Result};

use crate::tidy::{Tree, detector_pages};

/// Writes each detector's page.
pub(crate) fn run() -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in no repository")?;
    for (path, text) in detector_pages(&Tree::of_the_repository()?) {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
