//! The database behind the metadata: SQLite in a file, or PostgreSQL. Statements are the same on both; only this file
//! and [`super::postgres`] know that there are two.

use std::borrow::Cow;

use sqlx::{
    AssertSqlSafe, Postgres, Row as _, Sqlite,
    postgres::{PgPool, PgRow},
    sqlite::{SqlitePool, SqliteRow},
};
use wardline_domain::Timestamp;

use super::nul;

/// A value of a statement.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Text(Option<Cow<'a, str>>),
    Whole(Option<i64>),
    Bytes(Cow<'a, [u8]>),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text.map(Cow::Borrowed))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Whole(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Whole(number)
    }
}

/// Places in a log; what no log reaches is the largest that a database knows.
impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::from(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::from(time.micros())
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}

/// SQL with the values of its `$1`, `$2` and so on.
#[derive(Clone, Debug)]
pub(super) struct Statement<'a> {
    pub(super) sql: Cow<'static, str>,
    pub(super) values: Vec<Value<'a>>,
}

impl<'a> Statement<'a> {
    pub(super) fn new(sql: impl Into<Cow<'static, str>>) -> Self {
        Self { sql: sql.into(), values: Vec::new() }
    }

    pub(super) fn bind(mut self, value: impl Into<Value<'a>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds a condition or the like, with one value: `push(" AND time >= ", since)`.
    pub(super) fn push(&mut self, sql: &str, value: impl Into<Value<'a>>) {
        self.values.push(value.into());
        let place = format!("{sql}${}", self.values.len());
        self.sql.to_mut().push_str(&place);
    }
}

/// A row of an answer.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! column {
    ($row:expr, $column:expr) => {
        match $row {
            Self::Sqlite(row) => row.try_get($column),
            Self::Postgres(row) => row.try_get($column),
        }
    };
}

impl Row {
    pub(super) fn text(&self, column: &str) -> Result<String, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column).map(nul::written_out),
        }
    }

    pub(super) fn optional_text(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get::<Option<String>, _>(column).map(|text| text.map(nul::written_out)),
        }
    }

    pub(super) fn whole(&self, column: &str) -> Result<i64, sqlx::Error> {
        column!(self, column)
    }

    pub(super) fn optional_whole(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
        column!(self, column)
    }

    pub(super) fn bytes(&self, column: &str) -> Result<Vec<u8>, sqlx::Error> {
        column!(self, column)
    }

    /// A place in a log.
    pub(super) fn place(&self, column: &str) -> Result<u64, sqlx::Error> {
        self.whole(column).map(|place| u64::try_from(place).unwrap_or(0))
    }

    pub(super) fn time(&self, column: &str) -> Result<Timestamp, sqlx::Error> {
        self.whole(column).map(Timestamp::from_micros)
    }
}

/// The statement as SQLx takes it; `$text` says how text is written.
macro_rules! query {
    ($statement:expr, $text:expr) => {
        $statement.values.iter().fold(sqlx::query(AssertSqlSafe($statement.sql.clone())), |query, value| match value {
            Value::Text(text) => query.bind(text.as_deref().map($text)),
            Value::Whole(number) => query.bind(*number),
            Value::Bytes(bytes) => query.bind(bytes.as_ref()),
        })
    };
}

fn as_it_is(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

/// A pool of connections; clones share it.
#[derive(Clone, Debug)]
pub(super) enum Database {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Database {
    /// The rows that a statement answers.
    pub(super) async fn fetch(&self, statement: &Statement<'_>) -> Result<Vec<Row>, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => {
                let rows = query!(statement, as_it_is).fetch_all(pool).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(pool) => {
                let rows = query!(statement, nul::left_out).fetch_all(pool).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Carries out statements: all of them or none.
    pub(super) async fn execute(&self, statements: &[Statement<'_>]) -> Result<(), sqlx::Error> {
        let mut transaction = self.begin().await?;
        for statement in statements {
            transaction.execute(statement).await?;
        }
        transaction.commit().await
    }

    pub(super) async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        Ok(match self {
            // A transaction that begins as a reader and writes later may find that another writer was faster.
            Self::Sqlite(pool) => Transaction::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Transaction::Postgres(pool.begin().await?),
        })
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// What is written together; dropped, nothing of it is.
pub(super) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Transaction {
    pub(super) const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    pub(super) async fn execute(&mut self, statement: &Statement<'_>) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => {
                query!(statement, as_it_is).execute(&mut **transaction).await?;
            }
            Self::Postgres(transaction) => {
                query!(statement, nul::left_out).execute(&mut **transaction).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn fetch(&mut self, statement: &Statement<'_>) -> Result<Vec<Row>, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(transaction) => {
                let rows = query!(statement, as_it_is).fetch_all(&mut **transaction).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(transaction) => {
                let rows = query!(statement, nul::left_out).fetch_all(&mut **transaction).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        }
    }
}
