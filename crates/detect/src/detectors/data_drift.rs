//! The inputs' distribution moves away from the baseline.
//!
//! - **Method:** [`crate::drift_watch`] over every feature, `input_tokens`, the prompt's length and the
//!   embedding, per version; features are ranked by how much moved.
//!   Slices (values of channel, tenant and attributes, at most 24 with 300 learned events or more) are
//!   compared with their own learning in windows of 200 events, where the whole shows nothing.
//! - **Fields:** any of `features`, `input_tokens`, `prompt`, `embedding`.
//! - **False alarms:** Benjamini–Hochberg over the inputs of each window, at the weekly budget's part; the
//!   noise is that between the learning period's own windows, so returning users and weekends are in it.
//!   Slices have three tenths of it, divided by slices and measures, against how their own windows vary.
//! - **Least effect:** 10 % of events moved, and 1.5 times what 95 % of normal windows show.
//! - **Blind spots:** relations between features that change while each stays; a few events of many.
//! - **ATLAS:** none of itself; the slices it names say where to look.

use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, FindingKind, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, saved_whole};
use crate::{drift_watch::DriftWatch, measure::Role, model_state::ModelState, model_watch::ClosedWindow};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "data_drift",
    budget_share: 0.12,
    method: "chi-square distance of windows to the baseline over all inputs, Benjamini-Hochberg",
    atlas: &[],
    build: |budget: &DetectorBudget| Box::new(DataDrift { watch: DriftWatch::new(Role::Input, budget.weekly) }),
};

#[derive(Serialize, Deserialize)]
struct DataDrift {
    watch: DriftWatch,
}

impl Detector for DataDrift {
    fn on_window(
        &mut self,
        state: &ModelState,
        window: &ClosedWindow<'_>,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        findings.extend(self.watch.on_window(state, window, now, (SPEC.name, FindingKind::DataDrift)));
    }

    saved_whole!();
}

#[cfg(test)]
mod tests;
