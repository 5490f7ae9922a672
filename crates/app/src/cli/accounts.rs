//! Arguments of `wardline user`, `wardline token` and `wardline audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Remote;
use crate::accounts::Role;

/// `wardline user`
#[derive(Debug, Args)]
#[command(after_help = "Example: wardline user add anna --role analyst && wardline token create anna --expires 90d")]
pub(crate) struct UserArguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: UserCommand,
}

/// What to do with users.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user
    Add {
        /// The name
        user: String,
        /// The most that the user's tokens may do
        #[arg(long)]
        role: Role,
    },
    /// List users
    List {
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a user, and every token of the user
    Remove {
        /// The name
        user: String,
    },
}

/// `wardline token`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline token create ci --name pipeline --role sender --expires 365d > secret\n\nThe secret of a new token is printed this once; the server keeps its hash."
)]
pub(crate) struct TokenArguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token of a user, and print its secret
    Create {
        /// Whose it is
        user: String,
        /// What it is called
        #[arg(long)]
        name: Option<String>,
        /// What it may do; what its user may where left out
        #[arg(long)]
        role: Option<Role>,
        /// Until when it is good: a time, or a span from now such as 90d; for ever where left out
        #[arg(long, value_name = "TIME|SPAN")]
        expires: Option<String>,
        /// Print the token with its secret as JSON
        #[arg(long)]
        json: bool,
    },
    /// List tokens, without their secrets
    List {
        /// Only those of a user
        #[arg(long)]
        user: Option<String>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token: it is refused from then on
    Revoke {
        /// Its id, such as t-0123456789ab
        #[arg(value_name = "TOKEN")]
        id: String,
    },
}

/// `wardline audit`
#[derive(Debug, Args)]
#[command(
    after_help = "Example: wardline audit export audit.ndjson && wardline audit verify audit.ndjson\n\nExit status: 0 as it was written, 1 damaged, 2 not done."
)]
pub(crate) struct AuditArguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List who changed what, and when
    List {
        /// From this record on; the last ones where left out
        #[arg(long, value_name = "NUMBER")]
        from: Option<u64>,
        /// Most records
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Check every record, and say exactly which one was altered
    Verify {
        /// An exported log; the server's own where left out
        file: Option<PathBuf>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the log to a file, as it is
    Export {
        /// The file
        file: PathBuf,
    },
}
