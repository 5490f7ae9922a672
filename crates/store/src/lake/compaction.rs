//! Merges a table's small files into large ones, sorted by time, and drops exact repeats.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{Array, AsArray, BooleanArray, RecordBatch},
    compute::{concat_batches, filter_record_batch},
    datatypes::{SchemaRef, TimestampMicrosecondType},
};
use deltalake::protocol::DeltaOperation;
use futures::StreamExt as _;
use object_store::buffered::BufWriter;
use parquet::arrow::AsyncArrowWriter;
use rustc_hash::FxHashSet;
use wardline_domain::{Span, Timestamp, column};

use super::{
    DataFile, LakeError, LakeSettings, Root, Shared, TableName,
    delta_log::Change,
    durable,
    encoding::SAMPLE_ROWS,
    file_statistics::FileStatistics,
    parquet_file,
    table::{self, Table, TableSnapshot},
};
use crate::sql::{in_sequence, merge_files};

/// The most files that are merged at once.
const MAX_FILES: usize = 64;
/// The most of them that overlap in time: each of these is open while they are merged, with a page of every
/// column in memory.
const MAX_OPEN: usize = 8;
/// Files are of like size where their rows differ by less than this factor.
const LEVEL_FACTOR: u64 = 8;

/// What merging did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactionReport {
    /// Files that went.
    pub files_before: usize,
    /// Files that came in their place.
    pub files_after: usize,
    /// Rows that were there twice, and are there once.
    pub repeats: u64,
}

impl CompactionReport {
    pub(super) const fn add(&mut self, other: Self) {
        self.files_before += other.files_before;
        self.files_after += other.files_after;
        self.repeats += other.repeats;
    }
}

/// Merges until no group of files is worth it.
///
/// Rows are read and written in the background while the table goes on taking commits; only the swap of files
/// waits for them. Memory: a page of each column of [`MAX_OPEN`] files, and a row group.
pub(super) async fn compact(table: &Table, shared: &Shared) -> Result<CompactionReport, LakeError> {
    let settings = &shared.settings;
    let mut report = CompactionReport::default();
    loop {
        let TableSnapshot { name, schema, state, .. } = table.snapshot();
        let Some(files) = next_group(&name, &state.files, settings) else { return Ok(report) };
        let merged = merge(name, Arc::clone(&schema), shared.root.clone(), files.clone());
        let (file, stats, repeats) = shared.background.run(merged).await?;
        let change = Change {
            operation: DeltaOperation::Optimize { predicate: None, target_size: settings.compacted_bytes as i64 },
            schema,
            added: file.map(|file| (file, stats)).into_iter().collect(),
            removed: files.clone(),
            data_change: repeats > 0,
            sequence: None,
        };
        report.add(CompactionReport { files_before: files.len(), files_after: change.added.len(), repeats });
        table.begin_write().await.commit(change).await?;
    }
}

/// The first run of neighbours in time that are of like size and small enough together.
///
/// Only files of like size are merged, so that a row is rewritten once for each power of
/// [`LEVEL_FACTOR`], and not each time that a small file comes.
fn next_group(table: &TableName, files: &[Arc<DataFile>], settings: &LakeSettings) -> Option<Vec<Arc<DataFile>>> {
    let span = if settings.retention.days(table).is_some() { Timestamp::DAY } else { Span::MAX };
    let mut by_time: Vec<&Arc<DataFile>> =
        files.iter().filter(|file| file.rows.is_some() && file.time_range.is_some()).collect();
    by_time.sort_by_key(|file| file.time_range);
    let mut levels: BTreeMap<u32, Vec<Arc<DataFile>>> = BTreeMap::new();
    for file in by_time {
        let level = file.rows.unwrap_or(0).max(1).ilog(LEVEL_FACTOR);
        let group = levels.entry(level).or_default();
        group.push(Arc::clone(file));
        if fits(group, settings, span) && group.len() <= MAX_FILES {
            continue;
        }
        let last = group.pop();
        if is_worth_it(group, settings) {
            break;
        }
        *group = last.into_iter().collect();
    }
    let mut group = levels.into_values().find(|group| is_worth_it(group, settings))?;
    while in_sequence(&group).len() > MAX_OPEN {
        group.pop();
    }
    Some(group)
}

/// Whether a group makes a file that is not too large, and spans no more time than it may.
fn fits(group: &[Arc<DataFile>], settings: &LakeSettings, span: Span) -> bool {
    let bytes: u64 = group.iter().map(|file| file.size).sum();
    let ranges = || group.iter().filter_map(|file| file.time_range);
    let (low, high) = (ranges().map(|(low, _)| low).min(), ranges().map(|(_, high)| high).max());
    rows_of(group) <= settings.compacted_rows
        && bytes <= settings.compacted_bytes
        && low.zip(high).is_none_or(|(low, high)| high.since(low) <= span)
}

/// Whether a group has many files, or makes one that is at least half of the largest.
fn is_worth_it(group: &[Arc<DataFile>], settings: &LakeSettings) -> bool {
    let is_large = 2 * rows_of(group) >= settings.compacted_rows;
    group.len() >= if is_large { 2 } else { settings.compaction_files.max(2) }
}

fn rows_of(group: &[Arc<DataFile>]) -> u64 {
    group.iter().filter_map(|file| file.rows).sum()
}

/// Writes the rows of files into one file; tells its statistics, and how many rows were repeats. No file where
/// there is no row.
async fn merge(
    table: TableName,
    schema: SchemaRef,
    root: Root,
    files: Vec<Arc<DataFile>>,
) -> Result<(Option<DataFile>, String, u64), LakeError> {
    let failed = |source| LakeError::Merge { table: table.to_string(), source: Box::new(source) };
    let views = parquet_file::view_schema(&schema);
    let mut rows = merge_files(&root, &table, &views, &files).await.map_err(failed)?;
    let path = table::new_file_name();
    let location = root.file_path(&table, &path);
    let mut writer = None;
    let mut first: Vec<RecordBatch> = Vec::new();
    let mut statistics = FileStatistics::default();
    let mut repeats = Repeats::default();
    while let Some(batch) = rows.next().await {
        let batch = repeats.without_repeats(&batch.map_err(failed)?)?;
        statistics.observe(&batch);
        first.push(batch);
        match &mut writer {
            None if first.iter().map(RecordBatch::num_rows).sum::<usize>() < SAMPLE_ROWS => {}
            None => writer = Some(begin(&root, &location, &views, &mut first).await?),
            Some(writer) => write(writer, &mut first).await?,
        }
    }
    if writer.is_none() && first.iter().any(|batch| batch.num_rows() > 0) {
        writer = Some(begin(&root, &location, &views, &mut first).await?);
    }
    let Some(mut writer) = writer else { return Ok((None, String::new(), repeats.dropped)) };
    writer.finish().await?;
    let size = writer.bytes_written() as u64;
    if let Some(local) = root.local_file(&table, &path) {
        durable::sync_file(local).await?;
    }
    let stats = statistics.to_json();
    let file = DataFile::from_log(path, size, chrono::Utc::now().timestamp_millis(), Some(&stats));
    Ok((Some(file), stats, repeats.dropped))
}

/// Opens the file, encoded as suits its first rows, and writes these.
async fn begin(
    root: &Root,
    location: &object_store::path::Path,
    schema: &SchemaRef,
    first: &mut Vec<RecordBatch>,
) -> Result<AsyncArrowWriter<BufWriter>, LakeError> {
    let options = parquet_file::writer_options(&concat_batches(schema, first.iter())?)?;
    let sink = BufWriter::new(Arc::clone(root.store()), location.clone());
    let mut writer = AsyncArrowWriter::try_new_with_options(sink, Arc::clone(schema), options)?;
    write(&mut writer, first).await?;
    Ok(writer)
}

async fn write(writer: &mut AsyncArrowWriter<BufWriter>, batches: &mut Vec<RecordBatch>) -> Result<(), LakeError> {
    for batch in batches.drain(..) {
        writer.write(&batch).await?;
    }
    Ok(())
}

/// Finds rows that repeat one of the same sender, id and time, in rows sorted by time.
#[derive(Debug, Default)]
struct Repeats {
    time: i64,
    seen: FxHashSet<(String, String)>,
    dropped: u64,
}

impl Repeats {
    fn without_repeats(&mut self, rows: &RecordBatch) -> Result<RecordBatch, LakeError> {
        let times =
            rows.column_by_name(column::TIME).and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
        let Some(times) = times else { return Ok(rows.clone()) };
        let text = |name: &str| rows.column_by_name(name).and_then(|array| array.as_string_view_opt());
        let (senders, ids) = (text(column::SENDER), text(column::ID));
        let mut kept = Vec::with_capacity(rows.num_rows());
        for (row, &time) in times.values().iter().enumerate() {
            let id = ids.filter(|ids| ids.is_valid(row)).map(|ids| ids.value(row));
            kept.push(id.is_none_or(|id| self.is_new(time, senders.map_or("", |senders| senders.value(row)), id)));
        }
        if kept.iter().all(|&kept| kept) {
            return Ok(rows.clone());
        }
        Ok(filter_record_batch(rows, &BooleanArray::from(kept))?)
    }

    fn is_new(&mut self, time: i64, sender: &str, id: &str) -> bool {
        if self.time != time {
            self.time = time;
            self.seen.clear();
        }
        let is_new = self.seen.insert((sender.to_owned(), id.to_owned()));
        self.dropped += u64::from(!is_new);
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(hour: i64, rows: u64) -> Arc<DataFile> {
        let low = Timestamp::from_micros(hour * Timestamp::HOUR);
        Arc::new(DataFile {
            path: format!("{hour}.parquet"),
            size: rows * 50,
            modified_ms: 0,
            rows: Some(rows),
            time_range: Some((low, low.plus(Timestamp::HOUR))),
            text_ranges: Default::default(),
        })
    }

    fn group_of(files: &[Arc<DataFile>], settings: &LakeSettings) -> Option<usize> {
        next_group(&TableName::Finding, files, settings).map(|group| group.len())
    }

    #[test]
    fn eight_small_files_are_merged_and_seven_are_not() {
        let settings = LakeSettings::at("unused");
        let files: Vec<_> = (0..8).map(|hour| file(hour, 5_000)).collect();
        assert_eq!(group_of(&files, &settings), Some(8));
        assert_eq!(group_of(&files[1..], &settings), None);
    }

    #[test]
    fn large_files_are_left_alone() {
        let settings = LakeSettings::at("unused");
        let files: Vec<_> = (0..40).map(|hour| file(hour, settings.compacted_rows - 1)).collect();
        assert_eq!(group_of(&files, &settings), None);
    }

    #[test]
    fn fewer_are_merged_where_they_make_a_large_file() {
        let settings = LakeSettings::at("unused");
        let files: Vec<_> = (0..40).map(|hour| file(hour, settings.compacted_rows / 5)).collect();
        assert_eq!(group_of(&files, &settings), Some(5));
    }

    /// Goal: merging takes bounded memory, also where old events come in late, all over the same time.
    #[test]
    fn no_more_files_are_merged_than_may_be_open() {
        let settings = LakeSettings::at("unused");
        let same_hour: Vec<_> = (0..40).map(|_| file(3, 5_000)).collect();
        assert_eq!(group_of(&same_hour, &settings), Some(MAX_OPEN));
        let one_after_the_other: Vec<_> = (0..40).map(|hour| file(hour, 5_000)).collect();
        assert_eq!(group_of(&one_after_the_other, &settings), Some(40));
    }

    /// Goal: a row that may be kept for days is not kept for weeks because its file is.
    #[test]
    fn files_span_a_day_at_most_where_there_is_a_limit() {
        let mut settings = LakeSettings::at("unused");
        settings.retention.finding_days = Some(30);
        let files: Vec<_> = (0..40).map(|hour| file(hour, 5_000)).collect();
        assert_eq!(group_of(&files, &settings), Some(24));
    }
}
