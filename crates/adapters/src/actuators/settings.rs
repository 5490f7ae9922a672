//! Settings of actuators: read strictly, with the name of the actuator in every complaint.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};

use super::Secret;

/// Why an actuator cannot be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ActuatorSettingsError {
    /// A name or a kind is missing, or is no text.
    #[error("an actuator has no `{key}`: give it one, such as `{example}`")]
    Missing {
        /// `name` or `kind`.
        key: &'static str,
        /// What would do.
        example: &'static str,
    },
    /// There is no such kind.
    #[error("the actuator `{name}` is of kind `{kind}`, which there is not: use one of {known}")]
    UnknownKind {
        /// The actuator.
        name: String,
        /// What was written.
        kind: String,
        /// Every kind there is.
        known: String,
    },
    /// A setting is missing, unknown or not usable.
    #[error("the settings of the actuator `{name}` cannot be used: {reason}")]
    Unusable {
        /// The actuator.
        name: String,
        /// What is wrong with which.
        reason: String,
    },
}

/// Looks up a variable of the environment: only the caller knows it.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What an actuator is made from.
pub(super) struct Ingredients<'a> {
    /// Its name in the settings.
    pub(super) name: String,
    /// Its own settings, without name and kind.
    pub(super) settings: serde_json::Value,
    /// The environment, for secrets.
    pub(super) environment: Environment<'a>,
}

impl Ingredients<'_> {
    /// The settings as a type that refuses what it does not know.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, ActuatorSettingsError> {
        serde_json::from_value(self.settings.clone()).map_err(|error| self.unusable(error))
    }

    /// A complaint about the settings.
    pub(super) fn unusable(&self, reason: impl ToString) -> ActuatorSettingsError {
        ActuatorSettingsError::Unusable { name: self.name.clone(), reason: reason.to_string() }
    }

    /// A secret, where one is set.
    pub(super) fn secret(&self, source: Option<&SecretSource>) -> Result<Option<Secret>, ActuatorSettingsError> {
        source.map(|source| Secret::open(source, self.environment).map_err(|reason| self.unusable(reason))).transpose()
    }
}

/// Where a secret is: never in the settings themselves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretSource {
    /// A file, read at each use, so that a new secret needs no restart.
    File(std::path::PathBuf),
    /// A variable of the environment, read once.
    Environment(String),
}

/// Longest time that a change and its reading back may take together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub(super) struct TimeLimit(Duration);

impl TimeLimit {
    const MOST_MS: u64 = 600_000;

    /// A limit of so many milliseconds.
    pub(super) const fn milliseconds(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }

    /// As a duration.
    pub(super) const fn duration(self) -> Duration {
        self.0
    }
}

impl TryFrom<u64> for TimeLimit {
    type Error = String;

    fn try_from(milliseconds: u64) -> Result<Self, String> {
        if 1 <= milliseconds && milliseconds <= Self::MOST_MS {
            return Ok(Self::milliseconds(milliseconds));
        }
        Err(format!("`time_limit_ms` is {milliseconds}, and must lie between 1 and {}", Self::MOST_MS))
    }
}

/// A name that may stand in a command, a path or a file of another program, because it says nothing but itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Word(String);

impl Word {
    /// The name.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Word {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let plain = |character: char| character.is_ascii_alphanumeric() || "_-.:".contains(character);
        if !text.is_empty() && text.len() <= 255 && text.chars().all(plain) {
            return Ok(Self(text));
        }
        Err(format!("`{}` is no name: use letters, digits, `_`, `-`, `.` and `:`", text.escape_debug()))
    }
}

impl std::fmt::Display for Word {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}
