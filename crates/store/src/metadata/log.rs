//! Logs: lines are added, and never changed. What belongs together is written together.

use wardline_domain::Timestamp;

use super::{
    Message, Metadata, MetadataError, State,
    database::{Row, Statement},
    messages, state,
};

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
        let lines = together.lines.iter().map(insertion);
        let states = together.states.iter().map(|(name, state)| state::replacement(name, state));
        let messages = together.messages.iter().map(messages::insertion);
        let statements: Vec<Statement<'_>> = lines.chain(states).chain(messages).collect();
        self.database.execute(&statements).await.map_err(failed)
    }

    /// The lines of a log, by subject and each in order; of one subject, or of all.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn log_lines(&self, log: &str, subject: Option<&str>) -> Result<Vec<LogLine>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read a log", source };
        let statement = Statement::new(
            "SELECT log, subject, sequence, time, line FROM log_line
             WHERE log = $1 AND (CAST($2 AS TEXT) IS NULL OR subject = $2) ORDER BY subject, sequence",
        );
        let rows = self.database.fetch(&statement.bind(log).bind(subject)).await.map_err(failed)?;
        rows.iter().map(|row| read(row).map_err(failed)).collect()
    }

    /// The lines of one subject from a place on, in order.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn log_lines_from(&self, log: &str, subject: &str, sequence: u64) -> Result<Vec<LogLine>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read a log", source };
        let statement = Statement::new(
            "SELECT log, subject, sequence, time, line FROM log_line
             WHERE log = $1 AND subject = $2 AND sequence >= $3 ORDER BY sequence",
        );
        let statement = statement.bind(log).bind(subject).bind(sequence);
        let rows = self.database.fetch(&statement).await.map_err(failed)?;
        rows.iter().map(|row| read(row).map_err(failed)).collect()
    }
}

fn insertion(line: &LogLine) -> Statement<'_> {
    Statement::new("INSERT INTO log_line (log, subject, sequence, time, line) VALUES ($1, $2, $3, $4, $5)")
        .bind(&line.log)
        .bind(&line.subject)
        .bind(line.sequence)
        .bind(line.time)
        .bind(&line.line)
}

fn read(row: &Row) -> Result<LogLine, sqlx::Error> {
    Ok(LogLine {
        log: row.text("log")?,
        subject: row.text("subject")?,
        sequence: row.place("sequence")?,
        time: row.time("time")?,
        line: row.text("line")?,
    })
}
