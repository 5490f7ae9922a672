//! Messages to people and other systems, from the moment that they are due until they were taken or given up.

use wardline_domain::Timestamp;

use super::{
    Metadata, MetadataError,
    database::{Row, Statement},
};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// It is to be sent.
    Waiting,
    /// The receiver took it.
    Sent,
    /// It was given up: a dead letter.
    Dead,
}

impl MessageStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Sent, Self::Dead];

    /// The name in JSON and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Dead => "dead",
        }
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same for the same message, so that it is sent once.
    pub id: String,
    /// When it was made.
    pub time: Timestamp,
    /// Who is to get it: the name of a notifier.
    pub receiver: String,
    /// What became of it.
    pub status: MessageStatus,
    /// When it is to be tried next.
    pub due: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed; empty where none did.
    pub trouble: String,
    /// What it says, in JSON.
    pub body: String,
}

impl Metadata {
    /// Messages of a status, those first that are due first.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn messages(&self, status: MessageStatus, limit: u32) -> Result<Vec<Message>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read messages", source };
        let statement = Statement::new(
            "SELECT id, time, receiver, status, due, attempts, trouble, body FROM message
             WHERE status = $1 ORDER BY due, id LIMIT $2",
        );
        let statement = statement.bind(status.name()).bind(i64::from(limit));
        let rows = self.database.fetch(&statement).await.map_err(failed)?;
        rows.iter().map(|row| read(row).map_err(failed)).collect()
    }

    /// Writes what became of a message.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be written.
    pub async fn update_message(&self, message: &Message) -> Result<(), MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "write a message", source };
        let statement =
            Statement::new("UPDATE message SET status = $2, due = $3, attempts = $4, trouble = $5 WHERE id = $1")
                .bind(&message.id)
                .bind(message.status.name())
                .bind(message.due)
                .bind(i64::from(message.attempts))
                .bind(&message.trouble);
        self.database.execute(&[statement]).await.map_err(failed)
    }
}

/// Adds a message; one that is there already stays as it is.
pub(super) fn insertion(message: &Message) -> Statement<'_> {
    Statement::new(
        "INSERT INTO message (id, time, receiver, status, due, attempts, trouble, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&message.id)
    .bind(message.time)
    .bind(&message.receiver)
    .bind(message.status.name())
    .bind(message.due)
    .bind(i64::from(message.attempts))
    .bind(&message.trouble)
    .bind(&message.body)
}

fn read(row: &Row) -> Result<Message, sqlx::Error> {
    let status = row.text("status")?;
    let attempts = row.whole("attempts")?;
    Ok(Message {
        id: row.text("id")?,
        time: row.time("time")?,
        receiver: row.text("receiver")?,
        status: MessageStatus::ALL.into_iter().find(|known| known.name() == status).unwrap_or(MessageStatus::Dead),
        due: row.time("due")?,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        trouble: row.text("trouble")?,
        body: row.text("body")?,
    })
}
