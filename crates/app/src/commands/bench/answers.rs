//! Asks the engine, and says what the answer was and what it cost.

use std::time::Instant;

use arrow::{
    array::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use tokio::runtime::Runtime;
use wardline_store::{Engine, Limits};

use super::{latencies::Latencies, process};
use crate::settings::QueryLimits;

/// A query that was asked several times.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) wall: f64,
    pub(super) processor: f64,
    pub(super) rows: usize,
    /// Whether every run gave the same digits.
    pub(super) is_repeatable: bool,
}

/// Asks once to warm up, then so many times; times are medians.
pub(super) fn ask(runtime: &Runtime, engine: &Engine, sql: &str, runs: usize) -> anyhow::Result<Asked> {
    let first = texts(&answer(runtime, engine, sql)?)?;
    let (mut walls, mut processors) = (Latencies::default(), Latencies::default());
    let mut is_repeatable = true;
    for _ in 0..runs.max(1) {
        let before = process::own_processor_time()?.own;
        let started = Instant::now();
        let batches = answer(runtime, engine, sql)?;
        walls.note(started.elapsed().as_secs_f64());
        processors.note(process::own_processor_time()?.own - before);
        is_repeatable &= texts(&batches)? == first;
    }
    Ok(Asked { wall: walls.median(), processor: processors.median(), rows: first.len(), is_repeatable })
}

/// The answer to a query, within the limits that a server has by default.
pub(super) fn answer(runtime: &Runtime, engine: &Engine, sql: &str) -> anyhow::Result<Vec<RecordBatch>> {
    let limits = QueryLimits::default();
    let limits = Limits {
        memory_bytes: limits.memory_bytes,
        timeout: std::time::Duration::from_micros(limits.timeout.unsigned_abs()),
        max_rows: limits.max_rows,
    };
    runtime.block_on(async { Ok(engine.query(sql, limits).await?.collect().await?.0) })
}

/// The rows as text, sorted: their order is not part of the answer.
pub(super) fn texts(batches: &[RecordBatch]) -> anyhow::Result<Vec<String>> {
    let options = FormatOptions::default();
    let mut rows = Vec::new();
    for batch in batches {
        let columns = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options))
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            rows.push(columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"));
        }
    }
    rows.sort();
    Ok(rows)
}
