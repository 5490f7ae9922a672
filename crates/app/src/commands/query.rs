//! `wardline query`: a question in SQL, to a server or to a data folder.

use std::io::Write as _;

use anyhow::Context as _;
use arrow::ipc::writer::StreamWriter;

use super::{
    Outcome,
    answer::{Answer, Tables},
};
use crate::{
    cli::QueryArguments,
    server::QueryRequest,
    settings::{Settings, parse_span},
};

pub(super) async fn run(arguments: &QueryArguments, settings: Settings) -> anyhow::Result<Outcome> {
    let timeout_seconds = match &arguments.timeout {
        Some(text) => Some(
            parse_span(text).with_context(|| format!("`{text}` is no length of time: write 30s or 5m"))? as f64 / 1e6,
        ),
        None => None,
    };
    let request = QueryRequest { sql: arguments.sql.clone(), max_rows: arguments.max_rows, timeout_seconds };
    let tables = Tables::open(&arguments.remote, arguments.local, settings).await?;
    let answer = tables.ask(&request).await;
    tables.close().await?;
    let answer = answer?;
    write(arguments, &answer)?;
    if answer.truncated {
        let rows = answer.n_rows();
        eprintln!("only the first {rows} rows: raise --max-rows, or ask for fewer with LIMIT or GROUP BY");
    }
    Ok(Outcome::Good)
}

fn write(arguments: &QueryArguments, answer: &Answer) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if let Some(file) = &arguments.parquet {
        return wardline_store::sql::write_parquet(file, &answer.schema, &answer.batches)
            .with_context(|| format!("cannot write `{}`", file.display()));
    }
    if arguments.json {
        answer.write_json(&mut out)?;
    } else if arguments.csv {
        answer.write_csv(&mut out)?;
    } else if arguments.arrow {
        let mut writer = StreamWriter::try_new(&mut out, &answer.schema)?;
        answer.batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.finish()?;
    } else {
        answer.write_table(&mut out)?;
    }
    out.flush()?;
    Ok(())
}
