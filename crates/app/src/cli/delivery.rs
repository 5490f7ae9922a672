//! Arguments of `wardline slo` and `wardline dora`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Remote;

/// `wardline slo`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline slo export --format sloth > rules.yml\n\nExit status: 0 good, 1 a budget burns or a file has problems, 2 not done."
)]
pub(crate) struct SloArguments {
    /// What to do with objectives
    #[command(subcommand)]
    pub(crate) command: SloCommand,
}

/// What to do with objectives.
#[derive(Debug, Subcommand)]
pub(crate) enum SloCommand {
    /// List objectives and what is left of their budgets
    List(SloViewArguments),
    /// Show the objectives of a model: budget left, burn of each window, which fired
    Show {
        /// The model, or the service
        #[arg(value_name = "MODEL")]
        model: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        view: SloViewArguments,
    },
    /// Turn files of OpenSLO, Sloth and Pyrra into settings
    Import(SloImportArguments),
    /// Write objectives as OpenSLO, or as rules for Prometheus in the form of Sloth or Pyrra
    Export(SloExportArguments),
}

/// When, where from, and in what form.
#[derive(Clone, Debug, Args)]
pub(crate) struct SloViewArguments {
    /// At what time; now where left out
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Ask the data folder itself instead of a server (none may be running on it)
    #[arg(long)]
    pub(crate) local: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}

/// `wardline slo import`
#[derive(Debug, Args)]
pub(crate) struct SloImportArguments {
    /// Files of OpenSLO v1 or v1alpha, Sloth or Pyrra
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The model that is meant, where the files say nothing of models; may be given again
    #[arg(long = "model", value_name = "MODEL")]
    pub(crate) models: Vec<String>,
    /// Add them to this settings file instead of printing them
    #[arg(long, value_name = "FILE")]
    pub(crate) append: Option<PathBuf>,
}

/// `wardline slo export`
#[derive(Debug, Args)]
pub(crate) struct SloExportArguments {
    /// As what
    #[arg(long, value_enum, default_value = "openslo")]
    pub(crate) format: SloFormatName,
    /// Only those of a model or service
    #[arg(long)]
    pub(crate) model: Option<String>,
}

/// What objectives are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SloFormatName {
    /// OpenSLO v1
    Openslo,
    /// OpenSLO v1alpha, which knows no alerts
    OpensloV1alpha,
    /// Rules for Prometheus under Sloth's names
    Sloth,
    /// Rules for Prometheus under Pyrra's names
    Pyrra,
}

/// `wardline dora`
#[derive(Debug, Args)]
#[command(after_help = "Example: wardline dora fraud --from 2026-10-01T00:00:00Z --json")]
pub(crate) struct DoraArguments {
    /// The model; all of them where left out
    #[arg(value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// From when; 30 days before --to where left out
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Until when; now where left out
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Ask the data folder itself instead of a server (none may be running on it)
    #[arg(long)]
    pub(crate) local: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}
