//! Metadata: alerts, and state that must outlive the process.
//!
//! **Invariant:** what a call has written is on the disk when it returns.
//!
//! In SQLite, one file, or in PostgreSQL; both understand every statement.

mod acknowledgements;
mod alerts;
mod database;
mod error;
mod folder;
mod log;
mod messages;
mod migrations;
mod nul;
mod postgres;
mod relocation;
mod rollouts;
mod state;

use std::{path::Path, time::Duration};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

pub use acknowledgements::{Acknowledgement, Verdict};
pub use alerts::AlertFilter;
pub use error::MetadataError;
pub use log::{LogLine, Together};
pub use messages::{Message, MessageFilter, MessageStatus};
pub use postgres::Postgres;
pub use rollouts::RolloutEntry;
pub use state::State;

pub(crate) use alerts::status_name;
use database::Database;

/// How long a writer waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections; SQLite has one writer at a time, and any number of readers beside it.
const CONNECTIONS: u32 = 4;

/// The metadata store; clones share it.
#[derive(Clone, Debug)]
pub struct Metadata {
    database: Database,
}

impl Metadata {
    /// Opens the store in a file, which is made where it is missing, and brings its tables up to date.
    ///
    /// # Errors
    /// [`MetadataError`] where the file cannot be opened or was made by a newer version, and where the metadata of its
    /// folder is elsewhere.
    pub async fn open(path: &Path) -> Result<Self, MetadataError> {
        if let Some(folder) = path.parent() {
            folder::refuse_marked(folder)?;
        }
        Self::open_file(path).await
    }

    async fn open_file(path: &Path) -> Result<Self, MetadataError> {
        let failed = |source| MetadataError::Open { path: path.display().to_string(), source };
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(|error| failed(sqlx::Error::Io(error)))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await.map_err(failed)?;
        let database = Database::Sqlite(pool);
        let changed = |source| MetadataError::Statement { doing: "bring the metadata store up to date", source };
        let mut transaction = database.begin().await.map_err(changed)?;
        migrations::run(&mut transaction, &path.display().to_string()).await?;
        transaction.commit().await.map_err(changed)?;
        Ok(Self { database })
    }

    /// Closes the store; later calls fail.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
