//! Files of the lake as DataFusion plans: an explicit list, read by its Parquet source.

use std::sync::Arc;

use arrow::{compute::SortOptions, datatypes::SchemaRef};
use chrono::{DateTime, Utc};
use datafusion::{
    catalog::Session,
    common::{Result, Statistics, config::TableParquetOptions, stats::Precision},
    datasource::{
        listing::PartitionedFile,
        object_store::ObjectStoreUrl,
        physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource, parquet::CachedParquetFileReaderFactory},
        source::DataSourceExec,
    },
    execution::{SendableRecordBatchStream, session_state::SessionStateBuilder},
    physical_expr::{LexOrdering, PhysicalSortExpr, expressions::col},
    physical_plan::{ExecutionPlan, execute_stream, sorts::sort_preserving_merge::SortPreservingMergeExec},
    prelude::SessionConfig,
};
use object_store::ObjectMeta;
use wardline_domain::column;

use crate::lake::{DataFile, Root, TableName};

/// Rows of a batch while files are merged: each of them has one or two in memory.
const MERGE_BATCH_ROWS: usize = 4_096;

/// Which files to read, and how.
pub(super) struct FileScan<'a> {
    pub(super) root: &'a Root,
    pub(super) schema: &'a SchemaRef,
    pub(super) projection: Option<&'a Vec<usize>>,
    pub(super) limit: Option<usize>,
    pub(super) files: Vec<PartitionedFile>,
    pub(super) rows: Precision<usize>,
}

/// A file as the query engine names it.
pub(super) fn partitioned_file(root: &Root, table: &TableName, file: &DataFile) -> PartitionedFile {
    PartitionedFile::new_from_meta(ObjectMeta {
        location: root.file_path(table, &file.path),
        last_modified: DateTime::<Utc>::from_timestamp_millis(file.modified_ms).unwrap_or_default(),
        size: file.size,
        e_tag: None,
        version: None,
    })
}

impl FileScan<'_> {
    /// A plan that reads the files in as many streams as there are cores.
    pub(super) fn plan(self, state: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let groups = FileGroup::new(self.files.clone()).split_files(state.config().target_partitions());
        self.plan_groups(state, groups, Vec::new())
    }

    fn plan_groups(
        self,
        state: &dyn Session,
        groups: Vec<FileGroup>,
        ordering: Vec<LexOrdering>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let url = ObjectStoreUrl::parse(self.root.store_url())?;
        let runtime = state.runtime_env();
        let metadata_cache = runtime.cache_manager.get_file_metadata_cache();
        let readers = CachedParquetFileReaderFactory::new(Arc::clone(self.root.store()), metadata_cache);
        let options = TableParquetOptions {
            global: state.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        let source = ParquetSource::new(Arc::clone(self.schema))
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(readers));
        let statistics = Statistics::new_unknown(self.schema).with_num_rows(self.rows);
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(self.projection.cloned())?
            .with_limit(self.limit)
            .with_output_ordering(ordering)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// The rows of files that are each sorted by time, sorted by time.
///
/// Files that follow one another in time are read one after the other: only as many are open at once as
/// overlap at some moment, see [`in_sequence`].
pub(crate) async fn merge_files(
    root: &Root,
    table: &TableName,
    schema: &SchemaRef,
    files: &[Arc<DataFile>],
) -> Result<SendableRecordBatchStream> {
    // A session of its own, so that what it caches of files that are about to go is gone with it.
    let config = SessionConfig::new().with_batch_size(MERGE_BATCH_ROWS);
    let state = SessionStateBuilder::new().with_config(config).build();
    let order = SortOptions { descending: false, nulls_first: false };
    let by_time = LexOrdering::new([PhysicalSortExpr::new(col(column::TIME, schema)?, order)]);
    let groups = in_sequence(files).into_iter().map(|group| {
        let files = group.into_iter().map(|file| partitioned_file(root, table, file));
        FileGroup::new(files.collect())
    });
    let scan = FileScan { root, schema, projection: None, limit: None, files: Vec::new(), rows: Precision::Absent };
    let plan = scan.plan_groups(&state, groups.collect(), by_time.clone().into_iter().collect())?;
    let plan: Arc<dyn ExecutionPlan> = match by_time {
        Some(by_time) => Arc::new(SortPreservingMergeExec::new(by_time, plan)),
        None => plan,
    };
    execute_stream(plan, state.task_ctx())
}

/// The fewest groups of files such that within each, a file ends before the next one begins.
///
/// A file without a range of times overlaps with every other. Cost: files times groups.
pub(crate) fn in_sequence(files: &[Arc<DataFile>]) -> Vec<Vec<&DataFile>> {
    let mut by_start: Vec<&DataFile> = files.iter().map(AsRef::as_ref).collect();
    by_start.sort_by_key(|file| file.time_range);
    let mut groups: Vec<Vec<&DataFile>> = Vec::new();
    for file in by_start {
        let start = file.time_range.map(|(low, _)| low);
        let follows = |group: &&mut Vec<&DataFile>| {
            let end = group.last().and_then(|last| last.time_range).map(|(_, high)| high);
            end.zip(start).is_some_and(|(end, start)| end <= start)
        };
        match groups.iter_mut().find(follows) {
            Some(group) => group.push(file),
            None => groups.push(vec![file]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wardline_domain::Timestamp;

    fn file(from: i64, length: i64) -> Arc<DataFile> {
        let low = Timestamp::from_micros(from);
        Arc::new(DataFile {
            path: String::new(),
            size: 1,
            modified_ms: 0,
            rows: Some(1),
            time_range: Some((low, low.plus(length))),
            text_ranges: Default::default(),
        })
    }

    proptest! {
        /// Goal: memory of a merge is that of the files that overlap, not of all.
        #[test]
        fn no_more_files_are_open_than_overlap_at_some_moment(
            spans in prop::collection::vec((0i64..60, 1i64..20), 1..40),
        ) {
            let files: Vec<_> = spans.iter().map(|&(from, length)| file(from, length)).collect();
            let groups = in_sequence(&files);
            prop_assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), files.len());
            for pair in groups.iter().flat_map(|group| group.windows(2)) {
                prop_assert!(pair[0].time_range.unwrap().1 <= pair[1].time_range.unwrap().0);
            }
            let open_at = |moment: i64| spans.iter().filter(move |&&(from, length)| from <= moment && moment < from + length);
            let most = (0..80).map(|moment| open_at(moment).count()).max();
            prop_assert_eq!(Some(groups.len()), most);
        }
    }

    #[test]
    fn a_file_without_times_is_in_no_sequence() {
        let unknown = Arc::new(DataFile { time_range: None, ..file(0, 1).as_ref().clone() });
        assert_eq!(in_sequence(&[unknown, file(0, 1), file(1, 1)]).len(), 2);
    }
}
