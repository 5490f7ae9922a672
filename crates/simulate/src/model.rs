//! A model in service, as a scenario describes it.

use wardline_domain::{ModelSettings, Span, Timestamp};

use crate::{Harmless, Injection, decision::DecisionSpec, feature::FeatureSpec, rhythm::Rhythm};

/// Names and how often each occurs.
pub(crate) type Shares = &'static [(&'static str, f64)];

/// A model's place in the roll-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It serves everybody else.
    Stable,
    /// It serves a trial share.
    Canary,
}

/// One version, from when on it serves.
#[derive(Clone, Debug)]
pub(crate) struct VersionSpec {
    /// Its name.
    pub(crate) name: String,
    /// Its place in the roll-out.
    pub(crate) role: Role,
    /// From when on.
    pub(crate) from: Timestamp,
    /// Until when it is on trial; a stable version serves until the next one.
    pub(crate) until: Option<Timestamp>,
    /// Share of the traffic while on trial, 0 to 1.
    pub(crate) weight: f64,
}

/// How a model is served.
#[derive(Clone, Debug)]
pub(crate) struct ServingSpec {
    /// Instances are named `<service>-0`, `<service>-1` …
    pub(crate) instances: usize,
    /// Predictions that one instance works on at once.
    pub(crate) workers: usize,
    /// Median time for the smallest input.
    pub(crate) base_ms: f64,
    /// Standard deviation of the time's logarithm.
    pub(crate) spread: f64,
    /// Time that each input token adds.
    pub(crate) per_token_ms: f64,
    /// Share of predictions that take three to six times as long on an ordinary day.
    pub(crate) tail_share: f64,
    /// Share of predictions that fail on an ordinary day.
    pub(crate) error_rate: f64,
    /// How often instances report processor, memory and garbage collection, where they do.
    pub(crate) metrics_every: Option<Span>,
}

/// Inputs that are texts.
#[derive(Clone, Debug)]
pub(crate) struct TextSpec {
    /// Median of the input tokens.
    pub(crate) median_tokens: f64,
    /// Standard deviation of their logarithm.
    pub(crate) spread: f64,
    /// Most tokens that the model takes.
    pub(crate) most_tokens: f64,
    /// The attribute that sets the length, and its values' factors.
    pub(crate) longer_by: Option<(&'static str, Shares)>,
}

/// Labels that arrive later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LabelSpec {
    /// Share of the predictions that ever get one.
    pub(crate) share: f64,
    /// Mean delay.
    pub(crate) mean_delay_hours: f64,
    /// Who says so.
    pub(crate) source: &'static str,
}

/// One model of a fleet.
#[derive(Clone, Debug)]
pub(crate) struct ModelSpec {
    /// Registered name.
    pub(crate) name: &'static str,
    /// The service in front of it.
    pub(crate) service: &'static str,
    /// Versions, the first one stable and serving from the start.
    pub(crate) versions: Vec<VersionSpec>,
    /// Traffic over time.
    pub(crate) rhythm: Rhythm,
    /// How many people there are.
    pub(crate) users: usize,
    /// Mean number of predictions in one visit.
    pub(crate) visit_length: f64,
    /// Where inputs come from.
    pub(crate) channels: Shares,
    /// Other things to slice by.
    pub(crate) attributes: &'static [(&'static str, Shares)],
    /// Inputs.
    pub(crate) features: Vec<FeatureSpec>,
    /// Inputs that are texts.
    pub(crate) text: Option<TextSpec>,
    /// How it is served.
    pub(crate) serving: ServingSpec,
    /// What it answers.
    pub(crate) decision: DecisionSpec,
    /// Labels that arrive later.
    pub(crate) labels: Option<LabelSpec>,
    /// What an operator knows of it.
    pub(crate) settings: ModelSettings,
}

/// A model and what happens to it.
#[derive(Clone, Debug)]
pub(crate) struct ModelPlan {
    /// The model.
    pub(crate) spec: ModelSpec,
    /// What goes wrong.
    pub(crate) injections: Vec<Injection>,
    /// What is unusual and harmless.
    pub(crate) harmless: Vec<Harmless>,
}

impl Role {
    /// The name in telemetry.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Canary => "canary",
        }
    }
}

impl VersionSpec {
    /// A version that serves everybody from a moment on.
    pub(crate) fn stable(name: &str, from: Timestamp) -> Self {
        Self { name: name.to_owned(), role: Role::Stable, from, until: None, weight: 1.0 }
    }

    /// A version on trial.
    pub(crate) fn canary(name: &str, from: Timestamp, until: Option<Timestamp>, weight: f64) -> Self {
        Self { name: name.to_owned(), role: Role::Canary, from, until, weight }
    }
}

impl ModelSpec {
    /// The version that serves a prediction at a moment; `draw` is uniform in 0 to 1.
    pub(crate) fn version_at(&self, time: Timestamp, draw: f64) -> Option<&VersionSpec> {
        let on = |version: &&VersionSpec| version.from <= time && version.until.is_none_or(|until| time < until);
        let mut left = draw;
        for canary in self.versions.iter().filter(|version| version.role == Role::Canary).filter(on) {
            left -= canary.weight;
            if left < 0.0 {
                return Some(canary);
            }
        }
        self.versions.iter().rfind(|version| version.role == Role::Stable && version.from <= time)
    }

    /// An instance's name.
    pub(crate) fn instance(&self, index: usize) -> String {
        format!("{}-{index}", self.service)
    }

    /// A plan in which nothing goes wrong.
    pub(crate) fn healthy(self) -> ModelPlan {
        ModelPlan { spec: self, injections: Vec::new(), harmless: Vec::new() }
    }
}

impl ModelPlan {
    /// The plan with one more thing that goes wrong.
    pub(crate) fn with(mut self, injection: Injection) -> Self {
        self.injections.push(injection);
        self
    }

    /// The plan with one more thing that is unusual and harmless.
    pub(crate) fn and_harmless(mut self, what: &str, from: Timestamp, until: Timestamp) -> Self {
        self.harmless.push(Harmless { what: what.to_owned(), model: self.spec.name.to_owned(), from, until });
        self
    }
}
