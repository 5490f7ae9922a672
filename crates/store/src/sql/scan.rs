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
    execution::SendableRecordBatchStream,
    physical_expr::{LexOrdering, PhysicalSortExpr, expressions::col},
    physical_plan::{ExecutionPlan, execute_stream, sorts::sort_preserving_merge::SortPreservingMergeExec},
    prelude::{SessionConfig, SessionContext},
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
pub(crate) async fn merge_files(
    root: &Root,
    table: &TableName,
    schema: &SchemaRef,
    files: &[Arc<DataFile>],
) -> Result<SendableRecordBatchStream> {
    let context = SessionContext::new_with_config(SessionConfig::new().with_batch_size(MERGE_BATCH_ROWS));
    let state = context.state();
    let order = SortOptions { descending: false, nulls_first: false };
    let by_time = LexOrdering::new([PhysicalSortExpr::new(col(column::TIME, schema)?, order)]);
    let groups = files.iter().map(|file| FileGroup::new(vec![partitioned_file(root, table, file)])).collect();
    let scan = FileScan { root, schema, projection: None, limit: None, files: Vec::new(), rows: Precision::Absent };
    let plan = scan.plan_groups(&state, groups, by_time.clone().into_iter().collect())?;
    let plan: Arc<dyn ExecutionPlan> = match by_time {
        Some(by_time) => Arc::new(SortPreservingMergeExec::new(by_time, plan)),
        None => plan,
    };
    execute_stream(plan, state.task_ctx())
}
