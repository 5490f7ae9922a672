//! Why a statement was refused or failed, and what would help.

use std::time::Duration;

use datafusion::error::DataFusionError;

/// Why a statement gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Not SQL.
    #[error("the statement cannot be read: {message}")]
    Syntax {
        /// What the parser met.
        message: String,
    },
    /// More or less than one statement.
    #[error("{count} statements were given, and one is taken: send them one by one")]
    NotOneStatement {
        /// How many.
        count: usize,
    },
    /// A statement that would change something, or reach outside.
    #[error(
        "`{statement}` is not allowed: SQL is read-only here; SELECT, WITH, VALUES, EXPLAIN, DESCRIBE and SHOW TABLES are allowed"
    )]
    NotAllowed {
        /// Its first words.
        statement: String,
    },
    /// A table that is not there.
    #[error("there is no table `{table}`; {hint}")]
    UnknownTable {
        /// What was written.
        table: String,
        /// What there is.
        hint: String,
    },
    /// A column or function that is not there, or types that do not fit.
    #[error("the statement does not fit the tables: {message}")]
    Plan {
        /// What does not fit.
        message: String,
    },
    /// It took too long.
    #[error("the statement took longer than {} s and was stopped: narrow its time range, or raise the time-out", .limit.as_secs_f64())]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// It needed too much memory, with what could be moved to disk on disk.
    #[error(
        "the statement needs more than {limit_mb} MB of memory: group by fewer values, narrow its time range, or raise the limit; {message}"
    )]
    OutOfMemory {
        /// The limit in MB.
        limit_mb: usize,
        /// Which step asked for more.
        message: String,
    },
    /// Something failed while it ran.
    #[error("the statement failed: {message}")]
    Failed {
        /// What failed.
        message: String,
    },
    /// The process is shutting down.
    #[error("the query engine is shutting down")]
    Stopped,
}

impl QueryError {
    /// A stable name, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "syntax",
            Self::NotOneStatement { .. } => "not_one_statement",
            Self::NotAllowed { .. } => "not_allowed",
            Self::UnknownTable { .. } => "unknown_table",
            Self::Plan { .. } => "plan",
            Self::TimedOut { .. } => "timed_out",
            Self::OutOfMemory { .. } => "out_of_memory",
            Self::Failed { .. } => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// An error of planning, with the tables that there are.
    pub(super) fn of_planning(error: &DataFusionError, tables: &[String]) -> Self {
        let message = text_of(error);
        if let Some(table) = missing_table(&message) {
            return Self::UnknownTable { hint: tables_hint(&table, tables), table };
        }
        match error.find_root() {
            DataFusionError::SQL(..) => Self::Syntax { message },
            _ => Self::Plan { message },
        }
    }

    /// An error of running.
    pub(super) fn of_running(error: &DataFusionError, memory_bytes: usize) -> Self {
        let message = text_of(error);
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::OutOfMemory { limit_mb: memory_bytes >> 20, message },
            DataFusionError::Plan(_) | DataFusionError::SchemaError(..) => Self::Plan { message },
            _ => Self::Failed { message },
        }
    }
}

/// The message without the engine's own prefixes and the trace behind it.
fn text_of(error: &DataFusionError) -> String {
    let message = error.strip_backtrace();
    let prefixes =
        ["Error during planning: ", "SQL error: ", "Execution error: ", "Schema error: ", "External error: "];
    let stripped = prefixes.iter().fold(message.as_str(), |text, prefix| text.strip_prefix(prefix).unwrap_or(text));
    stripped.to_owned()
}

/// The table that the planner did not find.
fn missing_table(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("able '")?;
    let (name, rest) = rest.split_once('\'')?;
    let name = name.strip_prefix("wardline.public.").unwrap_or(name);
    rest.contains("not found").then(|| name.to_owned())
}

fn tables_hint(wanted: &str, tables: &[String]) -> String {
    let near = tables
        .iter()
        .map(|name| (edit_distance(wanted, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3));
    let listed: Vec<&str> = tables.iter().take(30).map(String::as_str).collect();
    let more = if tables.len() > listed.len() { ", …" } else { "" };
    let listed = format!("there are {}{more}", listed.join(", "));
    match near {
        Some((_, name)) => format!("did you mean `{name}`? {listed}"),
        None => listed,
    }
}

/// How many letters must be put in, left out or changed to make one text the other.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_table_is_answered_with_the_nearest_one() {
        let tables = ["inference", "outcome", "alert"].map(str::to_owned);
        let error = DataFusionError::Plan("table 'wardline.public.inferences' not found".into());
        insta::assert_snapshot!(
            QueryError::of_planning(&error, &tables),
            @"there is no table `inferences`; did you mean `inference`? there are inference, outcome, alert"
        );
    }

    #[test]
    fn distances_are_levenshtein() {
        assert_eq!((edit_distance("kitten", "sitting"), edit_distance("", "abc")), (3, 3));
    }
}
