//! The query engine: one for the process, with threads and memory of its own.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arrow::{
    array::RecordBatch,
    compute::cast,
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
};
use datafusion::{
    catalog::{CatalogProviderList, MemoryCatalogProviderList, SchemaProvider as _},
    execution::{
        SessionState, SessionStateBuilder,
        context::SQLOptions,
        memory_pool::{GreedyMemoryPool, MemoryPool},
        registry::FunctionRegistry as _,
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
    },
    logical_expr::{LogicalPlan, LogicalPlanBuilder},
    physical_plan::execute_stream,
    prelude::SessionConfig,
};
use futures::StreamExt as _;
use tokio::{
    runtime::Runtime,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::{Instant, timeout_at},
};
use url::Url;

use super::{
    QueryError, QueryStream,
    by_model::GroupByTable,
    catalog::{CATALOG, OneSchema, SCHEMA, Tables},
    date_trunc::DateTruncAsDateBin,
    filter_order::RarestFilterFirst,
    guard,
    memory::{StatementPool, answer_bytes},
    percentile,
};
use crate::{Lake, metadata::Metadata};

/// Batches that wait for a slow reader.
const BATCHES_AHEAD: usize = 4;
/// Statements that run at once; others wait for their turn within their time-out.
const STATEMENTS_AT_ONCE: usize = 4;
/// Footers of Parquet files that stay in memory.
const FOOTER_CACHE_BYTES: usize = 48 << 20;

/// Settings of the engine.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// Threads, and streams of a statement.
    pub threads: usize,
    /// Where steps that outgrow their memory write to; a folder of its own in the system's by default.
    pub spill_folder: Option<PathBuf>,
    /// The most bytes there.
    pub spill_bytes: u64,
    /// Memory of sorts, joins and groups of all statements together.
    pub memory_bytes: usize,
}

impl Default for EngineSettings {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self { threads, spill_folder: None, spill_bytes: 20 << 30, memory_bytes: 512 << 20 }
    }
}

/// Limits of one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the statement's arrival to its last row.
    pub timeout: Duration,
    /// Rows of the answer; what exceeds it is left out, and the answer says so.
    pub max_rows: usize,
    /// Memory of sorts, joins and groups, beyond which they go to disk; and the most bytes of the answer.
    /// The engine's own limit holds also where this one is higher.
    pub memory_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(60), max_rows: 100_000, memory_bytes: 256 << 20 }
    }
}

/// Answers SQL.
#[derive(Debug)]
pub struct Engine {
    lake: Arc<Lake>,
    metadata: Option<Metadata>,
    state: SessionState,
    /// The memory of all statements.
    memory: Arc<dyn MemoryPool>,
    memory_bytes: usize,
    turns: Arc<Semaphore>,
    /// Threads of its own, so that a heavy statement does not hold up intake. `None` once it is dropped.
    runtime: Option<Runtime>,
}

impl Engine {
    /// An engine over a lake and, where there is one, the metadata store.
    ///
    /// # Errors
    /// [`QueryError::Failed`] where its threads or its spill folder cannot be made.
    pub fn new(lake: Arc<Lake>, metadata: Option<Metadata>, settings: &EngineSettings) -> Result<Self, QueryError> {
        let failed = |message: String| QueryError::Failed { message };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(settings.threads.max(1))
            .thread_name("query")
            .enable_all()
            .build()
            .map_err(|error| failed(format!("cannot start the query threads: {error}")))?;
        let mut builder = RuntimeEnvBuilder::new()
            .with_metadata_cache_limit(FOOTER_CACHE_BYTES)
            .with_max_temp_directory_size(settings.spill_bytes);
        if let Some(folder) = &settings.spill_folder {
            builder = builder.with_temp_file_path(folder);
        }
        let environment =
            builder.build_arc().map_err(|error| failed(format!("cannot make the spill folder: {error}")))?;
        let root = lake.shared().root();
        if let Ok(url) = Url::parse(&root.store_url()) {
            environment.register_object_store(&url, Arc::clone(root.store()));
        }
        let state = base_state(environment, settings.threads).map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            lake,
            metadata,
            state,
            memory: Arc::new(GreedyMemoryPool::new(settings.memory_bytes)),
            memory_bytes: settings.memory_bytes,
            turns: Arc::new(Semaphore::new(STATEMENTS_AT_ONCE)),
            runtime: Some(runtime),
        })
    }

    /// Plans a statement and starts to answer it, when it is its turn: a few run at once.
    ///
    /// # Errors
    /// [`QueryError`] where it is refused, does not fit the tables, or takes too long to plan. What fails
    /// later comes through the stream.
    pub async fn query(&self, sql: &str, limits: Limits) -> Result<QueryStream, QueryError> {
        let deadline = Instant::now() + limits.timeout;
        let limits = Limits { memory_bytes: limits.memory_bytes.min(self.memory_bytes), ..limits };
        let statement = guard::read_only_statement(sql)?;
        let turn = timeout_at(deadline, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| QueryError::TimedOut { limit: limits.timeout })?;
        let turn = turn.map_err(|_| QueryError::Stopped)?;
        let tables = Arc::new(Tables::new(Arc::clone(self.lake.shared()), self.metadata.clone()));
        let state =
            self.state_for(&tables, limits).map_err(|error| QueryError::of_running(&error, limits.memory_bytes))?;
        let runtime = self.runtime.as_ref().ok_or(QueryError::Stopped)?;

        let (ready, schema) = oneshot::channel();
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let truncated = Arc::new(AtomicBool::new(false));
        let job = Job { state, tables, limits, deadline, truncated: Arc::clone(&truncated), _turn: turn };
        let task = runtime.spawn(async move {
            let planned = timeout_at(deadline, job.plan(statement)).await;
            match planned.unwrap_or(Err(QueryError::TimedOut { limit: limits.timeout })) {
                Ok((rows, schema)) => {
                    if ready.send(Ok(Arc::clone(&schema))).is_ok() {
                        let end = job.run(rows, &schema, &sender).await;
                        // A reader who is slow to take the error keeps nobody else waiting.
                        drop(job);
                        if let Err(error) = end {
                            let _ = sender.send(Err(error)).await;
                        }
                    }
                }
                Err(error) => {
                    // Whoever asked may have left; then there is nobody to tell.
                    let _ = ready.send(Err(error));
                }
            }
        });
        let stop_if_left = AbortOnDrop(Some(task));
        let schema = schema.await.unwrap_or(Err(QueryError::Stopped))?;
        let task = stop_if_left.keep().ok_or(QueryError::Stopped)?;
        Ok(QueryStream { schema, batches, truncated, task, is_over: false })
    }

    /// Names of the tables that a statement may use.
    pub fn table_names(&self) -> Vec<String> {
        Tables::new(Arc::clone(self.lake.shared()), self.metadata.clone()).table_names()
    }

    fn state_for(&self, tables: &Arc<Tables>, limits: Limits) -> datafusion::error::Result<SessionState> {
        let catalogs = MemoryCatalogProviderList::new();
        catalogs.register_catalog(CATALOG.to_owned(), Arc::new(OneSchema(Arc::clone(tables))));
        let environment = RuntimeEnvBuilder::from_runtime_env(self.state.runtime_env())
            .with_memory_pool(Arc::new(StatementPool::new(Arc::clone(&self.memory), limits.memory_bytes)))
            .build_arc()?;
        let mut state = SessionStateBuilder::new_from_existing(self.state.clone())
            .with_runtime_env(environment)
            .with_catalog_list(Arc::new(catalogs))
            .build();
        state.register_function_rewrite(Arc::new(DateTruncAsDateBin))?;
        Ok(state)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Stops a statement whose asker left while it was planned.
struct AbortOnDrop(Option<tokio::task::JoinHandle<()>>);

impl AbortOnDrop {
    fn keep(mut self) -> Option<tokio::task::JoinHandle<()>> {
        self.0.take()
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

/// One statement.
struct Job {
    state: SessionState,
    tables: Arc<Tables>,
    limits: Limits,
    deadline: Instant,
    truncated: Arc<AtomicBool>,
    /// Given back when the job is dropped.
    _turn: OwnedSemaphorePermit,
}

type Rows = datafusion::execution::SendableRecordBatchStream;

impl Job {
    async fn plan(&self, statement: datafusion::sql::parser::Statement) -> Result<(Rows, SchemaRef), QueryError> {
        let unfit = |error| QueryError::of_planning(&error, &self.tables.table_names());
        let plan = self.state.statement_to_plan(statement).await.map_err(unfit)?;
        let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        read_only.verify_plan(&plan).map_err(|_| QueryError::NotAllowed { statement: plan.display().to_string() })?;
        let plan = self.limited(plan).map_err(unfit)?;
        let plan = self.state.create_physical_plan(&plan).await.map_err(unfit)?;
        let rows = execute_stream(plan, self.state.task_ctx())
            .map_err(|error| QueryError::of_running(&error, self.limits.memory_bytes))?;
        let schema = plain_schema(&rows.schema());
        Ok((rows, schema))
    }

    /// One row more than is wanted tells whether some were left out.
    fn limited(&self, plan: LogicalPlan) -> datafusion::error::Result<LogicalPlan> {
        match plan {
            LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_) => Ok(plan),
            plan => LogicalPlanBuilder::from(plan).limit(0, Some(self.limits.max_rows.saturating_add(1)))?.build(),
        }
    }

    /// Hands over the rows, until there are no more, enough, or nobody takes them.
    async fn run(
        &self,
        mut rows: Rows,
        schema: &SchemaRef,
        sender: &mpsc::Sender<Result<RecordBatch, QueryError>>,
    ) -> Result<(), QueryError> {
        let too_late = |_| QueryError::TimedOut { limit: self.limits.timeout };
        let mut rows_left = self.limits.max_rows;
        let mut bytes_left = self.limits.memory_bytes;
        while let Some(batch) = timeout_at(self.deadline, rows.next()).await.map_err(too_late)? {
            let batch = batch.map_err(|error| QueryError::of_running(&error, self.limits.memory_bytes))?;
            let kept = batch.slice(0, batch.num_rows().min(rows_left));
            rows_left -= kept.num_rows();
            if kept.num_rows() < batch.num_rows() {
                self.truncated.store(true, Ordering::Relaxed);
            }
            if kept.num_rows() > 0 {
                let kept = plain(&kept, schema).map_err(|error| QueryError::Failed { message: error.to_string() })?;
                bytes_left = bytes_left.checked_sub(answer_bytes(&kept)).ok_or_else(|| self.answer_too_large())?;
                if timeout_at(self.deadline, sender.send(Ok(kept))).await.map_err(too_late)?.is_err() {
                    return Ok(());
                }
            }
            if self.truncated.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn answer_too_large(&self) -> QueryError {
        let message = "its answer alone is larger: ask for less, with fewer rows or columns, or shorter texts";
        QueryError::OutOfMemory { limit_mb: self.limits.memory_bytes >> 20, message: message.to_owned() }
    }
}

fn base_state(environment: Arc<RuntimeEnv>, threads: usize) -> datafusion::error::Result<SessionState> {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads.max(1))
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true);
    let options = config.options_mut();
    options.execution.parquet.pushdown_filters = true;
    // Ordered by `RarestFilterFirst` instead: the engine would begin with the smallest column, which rules
    // out the fewest rows.
    options.execution.parquet.reorder_filters = false;
    options.sql_parser.enable_ident_normalization = true;
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(environment)
        .with_default_features()
        .with_optimizer_rule(Arc::new(RarestFilterFirst))
        .with_optimizer_rule(Arc::new(GroupByTable))
        .build();
    for function in percentile::functions() {
        state.register_udaf(Arc::new(function))?;
    }
    Ok(state)
}

/// Views and dictionaries are the engine's own business: readers of every age get plain text.
fn plain_schema(schema: &SchemaRef) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| {
            let plain = match field.data_type() {
                DataType::Utf8View => DataType::Utf8,
                DataType::BinaryView => DataType::Binary,
                DataType::Dictionary(_, value) => value.as_ref().clone(),
                other => other.clone(),
            };
            field.as_ref().clone().with_data_type(plain)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn plain(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(array, field)| cast(array, field.data_type()));
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect::<Result<_, _>>()?, &options)
}
