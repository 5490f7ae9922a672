//! Arguments of `wardline notifications` and `wardline export`.

use clap::{Args, Subcommand, ValueEnum};

use super::Remote;

/// `wardline notifications`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline notifications list --status dead\n\nExit status: 0 good, 1 something listed was given up, 2 not done."
)]
pub(crate) struct NotificationsArguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: NotificationsCommand,
}

/// What to do with notifications.
#[derive(Debug, Subcommand)]
pub(crate) enum NotificationsCommand {
    /// List what was told whom, the newest first
    List {
        /// Only those of this status
        #[arg(long, value_enum)]
        status: Option<StatusName>,
        /// Only those to this notifier
        #[arg(long, value_name = "NAME")]
        to: Option<String>,
        /// Most notifications
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Try one again that was given up, or all of them
    Retry {
        /// Its id
        #[arg(value_name = "ID", required_unless_present = "dead")]
        id: Option<String>,
        /// Every one that was given up
        #[arg(long, conflicts_with = "id")]
        dead: bool,
    },
    /// Send a test to a notifier, and say whether it took it
    Test {
        /// The notifier's name in the settings
        name: String,
    },
}

/// What became of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusName {
    /// It is to be sent
    Waiting,
    /// It was taken, and is repeated until it is over
    Standing,
    /// It was taken
    Sent,
    /// It was given up
    Dead,
}

impl StatusName {
    /// The name in the API.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Standing => "standing",
            Self::Sent => "sent",
            Self::Dead => "dead",
        }
    }
}

/// `wardline export`
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// What to export
    #[command(subcommand)]
    pub(crate) command: ExportCommand,
}

/// What to export.
#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Print alerts in the form of another system
    #[command(after_help = "Example: wardline export alerts --format stix --incident i-0123456789abcdef > bundle.json")]
    Alerts(ExportAlertsArguments),
}

/// `wardline export alerts`
#[derive(Debug, Args)]
pub(crate) struct ExportAlertsArguments {
    /// The form
    #[arg(long, value_enum)]
    pub(crate) format: FormatName,
    /// Raised at this time or later
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Raised before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only those of a model
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// Only those of an incident
    #[arg(long, value_name = "ID")]
    pub(crate) incident: Option<String>,
    /// Most alerts, the newest ones
    #[arg(long, default_value_t = 1_000)]
    pub(crate) limit: u32,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) remote: Remote,
}

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// Detection Findings of OCSF 1.8.0, one a line
    Ocsf,
    /// Documents of the Elastic Common Schema, one a line
    Ecs,
    /// One bundle of STIX 2.1
    Stix,
}

impl FormatName {
    /// The name in the API.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ocsf => "ocsf",
            Self::Ecs => "ecs",
            Self::Stix => "stix",
        }
    }
}
