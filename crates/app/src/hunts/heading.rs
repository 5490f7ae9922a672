//! The heading of a hunt's file: TOML in the comments before the SQL.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::{Hunt, Value};

/// What a hunt says of itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Heading {
    /// The file's name without its ending.
    pub(crate) name: String,
    /// What it finds, in a few words.
    pub(crate) title: String,
    /// What to look for in its answer, and why.
    pub(crate) looks_for: String,
    /// ATLAS techniques that its rows may be a sign of.
    pub(crate) atlas: Vec<String>,
    /// What it cannot do without, as `table.column`; `$name` is a parameter, `feature_*` any feature.
    pub(crate) fields: Vec<String>,
    /// What can be set.
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, Parameter>,
}

/// Something that can be set.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameter {
    /// What it may be.
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    /// What it is where it is not set; it must be set where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<toml::Value>,
    /// What it means.
    pub(crate) about: String,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A column of a table.
    Column,
}

impl Kind {
    /// The name in headings and on screens.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Column => "column",
        }
    }

    /// Reads what was written on the command line.
    pub(crate) fn read(self, text: &str) -> Option<Value> {
        match self {
            Self::Integer => text.parse().ok().map(Value::Integer),
            Self::Number => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Number),
            Self::Text => Some(Value::Text(text.to_owned())),
            Self::Column => (!text.is_empty()).then(|| Value::Column(text.to_owned())),
        }
    }
}

impl Parameter {
    /// The default as people write it.
    pub(crate) fn default_text(&self) -> Option<String> {
        self.default.as_ref().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}

impl Heading {
    /// A field with the columns that its parameters name by default.
    pub(crate) fn field_by_default(&self, field: &str) -> String {
        let Some((table, name)) = field.split_once(".$") else { return field.to_owned() };
        let column = match name {
            "input" | "shared_input" => Some("feature_*".to_owned()),
            "group" => Some("group_*".to_owned()),
            name => self.parameters.get(name).and_then(Parameter::default_text),
        };
        column.map_or_else(|| field.to_owned(), |column| format!("{table}.{column}"))
    }

    /// Whether it looks at the features of one model, which must then be named.
    pub(crate) fn is_of_one_model(&self) -> bool {
        self.fields.iter().any(|field| field.starts_with("model.") || field.starts_with("training."))
    }
}

/// Reads a file.
///
/// # Errors
/// What is wrong with its heading.
pub(crate) fn read(file: &'static str) -> anyhow::Result<Hunt> {
    let heading_length: usize =
        file.split_inclusive('\n').take_while(|line| line.starts_with("--")).map(str::len).sum();
    let (heading, sql) = file.split_at(heading_length);
    let lines: Vec<&str> = heading.lines().map(|line| line.trim_start_matches("--").trim_start()).collect();
    let heading: Heading = toml::from_str(&lines.join("\n")).context("the heading is not as it should be")?;
    for (name, parameter) in &heading.parameters {
        if let Some(default) = parameter.default_text() {
            ensure!(parameter.kind.read(&default).is_some(), "the default of `{name}` is no {}", parameter.kind.name());
        }
    }
    Ok(Hunt { heading, sql: sql.trim() })
}
