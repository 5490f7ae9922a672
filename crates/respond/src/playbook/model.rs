//! A playbook that was checked: every step it names is there, and every path comes to an end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::condition::Condition;

/// A playbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Playbook {
    /// Its id: `playbook--` and a UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// When this version was made: with the id it says which version it is.
    pub modified: String,
    /// Types of the vocabulary, such as `mitigation`.
    pub types: Vec<String>,
    /// The first step.
    pub start: String,
    /// Where failures go that no step handles.
    pub exception: Option<String>,
    /// Its variables, by name without `:value`.
    pub variables: BTreeMap<String, Variable>,
    /// Its steps, by id.
    pub steps: BTreeMap<String, Step>,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its value, where it has one.
    pub value: Option<String>,
    /// Whether it is given from outside.
    #[serde(default)]
    pub external: bool,
    /// Whether it never changes.
    #[serde(default)]
    pub constant: bool,
    /// What it means.
    pub description: Option<String>,
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Milliseconds before it begins.
    pub delay_ms: u64,
    /// Milliseconds after which it has failed.
    pub timeout_ms: u64,
    /// Where it goes on.
    pub flow: Flow,
    /// What sort of step it is.
    pub kind: StepKind,
}

/// Where a step goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Whatever came of it.
    pub on_completion: Option<String>,
    /// Where it went well.
    pub on_success: Option<String>,
    /// Where it did not.
    pub on_failure: Option<String>,
}

impl Flow {
    /// The next step.
    pub fn next(&self, went_well: bool) -> Option<&str> {
        let specific = if went_well { &self.on_success } else { &self.on_failure };
        specific.as_deref().or(self.on_completion.as_deref())
    }

    /// Every step that it names.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        [&self.on_completion, &self.on_success, &self.on_failure].into_iter().flatten().map(String::as_str)
    }
}

/// What sort of step it is.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// The first one.
    Start,
    /// The last one, of the playbook or of a branch.
    End,
    /// Something is done.
    Action {
        /// What, in this order.
        commands: Vec<Command>,
        /// How many people must approve.
        approvals: u32,
    },
    /// One branch or the other.
    If {
        /// Which.
        condition: Condition,
        /// The branch where it holds.
        on_true: String,
        /// The branch where it does not.
        on_false: Option<String>,
    },
    /// A branch as long as a condition holds.
    While {
        /// How long.
        condition: Condition,
        /// The branch.
        on_true: String,
    },
    /// One branch of several.
    Switch {
        /// The variable.
        variable: String,
        /// Branches by value; `default` where none fits.
        cases: BTreeMap<String, String>,
    },
    /// Several branches.
    Parallel {
        /// Where they begin.
        branches: Vec<String>,
    },
}

/// Something that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// By people: what they are told, with variables in it.
    Manual(String),
    /// By an actuator: an action as JSON, with variables in its texts.
    Automatic(serde_json::Value),
}
