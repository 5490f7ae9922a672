//! The command line: one definition from which help, completions and the manual page come.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Watches AI models in service: learns what is normal for each, and says what is wrong, since when, and
/// which slice of the traffic carries it.
#[derive(Debug, Parser)]
#[command(name = "wardline", version, max_term_width = 100)]
pub struct Arguments {
    /// Settings file (TOML); everything in it is optional
    #[arg(long, short, global = true, env = "WARDLINE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// Whether this process is a server, whose log is for operators.
    pub const fn is_server(&self) -> bool {
        matches!(self.command, Command::Serve(_))
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read telemetry files and say what is wrong in them
    Hunt(HuntArguments),
    /// Take in telemetry over HTTP, watch it, and answer queries
    Serve(ServeArguments),
    /// Send telemetry from a file to a server
    Send(SendArguments),
    /// Ask the tables a question in SQL
    Query(QueryArguments),
    /// Print what is normal for a model
    Baseline(BaselineArguments),
    /// List alerts
    Alerts(AlertsArguments),
    /// List records that could not be taken in, and replay them
    DeadLetters(DeadLettersArguments),
    /// Check the settings and say what they amount to
    Check,
    /// Play a bundled scenario through a real server, and show what it found
    Demo(DemoArguments),
    /// Measure intake, hunt, storage and freshness on this machine
    Bench(BenchArguments),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Manual,
}

/// Where the server is, and who asks.
#[derive(Clone, Debug, Args)]
pub struct Remote {
    /// Base URL of the server
    #[arg(long, env = "WARDLINE_URL", value_name = "URL", default_value = "http://127.0.0.1:7430")]
    pub url: String,
    /// Bearer token
    #[arg(long, env = "WARDLINE_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

/// `wardline hunt`
#[derive(Debug, Args)]
#[command(after_help = "Example: wardline hunt logs/ --report report.html\n\nExit status: 0 nothing wrong, 1 alerts were raised, 2 not done.")]
pub struct HuntArguments {
    /// Files or folders of .ndjson[.gz|.zst], .parquet or .csv
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Print alerts as JSON
    #[arg(long)]
    pub json: bool,
    /// Write a self-contained HTML page with plots of what happened
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// End of the learning period; by default the settings say, or the first 30 % of the files' span, at most 14 days
    #[arg(long, value_name = "TIME")]
    pub learn_until: Option<String>,
    /// Print the learned profile of every model as well
    #[arg(long)]
    pub baseline: bool,
    /// No progress bar
    #[arg(long)]
    pub no_progress: bool,
}

/// `wardline serve`
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Address to listen on; the settings' `server.listen` otherwise
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Data folder; the settings' `data` otherwise
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

/// `wardline send`
#[derive(Debug, Args)]
pub struct SendArguments {
    /// File of NDJSON, plain, .gz or .zst; `-` for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Events a second; as fast as the server takes them where left out
    #[arg(long, value_name = "EVENTS")]
    pub rate: Option<f64>,
    /// Events in one request
    #[arg(long, value_name = "EVENTS", default_value_t = 1_000)]
    pub batch: usize,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub remote: Remote,
    /// No progress bar
    #[arg(long)]
    pub no_progress: bool,
}

/// `wardline query`
#[derive(Debug, Args)]
#[command(after_help = "Example: wardline query \"SELECT model, count(*), percentile(latency_ms, 0.99) FROM inference GROUP BY model\"")]
pub struct QueryArguments {
    /// The question
    #[arg(value_name = "SQL")]
    pub sql: String,
    /// One JSON object a row
    #[arg(long, group = "form")]
    pub json: bool,
    /// CSV with a header
    #[arg(long, group = "form")]
    pub csv: bool,
    /// Arrow IPC stream
    #[arg(long, group = "form")]
    pub arrow: bool,
    /// Write the answer to a Parquet file
    #[arg(long, value_name = "FILE", group = "form")]
    pub parquet: Option<PathBuf>,
    /// Ask the data folder itself instead of a server (none may be running on it)
    #[arg(long)]
    pub local: bool,
    /// Most rows
    #[arg(long, value_name = "ROWS")]
    pub max_rows: Option<usize>,
    /// Longest time, such as 30s
    #[arg(long, value_name = "SPAN")]
    pub timeout: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub remote: Remote,
}

/// `wardline baseline`
#[derive(Debug, Args)]
pub struct BaselineArguments {
    /// The model
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub remote: Remote,
}

/// `wardline alerts`
#[derive(Debug, Args)]
pub struct AlertsArguments {
    /// Only those of a model
    #[arg(long)]
    pub model: Option<String>,
    /// Most alerts, newest first
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
    /// Print them as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub remote: Remote,
}

/// `wardline dead-letters`
#[derive(Debug, Args)]
pub struct DeadLettersArguments {
    /// Only those with a reason, such as bad_time
    #[arg(long)]
    pub reason: Option<String>,
    /// Only those of a source
    #[arg(long)]
    pub source: Option<String>,
    /// Most records, newest first
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
    /// Take them in again, now that what was wrong is mended
    #[arg(long)]
    pub replay: bool,
    /// Print them as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub remote: Remote,
}

/// `wardline demo`
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Seed of the scenario
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Keep the server running afterwards, so that you can look around
    #[arg(long)]
    pub keep: bool,
    /// Folder for the demo's data; a temporary one otherwise
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// No progress bar
    #[arg(long)]
    pub no_progress: bool,
}

/// `wardline bench`
#[derive(Debug, Args)]
#[command(after_help = "Example: wardline bench --python venv/bin/python --json figures.json\n\nbenches/README.md says how each figure is made.")]
pub struct BenchArguments {
    /// What to measure; all of it where left out
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    pub only: Vec<BenchPart>,
    /// Seconds of load on the intake
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// Events a second to offer; as fast as the server takes them, then 80 % of that, where left out
    #[arg(long)]
    pub rate: Option<f64>,
    /// Connections that send at the same time
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// Events in one request
    #[arg(long, value_name = "EVENTS", default_value_t = 1_500)]
    pub batch: usize,
    /// Keys of model, version and channel
    #[arg(long, default_value_t = 1_000)]
    pub keys: usize,
    /// Million events in the files that storage, hunt and the peers' reading are measured with
    #[arg(long, default_value_t = 2)]
    pub million_in_files: u64,
    /// Million stored events for the queries; 0 leaves them out
    #[arg(long, default_value_t = 20)]
    pub million_stored: u64,
    /// Python with duckdb, chdb and pyarrow, for the peers; they are left out without it
    #[arg(long, value_name = "PYTHON")]
    pub python: Option<PathBuf>,
    /// Write the figures as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Folder for the bench's data, where events that were written before are used again; a temporary one otherwise
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum BenchPart {
    /// Events a second over HTTP until they are synced and watched; latency of acknowledgements; memory
    Intake,
    /// From an event to the query and to the alert that see it
    Freshness,
    /// Size of stored events, and hunts over files
    Files,
    /// Queries over stored events
    Query,
}
