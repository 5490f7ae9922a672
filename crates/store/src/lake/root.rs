//! Where the lake lies: its object store, and what is in it.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use deltalake::{
    ensure_table_uri,
    logstore::{LogStoreRef, ObjectStoreRef, StorageConfig, logstore_for, logstore_with},
};
use object_store::path::Path;
use url::Url;

use super::{LakeError, TableName};

/// Kinds with one table per model.
const PER_MODEL: [&str; 2] = ["inference", "training_row"];
/// Kinds with one table.
const SHARED: [&str; 5] = ["outcome", "deployment", "metric", "log", "finding"];

/// The lake's location.
#[derive(Clone)]
pub(crate) struct Root {
    url: Url,
    /// The store of the whole scheme and host, as the query engine needs it.
    store: ObjectStoreRef,
    /// The lake's own path in the store.
    prefix: Path,
}

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Root").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl Root {
    /// Opens a folder, which is made where it is missing, or an object store.
    pub(super) fn open(location: &str) -> Result<Self, LakeError> {
        let failed = |source| LakeError::Location { location: location.to_owned(), source };
        let url = ensure_table_uri(location).map_err(|error| failed(error.into()))?;
        let log_store = logstore_for(&url, StorageConfig::default()).map_err(|error| failed(error.into()))?;
        let prefix = Path::from_url_path(url.path()).map_err(|error| failed(error.into()))?;
        Ok(Self { url, store: log_store.root_object_store(None), prefix })
    }

    /// The store of the whole scheme and host.
    pub(crate) const fn store(&self) -> &ObjectStoreRef {
        &self.store
    }

    /// Scheme and host, by which the query engine finds the store.
    pub(crate) fn store_url(&self) -> String {
        let host = self.url.host_str().unwrap_or("");
        format!("{}://{host}/", self.url.scheme())
    }

    /// A file's path in [`Root::store`].
    pub(crate) fn file_path(&self, table: &TableName, file: &str) -> Path {
        let folder = self.folder_path(table);
        // A file's name may hold characters that `Path` would escape a second time.
        Path::parse(format!("{folder}/{file}")).unwrap_or_else(|_| folder.join(file))
    }

    /// A file on the local disk; `None` where the lake lies elsewhere.
    pub(super) fn local_file(&self, table: &TableName, file: &str) -> Option<PathBuf> {
        let folder = self.url.to_file_path().ok()?;
        Some(folder.join(table.folder()).join(file))
    }

    /// The Delta log of a table, over the same store.
    pub(super) fn log_store(&self, table: &TableName) -> Result<LogStoreRef, LakeError> {
        let failed = |source| LakeError::Location { location: self.url.to_string(), source };
        let url = self.url.join(&format!("{}/", table.folder())).map_err(|error| failed(error.into()))?;
        logstore_with(Arc::clone(&self.store), &url, StorageConfig::default()).map_err(|error| failed(error.into()))
    }

    /// Tables that have a folder here. One whose folder holds no commit is listed, too.
    pub(super) async fn table_names(&self) -> Result<Vec<TableName>, LakeError> {
        let mut names = Vec::new();
        for kind in PER_MODEL {
            let folders = self.folders(&self.prefix.clone().join(kind)).await?;
            names.extend(folders.iter().filter_map(|folder| TableName::from_folder(kind, Some(folder))));
        }
        let present = self.folders(&self.prefix).await?;
        names.extend(
            SHARED
                .iter()
                .filter(|kind| present.iter().any(|folder| folder == *kind))
                .filter_map(|kind| TableName::from_folder(kind, None)),
        );
        Ok(names)
    }

    async fn folders(&self, below: &Path) -> Result<Vec<String>, LakeError> {
        let listed = self.store.list_with_delimiter(Some(below)).await;
        let listed = match listed {
            Ok(listed) => listed,
            Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
            Err(source) => return Err(LakeError::File { table: below.to_string(), doing: "list", source }),
        };
        Ok(listed.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned)).collect())
    }

    fn folder_path(&self, table: &TableName) -> Path {
        table.folder().split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }
}

/// Properties of a new table.
pub(super) fn table_properties(settings: &super::LakeSettings) -> HashMap<String, String> {
    let history = format!("interval {} hours", settings.history.as_secs().div_ceil(3600).max(1));
    HashMap::from([
        ("delta.logRetentionDuration".to_owned(), history.clone()),
        ("delta.deletedFileRetentionDuration".to_owned(), history),
        ("delta.checkpointInterval".to_owned(), settings.checkpoint_interval.max(1).to_string()),
    ])
}
