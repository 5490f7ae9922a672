//! The log of rollouts: entries are added, and never changed.

use sqlx::{Row as _, sqlite::SqliteRow};
use wardline_domain::Timestamp;

use super::{Metadata, MetadataError};

/// An entry, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutEntry {
    /// The rollout.
    pub rollout: String,
    /// Its place in the rollout's log, from 0.
    pub sequence: u64,
    /// The model.
    pub model: String,
    /// When.
    pub time: Timestamp,
    /// The entry in JSON.
    pub body: String,
}

impl Metadata {
    /// Adds entries, all or none.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be written, or an entry is there already.
    pub async fn append_rollout_entries(&self, entries: &[RolloutEntry]) -> Result<(), MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "write the log of a rollout", source };
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        for entry in entries {
            sqlx::query("INSERT INTO rollout_entry (rollout, sequence, model, time, body) VALUES ($1, $2, $3, $4, $5)")
                .bind(&entry.rollout)
                .bind(i64::try_from(entry.sequence).unwrap_or(i64::MAX))
                .bind(&entry.model)
                .bind(entry.time.micros())
                .bind(&entry.body)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// The logs of a model's rollouts, or of all, the oldest rollout first and each in order.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn rollout_entries(&self, model: Option<&str>) -> Result<Vec<RolloutEntry>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read the logs of rollouts", source };
        let query = sqlx::query(
            "SELECT rollout, sequence, model, time, body FROM rollout_entry
             WHERE $1 IS NULL OR model = $1 ORDER BY rollout, sequence",
        );
        let rows = query.bind(model).fetch_all(&self.pool).await.map_err(failed)?;
        rows.iter().map(|row| read(row).map_err(failed)).collect()
    }
}

fn read(row: &SqliteRow) -> Result<RolloutEntry, sqlx::Error> {
    let sequence: i64 = row.try_get("sequence")?;
    Ok(RolloutEntry {
        rollout: row.try_get("rollout")?,
        sequence: u64::try_from(sequence).unwrap_or(0),
        model: row.try_get("model")?,
        time: Timestamp::from_micros(row.try_get("time")?),
        body: row.try_get("body")?,
    })
}
