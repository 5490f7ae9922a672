//! Finds the files below the paths that were named.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{FORMATS, FormatSpec, SourceError};

/// A file, and the format that its name tells.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) format: &'static FormatSpec,
}

/// Every file of a known format, each once, in the order of their paths. Of a folder, files of other
/// formats, files of other things and hidden ones are left out; a file that is named itself must be of a known format.
///
/// # Errors
/// [`SourceError`] where a path cannot be read, or holds nothing to read.
pub(super) fn list(paths: &[PathBuf]) -> Result<Vec<Found>, SourceError> {
    let mut found = BTreeSet::new();
    for path in paths {
        let is_folder = fs::metadata(path).map_err(|source| SourceError::Io { path: path.clone(), source })?.is_dir();
        if is_folder {
            let before = found.len();
            walk(path, &mut found)?;
            if found.len() == before && !found.iter().any(|file| file.starts_with(path)) {
                return Err(SourceError::NothingToRead { path: path.clone(), known: known() });
            }
        } else if format_of(path).is_some() {
            found.insert(path.clone());
        } else {
            return Err(SourceError::UnknownFormat { path: path.clone(), known: known() });
        }
    }
    Ok(found.into_iter().filter_map(|path| format_of(&path).map(|format| Found { path, format })).collect())
}

fn walk(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<(), SourceError> {
    let failed = |source| SourceError::Io { path: folder.to_owned(), source };
    // Links to folders are not followed, so the walk ends.
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let is_hidden = entry.file_name().to_string_lossy().starts_with(['.', '_']);
        let file_type = entry.file_type().map_err(failed)?;
        if is_hidden {
            continue;
        }
        if file_type.is_dir() {
            walk(&path, found)?;
        } else if path.is_file() && is_telemetry(&path) {
            found.insert(path);
        }
    }
    Ok(())
}

/// Whether a file below a folder holds events: folders also hold settings and tables of other things.
fn is_telemetry(path: &Path) -> bool {
    let Some(format) = format_of(path) else { return false };
    let is_shared =
        extension(path).is_some_and(|(extension, _)| format.shared_extensions.contains(&extension.as_str()));
    // A file that cannot be read is kept, so that it is said.
    !is_shared || !matches!((format.first_time)(path), Ok(None))
}

/// The ending of a file's name without that of its compression, and whether it is compressed.
fn extension(path: &Path) -> Option<(String, bool)> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let inner = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst"));
    let (_, extension) = inner.unwrap_or(&name).rsplit_once('.')?;
    Some((extension.to_owned(), inner.is_some()))
}

fn format_of(path: &Path) -> Option<&'static FormatSpec> {
    let (extension, is_compressed) = extension(path)?;
    FORMATS
        .iter()
        .find(|format| format.extensions.contains(&extension.as_str()) && (format.may_be_compressed || !is_compressed))
}

fn known() -> String {
    let of_format = |format: &'static FormatSpec| {
        format
            .extensions
            .iter()
            .map(move |extension| format!(".{extension}{}", if format.may_be_compressed { "[.gz|.zst]" } else { "" }))
    };
    FORMATS.iter().flat_map(of_format).collect::<Vec<_>>().join(", ")
}
