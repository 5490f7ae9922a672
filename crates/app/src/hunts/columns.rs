//! Whether the tables have what a hunt cannot do without.

use wardline_domain::{PrivacyPolicy, Timestamp, column, sql_literal};

use super::{Question, bind::identifier};

/// Features of a model's tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TableColumns {
    /// Of its predictions.
    pub(crate) features: Vec<String>,
    /// Of its training rows.
    pub(crate) training_features: Vec<String>,
}

impl TableColumns {
    /// Features of a table, by its columns.
    pub(crate) fn features_of<'a>(columns: impl Iterator<Item = &'a str>) -> Vec<String> {
        let features = columns.filter(|name| column::feature_of(name).is_some());
        let mut features: Vec<String> = features.map(str::to_owned).collect();
        features.sort();
        features
    }

    /// Features that both tables have.
    pub(crate) fn shared_features(&self) -> Vec<String> {
        self.features.iter().filter(|name| self.training_features.contains(name)).cloned().collect()
    }
}

/// How many rows of a table have a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    /// As in [`Question::needs`].
    pub(crate) table: String,
    /// As in [`Question::needs`].
    pub(crate) column: String,
    /// Rows of the table in the time that is asked about.
    pub(crate) rows: u64,
    /// Rows that have it.
    pub(crate) present: u64,
    /// Rows whose text is written as it came.
    pub(crate) readable: u64,
}

/// A statement that counts a table's rows, those that have each column, and those whose text is as it came.
pub(crate) fn presence_sql(table: &str, columns: &[String], condition: &str) -> String {
    let counts = columns.iter().enumerate().map(|(index, name)| {
        let column = identifier(name);
        let readable = if PrivacyPolicy::DEFAULT_HASHED.contains(&name.as_str()) {
            // A hash is thirty-two hexadecimal digits.
            format!("count(*) FILTER (WHERE NOT regexp_like({column}, {}))", sql_literal("^[0-9a-f]{32}$"))
        } else {
            format!("count({column})")
        };
        format!(", count({column}) AS present_{index}, {readable} AS readable_{index}")
    });
    format!("SELECT count(*){} FROM {table} WHERE {condition}", counts.collect::<String>())
}

impl Presence {
    /// Why the hunt would find nothing however much there were, in a sentence; `None` where it can be asked.
    pub(crate) fn obstacle(&self, question: &Question, (from, to): (Timestamp, Timestamp)) -> Option<String> {
        let Self { table, column, rows, present, readable } = self;
        if *rows == 0 {
            let of_model = question.model.as_ref().map(|model| format!(" of `{model}`")).unwrap_or_default();
            return Some(format!(
                "there is no row{of_model} in `{table}` between {from} and {to}: widen --from and --to, or look at another model"
            ));
        }
        if *present == 0 {
            let another = question
                .parameter_of(column)
                .map(|name| format!(", or name another column with --param {name}=COLUMN"))
                .unwrap_or_default();
            return Some(format!("none of the {rows} rows of `{table}` in that time has `{column}`: send it{another}"));
        }
        (*readable == 0).then(|| {
            format!(
                "`{column}` is stored as a hash, which cannot be searched: add a rule to the settings with field = \"{column}\" and treatment = \"keep\", and hunt in what comes in from then on"
            )
        })
    }
}
