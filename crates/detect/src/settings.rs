//! What the watching of models is told before it starts.

use std::{collections::BTreeMap, sync::Arc};

use wardline_domain::{ModelSettings, Slo, Span, Timestamp};

use crate::{
    budget::BudgetSettings,
    rules::{self, RuleSet},
    silence::Silence,
};

/// Settings of a [`crate::Watch`], checked.
#[derive(Clone, Debug)]
pub struct WatchSettings {
    /// Settings of a model that has none of its own.
    pub default_model: ModelSettings,
    /// Settings by model name.
    pub models: BTreeMap<String, ModelSettings>,
    /// Objectives of services, which several models serve; those of one model are in its settings.
    pub service_slos: Vec<Slo>,
    /// False findings that detectors may make in one week of one model in which nothing changes; they share it as their
    /// specifications say. What of it people hear of is up to `budget`.
    pub false_alerts_per_week: f64,
    /// Chance that a version that is as good as the other one is reported once in its roll-out.
    pub version_alpha: f64,
    /// False alerts that are accepted in 30 days over all models and detectors, as told to people.
    pub budget: BudgetSettings,
    /// What no alert is wanted about.
    pub silences: Vec<Silence>,
    /// Findings of one cause that are further apart than this make two alerts.
    pub grouping_gap: Span,
    /// The rules that run beside the detectors.
    pub rules: Arc<RuleSet>,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            default_model: ModelSettings::default(),
            models: BTreeMap::new(),
            service_slos: Vec::new(),
            false_alerts_per_week: 0.5,
            version_alpha: 0.01,
            budget: BudgetSettings::default(),
            silences: Vec::new(),
            grouping_gap: Timestamp::HOUR,
            rules: rules::shipped(),
        }
    }
}

impl WatchSettings {
    /// The settings of a model.
    pub fn of(&self, model: &str) -> &ModelSettings {
        self.models.get(model).unwrap_or(&self.default_model)
    }
}
