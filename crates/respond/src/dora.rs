//! The five DORA metrics of models: how often a version goes out, how long a change takes, how often one fails, how
//! long until it is well again, and how much is rework.
//!
//! **Method:** deployments are put together into releases: one version of one model from its first traffic to its last.
//! A release that was taken back before it had all traffic is *contained*, one that failed with all traffic has
//! *escaped*. What would flatter or spoil the figures is counted apart: retraining on a schedule (the same commit, other
//! data) is no change of anybody's; the same version at another site is no other release; a version without traffic is
//! a shadow and no release.

mod releases;
mod report;

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

pub use releases::{Fate, Release};
pub use report::{ChangeFailure, DoraReport, Frequency, LeadTime, Recovery, Rework, Spread};

/// A change to what serves, as events and rollouts tell it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeploymentRecord {
    /// When.
    pub time: Timestamp,
    /// The model.
    pub model: String,
    /// The version.
    pub version: String,
    /// `deploy`, `canary_start`, `canary_step`, `promote`, `rollback` or `retire`.
    pub action: String,
    /// Per cent of the traffic.
    pub weight: Option<f64>,
    /// The commit of its code.
    pub commit: Option<String>,
    /// When that was committed.
    pub committed_at: Option<Timestamp>,
    /// Who or what did it.
    pub by: Option<String>,
    /// The data that it was trained on.
    pub dataset_version: Option<String>,
    /// Where it serves, for models of several sites.
    pub site: Option<String>,
    /// Whether somebody said that it was unplanned.
    pub is_unplanned: bool,
}

/// An alias of a registry that was moved: for models that nobody deploys but by their alias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AliasMove {
    /// When.
    pub time: Timestamp,
    /// The model.
    pub model: String,
    /// The version that the alias names from then on.
    pub version: String,
    /// When the version was registered.
    pub registered_at: Option<Timestamp>,
}

/// When the data of a version was complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSnapshot {
    /// The model.
    pub model: String,
    /// The data.
    pub dataset_version: String,
    /// When it was complete.
    pub time: Timestamp,
}

/// Something that went wrong with a model in service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    /// The model.
    pub model: String,
    /// The version that it is about; the one that served, where nobody knows.
    pub version: Option<String>,
    /// The first bad event.
    pub began: Timestamp,
    /// When somebody was told.
    pub detected: Timestamp,
    /// When it was well again, where that is known.
    pub restored: Option<Timestamp>,
}

/// Predictions that a version served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    /// The model.
    pub model: String,
    /// The version.
    pub version: String,
    /// How many.
    pub predictions: u64,
}

/// Everything that the metrics are made from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DoraInputs {
    /// Changes to what serves, in any order.
    pub deployments: Vec<DeploymentRecord>,
    /// Aliases that were moved.
    pub alias_moves: Vec<AliasMove>,
    /// When data was complete.
    pub snapshots: Vec<DataSnapshot>,
    /// What went wrong.
    pub troubles: Vec<Trouble>,
    /// What versions served, for the requests that a failed canary had.
    pub exposures: Vec<Exposure>,
}

/// The metrics of one model between two moments; `None` where nothing of it was deployed before the end.
pub fn dora(model: &str, inputs: &DoraInputs, from: Timestamp, to: Timestamp) -> Option<DoraReport> {
    let releases = releases::of(model, inputs, to);
    (!releases.is_empty()).then(|| report::of(model, &releases, inputs, from, to))
}

/// Models that something was deployed of.
pub fn models(inputs: &DoraInputs) -> Vec<String> {
    let deployed = inputs.deployments.iter().map(|one| one.model.clone());
    let moved = inputs.alias_moves.iter().map(|one| one.model.clone());
    let mut models: Vec<String> = deployed.chain(moved).collect();
    models.sort_unstable();
    models.dedup();
    models
}

#[cfg(test)]
mod tests;
