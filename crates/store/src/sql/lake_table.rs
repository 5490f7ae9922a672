//! Tables of the lake as SQL sees them: files and newest rows as one.

use std::{fmt, sync::Arc};

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::{Result, project_schema, stats::Precision},
    error::DataFusionError,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, TableProviderFilterPushDown, TableType},
    physical_plan::{
        ExecutionPlan,
        empty::EmptyExec,
        stream::RecordBatchStreamAdapter,
        streaming::{PartitionStream, StreamingTableExec},
        union::UnionExec,
    },
};
use futures::stream;
use wardline_domain::Timestamp;

use super::{
    prune::{Part, may_match},
    scan::{FileScan, partitioned_file},
};
use crate::lake::{Root, TableSnapshot, TailBatch, view_schema};

/// Rows of a batch that is handed on.
const BATCH_ROWS: usize = 8_192;

/// One or more tables of the lake under one schema, as they were at one moment.
pub(super) struct LakeTable {
    root: Root,
    schema: SchemaRef,
    tables: Vec<TableSnapshot>,
}

impl fmt::Debug for LakeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LakeTable").field("tables", &self.tables.len()).finish_non_exhaustive()
    }
}

impl LakeTable {
    /// Tables that share the columns of `schema`; a table without one of them gives nulls.
    pub(super) fn new(root: Root, schema: &SchemaRef, tables: Vec<TableSnapshot>) -> Self {
        // Marks that only storage needs would make two schemas of one column.
        let fields: Vec<_> =
            schema.fields().iter().map(|field| field.as_ref().clone().with_metadata(Default::default())).collect();
        Self { root, schema: view_schema(&Arc::new(Schema::new(fields))), tables }
    }

    /// The table of each model, under the same schema; `None` where some rows are of no known model.
    pub(super) fn by_model(&self) -> Option<Vec<(String, Self)>> {
        let alone = |table: &TableSnapshot| {
            let only = Self { root: self.root.clone(), schema: Arc::clone(&self.schema), tables: vec![table.clone()] };
            Some((table.name.model()?.to_owned(), only))
        };
        self.tables.iter().map(alone).collect()
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = Vec::new();
        for table in &self.tables {
            let model = table.name.model();
            parts.extend(table.state.files.iter().map(|file| Part {
                model,
                time_range: file.time_range,
                file: Some(file),
            }));
            parts.extend(table.tail.iter().map(|batch| {
                let (low, high) = batch.time_range;
                Part {
                    model,
                    time_range: Some((Timestamp::from_micros(low), Timestamp::from_micros(high))),
                    file: None,
                }
            }));
        }
        parts
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters rule out files here, and rows within files once the optimizer has pushed them into the
    /// Parquet source; rows in memory are filtered by a step of the plan.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut wanted = may_match(&self.parts(), filters, &self.schema, state)?.into_iter();
        let (mut files, mut batches, mut rows) = (Vec::new(), Vec::new(), 0);
        for table in &self.tables {
            // In the order of `parts`: a table's files, then its tail.
            for file in &table.state.files {
                if wanted.next().unwrap_or(true) {
                    rows += file.rows.unwrap_or(0) as usize;
                    files.push(partitioned_file(&self.root, &table.name, file));
                }
            }
            let late = table.tail.iter().filter(|_| wanted.next().unwrap_or(true));
            batches.extend(late.cloned());
        }
        let rows = Precision::Inexact(rows);
        let projected = project_schema(&self.schema, projection)?;
        let mut inputs: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        if !files.is_empty() {
            let scan = FileScan { root: &self.root, schema: &self.schema, projection, limit, files, rows };
            inputs.push(scan.plan(state)?);
        }
        if !batches.is_empty() {
            inputs.push(Arc::new(newest_rows(batches, &projected, state.config().target_partitions(), limit)?));
        }
        match inputs.len() {
            0 => Ok(Arc::new(EmptyExec::new(projected))),
            1 => Ok(inputs.remove(0)),
            _ => UnionExec::try_new(inputs),
        }
    }
}

fn newest_rows(
    batches: Vec<Arc<TailBatch>>,
    schema: &SchemaRef,
    streams: usize,
    limit: Option<usize>,
) -> Result<StreamingTableExec> {
    let each = batches.len().div_ceil(streams.max(1));
    let streams = batches
        .chunks(each.max(1))
        .map(|batches| {
            let stream: Arc<dyn PartitionStream> =
                Arc::new(NewestRows { batches: batches.to_vec(), schema: Arc::clone(schema) });
            stream
        })
        .collect();
    StreamingTableExec::try_new(Arc::clone(schema), streams, None, [], false, limit)
}

/// Batches of a tail, fitted to the columns that are asked for when they are read.
struct NewestRows {
    batches: Vec<Arc<TailBatch>>,
    schema: SchemaRef,
}

impl fmt::Debug for NewestRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewestRows").field("batches", &self.batches.len()).finish_non_exhaustive()
    }
}

impl PartitionStream for NewestRows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let batches = self.batches.clone().into_iter().flat_map(move |batch| {
            let fitted = batch.fit(&schema).map_err(DataFusionError::from);
            let slices: Vec<Result<_>> = match fitted {
                Ok(rows) => (0..rows.num_rows())
                    .step_by(BATCH_ROWS)
                    .map(|from| Ok(rows.slice(from, BATCH_ROWS.min(rows.num_rows() - from))))
                    .collect(),
                Err(error) => vec![Err(error)],
            };
            slices
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream::iter(batches)))
    }
}
