//! Arguments of `wardline rollout`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Remote;

/// `wardline rollout`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline rollout start rollout.yml\n\nExit status: 0 good, 1 the version is worse or a replay does not agree, 2 not done."
)]
pub(crate) struct RolloutArguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: RolloutCommand,
}

/// What to do with rollouts.
#[derive(Debug, Subcommand)]
pub(crate) enum RolloutCommand {
    /// Begin a rollout from its file
    Start {
        /// Rollout file (YAML)
        file: PathBuf,
    },
    /// List all rollouts with what was done
    List {
        /// Print as JSON, with the records of decisions
        #[arg(long)]
        json: bool,
    },
    /// Show the rollouts of one model, the newest first
    Status {
        /// The model
        model: String,
        /// Print as JSON, with the records of decisions
        #[arg(long)]
        json: bool,
    },
    /// Give the new version all traffic
    Promote {
        /// The model
        model: String,
        /// Why, for the record
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Send the traffic back to the standing version
    Abort {
        /// The model
        model: String,
        /// Why, for the record
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Compute a decision again from the events, and say whether it agrees
    Replay {
        /// A rollout, or a file with the record of a decision
        decision: String,
        /// Files or folders with the events
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}
