//! Changes to other systems: what is asked for, what came of it, and the port of whatever carries it out.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// One change to another system, in the words of no particular system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// A version gets this share of the model's traffic; the standing one gets the rest.
    SetShare {
        /// The model.
        model: String,
        /// The version that is set.
        version: String,
        /// The version that gets the rest.
        standing: String,
        /// Share of the traffic, `0 <= percent && percent <= 100`.
        percent: f64,
    },
    /// An alias of the registry points to a version.
    MoveAlias {
        /// The model, as the registry names it.
        model: String,
        /// The alias, such as `champion`.
        alias: String,
        /// The version, as the registry numbers it.
        version: String,
        /// Only where the alias points to this version now, so that nobody else's move is undone; `None` for any.
        #[serde(default)]
        from: Option<String>,
    },
    /// A version of the registry is labelled.
    TagVersion {
        /// The model, as the registry names it.
        model: String,
        /// The version, as the registry numbers it.
        version: String,
        /// Name of the tag.
        key: String,
        /// Its value.
        value: String,
    },
    /// Anything else, by a name that an actuator knows: `quarantine_channel`, `revoke_key`, `open_ticket`.
    Named {
        /// What to do.
        name: String,
        /// To what, in the actuator's own words.
        parameters: std::collections::BTreeMap<String, String>,
    },
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetShare { model, version, percent, .. } => {
                write!(formatter, "send {percent} % of the traffic of {model} to {version}")
            }
            Self::MoveAlias { model, alias, version, .. } => {
                write!(formatter, "point the alias {alias} of {model} to version {version}")
            }
            Self::TagVersion { model, version, key, value } => {
                write!(formatter, "tag version {version} of {model} with {key}={value}")
            }
            Self::Named { name, parameters } => {
                write!(formatter, "{name}")?;
                parameters.iter().try_for_each(|(key, value)| write!(formatter, " {key}={value}"))
            }
        }
    }
}

/// An action that is to be carried out once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionRequest {
    /// The same for every attempt at the same step, so that a target that knows it does nothing twice.
    pub id: String,
    /// What to do.
    pub action: Action,
    /// Why, for the target's own log.
    pub reason: String,
}

/// What a target answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionReceipt {
    /// What held before, in the target's words, where it can tell: what an undo needs.
    pub before: Option<String>,
    /// What the target says holds now, read back after the change.
    pub after: Option<String>,
    /// Whether nothing had to be changed.
    pub was_so: bool,
}

/// Why an action was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The target cannot be reached, or asks to come back: it may be tried again.
    #[error("{target} cannot be reached: {reason}")]
    Unreachable {
        /// The actuator.
        target: String,
        /// What happened, and what to do.
        reason: String,
    },
    /// The target said no, and would say it again.
    #[error("{target} refused: {reason}")]
    Refused {
        /// The actuator.
        target: String,
        /// What it said, and what to do.
        reason: String,
    },
    /// The target said yes, and reading back shows otherwise.
    #[error("{target} said that it was done, and shows {found} where {expected} was asked for")]
    NotDone {
        /// The actuator.
        target: String,
        /// What should hold.
        expected: String,
        /// What holds.
        found: String,
    },
    /// The actuator does no such thing.
    #[error("{target} cannot do this: {action}")]
    Unsupported {
        /// The actuator.
        target: String,
        /// What was asked for.
        action: String,
    },
}

impl ActionError {
    /// Whether another attempt may do better.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NotDone { .. })
    }
}

/// Carries out actions in one other system.
///
/// Every change is read back before it counts as done, and asking twice does it once.
#[async_trait]
pub trait Actuator: Send + Sync {
    /// Its name in the settings.
    fn name(&self) -> &str;

    /// Whether it can do such a thing.
    fn can(&self, action: &Action) -> bool;

    /// Reads what holds now for what the action would change, in the words of [`ActionReceipt::after`].
    ///
    /// # Errors
    /// [`ActionError`] where the target does not tell.
    async fn read(&self, action: &Action) -> Result<String, ActionError>;

    /// Does it, and reads it back.
    ///
    /// # Errors
    /// [`ActionError`], which says whether another attempt may do better.
    async fn carry_out(&self, request: &ActionRequest) -> Result<ActionReceipt, ActionError>;
}
