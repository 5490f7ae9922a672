//! What the watching of models is told before it starts.

use std::{collections::BTreeMap, sync::Arc};

use wardline_domain::{ModelSettings, Span, Timestamp};

use crate::rules::{self, RuleSet};

/// Settings of a [`crate::Watch`], checked.
#[derive(Clone, Debug)]
pub struct WatchSettings {
    /// Settings of a model that has none of its own.
    pub default_model: ModelSettings,
    /// Settings by model name.
    pub models: BTreeMap<String, ModelSettings>,
    /// False alerts (tickets and pages) that are accepted in one week of one model in which nothing
    /// changes. Detectors share it as their specifications say.
    pub false_alerts_per_week: f64,
    /// Chance that a version that is as good as the other one is reported once in its roll-out.
    pub version_alpha: f64,
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
            false_alerts_per_week: 0.5,
            version_alpha: 0.01,
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
