//! Arguments of `wardline bench`.

use std::path::PathBuf;

use clap::Args;

/// `wardline bench`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline bench --python venv/bin/python --json figures.json\n\nbenches/README.md says how each figure is made."
)]
pub(crate) struct BenchArguments {
    /// What to measure; all of it where left out
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    pub(crate) only: Vec<BenchPart>,
    /// Seconds of load on the intake
    #[arg(long, default_value_t = 20)]
    pub(crate) seconds: u64,
    /// Events a second to offer; as fast as the server takes them, then 80 % of that, where left out
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Connections that send at the same time
    #[arg(long, default_value_t = 16)]
    pub(crate) connections: usize,
    /// Events in one request
    #[arg(long, value_name = "EVENTS", default_value_t = 1_500)]
    pub(crate) batch: usize,
    /// Keys of model, version and channel
    #[arg(long, default_value_t = 1_000)]
    pub(crate) keys: usize,
    /// Million events in the files that storage, hunt and the peers' reading are measured with
    #[arg(long, default_value_t = 2)]
    pub(crate) million_in_files: u64,
    /// Million stored events for the queries; 0 leaves them out
    #[arg(long, default_value_t = 20)]
    pub(crate) million_stored: u64,
    /// Python with duckdb, chdb and pyarrow, for the peers; they are left out without it
    #[arg(long, value_name = "PYTHON")]
    pub(crate) python: Option<PathBuf>,
    /// Write the figures as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Folder for the bench's data, where events that were written before are used again; a temporary one otherwise
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
}

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BenchPart {
    /// Events a second over HTTP until they are synced and watched; latency of acknowledgements; memory
    Intake,
    /// From an event to the query and to the alert that see it
    Freshness,
    /// Size of stored events, and hunts over files
    Files,
    /// Queries over stored events
    Query,
}
