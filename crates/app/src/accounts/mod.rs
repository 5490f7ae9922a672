//! Who may ask this server for what, and the audit log of what was changed: a chain of hashes that cannot be altered
//! unnoticed. Users and tokens are what that log says; nothing else holds them.

mod book;
mod chain;
mod desk;
mod record;
mod role;
mod secret;

pub(crate) use book::{AccountToken, NewToken, Refused, User};
pub(crate) use chain::{Listed, Verification, verify_lines};
pub(crate) use desk::{AccountError, Accounts};
pub(crate) use record::{AuditRecord, Caller, Deed};
pub(crate) use role::Role;
pub(crate) use secret::SecretHash;
