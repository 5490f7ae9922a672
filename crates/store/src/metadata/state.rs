//! Named state, such as what the detectors have learnt, with the journal's sequence it rests on.

use super::{Metadata, MetadataError, database::Statement};

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
        self.database.execute(&[replacement(name, state)]).await.map_err(failed)
    }

    /// The state under a name; `None` where there is none.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn get_state(&self, name: &str) -> Result<Option<State>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read state", source };
        let statement = Statement::new("SELECT sequence, body FROM state WHERE name = $1").bind(name);
        let rows = self.database.fetch(&statement).await.map_err(failed)?;
        let Some(row) = rows.first() else { return Ok(None) };
        let sequence = row.optional_whole("sequence").map_err(failed)?;
        let body = row.bytes("body").map_err(failed)?;
        Ok(Some(State { sequence: sequence.and_then(|sequence| u64::try_from(sequence).ok()), body }))
    }

    /// Forgets the state under a name.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be written.
    pub async fn remove_state(&self, name: &str) -> Result<(), MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "remove state", source };
        let statement = Statement::new("DELETE FROM state WHERE name = $1").bind(name);
        self.database.execute(&[statement]).await.map_err(failed)
    }
}

/// Puts state under a name, over what was there.
pub(super) fn replacement<'a>(name: &'a str, state: &'a State) -> Statement<'a> {
    Statement::new(
        "INSERT INTO state (name, sequence, body) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence, body = excluded.body",
    )
    .bind(name)
    .bind(state.sequence.and_then(|sequence| i64::try_from(sequence).ok()))
    .bind(state.body.as_slice())
}
