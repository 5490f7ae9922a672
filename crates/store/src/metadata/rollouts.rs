//! The log of rollouts: entries are added, and never changed.

use wardline_domain::Timestamp;

use super::{
    Metadata, MetadataError,
    database::{Row, Statement},
};

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
        let statements: Vec<Statement<'_>> = entries.iter().map(insertion).collect();
        self.database.execute(&statements).await.map_err(failed)
    }

    /// The logs of a model's rollouts, or of all, the oldest rollout first and each in order.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn rollout_entries(&self, model: Option<&str>) -> Result<Vec<RolloutEntry>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read the logs of rollouts", source };
        let statement = Statement::new(
            "SELECT rollout, sequence, model, time, body FROM rollout_entry
             WHERE CAST($1 AS TEXT) IS NULL OR model = $1 ORDER BY rollout, sequence",
        );
        let rows = self.database.fetch(&statement.bind(model)).await.map_err(failed)?;
        rows.iter().map(|row| read(row).map_err(failed)).collect()
    }
}

fn insertion(entry: &RolloutEntry) -> Statement<'_> {
    Statement::new("INSERT INTO rollout_entry (rollout, sequence, model, time, body) VALUES ($1, $2, $3, $4, $5)")
        .bind(&entry.rollout)
        .bind(entry.sequence)
        .bind(&entry.model)
        .bind(entry.time)
        .bind(&entry.body)
}

fn read(row: &Row) -> Result<RolloutEntry, sqlx::Error> {
    Ok(RolloutEntry {
        rollout: row.text("rollout")?,
        sequence: row.place("sequence")?,
        model: row.text("model")?,
        time: row.time("time")?,
        body: row.text("body")?,
    })
}
