//! Commands with the values of a run in them.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;
use wardline_domain::Action;

use super::{Command, condition::filled};

/// A command with values in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Filled {
    /// What people are told.
    Text(String),
    /// What an actuator is to do.
    Action(Action),
}

impl fmt::Display for Filled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Action(action) => action.fmt(formatter),
        }
    }
}

impl Filled {
    /// Fills values into a command.
    ///
    /// # Errors
    /// Which variable has no value, or why it is no action then.
    pub fn of(command: &Command, values: &BTreeMap<String, String>) -> Result<Self, String> {
        let no_value = |name: String| format!("variable `{name}` has no value");
        match command {
            Command::Manual(text) => filled(text, values).map(Self::Text).map_err(no_value),
            Command::Automatic(value) => {
                let value = fill(value, values).map_err(no_value)?;
                serde_json::from_value(value).map(Self::Action).map_err(|error| error.to_string())
            }
        }
    }
}

/// Fills variables into the texts of a JSON value; names stay as they are.
fn fill(value: &Value, values: &BTreeMap<String, String>) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(filled(text, values)?),
        Value::Array(items) => Value::Array(items.iter().map(|item| fill(item, values)).collect::<Result<_, _>>()?),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), fill(value, values)?)))
                .collect::<Result<_, String>>()?,
        ),
        other => other.clone(),
    })
}
