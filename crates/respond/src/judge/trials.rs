//! Every trial in a stream: versions that the operator named, and those that events and deployments say are on trial.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, ModelSettings, RecordKind, Timestamp, column};

use super::{
    judging::{Beginning, Judge},
    reading::Versions,
    record::DecisionRecord,
    settings::JudgeSettings,
    verdict::State,
};

/// Most trials of one stream.
const MOST_TRIALS: usize = 256;
/// Most versions of one model that are counted.
const MOST_VERSIONS: usize = 64;

impl JudgeSettings {
    /// What an operator says of a model that matters to a trial of its versions.
    #[must_use]
    pub fn of_model(model: &ModelSettings) -> Self {
        let objectives = model.objectives.unwrap_or_default();
        Self {
            success: objectives.success,
            latency_ms: objectives.latency_p99_ms,
            latency_budget: objectives.latency_budget,
            favourable_decision: model.favourable_decision.clone(),
            positive_class: model.positive_class.clone(),
            segments: model.protected.clone(),
            ..Self::default()
        }
    }
}

/// A model's versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Model {
    /// Events of versions that are not on trial.
    standing: BTreeMap<String, u64>,
    judges: BTreeMap<String, Judge>,
    /// Versions that were tried and sent back or taken away.
    done: BTreeSet<String>,
}

/// Trials by model and version.
///
/// **Invariants:** as of [`Judge`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trials {
    default_settings: ModelSettings,
    settings: BTreeMap<String, ModelSettings>,
    models: BTreeMap<String, Model>,
}

impl Trials {
    /// Watches for trials under the models' settings.
    pub fn new(default_settings: ModelSettings, settings: BTreeMap<String, ModelSettings>) -> Self {
        Self { default_settings, settings, models: BTreeMap::new() }
    }

    /// Takes the batches of one body or of one piece of a file; answers what was decided, in order.
    pub fn observe(&mut self, batches: &[EventBatch]) -> Vec<DecisionRecord> {
        for batch in batches.iter().filter(|batch| batch.kind == RecordKind::Inference) {
            if let Some(model) = batch.model.as_deref() {
                self.meet(model, batch);
            }
        }
        // A deployment names a version; what it is compared with must be known by then.
        batches.iter().filter(|batch| batch.kind == RecordKind::Deployment).for_each(|batch| self.deployed(batch));
        self.each(|judge| judge.observe(batches))
    }

    /// The stream's clock moves on.
    pub fn advance(&mut self, now: Timestamp) -> Vec<DecisionRecord> {
        self.each(|judge| judge.advance(now))
    }

    /// The stream ends.
    pub fn finish(&mut self) -> Vec<DecisionRecord> {
        self.each(Judge::finish)
    }

    /// Every judge.
    pub fn judges(&self) -> impl Iterator<Item = &Judge> {
        self.models.values().flat_map(|model| model.judges.values())
    }

    fn each(&mut self, mut show: impl FnMut(&mut Judge) -> Vec<super::verdict::Change>) -> Vec<DecisionRecord> {
        let mut decided = Vec::new();
        for model in self.models.values_mut() {
            for judge in model.judges.values_mut() {
                // What was promoted and later sent back is told of twice; each record is of its own event.
                if show(judge).iter().any(|change| change.state.is_decision()) {
                    decided.extend(judge.decision().cloned());
                }
            }
            let over: Vec<String> = model
                .judges
                .iter()
                .filter(|(_, judge)| judge.state() == Some(State::RollBack))
                .map(|(version, _)| version.clone())
                .collect();
            for version in over {
                model.judges.remove(&version);
                model.done.insert(version);
            }
        }
        decided.sort_by_key(|record| record.time);
        decided
    }

    fn settings_of(&self, model: &str) -> &ModelSettings {
        self.settings.get(model).unwrap_or(&self.default_settings)
    }

    /// Counts versions that serve, and begins a trial for those that are on trial.
    fn meet(&mut self, model: &str, batch: &EventBatch) {
        let Some(versions) = batch.text(column::VERSION) else { return };
        let roles = batch.text("role");
        let named = self.settings_of(model).canary_versions.clone();
        let mut before = (None, false);
        for row in 0..batch.len() {
            let Some(version) = versions.get(row) else { continue };
            let role = roles.and_then(|roles| roles.get(row));
            let is_trial = matches!(role, Some("canary" | "shadow")) || named.iter().any(|named| named == version);
            let known = self.models.entry(model.to_owned()).or_default();
            if !is_trial {
                if let Some(count) = known.standing.get_mut(version) {
                    *count += 1;
                } else if known.standing.len() < MOST_VERSIONS {
                    known.standing.insert(version.to_owned(), 1);
                    // A version that the operator named may be judged from what serves now on.
                    for canary in &named {
                        self.try_version(model, canary, true);
                    }
                }
            } else if before != (Some(version), true) {
                self.try_version(model, version, false);
            }
            before = (Some(version), is_trial);
        }
    }

    fn deployed(&mut self, batch: &EventBatch) {
        let text = |name: &str, row: usize| batch.text(name).and_then(|column| column.get(row)).map(str::to_owned);
        for row in 0..batch.len() {
            let (Some(model), Some(version)) = (text(column::MODEL, row), text(column::VERSION, row)) else { continue };
            match text("action", row).as_deref() {
                Some("canary_start" | "canary_step") => self.try_version(&model, &version, false),
                Some("promote" | "rollback" | "retire") => {
                    // Someone else has decided.
                    if let Some(known) = self.models.get_mut(&model)
                        && known.judges.get(&version).is_some_and(|judge| judge.trial().is_some())
                    {
                        known.judges.remove(&version);
                        known.done.insert(version);
                    }
                }
                _ => {}
            }
        }
    }

    /// Begins a trial, unless there is one. The standing version is the one that has served most.
    fn try_version(&mut self, model: &str, canary: &str, may_learn: bool) {
        let n_trials: usize = self.models.values().map(|model| model.judges.len()).sum();
        let settings = JudgeSettings::of_model(self.settings_of(model));
        let Some(known) = self.models.get_mut(model) else { return };
        if known.judges.contains_key(canary) || known.done.contains(canary) || n_trials >= MOST_TRIALS {
            return;
        }
        let served = known.standing.iter().filter(|(version, _)| version.as_str() != canary);
        let Some((standing, _)) = served.max_by_key(|(_, count)| **count) else { return };
        let versions = Versions { model: model.to_owned(), standing: standing.clone(), canary: canary.to_owned() };
        // Settings of a model were checked when they were read; what no trial can use is left at its default.
        let judge = Judge::new(versions.clone(), settings, Beginning::FirstSeen)
            .or_else(|_| Judge::new(versions, JudgeSettings::default(), Beginning::FirstSeen));
        let Ok(mut judge) = judge else { return };
        if !may_learn {
            judge.learn_within();
        }
        known.judges.insert(canary.to_owned(), judge);
    }
}
