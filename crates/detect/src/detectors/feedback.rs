//! People like the answers less than they did: stars, thumbs, any number where more is better.
//!
//! - **Method:** as the accuracy detector: each feedback finds its prediction by id, and a sequential e-detector
//!   ([`crate::judged_watch`]) watches how often it is as low as the lowest fifth or so of the learning period was, in the
//!   whole and in every version, channel, user and attribute value.
//! - **Fields:** `feedback` of outcomes, by `id`.
//! - **False alarms:** the run to a false alarm is at least the inverse of the budget, in days with feedback.
//! - **Least effect:** three points more of low feedback; 100 answers with feedback of what is normal.
//! - **Blind spots:** a shift among the good values only; people who stop giving feedback.
//! - **ATLAS:** AML.T0031 (erode model integrity).

use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, FindingKind, Severity};

use super::{Detector, DetectorBudget, DetectorSpec, saved_whole};
use crate::{
    draft::draft,
    evidence,
    judged_finding::{self, Words},
    judged_watch::{JudgedAlarm, JudgedWatch, Loss, Rule},
    model_state::ModelState,
    outcomes::JudgedPrediction,
    wording::{number, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "feedback",
    budget_share: 0.05,
    method: "sequential e-detectors on low feedback, whole and by entity",
    atlas: &["AML.T0031"],
    build: |budget: &DetectorBudget| Box::new(Feedback { weekly_budget: budget.weekly, watch: JudgedWatch::default() }),
};

const LEAST_DIFFERENCE: f64 = 0.03;

#[derive(Serialize, Deserialize)]
struct Feedback {
    weekly_budget: f64,
    watch: JudgedWatch,
}

impl Detector for Feedback {
    fn on_outcomes(&mut self, state: &ModelState, judged: &[JudgedPrediction], findings: &mut Vec<Finding>) {
        let Some(learning_ends) = judged_finding::learning_ends(state) else { return };
        let rule = Rule { learning_ends, days: 7.0 / self.weekly_budget.max(1e-9), is_concentrated: false };
        for one in judged.iter().filter(|one| one.feedback.is_finite()) {
            let alarm = self.watch.observe(one, (-one.feedback, Loss::Number), &rule);
            if let Some(alarm) = alarm
                && (alarm.bad as f64 - alarm.expected) / alarm.n.max(1) as f64 >= LEAST_DIFFERENCE
            {
                findings.push(finding(state, &alarm, one.share_kept));
            }
        }
    }

    saved_whole!();
}

fn finding(state: &ModelState, alarm: &JudgedAlarm, share_kept: f64) -> Finding {
    let mut finding = draft(state, SPEC.name, FindingKind::Performance, "feedback", alarm.time);
    let n = alarm.n.max(1) as f64;
    (finding.observed, finding.expected) = (alarm.bad as f64 / n, alarm.expected / n);
    finding.unit = "share".to_owned();
    (finding.effect, finding.effect_name) = (finding.observed - finding.expected, "difference of shares".to_owned());
    finding.severity = Severity::Ticket;
    finding.atlas = vec!["AML.T0031".to_owned()];
    let what = format!(
        "feedback got worse: below {} in {} of the answers, normally {}",
        number(-alarm.threshold),
        percent(finding.observed),
        percent(finding.expected)
    );
    let words = Words { what, names_place: false, of_what: "answers with feedback", share_kept };
    judged_finding::complete(state, finding, alarm, &words, |finding| {
        evidence::outcomes(finding, "avg(o.feedback) AS feedback")
    })
}

#[cfg(test)]
mod tests;
