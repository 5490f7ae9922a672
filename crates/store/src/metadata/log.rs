//! Logs: lines are added, and never changed. What belongs together is written together.

use sqlx::{Row as _, Sqlite, Transaction, sqlite::SqliteRow};
use wardline_domain::Timestamp;

use super::{Message, Metadata, MetadataError, State, messages, state};

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Which log: `incident`, `playbook`.
    pub log: String,
    /// What the line is about: one incident, one run of a playbook.
    pub subject: String,
    /// Its place among the lines of its subject, from 0.
    pub sequence: u64,
    /// When.
    pub time: Timestamp,
    /// The line, without a line feed.
    pub line: String,
}

/// What is written together: all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct Together {
    /// New lines.
    pub lines: Vec<LogLine>,
    /// States by name, over what was there.
    pub states: Vec<(String, State)>,
    /// Messages to be sent; one that is there already stays as it is.
    pub messages: Vec<Message>,
}

impl Together {
    /// Whether there is nothing to write.
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.states.is_empty() && self.messages.is_empty()
    }
}

impl Metadata {
    /// Writes what belongs together.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be written, or a line is there already; then nothing is.
    pub async fn write_together(&self, together: &Together) -> Result<(), MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "write a log", source };
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        for line in &together.lines {
            insert(&mut transaction, line).await.map_err(failed)?;
        }
        for (name, body) in &together.states {
            state::put(&mut transaction, name, body).await.map_err(failed)?;
        }
        for message in &together.messages {
            messages::insert(&mut transaction, message).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// The lines of a log, by subject and each in order; of one subject, or of all.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn log_lines(&self, log: &str, subject: Option<&str>) -> Result<Vec<LogLine>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read a log", source };
        let query = sqlx::query(
            "SELECT log, subject, sequence, time, line FROM log_line
             WHERE log = $1 AND ($2 IS NULL OR subject = $2) ORDER BY subject, sequence",
        );
        let rows = query.bind(log).bind(subject).fetch_all(&self.pool).await.map_err(failed)?;
        rows.iter().map(|row| read(row).map_err(failed)).collect()
    }

    /// The lines of one subject from a place on, in order.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn log_lines_from(&self, log: &str, subject: &str, sequence: u64) -> Result<Vec<LogLine>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read a log", source };
        let query = sqlx::query(
            "SELECT log, subject, sequence, time, line FROM log_line
             WHERE log = $1 AND subject = $2 AND sequence >= $3 ORDER BY sequence",
        );
        let from = i64::try_from(sequence).unwrap_or(i64::MAX);
        let rows = query.bind(log).bind(subject).bind(from).fetch_all(&self.pool).await.map_err(failed)?;
        rows.iter().map(|row| read(row).map_err(failed)).collect()
    }
}

async fn insert(transaction: &mut Transaction<'_, Sqlite>, line: &LogLine) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO log_line (log, subject, sequence, time, line) VALUES ($1, $2, $3, $4, $5)")
        .bind(&line.log)
        .bind(&line.subject)
        .bind(i64::try_from(line.sequence).unwrap_or(i64::MAX))
        .bind(line.time.micros())
        .bind(&line.line)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn read(row: &SqliteRow) -> Result<LogLine, sqlx::Error> {
    let sequence: i64 = row.try_get("sequence")?;
    Ok(LogLine {
        log: row.try_get("log")?,
        subject: row.try_get("subject")?,
        sequence: u64::try_from(sequence).unwrap_or(0),
        time: Timestamp::from_micros(row.try_get("time")?),
        line: row.try_get("line")?,
    })
}
