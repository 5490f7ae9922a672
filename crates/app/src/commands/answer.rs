//! Questions to a server or to a data folder, and their answers as people and programs read them.

use std::sync::Arc;

use anyhow::Context as _;
use arrow::{
    array::RecordBatch,
    datatypes::SchemaRef,
    ipc::reader::StreamReader,
    util::display::{ArrayFormatter, FormatOptions},
};
use comfy_table::{Cell, CellAlignment, Table, presets};

use super::client::Api;
use crate::{
    cli::Remote,
    pipeline::Pipeline,
    screen,
    server::{QueryRequest, TRUNCATED_HEADER},
    settings::Settings,
};

/// Answers of a server come in this form.
const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// An answer.
pub(super) struct Answer {
    pub(super) schema: SchemaRef,
    pub(super) batches: Vec<RecordBatch>,
    pub(super) truncated: bool,
}

/// Who answers questions.
pub(super) enum Tables {
    /// A server.
    Server(Api),
    /// A data folder that no server runs on.
    Folder(Box<Pipeline>, Box<Settings>),
}

impl Tables {
    /// Opens the data folder of the settings, or talks to a server.
    pub(super) async fn open(remote: &Remote, is_local: bool, settings: Settings) -> anyhow::Result<Self> {
        if is_local {
            return Ok(Self::Folder(Box::new(Pipeline::open(&settings).await?), Box::new(settings)));
        }
        Ok(Self::Server(Api::new(remote)?))
    }

    pub(super) async fn ask(&self, request: &QueryRequest) -> anyhow::Result<Answer> {
        match self {
            Self::Server(api) => {
                let response = api.ask("/v1/query", request, ARROW_STREAM).await?;
                let truncated = response.headers().contains_key(TRUNCATED_HEADER);
                let broke_off = "the answer broke off: the query may have run into its limits";
                let bytes = response.bytes().await.context(broke_off)?;
                let reader = StreamReader::try_new(bytes.as_ref(), None)?;
                let schema = reader.schema();
                Ok(Answer { schema, batches: reader.collect::<Result<Vec<_>, _>>()?, truncated })
            }
            Self::Folder(pipeline, settings) => {
                let answer = crate::server::answer(pipeline.engine(), request, &settings.query).await;
                let (schema, batches, truncated) = answer.map_err(|error| anyhow::anyhow!("{error}"))?;
                Ok(Answer { schema, batches, truncated })
            }
        }
    }

    /// The rows of an answer, as objects.
    pub(super) async fn rows(&self, sql: &str) -> anyhow::Result<Vec<serde_json::Value>> {
        let request = QueryRequest { sql: sql.to_owned(), max_rows: None, timeout_seconds: None };
        let answer = self.ask(&request).await?;
        let mut lines = Vec::new();
        answer.write_json(&mut lines)?;
        let rows = serde_json::Deserializer::from_slice(&lines).into_iter::<serde_json::Value>();
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    }

    /// Lets go of the data folder.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Folder(pipeline, _) => pipeline.close().await,
        }
    }
}

impl Answer {
    pub(super) fn n_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// One JSON object a row.
    pub(super) fn write_json(&self, mut out: impl std::io::Write) -> anyhow::Result<()> {
        let mut writer = arrow::json::LineDelimitedWriter::new(&mut out);
        self.batches.iter().try_for_each(|batch| writer.write(batch))?;
        Ok(writer.finish()?)
    }

    /// CSV with a header.
    pub(super) fn write_csv(&self, mut out: impl std::io::Write) -> anyhow::Result<()> {
        let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(&mut out);
        let nothing = RecordBatch::new_empty(Arc::clone(&self.schema));
        std::iter::once(&nothing).chain(&self.batches).try_for_each(|batch| writer.write(batch))?;
        Ok(())
    }

    /// As people read it: numbers to the right.
    pub(super) fn write_table(&self, mut out: impl std::io::Write) -> anyhow::Result<()> {
        writeln!(out, "{}", self.table()?)?;
        Ok(())
    }

    fn table(&self) -> anyhow::Result<Table> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(self.schema.fields().iter().map(|field| field.name().clone()));
        let options = FormatOptions::default().with_null("");
        for batch in &self.batches {
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
}
