//! A finding: one thing that one detector saw go wrong, with what it rests on.

use serde::{Deserialize, Serialize};

use crate::{Slice, Timestamp};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Volume of predictions, too high, too low, or silent.
    Traffic,
    /// Error rate against what is normal, or against the other version.
    Errors,
    /// An objective's error budget burns too fast.
    SloBurn,
    /// Latency against what is normal, or against the other version.
    Latency,
    /// Saturation of the serving stack: processor, memory, garbage collection, queues.
    Saturation,
    /// The inputs' distribution moved.
    DataDrift,
    /// The outputs' distribution moved.
    PredictionDrift,
    /// Missing values, new categories, values out of range.
    DataQuality,
    /// Predictions are right less often, as labels, feedback or the model's own scores tell.
    Performance,
    /// Groups of people are treated unequally.
    Fairness,
    /// Inputs made to fool the model: patches, perturbations, triggers.
    Adversarial,
    /// Training rows or feedback made to bend the model.
    Poisoning,
    /// Queries that copy the model or its training data.
    Extraction,
    /// Texts that instruct the model against its operator, and what they bring out of it.
    Injection,
    /// Usage that costs more than its owner means to spend.
    Cost,
    /// What serves, or what it was made from, is not what was recorded.
    Integrity,
    /// A figure of another system moved: what it sells, stocks or shows; trouble of a model may be behind it.
    Cascade,
    /// A version on trial is worse and is sent back.
    Rollback,
    /// A version on trial is not worse and may have all traffic.
    Promote,
}

impl FindingKind {
    /// The name in SQL, in JSON and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traffic => "traffic",
            Self::Errors => "errors",
            Self::SloBurn => "slo_burn",
            Self::Latency => "latency",
            Self::Saturation => "saturation",
            Self::DataDrift => "data_drift",
            Self::PredictionDrift => "prediction_drift",
            Self::DataQuality => "data_quality",
            Self::Performance => "performance",
            Self::Fairness => "fairness",
            Self::Adversarial => "adversarial",
            Self::Poisoning => "poisoning",
            Self::Extraction => "extraction",
            Self::Injection => "injection",
            Self::Cost => "cost",
            Self::Integrity => "integrity",
            Self::Cascade => "cascade",
            Self::Rollback => "rollback",
            Self::Promote => "promote",
        }
    }
}

/// What a person should do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing; it is on record.
    Info,
    /// Look at it in working hours.
    Ticket,
    /// Look at it now.
    Page,
}

impl Severity {
    /// The name in SQL, in JSON and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Ticket => "ticket",
            Self::Page => "page",
        }
    }
}

/// Why a finding is on record and did not become an alert, or not one as severe as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBack {
    /// The budget of false alerts has no room for one that is no surer.
    Budget,
    /// The operator asked for silence; the silence's name.
    Silence(String),
}

impl std::fmt::Display for HeldBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Budget => f.write_str("budget"),
            Self::Silence(name) => write!(f, "silence {name}"),
        }
    }
}

/// A slice or a feature that carries a finding, and how much of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Carrier {
    /// What carries it: `instance=api-2`, or a feature's name.
    pub name: String,
    /// Share of the effect that it explains, 0 to 1.
    pub share: f64,
    /// 95 % interval of the share, where there is enough data for one.
    pub interval: Option<(f64, f64)>,
}

/// One thing that one detector saw go wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The same finding over the same data has the same id.
    pub id: String,
    /// When it was raised, on the stream's clock.
    pub time: Timestamp,
    /// What is wrong.
    pub kind: FindingKind,
    /// The detector's name, such as `burn_rate`.
    pub detector: String,
    /// The measure that moved, such as `latency_ms`, `score` or `feature_age`.
    pub measure: String,
    /// The model.
    pub model: String,
    /// The version, where one carries it.
    pub version: Option<String>,
    /// The part of the traffic it was seen in.
    pub slice: Slice,
    /// When it began, as far as the data tell.
    pub onset: Timestamp,
    /// Between which moments it began.
    pub onset_interval: (Timestamp, Timestamp),
    /// What was seen, in `unit`.
    pub observed: f64,
    /// What is normal, in `unit`.
    pub expected: f64,
    /// Unit of both, such as `ms`, `share` or `events/h`.
    pub unit: String,
    /// How many events the observed value rests on.
    pub n_observed: u64,
    /// How many events the expected value rests on.
    pub n_expected: u64,
    /// How large the effect is, in the terms of `effect_name`.
    pub effect: f64,
    /// The effect's measure, such as `ratio`, `psi` or `burn_rate`.
    pub effect_name: String,
    /// Chance of as much by chance alone, where the detector has one (its control is on its page).
    pub p_value: Option<f64>,
    /// The largest chance with which the detector would have told of it, where it knows.
    #[serde(default)]
    pub p_limit: Option<f64>,
    /// What a person should do about it.
    pub severity: Severity,
    /// MITRE ATLAS techniques that it may be a sign of.
    pub atlas: Vec<String>,
    /// Slices that carry it, the most responsible first.
    pub responsible: Vec<Carrier>,
    /// Features that carry it, the most responsible first.
    pub features: Vec<Carrier>,
    /// What happened, in one sentence that a person understands.
    pub title: String,
    /// SQL that shows the evidence.
    pub evidence: String,
    /// Why nobody was told of it, where that is so.
    #[serde(default)]
    pub held_back: Option<HeldBack>,
}

impl Finding {
    /// A finding of the whole traffic with neutral values, to be filled; it has no id yet.
    pub fn draft(model: &str, detector: &str, kind: FindingKind, measure: &str, time: Timestamp) -> Self {
        Self {
            id: String::new(),
            time,
            kind,
            detector: detector.to_owned(),
            measure: measure.to_owned(),
            model: model.to_owned(),
            version: None,
            slice: Slice::whole(),
            onset: time,
            onset_interval: (time, time),
            observed: 0.0,
            expected: 0.0,
            unit: String::new(),
            n_observed: 0,
            n_expected: 0,
            effect: 0.0,
            effect_name: String::new(),
            p_value: None,
            severity: Severity::Ticket,
            atlas: Vec::new(),
            responsible: Vec::new(),
            features: Vec::new(),
            title: String::new(),
            evidence: String::new(),
            p_limit: None,
            held_back: None,
        }
    }

    /// Makes the id from what identifies a finding: detector, measure, model, version, slice and onset.
    pub fn identify(
        detector: &str,
        measure: &str,
        model: &str,
        version: Option<&str>,
        slice: &Slice,
        onset: Timestamp,
    ) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in [detector, measure, model, version.unwrap_or(""), &slice.to_string()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update(&onset.micros().to_le_bytes());
        format!("f-{}", &hasher.finalize().to_hex()[..20])
    }
}
