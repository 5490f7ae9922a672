//! What only an operator knows of a model. Everything works without it; with it, findings say more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Slo, Span, Timestamp};

/// Settings of one model, checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelSettings {
    /// When learning ends.
    pub learning: Learning,
    /// Objectives; a model without them is warned about, never paged for.
    pub objectives: Option<Objectives>,
    /// Further objectives of this model alone, by name.
    pub slos: Vec<Slo>,
    /// The class whose probability `score` is.
    pub positive_class: Option<String>,
    /// Protected attribute names, and the favourable outcome.
    pub protected: Vec<String>,
    /// The decision that is good for the person it is about.
    pub favourable_decision: Option<String>,
    /// What tokens cost.
    pub prices: Option<Prices>,
    /// Versions on trial that the operator named, besides those whose events or deployments say so.
    pub canary_versions: Vec<String>,
    /// Anything to say to the person who is alerted: owner, runbook.
    pub labels: BTreeMap<String, String>,
}

/// When a model's baseline is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Learning {
    /// At this moment of the stream.
    Until(Timestamp),
    /// This long after the model's first event, and not before `least_events`.
    For {
        /// How long, in microseconds.
        span: Span,
        /// The least number of events.
        least_events: u64,
    },
}

impl Default for Learning {
    fn default() -> Self {
        Self::For { span: Timestamp::DAY, least_events: 1_000 }
    }
}

/// Service level objectives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objectives {
    /// Share of predictions that must succeed, such as 0.999.
    pub success: Option<f64>,
    /// Latency that the 99th percentile must stay under, in ms.
    pub latency_p99_ms: Option<f64>,
    /// Share of predictions that may be slower than `latency_p99_ms`; 0.01 by default.
    pub latency_budget: f64,
    /// Length of the error budget's window, in days.
    pub window_days: u32,
}

impl Default for Objectives {
    fn default() -> Self {
        Self { success: None, latency_p99_ms: None, latency_budget: 0.01, window_days: 30 }
    }
}

/// Price of tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// Per 1,000 input tokens.
    pub input_per_1k: f64,
    /// Per 1,000 output tokens.
    pub output_per_1k: f64,
    /// ISO 4217 code.
    pub currency: String,
}
