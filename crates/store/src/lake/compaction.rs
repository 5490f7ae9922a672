//! Merges a table's small files into large ones, sorted by time, and drops exact repeats.

use std::sync::Arc;

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
use wardline_domain::column;

use super::{
    DataFile, LakeError, LakeSettings, Root, TableName,
    delta_log::Change,
    durable,
    encoding::SAMPLE_ROWS,
    file_statistics::FileStatistics,
    parquet_file,
    table::{self, Table, TableSnapshot},
};
use crate::sql::merge_files;

/// The most files that are merged at once; each is open while they are.
const MAX_FILES: usize = 32;
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
/// Rows are read and written while the table goes on taking commits; only the swap of files waits for them.
pub(super) async fn compact(
    table: &Table,
    root: &Root,
    settings: &LakeSettings,
) -> Result<CompactionReport, LakeError> {
    let mut report = CompactionReport::default();
    loop {
        let TableSnapshot { name, schema, state, .. } = table.snapshot();
        let Some(files) = next_group(&state.files, settings) else { return Ok(report) };
        let (file, stats, repeats) = merge(&name, &schema, root, &files, None).await?;
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
fn next_group(files: &[Arc<DataFile>], settings: &LakeSettings) -> Option<Vec<Arc<DataFile>>> {
    let mut by_time: Vec<&Arc<DataFile>> =
        files.iter().filter(|file| file.rows.is_some() && file.time_range.is_some()).collect();
    by_time.sort_by_key(|file| file.time_range);
    let mut levels: std::collections::BTreeMap<u32, Vec<Arc<DataFile>>> = std::collections::BTreeMap::new();
    for file in by_time {
        let rows = file.rows.unwrap_or(0);
        let level = rows.max(1).ilog(LEVEL_FACTOR);
        let group = levels.entry(level).or_default();
        let total_rows: u64 = group.iter().filter_map(|file| file.rows).sum();
        let total_bytes: u64 = group.iter().map(|file| file.size).sum();
        let fits = total_rows + rows <= settings.compacted_rows && total_bytes + file.size <= settings.compacted_bytes;
        if fits && group.len() < MAX_FILES {
            group.push(Arc::clone(file));
            continue;
        }
        if group.len() >= settings.compaction_files.max(2) {
            break;
        }
        *group = vec![Arc::clone(file)];
    }
    levels.into_values().find(|group| group.len() >= settings.compaction_files.max(2))
}

/// Writes the rows of files into one file, without rows before `least_time`. No file where no row is left.
pub(super) async fn merge(
    table: &TableName,
    schema: &SchemaRef,
    root: &Root,
    files: &[Arc<DataFile>],
    least_time: Option<i64>,
) -> Result<(Option<DataFile>, String, u64), LakeError> {
    let failed = |source| LakeError::Merge { table: table.to_string(), source: Box::new(source) };
    let views = parquet_file::view_schema(schema);
    let mut rows = merge_files(root, table, &views, files).await.map_err(failed)?;
    let path = table::new_file_name();
    let location = root.file_path(table, &path);
    let mut writer = None;
    let mut first: Vec<RecordBatch> = Vec::new();
    let mut statistics = FileStatistics::default();
    let mut repeats = Repeats::default();
    while let Some(batch) = rows.next().await {
        let batch = repeats.without_repeats(&batch.map_err(failed)?, least_time)?;
        statistics.observe(&batch);
        first.push(batch);
        match &mut writer {
            None if first.iter().map(RecordBatch::num_rows).sum::<usize>() < SAMPLE_ROWS => {}
            None => writer = Some(begin(root, &location, &views, &mut first).await?),
            Some(writer) => write(writer, &mut first).await?,
        }
    }
    if writer.is_none() && first.iter().any(|batch| batch.num_rows() > 0) {
        writer = Some(begin(root, &location, &views, &mut first).await?);
    }
    let Some(mut writer) = writer else { return Ok((None, String::new(), repeats.dropped)) };
    writer.finish().await?;
    let size = writer.bytes_written() as u64;
    if let Some(local) = root.local_file(table, &path) {
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
    fn without_repeats(&mut self, rows: &RecordBatch, least_time: Option<i64>) -> Result<RecordBatch, LakeError> {
        let times =
            rows.column_by_name(column::TIME).and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
        let Some(times) = times else { return Ok(rows.clone()) };
        let text = |name: &str| rows.column_by_name(name).and_then(|array| array.as_string_view_opt());
        let (senders, ids) = (text(column::SENDER), text(column::ID));
        let mut kept = Vec::with_capacity(rows.num_rows());
        for (row, &time) in times.values().iter().enumerate() {
            let is_late_enough = least_time.is_none_or(|least| least <= time);
            let id = ids.filter(|ids| ids.is_valid(row)).map(|ids| ids.value(row));
            let is_new = id.is_none_or(|id| self.is_new(time, senders.map_or("", |senders| senders.value(row)), id));
            kept.push(is_late_enough && is_new);
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
    use wardline_domain::Timestamp;

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

    #[test]
    fn eight_small_files_are_merged_and_seven_are_not() {
        let settings = LakeSettings::at("unused");
        let files: Vec<_> = (0..8).map(|hour| file(hour, 5_000)).collect();
        assert_eq!(next_group(&files, &settings).map(|group| group.len()), Some(8));
        assert_eq!(next_group(&files[1..], &settings), None);
    }

    #[test]
    fn large_files_are_left_alone() {
        let settings = LakeSettings::at("unused");
        let files: Vec<_> = (0..40).map(|hour| file(hour, settings.compacted_rows - 1)).collect();
        assert_eq!(next_group(&files, &settings), None);
    }
}
