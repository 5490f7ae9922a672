//! Arguments of `wardline incident` and `wardline lineage`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Remote;

/// `wardline incident`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline incident list --active\n\nExit status: 0 good, 1 an incident is not over, 2 not done."
)]
pub(crate) struct IncidentArguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// What to do; without it, incidents that are not over are listed
    #[command(subcommand)]
    pub(crate) command: Option<IncidentCommand>,
}

/// What to do with incidents.
#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// List incidents, the latest first
    List {
        /// Only those that are not over
        #[arg(long)]
        active: bool,
        /// Only of this model
        #[arg(long)]
        model: Option<String>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one: what is known of its cause, its timeline, its tasks
    Show {
        /// The incident, by the first letters of its id
        id: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print its log as it is stored: one record a line, each with the hash of the one before
    Log {
        /// The incident
        id: String,
    },
    /// Say what its origin has reached
    Radius {
        /// The incident
        id: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what happens, as it happens
    Watch {
        /// Only of this incident
        id: Option<String>,
    },
    /// Open one that nobody was alerted of
    Open {
        /// What it is about
        title: String,
    },
    /// Take it: you work on it
    Ack {
        /// The incident
        id: String,
    },
    /// Give a role to a person
    Assign {
        /// The incident
        id: String,
        /// commander, investigator, model-owner, data-owner, communications, legal or scribe
        role: String,
        /// Who gets it; nobody frees it
        person: Option<String>,
    },
    /// Write something down
    Note {
        /// The incident
        id: String,
        /// What
        text: String,
    },
    /// Link an address or a query
    Link {
        /// The incident
        id: String,
        /// What it is
        label: String,
        /// Where
        target: String,
    },
    /// Add something to do
    Task {
        /// The incident
        id: String,
        /// What is to be done
        title: String,
        /// Who does it
        #[arg(long)]
        owner: Option<String>,
        /// Until when, as a time
        #[arg(long)]
        due: Option<String>,
    },
    /// Say that a task is done
    Done {
        /// The incident
        id: String,
        /// The number of the task
        task: u32,
        /// What shows that it is done
        outcome: String,
    },
    /// Say that a task will not be done
    Drop {
        /// The incident
        id: String,
        /// The number of the task
        task: u32,
        /// Why
        reason: String,
    },
    /// Say how grave it is
    Severity {
        /// The incident
        id: String,
        /// low, medium, high or critical
        severity: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Say of which class it is
    Classify {
        /// The incident
        id: String,
        /// performance, security, fairness or misuse
        class: String,
    },
    /// State what it did to people and to money
    Impact {
        /// The incident
        id: String,
        /// How it is known: a query, a count, an estimate
        basis: String,
        /// How many people it affected
        #[arg(long)]
        people: Option<u64>,
        /// How many decisions were wrong or missing
        #[arg(long)]
        decisions: Option<u64>,
        /// What it cost, with its currency, such as 1250.50EUR
        #[arg(long)]
        cost: Option<String>,
        /// Since when it did harm, as a time
        #[arg(long)]
        since: Option<String>,
    },
    /// Say what stopped the harm
    Mitigate {
        /// The incident
        id: String,
        /// What stopped it
        what: String,
    },
    /// Say that it is over
    Resolve {
        /// The incident
        id: String,
        /// fixed, accepted or false-alarm
        resolution: String,
        /// What was done, or what was found
        what: String,
    },
    /// Say that it is not over
    Reopen {
        /// The incident
        id: String,
        /// Why
        reason: String,
    },
    /// Let it go on as part of another one
    Merge {
        /// The incident
        id: String,
        /// The other one
        into: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Move some of its alerts to a new incident
    Split {
        /// The incident
        id: String,
        /// What the new one is about
        title: String,
        /// Alerts that go
        #[arg(long = "alert", required = true)]
        alerts: Vec<String>,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// `wardline lineage`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline lineage import openlineage.ndjson\n\nOpenLineage's HTTP transport may send to this server by itself: set its url to it."
)]
pub(crate) struct LineageArguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: LineageCommand,
}

/// What to do with lineage.
#[derive(Debug, Subcommand)]
pub(crate) enum LineageCommand {
    /// Take in what another system tells
    Import {
        /// OpenLineage events, a CycloneDX ML-BOM, or answers of an MLflow server
        file: PathBuf,
        /// What the file is
        #[arg(long, default_value = "openlineage")]
        format: LineageFormat,
    },
    /// Print what flows into what
    Show {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what a node that was contaminated has reached since a moment
    Radius {
        /// The node, such as channel=partner-7
        node: String,
        /// Since when, as a time
        #[arg(long)]
        since: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
}

/// What a file of lineage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineageFormat {
    /// Run events of OpenLineage, one a line
    Openlineage,
    /// A bill of materials in CycloneDX 1.5 or later
    Cyclonedx,
    /// Answers of runs/get, runs/search or model-versions/search
    Mlflow,
}

impl LineageFormat {
    /// Its name in requests.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Openlineage => "openlineage",
            Self::Cyclonedx => "cyclonedx",
            Self::Mlflow => "mlflow",
        }
    }
}
