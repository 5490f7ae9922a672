//! Arguments of `wardline evidence` and `wardline verify`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Remote;

/// `wardline evidence`
#[derive(Debug, Args)]
#[command(after_help = "Example: wardline evidence export i-3f --out incident.zip")]
pub(crate) struct EvidenceArguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: EvidenceCommand,
}

/// What to do with evidence.
#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Freeze what is known of an incident, and write the signed pack to a file
    Export {
        /// The incident, by the first letters of its id
        incident: String,
        /// The file; by default it is called as the pack
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Print the fingerprint of the key that signs: what others compare
    Key,
}

/// `wardline verify`
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 as it was signed, 1 altered, 2 not done. No server is needed.")]
pub(crate) struct VerifyArguments {
    /// The pack
    pub(crate) pack: PathBuf,
    /// Fingerprint of the key that should have signed it
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) key: Option<String>,
}
