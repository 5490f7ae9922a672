//! Stored events, written to one file in the order in which they happened.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use arrow::{
    array::RecordBatch,
    compute::cast,
    datatypes::{DataType, Field, Schema},
    error::ArrowError,
    json::LineDelimitedWriter,
};
use serde_json::{Map, Value, json};
use wardline_domain::{RecordKind, Span, Timestamp};

use crate::{
    cli::BacktestArguments,
    commands::answer::{Answer, Tables},
    server::QueryRequest,
    settings::Settings,
};

/// What is asked for at once; halved where it has too many rows.
const PIECE: Span = 6 * Timestamp::HOUR;
/// A piece this short is not halved again.
const LEAST_PIECE: Span = Timestamp::SECOND;

/// Writes every stored event before a moment.
pub(super) async fn write(
    arguments: &BacktestArguments,
    settings: &Settings,
    to: Option<Timestamp>,
    folder: &Path,
) -> anyhow::Result<PathBuf> {
    let source = Tables::open(&arguments.remote, arguments.local, settings.clone()).await?;
    let file = folder.join("events.ndjson");
    let mut out = BufWriter::new(File::create(&file)?);
    let written = write_all(&source, to, &mut out).await;
    source.close().await?;
    written?;
    out.flush()?;
    Ok(file)
}

async fn write_all(source: &Tables, to: Option<Timestamp>, out: &mut BufWriter<File>) -> anyhow::Result<()> {
    let mut span: Option<(Timestamp, Timestamp)> = None;
    let mut kinds = Vec::new();
    for kind in RecordKind::ALL {
        let sql = format!("SELECT CAST(min(time) AS VARCHAR) AS first, CAST(max(time) AS VARCHAR) AS last FROM {kind}");
        // A kind that was never sent has no table.
        let Ok(Answer { batches, .. }) = source.ask(&request(sql)).await else { continue };
        let ends = rows(&batches)?;
        let end = |name: &str| ends.first().and_then(|row| row.get(name)).and_then(Value::as_str).map(utc);
        let (Some(first), Some(last)) = (end("first"), end("last")) else { continue };
        let (first, last) = (Timestamp::parse(&first)?, Timestamp::parse(&last)?);
        kinds.push(kind);
        let (low, high) = span.unwrap_or((first, last));
        span = Some((low.min(first), high.max(last)));
    }
    let Some((first, last)) = span else { bail!("no event is stored: send some first, or name files with --events") };
    let end = to.map_or(last.plus(1), |to| to.min(last.plus(1)));
    let mut start = first;
    while start < end {
        let stop = start.plus(PIECE).min(end);
        let mut pieces = vec![(start, stop)];
        while let Some((from, until)) = pieces.pop() {
            match piece(source, &kinds, from, until).await? {
                Some(lines) => lines.iter().try_for_each(|line| writeln!(out, "{line}"))?,
                None if until.since(from) <= LEAST_PIECE => {
                    bail!("the second at {from} has more rows than one answer may have: raise `query.max_rows`")
                }
                None => {
                    let middle = from.plus(until.since(from) / 2);
                    pieces.push((middle, until));
                    pieces.push((from, middle));
                }
            }
        }
        start = stop;
    }
    Ok(())
}

/// `2026-11-02T00:00:00` or `2026-11-02 00:00:00+00:00` as RFC 3339.
fn utc(text: &str) -> String {
    let text = text.replace(' ', "T");
    if text.ends_with('Z') || text.contains('+') { text } else { format!("{text}Z") }
}

const fn request(sql: String) -> QueryRequest {
    QueryRequest { sql, max_rows: None, timeout_seconds: None }
}

/// The lines of a piece, in order; `None` where there are more than one answer may have.
async fn piece(
    source: &Tables,
    kinds: &[RecordKind],
    from: Timestamp,
    until: Timestamp,
) -> anyhow::Result<Option<Vec<String>>> {
    let mut lines: Vec<(String, Value)> = Vec::new();
    for kind in kinds {
        let sql = format!("SELECT * FROM {kind} WHERE time >= '{from}' AND time < '{until}' ORDER BY time");
        let Answer { batches, truncated, .. } = source.ask(&request(sql)).await?;
        if truncated {
            return Ok(None);
        }
        for row in rows(&batches)? {
            let time = row.get("time").and_then(Value::as_str).map(utc).context("a stored event has no time")?;
            let order = format!("{:020}", Timestamp::parse(&time)?.micros());
            lines.push((order, record(*kind, row, time)));
        }
    }
    // Stable: rows of one moment stay in the order of kinds and of arrival.
    lines.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(Some(lines.into_iter().map(|(_, line)| line.to_string()).collect()))
}

fn rows(batches: &[RecordBatch]) -> anyhow::Result<Vec<Map<String, Value>>> {
    let mut text = Vec::new();
    let mut writer = LineDelimitedWriter::new(&mut text);
    batches.iter().filter(|batch| batch.num_rows() > 0).try_for_each(|batch| writer.write(&columns(batch)?))?;
    writer.finish()?;
    let rows = serde_json::Deserializer::from_slice(&text).into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(rows)
}

/// Rows as JSON can be written of: texts that repeat as plain ones.
fn columns(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (field, array) in schema.fields().iter().zip(batch.columns()) {
        let array = match field.data_type() {
            DataType::Dictionary(..) | DataType::Utf8View => cast(array, &DataType::Utf8)?,
            _ => Arc::clone(array),
        };
        fields.push(Field::new(field.name(), array.data_type().clone(), true));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

/// A row as it was sent: columns of features, attributes and groups back in their objects.
fn record(kind: RecordKind, row: Map<String, Value>, time: String) -> Value {
    let mut record = Map::new();
    let mut nested: [(&str, &str, Map<String, Value>); 3] = [
        ("feature_", "features", Map::new()),
        ("attribute_", "attributes", Map::new()),
        ("group_", "groups", Map::new()),
    ];
    for (name, value) in row {
        let place = nested.iter_mut().find_map(|(prefix, _, object)| Some((name.strip_prefix(*prefix)?, object)));
        match (place, name.as_str()) {
            (Some((short, object)), _) => {
                object.insert(short.to_owned(), value);
            }
            (None, "attributes") => {
                let kept = value.as_str().and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
                nested[1].2.extend(kept.unwrap_or_default());
            }
            // What the intake adds it adds again.
            (None, "sender" | "received" | "time") => {}
            (None, _) => {
                record.insert(name, value);
            }
        }
    }
    for (_, name, object) in nested {
        if !object.is_empty() {
            record.insert(name.to_owned(), Value::Object(object));
        }
    }
    record.insert("time".to_owned(), json!(time));
    record.insert("kind".to_owned(), json!(kind.to_string()));
    Value::Object(record)
}
