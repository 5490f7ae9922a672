//! PostgreSQL as the metadata store: how it is reached, and which data folder it belongs to.

use std::{fmt, path::Path, str::FromStr as _, time::Duration};

use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};
use url::Url;
use wardline_domain::Timestamp;

use super::{
    Metadata, MetadataError,
    database::{Database, Statement, Transaction},
    folder::Folder,
    migrations, relocation,
};

/// Connections; statements are short, and few at a time.
const CONNECTIONS: u32 = 8;
/// How long a statement waits for a connection, which includes a server that starts again.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// For every connection: nobody waits for ever for a server that died with a transaction open, and what is written is
/// on the disk when it is said to be, whatever the database has as its default.
const SESSION: &str = "SELECT set_config('lock_timeout', '10s', false),
    set_config('idle_in_transaction_session_timeout', '60s', false),
    set_config('synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
        false)";

/// Where PostgreSQL is.
#[derive(Clone)]
pub struct Postgres {
    options: PgConnectOptions,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Postgres").field(&self.to_string()).finish()
    }
}

/// Without user and password.
impl fmt::Display for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self
            .options
            .get_socket()
            .map_or_else(|| self.options.get_host().to_owned(), |socket| socket.display().to_string());
        let database = self.options.get_database().unwrap_or_else(|| self.options.get_username());
        write!(f, "postgres://{host}:{}/{database}", self.options.get_port())
    }
}

impl Postgres {
    /// Reads an address, `postgres://USER@HOST/DATABASE`. What it leaves out comes from the `PG…` variables of the
    /// environment, the password also from `~/.pgpass`.
    ///
    /// # Errors
    /// [`MetadataError::Address`] where it is none, and [`MetadataError::PasswordInAddress`].
    pub fn at(url: &str, password: Option<&str>) -> Result<Self, MetadataError> {
        let wrong = |reason: String| MetadataError::Address { url: url.to_owned(), reason };
        let parsed = Url::parse(url).map_err(|error| wrong(error.to_string()))?;
        if !matches!(parsed.scheme(), "postgres" | "postgresql") {
            return Err(wrong("it does not begin with postgres://".to_owned()));
        }
        if parsed.password().is_some() || parsed.query_pairs().any(|(name, _)| name == "password") {
            return Err(MetadataError::PasswordInAddress);
        }
        let mut options = PgConnectOptions::from_str(url).map_err(|error| wrong(error.to_string()))?;
        if let Some(password) = password {
            options = options.password(password);
        }
        Ok(Self { options: options.application_name("wardline") })
    }

    async fn connect(&self) -> Result<PgPool, MetadataError> {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(LONGEST_WAIT)
            .after_connect(|connection, _| {
                Box::pin(async move { sqlx::query(SESSION).execute(connection).await.map(|_| ()) })
            })
            .connect_with(self.options.clone())
            .await;
        match pool {
            Ok(pool) => Ok(pool),
            // The pool says only that it waited; a single attempt says for what.
            Err(sqlx::Error::PoolTimedOut) => {
                let source = self.options.connect().await.err().unwrap_or(sqlx::Error::PoolTimedOut);
                Err(MetadataError::Connect { store: self.to_string(), source })
            }
            Err(source) => Err(MetadataError::Connect { store: self.to_string(), source }),
        }
    }
}

impl Metadata {
    /// Opens the store in PostgreSQL, claims it for a data folder, and brings its tables up to date. What the folder's
    /// `metadata.sqlite` holds goes along the first time.
    ///
    /// # Errors
    /// [`MetadataError`] where it cannot be reached, was made by a newer version, or belongs to another data folder.
    pub async fn open_postgres(postgres: &Postgres, folder: &Path, now: Timestamp) -> Result<Self, MetadataError> {
        let store = postgres.to_string();
        let failed = |source| MetadataError::Statement { doing: "open the metadata store", source };
        let database = Database::Postgres(postgres.connect().await?);
        check_server(&database, &store).await?;
        let folder = Folder::at(folder)?;
        let mut transaction = database.begin().await.map_err(failed)?;
        migrations::run(&mut transaction, &store).await?;
        if claim(&mut transaction, &folder, &store, now).await? {
            relocation::copy(&folder.sqlite(), &mut transaction).await?;
        }
        transaction.commit().await.map_err(failed)?;
        folder.mark(&store)?;
        folder.set_sqlite_aside()?;
        Ok(Self { database })
    }
}

async fn check_server(database: &Database, store: &str) -> Result<(), MetadataError> {
    let failed = |source| MetadataError::Statement { doing: "ask PostgreSQL how it is set up", source };
    let statement =
        Statement::new("SELECT current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync");
    let rows = database.fetch(&statement).await.map_err(failed)?;
    let Some(row) = rows.first() else { return Ok(()) };
    let encoding = row.text("encoding").map_err(failed)?;
    if encoding != "UTF8" {
        return Err(MetadataError::Encoding { store: store.to_owned(), encoding });
    }
    if row.text("fsync").map_err(failed)? == "off" {
        tracing::warn!(
            store,
            "PostgreSQL runs with fsync = off: what was acknowledged does not survive a power failure"
        );
    }
    Ok(())
}

/// Whether the folder claims the store for the first time.
async fn claim(
    transaction: &mut Transaction,
    folder: &Folder,
    store: &str,
    now: Timestamp,
) -> Result<bool, MetadataError> {
    let failed = |source| MetadataError::Statement { doing: "claim the metadata store", source };
    let rows = transaction.fetch(&Statement::new("SELECT folder, name FROM owner")).await.map_err(failed)?;
    if let Some(row) = rows.first() {
        if row.text("folder").map_err(failed)? == folder.id {
            return Ok(false);
        }
        let owner = row.text("name").map_err(failed)?;
        return Err(MetadataError::Claimed { store: store.to_owned(), owner });
    }
    let statement = Statement::new("INSERT INTO owner (folder, name, time) VALUES ($1, $2, $3)");
    let statement = statement.bind(&folder.id).bind(&folder.name).bind(now);
    transaction.execute(&statement).await.map_err(failed)?;
    Ok(true)
}
