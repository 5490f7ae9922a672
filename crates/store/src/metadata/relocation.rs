//! Takes everything in a SQLite store along to another one.

use std::path::Path;

use super::{
    Metadata, MetadataError,
    database::{Row, Statement, Transaction, Value},
};

/// What a column holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Whole,
    Bytes,
}

use Kind::{Bytes, Text, Whole};

/// Every table with its columns.
const TABLES: [(&str, &[(&str, Kind)]); 6] = [
    (
        "alert",
        &[
            ("id", Text),
            ("time", Whole),
            ("updated", Whole),
            ("status", Text),
            ("kind", Text),
            ("severity", Text),
            ("model", Text),
            ("version", Text),
            ("body", Text),
        ],
    ),
    ("state", &[("name", Text), ("sequence", Whole), ("body", Bytes)]),
    ("acknowledgement", &[("alert", Text), ("time", Whole), ("verdict", Text), ("note", Text)]),
    ("rollout_entry", &[("rollout", Text), ("sequence", Whole), ("model", Text), ("time", Whole), ("body", Text)]),
    ("log_line", &[("log", Text), ("subject", Text), ("sequence", Whole), ("time", Whole), ("line", Text)]),
    (
        "message",
        &[
            ("id", Text),
            ("time", Whole),
            ("receiver", Text),
            ("status", Text),
            ("due", Whole),
            ("attempts", Whole),
            ("trouble", Text),
            ("body", Text),
        ],
    ),
];

/// Copies every row of the store in a file, where there is one, as a part of a transaction.
pub(super) async fn copy(sqlite: &Path, to: &mut Transaction) -> Result<(), MetadataError> {
    if !sqlite.exists() {
        return Ok(());
    }
    let failed = |source| MetadataError::Statement { doing: "take the metadata along from SQLite", source };
    let from = Metadata::open_file(sqlite).await?;
    for (table, columns) in TABLES {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let places: Vec<String> = (1..=columns.len()).map(|place| format!("${place}")).collect();
        let (names, places) = (names.join(", "), places.join(", "));
        let rows =
            from.database.fetch(&Statement::new(format!("SELECT {names} FROM {table}"))).await.map_err(failed)?;
        for row in &rows {
            let mut insertion = Statement::new(format!("INSERT INTO {table} ({names}) VALUES ({places})"));
            insertion.values =
                columns.iter().map(|column| value(row, *column)).collect::<Result<_, _>>().map_err(failed)?;
            to.execute(&insertion).await.map_err(failed)?;
        }
    }
    from.close().await;
    Ok(())
}

fn value(row: &Row, (name, kind): (&str, Kind)) -> Result<Value<'static>, sqlx::Error> {
    Ok(match kind {
        Text => Value::Text(row.optional_text(name)?.map(Into::into)),
        Whole => Value::Whole(row.optional_whole(name)?),
        Bytes => Value::Bytes(row.bytes(name)?.into()),
    })
}
