//! Named state, such as what the detectors have learnt, with the journal's sequence it rests on.

use sqlx::{Executor, Row as _, Sqlite, Transaction};

use super::{Metadata, MetadataError};

/// Stored state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The journal's sequence up to which the state has seen every record.
    pub sequence: Option<u64>,
    /// The bytes that were stored.
    pub body: Vec<u8>,
}

impl Metadata {
    /// Stores state under a name, over what was there.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be written.
    pub async fn put_state(&self, name: &str, state: &State) -> Result<(), MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "write state", source };
        insert(&self.pool, name, state).await.map_err(failed)
    }

    /// The state under a name; `None` where there is none.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn get_state(&self, name: &str) -> Result<Option<State>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read state", source };
        let query = sqlx::query("SELECT sequence, body FROM state WHERE name = $1").bind(name);
        let Some(row) = query.fetch_optional(&self.pool).await.map_err(failed)? else { return Ok(None) };
        let sequence: Option<i64> = row.try_get("sequence").map_err(failed)?;
        let body = row.try_get("body").map_err(failed)?;
        Ok(Some(State { sequence: sequence.and_then(|sequence| u64::try_from(sequence).ok()), body }))
    }

    /// Forgets the state under a name.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be written.
    pub async fn remove_state(&self, name: &str) -> Result<(), MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "remove state", source };
        sqlx::query("DELETE FROM state WHERE name = $1").bind(name).execute(&self.pool).await.map_err(failed)?;
        Ok(())
    }
}

/// Stores state as a part of a transaction.
pub(super) async fn put(
    transaction: &mut Transaction<'_, Sqlite>,
    name: &str,
    state: &State,
) -> Result<(), sqlx::Error> {
    insert(&mut **transaction, name, state).await
}

async fn insert<'c>(
    executor: impl Executor<'c, Database = Sqlite>,
    name: &str,
    state: &State,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO state (name, sequence, body) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence, body = excluded.body",
    )
    .bind(name)
    .bind(state.sequence.and_then(|sequence| i64::try_from(sequence).ok()))
    .bind(&state.body)
    .execute(executor)
    .await?;
    Ok(())
}
