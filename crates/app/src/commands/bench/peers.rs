//! Other engines, from Python, doing the same work on the same bytes.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// The script; it is also in the repository, for those who want to run it alone.
const SCRIPT: &str = include_str!("../../../../../benches/peers.py");

/// A Python that has the peers.
pub(super) struct Peers {
    python: PathBuf,
    versions: Versions,
    threads: usize,
}

#[derive(Deserialize)]
struct Versions {
    duckdb: String,
    chdb: String,
}

/// What a peer made of the NDJSON.
pub(super) struct Converted {
    pub(super) name: &'static str,
    pub(super) version: String,
    pub(super) wall_seconds: f64,
    pub(super) processor_seconds: f64,
    pub(super) bytes: u64,
}

#[derive(Deserialize)]
struct ConvertedFile {
    wall_seconds: f64,
    processor_seconds: f64,
    bytes: u64,
}

/// What a peer took for a query, once warm.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    pub(super) rows: usize,
    pub(super) wall_seconds: f64,
    pub(super) processor_seconds: f64,
}

#[derive(Deserialize)]
struct Answers {
    answers: Vec<Asked>,
}

impl Peers {
    /// Looks whether a Python has the peers.
    pub(super) fn check(python: &Path) -> anyhow::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let versions = run(python, &json!({ "do": "check" })).with_context(|| {
            format!("`{}` cannot run the peers: `{0} -m pip install duckdb chdb pyarrow`", python.display())
        })?;
        Ok(Self { python: python.to_owned(), versions, threads })
    }

    /// The peer that is asked queries, with its version.
    pub(super) fn query_engine(&self) -> String {
        format!("DuckDB {}", self.versions.duckdb)
    }

    /// Reads NDJSON into Parquet files in a folder, with each peer in a process of its own.
    pub(super) fn convert(&self, ndjson: &Path, folder: &Path) -> anyhow::Result<Vec<Converted>> {
        let of = |name: &'static str, key: &str, version: &String| {
            let parquet = folder.join(format!("{key}.parquet"));
            let task =
                json!({ "do": "convert", "peer": key, "ndjson": ndjson, "parquet": parquet, "threads": self.threads });
            let file: ConvertedFile = run(&self.python, &task)?;
            let ConvertedFile { wall_seconds, processor_seconds, bytes } = file;
            anyhow::Ok(Converted { name, version: version.clone(), wall_seconds, processor_seconds, bytes })
        };
        Ok(vec![of("DuckDB", "duckdb", &self.versions.duckdb)?, of("chdb", "chdb", &self.versions.chdb)?])
    }

    /// Asks DuckDB queries over Parquet files, each so many times.
    pub(super) fn ask(&self, files: &[PathBuf], queries: &[String], runs: usize) -> anyhow::Result<Vec<Asked>> {
        let task = json!({ "do": "query", "files": files, "queries": queries, "threads": self.threads, "runs": runs });
        let Answers { answers } = run(&self.python, &task)?;
        if answers.len() != queries.len() {
            bail!("the peer answered {} of {} queries", answers.len(), queries.len());
        }
        Ok(answers)
    }
}

fn run<A: DeserializeOwned>(python: &Path, task: &Value) -> anyhow::Result<A> {
    let output =
        Command::new(python).arg("-c").arg(SCRIPT).arg(task.to_string()).output().context("cannot start it")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{}", said.lines().last().unwrap_or("it failed and said nothing"));
    }
    serde_json::from_slice(&output.stdout).context("its answer is not what the script prints")
}
