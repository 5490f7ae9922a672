//! Every detector, one file each and one line here.
//!
//! A detector is a pure state machine: it reads a model's state when a second or a window of the stream
//! closes, or the records themselves, and returns findings. It can be saved and loaded. Its weight in the
//! false-alarm budget is in its specification.

use wardline_domain::{Finding, Timestamp};

pub(crate) use self::service_shift::{Served, ServiceShiftWatch};
pub(crate) use crate::event_rows::EventRows;
use crate::{
    model_state::ModelState, model_watch::ClosedWindow, outcomes::JudgedPrediction, settings::WatchSettings,
    slo::SloCount,
};

mod account_graph;
mod accuracy;
mod adversarial_inputs;
mod agent_loops;
mod burn_rate;
mod data_drift;
mod data_quality;
mod errors;
mod estimated_performance;
mod fairness;
mod feedback;
mod integrity;
mod jailbreak_retries;
mod latency;
mod membership_probing;
mod model_extraction;
mod obfuscated_text;
mod output_leak;
mod prediction_drift;
mod prompt_injection;
mod query_chains;
mod recommendation_shift;
mod service_shift;
mod sponge_inputs;
mod token_cost;
mod traffic;
mod training_poison;
mod version_errors;
mod version_latency;
mod version_scores;

/// What a detector is and how it is built.
pub struct DetectorSpec {
    /// Its name in findings.
    pub name: &'static str,
    /// Its weight when the false alerts that are accepted are shared out to all detectors.
    pub budget_share: f64,
    /// The method in one line, for reference pages.
    pub method: &'static str,
    /// MITRE ATLAS techniques that its findings may be a sign of; none for symptoms of operations.
    pub atlas: &'static [&'static str],
    pub(crate) build: fn(&DetectorBudget) -> Box<dyn Detector>,
}

/// How often a detector may be wrong.
pub(crate) struct DetectorBudget {
    /// False alarms a week of one model in which nothing changes.
    pub(crate) weekly: f64,
    /// Chance of a false alarm in one comparison of versions.
    pub(crate) version_alpha: f64,
}

/// Every detector there is.
pub const DETECTORS: &[DetectorSpec] = &[
    traffic::SPEC,
    errors::SPEC,
    version_errors::SPEC,
    burn_rate::SPEC,
    latency::SPEC,
    version_latency::SPEC,
    prediction_drift::SPEC,
    version_scores::SPEC,
    data_drift::SPEC,
    data_quality::SPEC,
    accuracy::SPEC,
    feedback::SPEC,
    adversarial_inputs::SPEC,
    training_poison::SPEC,
    recommendation_shift::SPEC,
    fairness::SPEC,
    integrity::SPEC,
    token_cost::SPEC,
    estimated_performance::SPEC,
    model_extraction::SPEC,
    query_chains::SPEC,
    membership_probing::SPEC,
    sponge_inputs::SPEC,
    agent_loops::SPEC,
    account_graph::SPEC,
    prompt_injection::SPEC,
    output_leak::SPEC,
    jailbreak_retries::SPEC,
    obfuscated_text::SPEC,
    service_shift::SPEC,
];

/// A pure state machine from seconds, windows and single records to findings.
pub(crate) trait Detector: Send {
    /// Records of the model, in order: predictions, all of one second of the stream, before that second ends; or
    /// training rows or a deployment. A batch may end anywhere between two rows, so nothing may depend on that.
    fn on_rows(&mut self, _state: &ModelState, _rows: &EventRows<'_, '_>, _findings: &mut Vec<Finding>) {}
    /// A second that had events has ended; its counts are `state.second`.
    fn on_second(&mut self, _state: &ModelState, _findings: &mut Vec<Finding>) {}
    /// A window has ended.
    fn on_window(
        &mut self,
        _state: &ModelState,
        _window: &ClosedWindow<'_>,
        _now: Timestamp,
        _findings: &mut Vec<Finding>,
    ) {
    }
    /// Predictions whose outcome came, in the order in which the outcomes came. Their times, not the model's clock, say
    /// when: outcomes lie in batches of their own, so that the clock may have moved on.
    fn on_outcomes(&mut self, _state: &ModelState, _judged: &[JudgedPrediction], _findings: &mut Vec<Finding>) {}
    /// The stream's clock has moved.
    fn on_time(&mut self, _state: &ModelState, _now: Timestamp, _findings: &mut Vec<Finding>) {}
    /// No more records come.
    fn on_end(&mut self, _state: &ModelState, _findings: &mut Vec<Finding>) {}
    /// What it counted for objectives since the beginning.
    fn slo_counts(&self, _state: &ModelState) -> Vec<SloCount> {
        Vec::new()
    }
    /// Its state.
    fn save(&self) -> Result<Vec<u8>, postcard::Error>;
    /// Takes a saved state.
    fn load(&mut self, bytes: &[u8]) -> Result<(), postcard::Error>;
}

/// Saves and loads a detector that is its own serializable state.
macro_rules! saved_whole {
    () => {
        fn save(&self) -> Result<Vec<u8>, postcard::Error> {
            postcard::to_stdvec(self)
        }

        fn load(&mut self, bytes: &[u8]) -> Result<(), postcard::Error> {
            *self = postcard::from_bytes(bytes)?;
            Ok(())
        }
    };
}
use saved_whole;

/// All detectors of one model.
pub(crate) fn build_all(settings: &WatchSettings) -> Vec<Box<dyn Detector>> {
    let all: f64 = DETECTORS.iter().map(|spec| spec.budget_share).sum();
    DETECTORS
        .iter()
        .map(|spec| {
            let budget = DetectorBudget {
                weekly: settings.false_alerts_per_week * spec.budget_share / all,
                version_alpha: settings.version_alpha,
            };
            (spec.build)(&budget)
        })
        .collect()
}
