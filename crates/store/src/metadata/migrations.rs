//! Brings the tables of a metadata store up to date.

use std::path::Path;

use sqlx::{Row as _, sqlite::SqlitePool};

use super::MetadataError;

/// Each brings the format one further. What was released is never changed.
const MIGRATIONS: [&[&str]; 4] = [
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
];

pub(super) async fn run(pool: &SqlitePool, path: &Path) -> Result<(), MetadataError> {
    let failed = |source| MetadataError::Statement { doing: "bring the metadata store up to date", source };
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    sqlx::query("CREATE TABLE IF NOT EXISTS format (version BIGINT NOT NULL)")
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) FROM format")
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    let found: i64 = row.try_get(0).map_err(failed)?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(MetadataError::Newer { path: path.display().to_string(), found, known });
    }
    for (index, statements) in MIGRATIONS.iter().enumerate().skip(found.max(0) as usize) {
        for statement in *statements {
            sqlx::query(*statement).execute(&mut *transaction).await.map_err(failed)?;
        }
        sqlx::query("INSERT INTO format (version) VALUES ($1)")
            .bind(index as i64 + 1)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}
