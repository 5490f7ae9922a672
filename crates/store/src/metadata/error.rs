//! What can go wrong with the metadata store.

/// Why the metadata store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// The file cannot be opened.
    #[error("cannot open the metadata store `{path}`: {source}; check that the folder can be written to")]
    Open {
        /// The file.
        path: String,
        /// Why not.
        source: sqlx::Error,
    },
    /// The file was made by a newer version.
    #[error(
        "the metadata store `{path}` has format {found}, and this version knows {known} and older: run the newer version"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its format.
        found: i64,
        /// The newest format that is known.
        known: i64,
    },
    /// A statement failed.
    #[error("cannot {doing}: {source}")]
    Statement {
        /// What was tried.
        doing: &'static str,
        /// Why not.
        source: sqlx::Error,
    },
    /// A stored body cannot be read, or one cannot be written.
    #[error("the stored alert `{id}` cannot be read: {source}")]
    Body {
        /// The alert.
        id: String,
        /// Why not.
        source: serde_json::Error,
    },
}
