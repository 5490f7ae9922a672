//! Brings the tables of a metadata store up to date.

use super::{
    MetadataError,
    database::{Statement, Transaction},
};

/// Each brings the format one further. What was released is never changed.
const MIGRATIONS: [&[&str]; 5] = [
    &[
        "CREATE TABLE alert (
        id TEXT PRIMARY KEY,
        time BIGINT NOT NULL,
        updated BIGINT NOT NULL,
        status TEXT NOT NULL,
        kind TEXT NOT NULL,
        severity TEXT NOT NULL,
        model TEXT NOT NULL,
        version TEXT,
        body TEXT NOT NULL
    )",
        "CREATE INDEX alert_by_time ON alert (time, id)",
        "CREATE INDEX alert_by_updated ON alert (updated, id)",
        "CREATE INDEX alert_by_model ON alert (model, time)",
        "CREATE TABLE state (
        name TEXT PRIMARY KEY,
        sequence BIGINT,
        body BYTEA NOT NULL
    )",
    ],
    &["CREATE TABLE acknowledgement (
        alert TEXT PRIMARY KEY,
        time BIGINT NOT NULL,
        verdict TEXT NOT NULL,
        note TEXT NOT NULL
    )"],
    &[
        "CREATE TABLE rollout_entry (
        rollout TEXT NOT NULL,
        sequence BIGINT NOT NULL,
        model TEXT NOT NULL,
        time BIGINT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (rollout, sequence)
    )",
        "CREATE INDEX rollout_entry_by_model ON rollout_entry (model, time)",
    ],
    &[
        "CREATE TABLE log_line (
        log TEXT NOT NULL,
        subject TEXT NOT NULL,
        sequence BIGINT NOT NULL,
        time BIGINT NOT NULL,
        line TEXT NOT NULL,
        PRIMARY KEY (log, subject, sequence)
    )",
        "CREATE TABLE message (
        id TEXT PRIMARY KEY,
        time BIGINT NOT NULL,
        receiver TEXT NOT NULL,
        status TEXT NOT NULL,
        due BIGINT NOT NULL,
        attempts BIGINT NOT NULL,
        trouble TEXT NOT NULL,
        body TEXT NOT NULL
    )",
        "CREATE INDEX message_by_due ON message (status, due)",
    ],
    &["CREATE TABLE owner (folder TEXT PRIMARY KEY, name TEXT NOT NULL, time BIGINT NOT NULL)"],
];

/// One server at a time brings a store up to date; the other one waits, and then finds it done.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('wardline metadata ' || current_schema(), 0))";

/// Brings the tables up to date, as a part of a transaction. `store` says where they are.
pub(super) async fn run(transaction: &mut Transaction, store: &str) -> Result<(), MetadataError> {
    let failed = |source| MetadataError::Statement { doing: "bring the metadata store up to date", source };
    let is_postgres = transaction.is_postgres();
    if is_postgres {
        transaction.execute(&Statement::new(LOCK)).await.map_err(failed)?;
    }
    let format = Statement::new("CREATE TABLE IF NOT EXISTS format (version BIGINT NOT NULL)");
    transaction.execute(&format).await.map_err(failed)?;
    let newest = Statement::new("SELECT COALESCE(MAX(version), 0) AS newest FROM format");
    let rows = transaction.fetch(&newest).await.map_err(failed)?;
    let found = rows.first().map_or(Ok(0), |row| row.whole("newest")).map_err(failed)?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(MetadataError::Newer { path: store.to_owned(), found, known });
    }
    for (index, statements) in MIGRATIONS.iter().enumerate().skip(found.max(0) as usize) {
        for statement in *statements {
            let statement =
                if is_postgres { Statement::new(for_postgres(statement)) } else { Statement::new(*statement) };
            transaction.execute(&statement).await.map_err(failed)?;
        }
        let next = Statement::new("INSERT INTO format (version) VALUES ($1)").bind(index as i64 + 1);
        transaction.execute(&next).await.map_err(failed)?;
    }
    Ok(())
}

/// The same tables as PostgreSQL needs them.
fn for_postgres(statement: &str) -> String {
    statement
        // Text in the order of its bytes, as SQLite has it; otherwise the order is that of the database's language.
        .replace(" TEXT", " TEXT COLLATE \"C\"")
        // The entries of other indexes have an upper size, and a model's name comes from telemetry.
        .replace("ON alert (model, time)", "ON alert USING hash (model)")
}
