//! The command line: one definition from which help, completions and the manual page come.

mod accounts;
mod bench;
mod delivery;
mod evidence;
mod incident;
mod notifications;
mod playbook;
mod rollout;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use accounts::{AuditArguments, AuditCommand, TokenArguments, TokenCommand, UserArguments, UserCommand};
pub(crate) use bench::{BenchArguments, BenchPart};
pub(crate) use delivery::{
    DoraArguments, SloArguments, SloCommand, SloExportArguments, SloFormatName, SloImportArguments, SloViewArguments,
};
pub(crate) use evidence::{EvidenceArguments, EvidenceCommand, VerifyArguments};
pub(crate) use incident::{IncidentArguments, IncidentCommand, LineageArguments, LineageCommand};
pub(crate) use notifications::{
    ExportAlertsArguments, ExportArguments, ExportCommand, NotificationsArguments, NotificationsCommand,
};
pub(crate) use playbook::{PlaybookArguments, PlaybookCommand, PlaybookRunArguments, StepArguments};
pub(crate) use rollout::{RolloutArguments, RolloutCommand};

/// Watches AI models in service: learns what is normal for each, and says what is wrong, since when, and
/// which slice of the traffic carries it.
#[derive(Debug, Parser)]
#[command(name = "wardline", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Settings file (TOML); everything in it is optional
    #[arg(long, short, global = true, env = "WARDLINE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Whether this process is a server, whose log is for operators.
    pub(crate) const fn is_server(&self) -> bool {
        matches!(self.command, Command::Serve(_))
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read telemetry files and say what is wrong in them
    Hunt(HuntArguments),
    /// Estimate from files how good a model was while its labels are missing
    Estimate(EstimateArguments),
    /// Take in telemetry over HTTP, watch it, and answer queries
    Serve(ServeArguments),
    /// Send telemetry from a file to a server
    Send(SendArguments),
    /// Ask the tables a question in SQL
    Query(QueryArguments),
    /// Print what is normal for a model
    Baseline(BaselineArguments),
    /// List alerts, or say what one turned out to be
    Alerts(AlertsArguments),
    /// List, show and run saved hunts: questions for signs of known attacks
    Hunts(HuntsArguments),
    /// Say which attacks of MITRE ATLAS are looked for, can be seen, and were found
    Atlas(AtlasArguments),
    /// Show the false alerts that were promised, against what was raised, held back and acknowledged
    Budget(BudgetArguments),
    /// Say how much of the error budgets is left; read and write objectives of other tools
    Slo(SloArguments),
    /// Say how often versions go out, how long changes take, how many fail, and how fast that is mended
    Dora(DoraArguments),
    /// List users, keys, channels and the like that findings name, the riskiest first
    Entities(EntitiesArguments),
    /// Say what a detector or a rule would have raised, over stored events or files
    Backtest(BacktestArguments),
    /// List records that could not be taken in, and replay them
    DeadLetters(DeadLettersArguments),
    /// Test, check, list and import detection rules in Sigma
    Rules(RulesArguments),
    /// Begin, show, decide and replay rollouts of new versions
    Rollout(RolloutArguments),
    /// List, check and run playbooks, and approve, refuse or answer what a run waits for
    Playbook(PlaybookArguments),
    /// List, show and work on incidents: alerts of one cause, and what was done about them
    Incident(IncidentArguments),
    /// Freeze what is known of an incident as a signed pack
    Evidence(EvidenceArguments),
    /// Check an evidence pack, without any server
    Verify(VerifyArguments),
    /// Take in and show what flows into what: datasets, channels, models, and the systems behind them
    Lineage(LineageArguments),
    /// Add, list and remove users
    User(UserArguments),
    /// Make, list and revoke tokens of users
    Token(TokenArguments),
    /// List who changed what, check that the log of it is as it was written, and export it
    Audit(AuditArguments),
    /// List notifications, send one again, and try a notifier
    Notifications(NotificationsArguments),
    /// Print alerts in the forms of other systems: OCSF, ECS, STIX
    Export(ExportArguments),
    /// Check the settings and say what they amount to
    Check,
    /// Play a bundled scenario through a real server, and show what it found
    Demo(DemoArguments),
    /// Measure intake, hunt, storage and freshness on this machine
    Bench(BenchArguments),
    /// Print the description of the HTTP API, in OpenAPI 3.1
    Openapi,
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
pub(crate) struct Remote {
    /// Base URL of the server
    #[arg(long, global = true, env = "WARDLINE_URL", value_name = "URL", default_value = "http://127.0.0.1:7430")]
    pub(crate) url: String,
    /// Bearer token
    #[arg(long, global = true, env = "WARDLINE_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

/// `wardline hunt`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline hunt logs/ --report report.html\n\nExit status: 0 nothing wrong, 1 alerts were raised, 2 not done."
)]
pub(crate) struct HuntArguments {
    /// Files or folders of .ndjson[.gz|.zst], .parquet or .csv
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Print alerts as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a self-contained HTML page with plots of what happened
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write the incidents, with what is known of their cause, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) incidents: Option<PathBuf>,
    /// End of the learning period; by default the settings say, or the first 30 % of the files' span, at most 14 days
    #[arg(long, value_name = "TIME")]
    pub(crate) learn_until: Option<String>,
    /// Print the learned profile of every model as well
    #[arg(long)]
    pub(crate) baseline: bool,
    /// No progress bar
    #[arg(long)]
    pub(crate) no_progress: bool,
}

/// `wardline estimate`
#[derive(Debug, Args)]
#[command(
    after_help = "Scores are calibrated on the labels of the learning period, and then say what to expect of later predictions (CBPE)."
)]
pub(crate) struct EstimateArguments {
    /// Files or folders of .ndjson[.gz|.zst], .parquet or .csv
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Chunks of equal numbers of predictions
    #[arg(long, value_name = "NUMBER", default_value = "12")]
    pub(crate) chunks: std::num::NonZeroUsize,
    /// End of the learning period; by default the settings say, or the first 30 % of the files' span, at most 14 days
    #[arg(long, value_name = "TIME")]
    pub(crate) learn_until: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `wardline serve`
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Address to listen on; the settings' `server.listen` otherwise
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Data folder; the settings' `data` otherwise
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
}

/// `wardline send`
#[derive(Debug, Args)]
pub(crate) struct SendArguments {
    /// File of NDJSON, plain, .gz or .zst; `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Events a second; as fast as the server takes them where left out
    #[arg(long, value_name = "EVENTS")]
    pub(crate) rate: Option<f64>,
    /// Events in one request
    #[arg(long, value_name = "EVENTS", default_value_t = 1_000)]
    pub(crate) batch: usize,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
    /// No progress bar
    #[arg(long)]
    pub(crate) no_progress: bool,
}

/// `wardline query`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline query \"SELECT model, count(*), percentile(latency_ms, 0.99) FROM inference GROUP BY model\""
)]
pub(crate) struct QueryArguments {
    /// The question
    #[arg(value_name = "SQL")]
    pub(crate) sql: String,
    /// One JSON object a row
    #[arg(long, group = "form")]
    pub(crate) json: bool,
    /// CSV with a header
    #[arg(long, group = "form")]
    pub(crate) csv: bool,
    /// Arrow IPC stream
    #[arg(long, group = "form")]
    pub(crate) arrow: bool,
    /// Write the answer to a Parquet file
    #[arg(long, value_name = "FILE", group = "form")]
    pub(crate) parquet: Option<PathBuf>,
    /// Ask the data folder itself instead of a server (none may be running on it)
    #[arg(long)]
    pub(crate) local: bool,
    /// Most rows
    #[arg(long, value_name = "ROWS")]
    pub(crate) max_rows: Option<usize>,
    /// Longest time, such as 30s
    #[arg(long, value_name = "SPAN")]
    pub(crate) timeout: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}

/// `wardline baseline`
#[derive(Debug, Args)]
pub(crate) struct BaselineArguments {
    /// The model
    #[arg(value_name = "MODEL")]
    pub(crate) model: String,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}

/// `wardline alerts`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AlertsArguments {
    /// What to do with one
    #[command(subcommand)]
    pub(crate) command: Option<AlertsCommand>,
    /// Only those of a model
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// Most alerts, newest first
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// Print them as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}

/// `wardline hunts`
#[derive(Debug, Args)]
pub(crate) struct HuntsArguments {
    /// What to do with them
    #[command(subcommand)]
    pub(crate) command: HuntsCommand,
}

/// What to do with saved hunts.
#[derive(Debug, Subcommand)]
pub(crate) enum HuntsCommand {
    /// List them
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one: what it looks for, what can be set, and its SQL
    Show {
        /// The hunt
        #[arg(value_name = "NAME")]
        name: String,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask one
    Run(HuntsRunArguments),
}

/// `wardline hunts run`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline hunts run extraction_sweep --model churn --from 2026-11-02T00:00:00Z --param least_inputs=2000\n\nExit status: 0 nothing was found, 1 rows were found, 2 not done."
)]
pub(crate) struct HuntsRunArguments {
    /// The hunt; `wardline hunts list` lists them
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// From when; a week before --to where left out
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Until when; now where left out
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Only this model
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// A parameter, such as least_inputs=2000; may be given again
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// One JSON object a row
    #[arg(long, group = "form")]
    pub(crate) json: bool,
    /// CSV with a header
    #[arg(long, group = "form")]
    pub(crate) csv: bool,
    /// Print the SQL that would be asked, and do not ask it
    #[arg(long, group = "form")]
    pub(crate) sql: bool,
    /// Ask the data folder itself instead of a server (none may be running on it)
    #[arg(long)]
    pub(crate) local: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}

/// `wardline alerts ack`
#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// Say what an alert turned out to be
    Ack(AckArguments),
}

/// `wardline alerts ack`
#[derive(Debug, Args)]
pub(crate) struct AckArguments {
    /// The alert's id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// What it turned out to be: false, true, or known before
    #[arg(long = "as", value_name = "VERDICT", value_parser = ["false", "true", "known"])]
    pub(crate) verdict: String,
    /// What there is to say about it
    #[arg(long, default_value = "")]
    pub(crate) note: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}

/// `wardline atlas`
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example: wardline atlas coverage --layer coverage.json\n\nMITRE ATLAS is (c) The MITRE Corporation, Apache License 2.0; it neither makes nor endorses this program."
)]
pub(crate) struct AtlasArguments {
    /// What to say; coverage where left out
    #[command(subcommand)]
    pub(crate) command: Option<AtlasCommand>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) view: AtlasViewArguments,
}

/// What to say of MITRE ATLAS.
#[derive(Debug, Subcommand)]
pub(crate) enum AtlasCommand {
    /// Which techniques detectors, rules and hunts look for
    Coverage(AtlasViewArguments),
    /// Which techniques could be seen in the telemetry that comes in
    Visibility(AtlasViewArguments),
    /// Which techniques findings are a sign of
    Fired(AtlasViewArguments),
    /// One technique: its tactics, what helps against it, and all of the above
    Technique {
        /// Its id, such as AML.T0051.000
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        view: AtlasViewArguments,
    },
    /// Take another release than the built-in one, from ATLAS.yaml or stix-atlas.json
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        #[allow(missing_docs)]
        view: AtlasViewArguments,
    },
}

/// Where from, since when, and in what form.
#[derive(Clone, Debug, Args)]
pub(crate) struct AtlasViewArguments {
    /// From when; a week before --to where left out
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Until when; now where left out
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a layer for the ATT&CK Navigator
    #[arg(long, value_name = "FILE")]
    pub(crate) layer: Option<PathBuf>,
    /// Ask the data folder itself instead of a server (none may be running on it)
    #[arg(long)]
    pub(crate) local: bool,
    /// Say what this program brings with it, without a server or a data folder
    #[arg(long, conflicts_with = "local")]
    pub(crate) built_in: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}

/// `wardline budget`
#[derive(Debug, Args)]
pub(crate) struct BudgetArguments {
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}

/// `wardline entities`
#[derive(Debug, Args)]
pub(crate) struct EntitiesArguments {
    /// Most entities
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// Print them as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}

/// `wardline backtest`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline backtest data_drift --from 2026-11-01T00:00:00Z --events logs/\n\nExit status: 0 nothing raised, 1 alerts were raised, 2 not done."
)]
pub(crate) struct BacktestArguments {
    /// A detector, a rule, or a file with a rule
    #[arg(value_name = "RULE|DETECTOR")]
    pub(crate) name: String,
    /// Show alerts that were raised at this time or later; events before it are learned from
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Read events before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Read these files instead of what is stored
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) events: Vec<PathBuf>,
    /// End of the learning period; by default the settings say, or the first 30 % of the events' span, at most 14 days
    #[arg(long, value_name = "TIME")]
    pub(crate) learn_until: Option<String>,
    /// Ask the data folder itself instead of a server (none may be running on it)
    #[arg(long, conflicts_with = "events")]
    pub(crate) local: bool,
    /// Print alerts and budget as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress bar
    #[arg(long)]
    pub(crate) no_progress: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}

/// `wardline dead-letters`
#[derive(Debug, Args)]
pub(crate) struct DeadLettersArguments {
    /// Only those with a reason, such as bad_time
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Only those of a source
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Most records, newest first
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// Take them in again, now that what was wrong is mended
    #[arg(long)]
    pub(crate) replay: bool,
    /// Print them as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}

/// `wardline rules`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline rules import sigma/rules && wardline rules test\n\nExit status: 0 good, 1 a rule or a test is wrong, 2 not done."
)]
pub(crate) struct RulesArguments {
    /// What to do with rules
    #[command(subcommand)]
    pub(crate) command: RulesCommand,
}

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Run the tests beside rules: NAME.test.yml beside NAME.yml
    Test {
        /// A rule or a folder of rules; the shipped ones and those of the settings' folder where left out
        #[arg(value_name = "PATH")]
        path: Option<PathBuf>,
    },
    /// Say what is wrong with rules, and what to know about them
    Lint {
        /// A rule or a folder of rules
        #[arg(value_name = "PATH")]
        path: PathBuf,
    },
    /// List the rules that run
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Copy the rules of a folder, such as SigmaHQ's, that are understood here to the settings' folder
    Import {
        /// A rule or a folder of rules
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// `wardline demo`
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Seed of the scenario
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Write the scenario to a file as NDJSON instead, with the settings beside it, to hunt through
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Keep the server running afterwards, so that you can look around
    #[arg(long)]
    pub(crate) keep: bool,
    /// Folder for the demo's data; a temporary one otherwise
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// No progress bar
    #[arg(long)]
    pub(crate) no_progress: bool,
}
