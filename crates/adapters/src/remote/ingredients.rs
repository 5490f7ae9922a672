//! What an actuator or a notifier is made from: settings that are read strictly, with its name in every complaint.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::secret::{Environment, Secret, SecretSource};

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What changes something in another system.
    Actuator,
    /// What tells another system.
    Notifier,
}

impl Part {
    const fn with_article(self) -> &'static str {
        match self {
            Self::Actuator => "an actuator",
            Self::Notifier => "a notifier",
        }
    }

    const fn example_of_name(self) -> &'static str {
        match self {
            Self::Actuator => "edge",
            Self::Notifier => "on-call",
        }
    }

    const fn example_of_kind(self) -> &'static str {
        match self {
            Self::Actuator => "haproxy",
            Self::Notifier => "pagerduty",
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Actuator => "actuator",
            Self::Notifier => "notifier",
        })
    }
}

/// Why an actuator or a notifier cannot be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RemoteSettingsError {
    /// A name or a kind is missing, or is no text.
    #[error("{} has no `{key}`: give it one, such as `{example}`", part.with_article())]
    Missing {
        /// What should be made.
        part: Part,
        /// `name` or `kind`.
        key: &'static str,
        /// What would do.
        example: &'static str,
    },
    /// There is no such kind.
    #[error("the {part} `{name}` is of kind `{kind}`, which there is not: use one of {known}")]
    UnknownKind {
        /// What should be made.
        part: Part,
        /// Its name.
        name: String,
        /// What was written.
        kind: String,
        /// Every kind there is.
        known: String,
    },
    /// A setting is missing, unknown or not usable.
    #[error("the settings of the {part} `{name}` cannot be used: {reason}")]
    Unusable {
        /// What should be made.
        part: Part,
        /// Its name.
        name: String,
        /// What is wrong with which.
        reason: String,
    },
}

/// What one is made from.
pub(crate) struct Ingredients<'a> {
    part: Part,
    /// Its name in the settings.
    pub(crate) name: String,
    /// Its own settings, without name and kind.
    settings: Value,
    /// The environment, for secrets.
    environment: Environment<'a>,
}

/// How a kind is made.
pub(crate) struct Spec<T> {
    /// Its name in the settings.
    pub(crate) kind: &'static str,
    /// Makes one from its settings.
    pub(crate) build: fn(Ingredients<'_>) -> Result<T, RemoteSettingsError>,
}

/// Makes one of the kinds there are from its table in the settings: `name`, `kind`, and what its kind takes.
pub(crate) fn build<T>(
    part: Part,
    specs: &[Spec<T>],
    table: &Value,
    environment: Environment<'_>,
) -> Result<T, RemoteSettingsError> {
    let mut settings = table.as_object().cloned().unwrap_or_default();
    let mut take = |key: &'static str, example: &'static str| match settings.remove(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(RemoteSettingsError::Missing { part, key, example }),
    };
    let name = take("name", part.example_of_name())?;
    let kind = take("kind", part.example_of_kind())?;
    let Some(spec) = specs.iter().find(|spec| spec.kind == kind) else {
        let known = specs.iter().map(|spec| format!("`{}`", spec.kind)).collect::<Vec<_>>().join(", ");
        return Err(RemoteSettingsError::UnknownKind { part, name, kind, known });
    };
    (spec.build)(Ingredients { part, name, settings: settings.into(), environment })
}

impl<'a> Ingredients<'a> {
    /// What somebody else than [`build`] makes one from.
    pub(crate) const fn new(part: Part, name: String, settings: Value, environment: Environment<'a>) -> Self {
        Self { part, name, settings, environment }
    }
}

impl Ingredients<'_> {
    /// The settings as a type that refuses what it does not know.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, RemoteSettingsError> {
        serde_json::from_value(self.settings.clone()).map_err(|error| self.unusable(error))
    }

    /// A complaint about the settings.
    pub(crate) fn unusable(&self, reason: impl ToString) -> RemoteSettingsError {
        RemoteSettingsError::Unusable { part: self.part, name: self.name.clone(), reason: reason.to_string() }
    }

    /// A secret, where one is set.
    pub(crate) fn secret(&self, source: Option<&SecretSource>) -> Result<Option<Secret>, RemoteSettingsError> {
        source.map(|source| Secret::open(source, self.environment).map_err(|reason| self.unusable(reason))).transpose()
    }

    /// A secret that has to be set.
    pub(crate) fn needed_secret(&self, source: &SecretSource) -> Result<Secret, RemoteSettingsError> {
        Secret::open(source, self.environment).map_err(|reason| self.unusable(reason))
    }
}
