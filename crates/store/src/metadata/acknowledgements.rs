//! What people say about alerts.

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::{
    Metadata, MetadataError,
    database::{Row, Statement},
};

/// What an alert turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was wrong.
    False,
    /// It was as it said.
    True,
    /// It was as it said, and known before.
    Known,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::False, Self::True, Self::Known];

    /// The name in JSON and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::False => "false",
            Self::True => "true",
            Self::Known => "known",
        }
    }
}

/// What a person said about an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The alert's id.
    pub alert: String,
    /// When it was said.
    pub time: Timestamp,
    /// What it turned out to be.
    pub verdict: Verdict,
    /// In the person's words.
    pub note: String,
}

impl Metadata {
    /// Writes what a person says about an alert, over what was said before.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be written.
    pub async fn acknowledge(&self, said: &Acknowledgement) -> Result<(), MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "write an acknowledgement", source };
        let statement = Statement::new(
            "INSERT INTO acknowledgement (alert, time, verdict, note) VALUES ($1, $2, $3, $4)
             ON CONFLICT (alert) DO UPDATE SET time = excluded.time, verdict = excluded.verdict, note = excluded.note",
        )
        .bind(&said.alert)
        .bind(said.time)
        .bind(said.verdict.name())
        .bind(&said.note);
        self.database.execute(&[statement]).await.map_err(failed)
    }

    /// Everything that people said, by alert.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn acknowledgements(&self) -> Result<Vec<Acknowledgement>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read acknowledgements", source };
        let statement = Statement::new("SELECT alert, time, verdict, note FROM acknowledgement ORDER BY alert");
        let rows = self.database.fetch(&statement).await.map_err(failed)?;
        rows.iter().map(|row| read(row).map_err(failed)).collect()
    }
}

fn read(row: &Row) -> Result<Acknowledgement, sqlx::Error> {
    let name = row.text("verdict")?;
    let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.name() == name).unwrap_or(Verdict::True);
    Ok(Acknowledgement { alert: row.text("alert")?, time: row.time("time")?, verdict, note: row.text("note")? })
}
