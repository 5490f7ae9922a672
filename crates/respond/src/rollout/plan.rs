//! A rollout as it is written down: which version, in which steps, by what means, and what ends it.

use serde::{Deserialize, Serialize};

use crate::judge::{JudgeSettings, SettingError, Versions};

/// One step: a share of the traffic, and what must have been seen before the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Per cent of the traffic.
    pub weight: f64,
    /// Least requests that the version must have answered in this step.
    #[serde(default)]
    pub least_requests: u64,
    /// Least time, in seconds.
    #[serde(default)]
    pub least_seconds: u64,
}

/// The model in a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// The actuator that speaks to it.
    pub actuator: String,
    /// The model's name there; the same where it is left out.
    #[serde(default)]
    pub model: Option<String>,
    /// The alias that says what serves.
    pub alias: String,
    /// The standing version's number there; the same where it is left out.
    #[serde(default)]
    pub standing: Option<String>,
    /// The new version's number there.
    #[serde(default)]
    pub version: Option<String>,
}

/// Who says that a version may have all traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promotion {
    /// The evidence.
    #[default]
    Automatic,
    /// A person, after the evidence.
    Ask,
}

/// A rollout, as in its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutPlan {
    /// The model.
    pub model: String,
    /// The version that serves.
    pub standing: String,
    /// The version on trial.
    pub version: String,
    /// Shares of the traffic, one after the other. Empty: someone else sets them, and Wardline only takes them back.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Actuators that set shares, all of them at each step.
    #[serde(default)]
    pub actuators: Vec<String>,
    /// Actuators that are asked to cut the version off where the others did not.
    #[serde(default)]
    pub escalate_to: Vec<String>,
    /// The registry to restore.
    #[serde(default)]
    pub registry: Option<Registry>,
    /// How it is judged.
    #[serde(default)]
    pub judge: JudgeSettings,
    /// Who promotes.
    #[serde(default)]
    pub promotion: Promotion,
    /// Whether everything is decided and written down, and nothing done.
    #[serde(default)]
    pub dry_run: bool,
}

/// A rollout file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is no rollout file.
    #[error("the rollout file cannot be read: {0}")]
    Unreadable(String),
    /// Both versions are the same, or a name is missing.
    #[error("`{key}` is `{found}`: {expected}")]
    Name {
        /// The key.
        key: &'static str,
        /// What was written.
        found: String,
        /// What would do.
        expected: &'static str,
    },
    /// A step cannot be.
    #[error("`steps[{place}].weight` is {found}, and must be above {above} and at most 100")]
    Step {
        /// Which, from 0.
        place: usize,
        /// What was written.
        found: f64,
        /// The weight before.
        above: f64,
    },
    /// Steps without anything that sets them.
    #[error("there are steps and no `actuators`: name those that set shares, or leave the steps out")]
    NoActuators,
    /// A setting of the judge cannot be.
    #[error("`judge.{}` is {}, and must be {}", .0.key, .0.found, .0.expected)]
    Judge(SettingError),
}

impl RolloutPlan {
    /// Reads a rollout file.
    ///
    /// # Errors
    /// [`PlanError`] for what cannot be.
    pub fn from_yaml(text: &str) -> Result<Self, PlanError> {
        let plan: Self = yaml_serde::from_str(text).map_err(|error| PlanError::Unreadable(error.to_string()))?;
        plan.check()?;
        Ok(plan)
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// The first [`PlanError`].
    pub fn check(&self) -> Result<(), PlanError> {
        let names = [("model", &self.model), ("standing", &self.standing), ("version", &self.version)];
        if let Some((key, found)) = names.into_iter().find(|(_, name)| name.trim().is_empty()) {
            return Err(PlanError::Name { key, found: found.clone(), expected: "write its name" });
        }
        if self.standing == self.version {
            let expected = "the version on trial must be another one than `standing`";
            return Err(PlanError::Name { key: "version", found: self.version.clone(), expected });
        }
        let mut above = 0.0;
        for (place, step) in self.steps.iter().enumerate() {
            if !(above < step.weight && step.weight <= 100.0) {
                return Err(PlanError::Step { place, found: step.weight, above });
            }
            above = step.weight;
        }
        if !self.steps.is_empty() && self.actuators.is_empty() && !self.dry_run {
            return Err(PlanError::NoActuators);
        }
        self.judge.check().map_err(PlanError::Judge)
    }

    /// What the judge compares.
    pub fn versions(&self) -> Versions {
        Versions { model: self.model.clone(), standing: self.standing.clone(), canary: self.version.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
model: fraud
standing: "2.0"
version: "2.1"
steps:
  - { weight: 5, least_requests: 500 }
  - { weight: 25, least_seconds: 600 }
actuators: [edge]
escalate_to: [edge-off]
registry: { actuator: registry, alias: champion, standing: "7", version: "8" }
judge:
  alpha: 0.001
  favourable_decision: approve
  segments: [sex]
  observe_only: [scores]
"#;

    #[test]
    fn a_file_is_read_and_defaults_hold() {
        let plan = RolloutPlan::from_yaml(FILE).unwrap();
        assert_eq!((plan.steps.len(), plan.judge.alpha, plan.judge.beta), (2, 0.001, 0.05));
        assert!(!plan.dry_run && plan.promotion == Promotion::Automatic);
        let least = "model: m\nstanding: '1'\nversion: '2'\n";
        assert!(RolloutPlan::from_yaml(least).unwrap().steps.is_empty());
    }

    #[test]
    fn what_cannot_be_is_said() {
        let complaint = |from: &str, to: &str| RolloutPlan::from_yaml(&FILE.replace(from, to)).unwrap_err().to_string();
        assert_eq!(complaint("weight: 25", "weight: 5"), "`steps[1].weight` is 5, and must be above 5 and at most 100");
        assert!(complaint("\"2.1\"", "\"2.0\"").contains("another one than `standing`"));
        assert!(complaint("[edge]", "[]").contains("no `actuators`"));
        assert!(complaint("alpha: 0.001", "alpha: 2").starts_with("`judge.alpha` is 2, and must be at most 0.5"));
        assert!(complaint("alpha", "alhpa").contains("alhpa"));
    }
}
