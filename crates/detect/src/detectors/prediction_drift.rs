//! The outputs' distribution moves away from the baseline.
//!
//! - **Method:** [`crate::drift_watch`] over `score`, `prediction` and `decision`, per version; a new
//!   version is compared with the model's baseline.
//!   Slices (values of channel, tenant and attributes, at most 24 with 300 learned events or more) are
//!   compared with their own learning in windows of 200 events, where the whole shows nothing.
//! - **Fields:** any of `score`, `prediction`, `decision`.
//! - **False alarms:** Benjamini–Hochberg over the outputs of each window, at the weekly budget's part; the
//!   noise is that between the learning period's own windows, so returning users and weekends are in it.
//!   Slices have three tenths of it, divided by slices and measures, against how their own windows vary.
//! - **Least effect:** 10 % of predictions moved, and 1.5 times what 95 % of normal windows show.
//! - **Blind spots:** a season longer than the learning; what moves less between windows than it used to.
//! - **ATLAS:** AML.T0031 (erode model integrity).

use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, FindingKind, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, saved_whole};
use crate::{drift_watch::DriftWatch, measure::Role, model_state::ModelState, model_watch::ClosedWindow};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "prediction_drift",
    budget_share: 0.12,
    method: "chi-square distance of windows to the baseline, against that of learned windows",
    atlas: &["AML.T0031"],
    build: |budget: &DetectorBudget| Box::new(PredictionDrift { watch: DriftWatch::new(Role::Output, budget.weekly) }),
};

#[derive(Serialize, Deserialize)]
struct PredictionDrift {
    watch: DriftWatch,
}

impl Detector for PredictionDrift {
    fn on_window(
        &mut self,
        state: &ModelState,
        window: &ClosedWindow<'_>,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        findings.extend(self.watch.on_window(state, window, now, (SPEC.name, FindingKind::PredictionDrift)));
    }

    saved_whole!();
}

#[cfg(test)]
mod tests;
