//! What somebody may do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A role. Each may do what the ones below it may; [`Role::Sender`] stands apart: it may only send events, and of the
/// others only [`Role::Admin`] may send them too. Whoever looks at alerts has no reason to make up events.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Sends events, and does nothing else
    Sender,
    /// Reads
    Viewer,
    /// Works on alerts: acknowledges, notes, silences, replays
    Analyst,
    /// Acts: rollouts, playbooks, evidence
    Responder,
    /// Everything, accounts included
    Admin,
}

impl Role {
    /// Every role.
    pub(crate) const ALL: [Self; 5] = [Self::Sender, Self::Viewer, Self::Analyst, Self::Responder, Self::Admin];

    /// The name in settings, in JSON and on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Responder => "responder",
            Self::Admin => "admin",
        }
    }

    /// The role of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether this role may do what needs another one.
    pub(crate) const fn may(self, needed: Self) -> bool {
        match needed {
            Self::Sender => matches!(self, Self::Sender | Self::Admin),
            needed => needed as u8 <= self as u8,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_those_below_it_may_and_sending_is_apart() {
        let may = |role: Role| Role::ALL.into_iter().filter(|needed| role.may(*needed)).collect::<Vec<_>>();
        assert_eq!(may(Role::Sender), [Role::Sender]);
        assert_eq!(may(Role::Viewer), [Role::Viewer]);
        assert_eq!(may(Role::Analyst), [Role::Viewer, Role::Analyst]);
        assert_eq!(may(Role::Responder), [Role::Viewer, Role::Analyst, Role::Responder]);
        assert_eq!(may(Role::Admin), Role::ALL);
    }
}
