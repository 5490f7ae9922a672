//! Arguments of `wardline playbook`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Remote;

/// `wardline playbook`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline playbook run bad_canary --dry-run --set incident=INC-1 --set model=fraud --set version=2.1 --set standing=2.0\n\nExit status: 0 good, 1 a playbook is not valid or a run failed, 2 not done."
)]
pub(crate) struct PlaybookArguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: PlaybookCommand,
}

/// What to do with playbooks.
#[derive(Debug, Subcommand)]
pub(crate) enum PlaybookCommand {
    /// List the playbooks there are
    List(PlaybookListArguments),
    /// Say everything that is wrong with the file of a playbook
    Check {
        /// CACAO 2.0 playbook (JSON)
        file: PathBuf,
    },
    /// Show what a playbook does, and what it needs
    Show {
        /// Its name, or a file
        playbook: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Run a playbook, or go through it with nothing done
    Run(PlaybookRunArguments),
    /// List runs, the newest first
    Runs(PlaybookListArguments),
    /// Show one run: what was done, and what it waits for
    Status {
        /// The run
        run: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Approve a step of a run
    Approve {
        #[command(flatten)]
        #[allow(missing_docs)]
        step: StepArguments,
    },
    /// Refuse a step of a run, which then has failed
    Reject {
        #[command(flatten)]
        #[allow(missing_docs)]
        step: StepArguments,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Say that what a step asks people for is done, or why it is not
    Answer {
        #[command(flatten)]
        #[allow(missing_docs)]
        step: StepArguments,
        /// It is done: what was done, for the record
        #[arg(long, value_name = "TEXT", required_unless_present = "not_done", conflicts_with = "not_done")]
        done: Option<String>,
        /// It is not done: why, for the record
        #[arg(long, value_name = "TEXT")]
        not_done: Option<String>,
    },
    /// Stop a run; what was done stays
    Stop {
        /// The run
        run: String,
        /// Why, for the record
        #[arg(long, default_value = "")]
        reason: String,
    },
}

/// How something is listed.
#[derive(Debug, Args)]
pub(crate) struct PlaybookListArguments {
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `wardline playbook run`
#[derive(Debug, Args)]
pub(crate) struct PlaybookRunArguments {
    /// The playbook's name; with --dry-run also a file
    pub(crate) playbook: String,
    /// The incident that it is for; its evidence is frozen before anything is done
    #[arg(long, value_name = "ID")]
    pub(crate) incident: Option<String>,
    /// The alert that it is for: its model, version and carriers become values
    #[arg(long, value_name = "ID")]
    pub(crate) alert: Option<String>,
    /// A value that the playbook needs, such as model=fraud
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Say what would be done, and do nothing; works without a server
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which step of which run.
#[derive(Debug, Args)]
pub(crate) struct StepArguments {
    /// The run
    pub(crate) run: String,
    /// The step: the first part of its id, as `status` shows it, or its name
    pub(crate) step: String,
}
