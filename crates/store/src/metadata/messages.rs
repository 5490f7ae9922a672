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
    /// The receiver took it, and hears it again from time to time until it is over.
    Standing,
    /// The receiver took it.
    Sent,
    /// It was given up: a dead letter.
    Dead,
}

impl MessageStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Standing, Self::Sent, Self::Dead];

    /// The name in JSON and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Standing => "standing",
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
    /// When it was made, or when somebody asked for it again. What is told of one thing is told in this order.
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

/// Which messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFilter {
    /// Of this status.
    pub status: Option<MessageStatus>,
    /// To this receiver.
    pub receiver: Option<String>,
    /// At most so many.
    pub limit: u32,
}

impl Metadata {
    /// Messages of a status, those first that are due first.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn messages(&self, status: MessageStatus, limit: u32) -> Result<Vec<Message>, MetadataError> {
        let statement = Statement::new(
            "SELECT id, time, receiver, status, due, attempts, trouble, body FROM message
             WHERE status = $1 ORDER BY due, id LIMIT $2",
        );
        self.read_messages(statement.bind(status.name()).bind(i64::from(limit))).await
    }

    /// What a receiver may have to be sent: messages that wait and messages that stand, the oldest first.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn outbox(&self, receiver: &str, limit: u32) -> Result<Vec<Message>, MetadataError> {
        let statement = Statement::new(
            "SELECT id, time, receiver, status, due, attempts, trouble, body FROM message
             WHERE status IN ($1, $2) AND receiver = $3 ORDER BY time, id LIMIT $4",
        );
        let open = [MessageStatus::Waiting, MessageStatus::Standing];
        let statement = open.into_iter().fold(statement, |statement, status| statement.bind(status.name()));
        self.read_messages(statement.bind(receiver).bind(i64::from(limit))).await
    }

    /// Messages that fit a filter, the newest first.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn newest_messages(&self, filter: &MessageFilter) -> Result<Vec<Message>, MetadataError> {
        let mut statement =
            Statement::new("SELECT id, time, receiver, status, due, attempts, trouble, body FROM message WHERE 1 = 1");
        if let Some(status) = filter.status {
            statement.push(" AND status = ", status.name());
        }
        if let Some(receiver) = &filter.receiver {
            statement.push(" AND receiver = ", receiver);
        }
        statement.push(" ORDER BY time DESC, id LIMIT ", i64::from(filter.limit));
        self.read_messages(statement).await
    }

    /// One message; `None` where there is none of that id.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn message(&self, id: &str) -> Result<Option<Message>, MetadataError> {
        let statement = Statement::new(
            "SELECT id, time, receiver, status, due, attempts, trouble, body FROM message WHERE id = $1",
        );
        Ok(self.read_messages(statement.bind(id)).await?.pop())
    }

    /// Writes what became of messages: of all of them or of none.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be written.
    pub async fn update_messages(&self, messages: &[Message]) -> Result<(), MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "write messages", source };
        let statements: Vec<Statement<'_>> = messages.iter().map(update).collect();
        self.database.execute(&statements).await.map_err(failed)
    }

    /// Forgets messages that were sent or given up and are older than this.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be written.
    pub async fn forget_messages(&self, before: Timestamp) -> Result<(), MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "forget messages", source };
        let statement = Statement::new("DELETE FROM message WHERE status IN ($1, $2) AND time < $3")
            .bind(MessageStatus::Sent.name())
            .bind(MessageStatus::Dead.name())
            .bind(before);
        self.database.execute(&[statement]).await.map_err(failed)
    }

    async fn read_messages(&self, statement: Statement<'_>) -> Result<Vec<Message>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read messages", source };
        let rows = self.database.fetch(&statement).await.map_err(failed)?;
        rows.iter().map(|row| read(row).map_err(failed)).collect()
    }
}

fn update(message: &Message) -> Statement<'_> {
    Statement::new("UPDATE message SET time = $2, status = $3, due = $4, attempts = $5, trouble = $6 WHERE id = $1")
        .bind(&message.id)
        .bind(message.time)
        .bind(message.status.name())
        .bind(message.due)
        .bind(i64::from(message.attempts))
        .bind(&message.trouble)
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
