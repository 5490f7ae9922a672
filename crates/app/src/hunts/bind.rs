//! From a hunt and the values of its parameters to a statement.
//!
//! **Invariant:** a value becomes one literal or one quoted name, whatever is in it; it never becomes SQL.

use std::collections::BTreeMap;

use wardline_domain::{Timestamp, column, sql_literal};

use super::{Hunt, TableColumns};

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A whole number.
    Integer(i64),
    /// A number; never NaN or infinite.
    Number(f64),
    /// A text.
    Text(String),
    /// A column's name.
    Column(String),
}

/// Why a hunt cannot be asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BindError {
    /// A parameter that the hunt does not have.
    #[error("the hunt `{hunt}` has no parameter `{name}`; it has {known}")]
    Unknown {
        /// The hunt.
        hunt: String,
        /// What was written.
        name: String,
        /// What there is.
        known: String,
    },
    /// A value of another type.
    #[error("`{value}` is no {kind}, and the parameter `{name}` is one")]
    Type {
        /// The parameter.
        name: String,
        /// What was written.
        value: String,
        /// What it must be.
        kind: &'static str,
    },
    /// A parameter without a default that was not set.
    #[error("the hunt needs `{name}`: {about}; write --param {name}=VALUE")]
    Missing {
        /// The parameter.
        name: String,
        /// What it means.
        about: String,
    },
    /// A hunt over features without a model.
    #[error("the hunt `{hunt}` looks at the features of one model: name it with --model")]
    Model {
        /// The hunt.
        hunt: String,
    },
    /// A name in the SQL that nothing stands for.
    #[error("the hunt's SQL has `${name}`, for which nothing stands")]
    Placeholder {
        /// The name.
        name: String,
    },
}

/// A hunt with everything that is set.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    hunt: &'static Hunt,
    from: Timestamp,
    to: Timestamp,
    pub(crate) model: Option<String>,
    values: BTreeMap<String, Value>,
}

impl Question {
    /// Takes what was written, and the defaults for all else.
    ///
    /// # Errors
    /// [`BindError`] says which value does not fit.
    pub(crate) fn new(
        hunt: &'static Hunt,
        (from, to): (Timestamp, Timestamp),
        model: Option<String>,
        written: &[(String, String)],
    ) -> Result<Self, BindError> {
        let heading = &hunt.heading;
        let mut values = BTreeMap::new();
        for (name, text) in written {
            let Some(parameter) = heading.parameters.get(name) else {
                let known: Vec<&str> = heading.parameters.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(BindError::Unknown { hunt: heading.name.clone(), name: name.clone(), known });
            };
            let kind = parameter.kind.name();
            let value = parameter.kind.read(text);
            let value = value.ok_or_else(|| BindError::Type { name: name.clone(), value: text.clone(), kind })?;
            values.insert(name.clone(), value);
        }
        for (name, parameter) in &heading.parameters {
            if values.contains_key(name) {
                continue;
            }
            let value = parameter.default_text().and_then(|text| parameter.kind.read(&text));
            let missing = || BindError::Missing { name: name.clone(), about: parameter.about.clone() };
            values.insert(name.clone(), value.ok_or_else(missing)?);
        }
        if heading.is_of_one_model() && model.is_none() {
            return Err(BindError::Model { hunt: heading.name.clone() });
        }
        Ok(Self { hunt, from, to, model, values })
    }

    /// The tables and columns that it cannot do without.
    pub(crate) fn needs(&self) -> Vec<(String, String)> {
        let fields = self.hunt.heading.fields.iter().filter_map(|field| field.split_once('.'));
        fields.map(|(table, column)| (table.to_owned(), self.column_of(column))).collect()
    }

    fn column_of(&self, column: &str) -> String {
        match column.strip_prefix('$').and_then(|name| self.values.get(name)) {
            Some(Value::Column(column)) => column.clone(),
            _ => column.to_owned(),
        }
    }

    /// What a table of [`Question::needs`] is called in SQL.
    pub(crate) fn table(&self, table: &str) -> String {
        match (table, &self.model) {
            ("model" | "training", Some(model)) => identifier(&format!("{table}.{model}")),
            _ => identifier(table),
        }
    }

    /// The parameter that a column comes from.
    pub(crate) fn parameter_of(&self, column: &str) -> Option<&str> {
        let is_it = |value: &Value| matches!(value, Value::Column(name) if name == column);
        self.values.iter().find(|(_, value)| is_it(value)).map(|(name, _)| name.as_str())
    }

    /// The condition on time, and on the model where one is named.
    pub(crate) fn condition(&self, has_model: bool) -> String {
        let time = format!("time >= TIMESTAMP '{}' AND time < TIMESTAMP '{}'", self.from, self.to);
        match &self.model {
            Some(model) if has_model => format!("{time} AND model = {}", sql_literal(model)),
            _ => time,
        }
    }

    /// The statement, given the columns of the model's tables.
    ///
    /// # Errors
    /// [`BindError::Placeholder`] for a name in the SQL that nothing stands for.
    pub(crate) fn sql(&self, columns: &TableColumns) -> Result<String, BindError> {
        let mut bound = String::with_capacity(self.hunt.sql.len() * 2);
        let mut rest = self.hunt.sql;
        while let Some(place) = rest.find(['$', '\'', '"', '-']) {
            let (before, after) = rest.split_at(place);
            bound.push_str(before);
            let length = match after.as_bytes() {
                [b'$', ..] => 1 + after[1..].find(|letter: char| !is_of_name(letter)).unwrap_or(after.len() - 1),
                [b'-', b'-', ..] => after.find('\n').unwrap_or(after.len()),
                [quote @ (b'\'' | b'"'), ..] => after[1..].find(char::from(*quote)).map_or(after.len(), |end| end + 2),
                _ => 1,
            };
            let (piece, after) = after.split_at(length);
            match piece.strip_prefix('$') {
                Some(name) => bound.push_str(&self.stands_for(name, columns)?),
                None => bound.push_str(piece),
            }
            rest = after;
        }
        bound.push_str(rest);
        Ok(bound)
    }

    fn stands_for(&self, name: &str, columns: &TableColumns) -> Result<String, BindError> {
        if let Some(value) = self.values.get(name) {
            return Ok(match value {
                Value::Integer(number) if *number < 0 => format!("({number})"),
                Value::Integer(number) => number.to_string(),
                Value::Number(number) if *number < 0.0 => format!("({number:?})"),
                Value::Number(number) => format!("{number:?}"),
                Value::Text(text) => sql_literal(text),
                Value::Column(column) => identifier(column),
            });
        }
        let unknown = || BindError::Placeholder { name: name.to_owned() };
        Ok(match name {
            "in_range" => self.condition(true),
            "model_table" => self.table("model"),
            "training_table" => self.table("training"),
            "input" => input(&columns.features, "prompt"),
            "shared_input" => input(&columns.shared_features(), "prompt"),
            "changed_share" => changed_share(&columns.features),
            "feature_values" => feature_values(&columns.features),
            _ => return Err(unknown()),
        })
    }
}

const fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// A name as SQL has it, whatever letters it is made of.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// All that was put into the model, as one text.
fn input(features: &[String], otherwise: &str) -> String {
    if features.is_empty() {
        return identifier(otherwise);
    }
    let texts = features.iter().map(|name| format!("coalesce(CAST({} AS VARCHAR), '')", identifier(name)));
    format!("concat_ws('|', {})", texts.collect::<Vec<_>>().join(", "))
}

/// The share of features that differ from those of the row before, in the window `steps`.
fn changed_share(features: &[String]) -> String {
    let changes = features.iter().map(|name| {
        let name = identifier(name);
        format!("CASE WHEN {name} IS DISTINCT FROM lag({name}) OVER steps THEN 1.0 ELSE 0.0 END")
    });
    format!("(({}) / {:?})", changes.collect::<Vec<_>>().join(" + "), features.len().max(1) as f64)
}

/// Every feature with its value, as a list of texts.
fn feature_values(features: &[String]) -> String {
    let pairs = features.iter().map(|name| {
        let short_name = column::feature_of(name).unwrap_or(name);
        format!("{} || CAST({} AS VARCHAR)", sql_literal(&format!("{short_name}=")), identifier(name))
    });
    format!("make_array({})", pairs.collect::<Vec<_>>().join(", "))
}
