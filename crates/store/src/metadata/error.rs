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
    /// PostgreSQL cannot be reached.
    #[error(
        "cannot open the metadata store `{store}`: {source}; check that PostgreSQL runs there, that the database exists, and that user and password are right"
    )]
    Connect {
        /// Where it is, without the password.
        store: String,
        /// Why not.
        source: sqlx::Error,
    },
    /// The address of PostgreSQL cannot be read.
    #[error("`{url}` is no address of a metadata store: {reason}; write postgres://USER@HOST/DATABASE")]
    Address {
        /// What was written.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The address holds a password.
    #[error(
        "the address of the metadata store holds a password: leave it out, and name a file with `password_file` or set PGPASSWORD"
    )]
    PasswordInAddress,
    /// The database does not hold all characters.
    #[error(
        "the database `{store}` is in {encoding}, and must be in UTF8: make it with `createdb --encoding=UTF8 --template=template0`"
    )]
    Encoding {
        /// Where it is.
        store: String,
        /// Its encoding.
        encoding: String,
    },
    /// Another data folder's server uses the store.
    #[error(
        "the metadata store `{store}` belongs to the data folder {owner}: two servers must not share one, so name another database, or a schema of its own with `?options[search_path]=NAME`; where that folder is gone for good, docs/metadata.md says how to take its store over"
    )]
    Claimed {
        /// Where it is.
        store: String,
        /// Whose it is.
        owner: String,
    },
    /// The metadata of the data folder is in PostgreSQL.
    #[error(
        "the metadata of this data folder is in `{store}`, as `{file}` says: set `[metadata] url` to it; without that file the server starts with an empty metadata store"
    )]
    Elsewhere {
        /// Where it is.
        store: String,
        /// The file that says so.
        file: String,
    },
    /// A file of the data folder cannot be read or written.
    #[error("cannot {doing} `{file}`: {source}; check that the data folder can be written to")]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        file: String,
        /// Why not.
        source: std::io::Error,
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
