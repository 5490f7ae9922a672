//! What the audit log holds: who changed what, and when.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::Role;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The user, or the name of a token in the settings.
    pub(crate) who: Arc<str>,
    /// What they may do.
    pub(crate) role: Role,
    /// The token, where it was made at run time.
    pub(crate) token: Option<Arc<str>>,
}

/// A record of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditRecord {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) time: Timestamp,
    /// Who: a user, the name of a token in the settings, or `local`.
    pub(crate) who: String,
    /// As what.
    pub(crate) role: Role,
    /// With which token, where it was made at run time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// What was done.
    pub(crate) deed: Deed,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Deed {
    /// A user was added.
    UserAdded {
        /// The user.
        user: String,
        /// The most that the user's tokens may do.
        role: Role,
    },
    /// A user was removed, and every token of the user with it.
    UserRemoved {
        /// The user.
        user: String,
    },
    /// A token was made.
    TokenCreated {
        /// Its id.
        token: String,
        /// Whose it is.
        user: String,
        /// What it is called.
        name: String,
        /// What it may do.
        role: Role,
        /// BLAKE3 hash of its secret, which is written nowhere.
        hash: String,
        /// Until when it is good; for ever where left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, format = DateTime)]
        expires: Option<Timestamp>,
    },
    /// A token was revoked.
    TokenRevoked {
        /// Its id.
        token: String,
    },
    /// A request that changed something was answered.
    Changed {
        /// Its method.
        method: String,
        /// Its path, with the query.
        path: String,
        /// How it was answered.
        status: u16,
    },
}

impl AuditRecord {
    /// What somebody did.
    pub(super) fn of(caller: &Caller, deed: Deed, time: Timestamp) -> Self {
        Self {
            time,
            who: caller.who.to_string(),
            role: caller.role,
            token: caller.token.as_ref().map(ToString::to_string),
            deed,
        }
    }
}

impl std::fmt::Display for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UserAdded { user, role } => write!(f, "added user {user} as {role}"),
            Self::UserRemoved { user } => write!(f, "removed user {user}"),
            Self::TokenCreated { token, user, role, expires, .. } => {
                write!(f, "created token {token} of {user} as {role}")?;
                expires.map_or(Ok(()), |expires| write!(f, " until {expires}"))
            }
            Self::TokenRevoked { token } => write!(f, "revoked token {token}"),
            Self::Changed { method, path, status } => write!(f, "{method} {path}: {status}"),
        }
    }
}
