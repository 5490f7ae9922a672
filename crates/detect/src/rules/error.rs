//! What can be wrong with a rule: what, where, and what to do.

use std::fmt;

/// A rule that cannot be used, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The file that the rule was read from.
    pub file: String,
    /// The rule's title; empty where the file itself cannot be read.
    pub rule: String,
    /// The place in the rule, such as `detection.selection.prompt|re`.
    pub place: String,
    /// What is wrong there.
    pub fault: RuleFault,
}

impl std::error::Error for RuleError {}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.file)?;
        if !self.rule.is_empty() {
            write!(f, ", rule `{}`", self.rule)?;
        }
        if !self.place.is_empty() {
            write!(f, ", at `{}`", self.place)?;
        }
        write!(f, ": {}", self.fault)
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleFault {
    /// The text is no Sigma rule.
    #[error("this is no Sigma rule: {0}")]
    Unreadable(String),
    /// The rule is about another product's log.
    #[error(
        "the log source {0} is not taken in: write `product: wardline` and a `category` of inference, outcome, training_row, deployment, metric or log"
    )]
    LogSource(String),
    /// No column has the field's name.
    #[error("{kind} records have no field `{field}`: {hint}")]
    UnknownField {
        /// The field as written.
        field: String,
        /// The kind of record.
        kind: &'static str,
        /// What to write instead.
        hint: String,
    },
    /// The field is there, and rules cannot look into it.
    #[error("rules cannot look into `{field}`, which is {what}: {hint}")]
    Opaque {
        /// The field.
        field: String,
        /// What it is.
        what: &'static str,
        /// What to use instead.
        hint: &'static str,
    },
    /// The modifiers do not go together.
    #[error("the modifiers `{0}` do not go together: split them into two fields of the selection")]
    Modifiers(String),
    /// The value does not suit the field or the modifier.
    #[error("`{value}` is no {expected}: write {hint}")]
    Value {
        /// The value as written.
        value: String,
        /// What is expected there.
        expected: &'static str,
        /// What to write.
        hint: &'static str,
    },
    /// A regular expression that the engine refuses.
    #[error(
        "the regular expression is refused ({0}): look-around and back-references are not supported, write it without them or as several selections"
    )]
    Regex(String),
    /// A placeholder that has no values.
    #[error("the placeholder `%{0}%` has no values: set `rules.placeholders.{0}`")]
    Placeholder(String),
    /// A selection that is named and not there.
    #[error("there is no selection `{0}`: the condition may name those of `detection` only")]
    Selection(String),
    /// A rule that a correlation names and that is not there.
    #[error("there is no rule `{0}` by id, name or file: put it into the same file or folder")]
    Reference(String),
    /// Rules that name each other in a circle.
    #[error("the correlation refers to itself: let it name other rules only")]
    Circle,
    /// Something that Sigma knows and that is not done here.
    #[error("{what} is not supported: {hint}")]
    Unsupported {
        /// What it is.
        what: String,
        /// What to do instead.
        hint: &'static str,
    },
    /// The rule cannot be asked of history.
    #[error("{0} has no form in SQL: the rule runs on the stream and in hunts, not as a query")]
    NoSql(String),
}
