//! Makes files of a local folder survive a power cut. Object stores do that by themselves.

use std::path::{Path, PathBuf};

use super::LakeError;

/// Waits until a file's bytes and its name in its folder are on the disk.
pub(super) async fn sync_file(path: PathBuf) -> Result<(), LakeError> {
    let task = tokio::task::spawn_blocking(move || {
        sync(&path)?;
        path.parent().map_or(Ok(()), sync)
    });
    task.await.unwrap_or(Err(LakeError::Stopped))
}

fn sync(path: &Path) -> Result<(), LakeError> {
    std::fs::File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|source| LakeError::Sync { path: path.display().to_string(), source })
}
