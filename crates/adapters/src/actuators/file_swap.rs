//! Files that another program reads: replaced whole, so that it never sees half of one.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::checked::Fault;

/// What was in a file before it was replaced.
pub(super) struct Replaced {
    path: PathBuf,
    former: Option<Vec<u8>>,
}

/// Replaces a file by one of the same rights.
pub(super) async fn replace(path: &Path, content: &str) -> Result<Replaced, Fault> {
    let former = match tokio::fs::read(path).await {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(cannot_write(path, &error)),
    };
    write(path, content.as_bytes()).await.map_err(|error| cannot_write(path, &error))?;
    Ok(Replaced { path: path.to_owned(), former })
}

impl Replaced {
    /// Puts back what was there.
    pub(super) async fn undo(self) -> Result<(), Fault> {
        let undone = match &self.former {
            Some(bytes) => write(&self.path, bytes).await,
            None => tokio::fs::remove_file(&self.path).await,
        };
        undone.map_err(|error| cannot_write(&self.path, &error))
    }
}

async fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    // With a dot in front and no known ending, it is not read by those who include every file of the folder.
    let beside = path.with_file_name(format!(".{}.wardline", name.to_string_lossy()));
    tokio::fs::write(&beside, bytes).await?;
    if let Ok(former) = tokio::fs::metadata(path).await {
        tokio::fs::set_permissions(&beside, former.permissions()).await?;
    }
    tokio::fs::File::open(&beside).await?.sync_all().await?;
    tokio::fs::rename(&beside, path).await
}

fn cannot_write(path: &Path, error: &io::Error) -> Fault {
    Fault::Refused(format!(
        "`{}` cannot be replaced ({error}): see that its folder is there and may be written",
        path.display()
    ))
}
