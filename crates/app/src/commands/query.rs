//! `wardline query`: a question in SQL, to a server or to a data folder.

use std::{io::Write as _, sync::Arc};

use anyhow::Context as _;
use arrow::{
    array::RecordBatch,
    datatypes::SchemaRef,
    ipc::{reader::StreamReader, writer::StreamWriter},
    util::display::{ArrayFormatter, FormatOptions},
};
use comfy_table::{Cell, CellAlignment, Table, presets};

use super::{Outcome, client::Api};
use crate::{
    cli::QueryArguments,
    screen,
    server::{QueryRequest, TRUNCATED_HEADER},
    settings::{Settings, parse_span},
};

/// Answers of a server come in this form.
const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// An answer.
struct Answer {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    truncated: bool,
}

pub(super) async fn run(arguments: &QueryArguments, settings: Settings) -> anyhow::Result<Outcome> {
    let timeout_seconds = match &arguments.timeout {
        Some(text) => Some(
            parse_span(text).with_context(|| format!("`{text}` is no length of time: write 30s or 5m"))? as f64 / 1e6,
        ),
        None => None,
    };
    let request = QueryRequest { sql: arguments.sql.clone(), max_rows: arguments.max_rows, timeout_seconds };
    let answer =
        if arguments.local { ask_folder(&request, settings).await? } else { ask_server(arguments, &request).await? };
    write(arguments, &answer)?;
    if answer.truncated {
        let rows: usize = answer.batches.iter().map(RecordBatch::num_rows).sum();
        eprintln!("only the first {rows} rows: raise --max-rows, or ask for fewer with LIMIT or GROUP BY");
    }
    Ok(Outcome::Good)
}

/// A server, or a data folder that none runs on.
pub(super) enum Source {
    Server(Api),
    Folder(Box<crate::pipeline::Pipeline>, crate::settings::QueryLimits),
}

impl Source {
    pub(super) async fn open(remote: &crate::cli::Remote, local: bool, settings: &Settings) -> anyhow::Result<Self> {
        if local {
            let pipeline = crate::pipeline::Pipeline::open(settings).await?;
            return Ok(Self::Folder(Box::new(pipeline), settings.query.clone()));
        }
        Ok(Self::Server(Api::new(remote)?))
    }

    /// The rows of an answer, and whether there are more.
    pub(super) async fn ask(&self, request: &QueryRequest) -> anyhow::Result<(Vec<RecordBatch>, bool)> {
        let answer = match self {
            Self::Server(api) => ask_api(api, request).await?,
            Self::Folder(pipeline, limits) => {
                let answered = crate::server::answer(pipeline.engine(), request, limits).await;
                let (schema, batches, truncated) = answered.map_err(|error| anyhow::anyhow!("{error}"))?;
                Answer { schema, batches, truncated }
            }
        };
        Ok((answer.batches, answer.truncated))
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Folder(pipeline, _) => Ok(pipeline.close().await?),
        }
    }
}

/// Rows as JSON can be written of: texts that repeat as plain ones.
pub(super) fn columns(batch: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    use arrow::{compute::cast, datatypes::{DataType, Field, Schema}};
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

async fn ask_server(arguments: &QueryArguments, request: &QueryRequest) -> anyhow::Result<Answer> {
    ask_api(&Api::new(&arguments.remote)?, request).await
}

async fn ask_api(api: &Api, request: &QueryRequest) -> anyhow::Result<Answer> {
    let response = api.ask("/v1/query", request, ARROW_STREAM).await?;
    let truncated_header = response.headers().contains_key(TRUNCATED_HEADER);
    let bytes = response.bytes().await.context("the answer broke off: the query may have run into its limits")?;
    let reader = StreamReader::try_new(bytes.as_ref(), None)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    Ok(Answer { schema, batches, truncated: truncated_header })
}

async fn ask_folder(request: &QueryRequest, settings: Settings) -> anyhow::Result<Answer> {
    let pipeline = crate::pipeline::Pipeline::open(&settings).await?;
    let answer = crate::server::answer(pipeline.engine(), request, &settings.query).await;
    pipeline.close().await?;
    let (schema, batches, truncated) = answer.map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(Answer { schema, batches, truncated })
}

fn write(arguments: &QueryArguments, answer: &Answer) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if let Some(file) = &arguments.parquet {
        return wardline_store::sql::write_parquet(file, &answer.schema, &answer.batches)
            .with_context(|| format!("cannot write `{}`", file.display()));
    }
    if arguments.json {
        let mut writer = arrow::json::LineDelimitedWriter::new(&mut out);
        answer.batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.finish()?;
    } else if arguments.csv {
        let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(&mut out);
        let nothing = RecordBatch::new_empty(Arc::clone(&answer.schema));
        std::iter::once(&nothing).chain(&answer.batches).try_for_each(|batch| writer.write(batch))?;
    } else if arguments.arrow {
        let mut writer = StreamWriter::try_new(&mut out, &answer.schema)?;
        answer.batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.finish()?;
    } else {
        writeln!(out, "{}", table(answer)?)?;
    }
    out.flush()?;
    Ok(())
}

/// The answer as people read it: numbers to the right.
fn table(answer: &Answer) -> anyhow::Result<Table> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(answer.schema.fields().iter().map(|field| field.name().clone()));
    let options = FormatOptions::default().with_null("");
    for batch in &answer.batches {
        let columns = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options))
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            table.add_row(columns.iter().zip(batch.columns()).map(|(column, array)| {
                let cell = Cell::new(screen::plain(&column.value(row).to_string()));
                if array.data_type().is_numeric() { cell.set_alignment(CellAlignment::Right) } else { cell }
            }));
        }
    }
    Ok(table)
}
