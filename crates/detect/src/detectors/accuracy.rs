//! Predictions are right less often than they were, as labels tell that come late and for few.
//!
//! - **Method:** each outcome finds its prediction by id ([`crate::outcomes`]); a sequential e-detector
//!   ([`crate::judged_watch`]) watches how often decisions are wrong, how often a number is further off, and how often the
//!   true class gets a lower probability, than nine (eight) in ten did while learning. Labels are compared with labels that
//!   came after as long a delay. It watches the whole and every version, channel, user and attribute value.
//! - **Fields:** `label` with `decision`, or with `score`; `value` with `prediction`; both by `id`.
//! - **False alarms:** the run to a false alarm is at least the inverse of the budget, in days with labels (three
//!   quarters of it the whole's, a quarter shared by all entities).
//! - **Least effect:** one point, or twice as often; 100 labels of what is normal.
//! - **Blind spots:** labels that are chosen by how sure the model is, and newly so, look like a change. Beyond some hundred
//!   thousand predictions only a sample can be joined; with few labels as well, nothing may be left.
//! - **ATLAS:** AML.T0031 (erode model integrity).

use serde::{Deserialize, Serialize};
use wardline_domain::{Finding, FindingKind, Severity, Span, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, saved_whole};
use crate::{
    draft::draft,
    evidence,
    judged_finding::{self, Words},
    judged_watch::{JudgedAlarm, JudgedWatch, Loss, Rule},
    model_state::ModelState,
    outcomes::{JudgedPrediction, text_hash},
    wording::{number, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "accuracy",
    budget_share: 0.1,
    method: "sequential e-detectors on labelled predictions, by length of delay, whole and by entity",
    atlas: &["AML.T0031"],
    build: |budget: &DetectorBudget| {
        Box::new(Accuracy { weekly_budget: budget.weekly, watches: Default::default(), told: None })
    },
};

/// What is watched, in the order in which it is told.
const FACTS: [Fact; 3] = [Fact::Wrong, Fact::Off, Fact::Surprise];
/// For so long one fact speaks for the others.
const SAID_FOR: Span = 4 * Timestamp::DAY;
const LEAST_DIFFERENCE: f64 = 0.01;
const LEAST_RATIO: f64 = 2.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    Wrong,
    Off,
    Surprise,
}

#[derive(Serialize, Deserialize)]
struct Accuracy {
    weekly_budget: f64,
    watches: [JudgedWatch; FACTS.len()],
    /// Which fact was told last, and when: the others say the same in other words.
    told: Option<(u8, Timestamp)>,
}

impl Detector for Accuracy {
    fn on_outcomes(&mut self, state: &ModelState, judged: &[JudgedPrediction], findings: &mut Vec<Finding>) {
        let Some(learning_ends) = judged_finding::learning_ends(state) else { return };
        // Facts of one model move together, and two of them are falsely told hardly more often than one.
        let days = 7.0 / self.weekly_budget.max(1e-9);
        let rule = Rule { learning_ends, days, is_concentrated: false };
        let positive = state.settings.positive_class.as_deref().map(text_hash);
        for one in judged {
            for ((fact, watch), number) in FACTS.into_iter().zip(&mut self.watches).zip(0_u8..) {
                let Some(loss) = fact.loss(one, positive) else { continue };
                let Some(alarm) = watch.observe(one, loss, &rule).filter(is_large) else { continue };
                let is_said = |(other, time): (u8, Timestamp)| other != number && one.time.since(time) < SAID_FOR;
                if !self.told.is_some_and(is_said) {
                    self.told = Some((number, one.time));
                    findings.push(finding(state, fact, &alarm, one.share_kept));
                }
            }
        }
    }

    saved_whole!();
}

impl Fact {
    fn loss(self, judged: &JudgedPrediction, positive: Option<u32>) -> Option<(f64, Loss)> {
        match self {
            Self::Wrong => judged.is_right().map(|right| (f64::from(u8::from(!right)), Loss::Wrong)),
            Self::Off => {
                let off = (judged.value - judged.prediction).abs();
                off.is_finite().then_some((off, Loss::Number))
            }
            Self::Surprise => {
                let is_scored = match positive {
                    Some(positive) => (judged.label != 0).then_some(judged.label == positive),
                    None => judged.is_right(),
                }?;
                let given = if is_scored { judged.score } else { 1.0 - judged.score };
                (0.0..=1.0).contains(&given).then_some((1.0 - given, Loss::Number))
            }
        }
    }
}

fn is_large(alarm: &JudgedAlarm) -> bool {
    let (seen, normal) = (alarm.bad as f64 / alarm.n.max(1) as f64, alarm.expected / alarm.n.max(1) as f64);
    seen - normal >= LEAST_DIFFERENCE || seen >= LEAST_RATIO * normal
}

fn finding(state: &ModelState, fact: Fact, alarm: &JudgedAlarm, share_kept: f64) -> Finding {
    let measure = match fact {
        Fact::Wrong => "accuracy",
        Fact::Off => "error",
        Fact::Surprise => "log_loss",
    };
    let mut finding = draft(state, SPEC.name, FindingKind::Performance, measure, alarm.time);
    let n = alarm.n.max(1) as f64;
    let (seen, normal) = (alarm.bad as f64 / n, alarm.expected / n);
    finding.unit = "share".to_owned();
    finding.effect_name = "difference of shares".to_owned();
    finding.effect = seen - normal;
    finding.severity = Severity::Ticket;
    finding.atlas = vec!["AML.T0031".to_owned()];
    (finding.observed, finding.expected) =
        if fact == Fact::Wrong { (1.0 - seen, 1.0 - normal) } else { (seen, normal) };
    let what = match fact {
        Fact::Wrong => format!("accuracy fell from {} to {}", percent(1.0 - normal), percent(1.0 - seen)),
        Fact::Off => format!(
            "accuracy fell: errors above {} rose from {} to {} of the predictions",
            number(alarm.threshold),
            percent(normal),
            percent(seen)
        ),
        Fact::Surprise => format!(
            "accuracy of probabilities fell: the true class had less than {} in {} of the predictions, normally {}",
            number(1.0 - alarm.threshold),
            percent(seen),
            percent(normal)
        ),
    };
    let sql = match fact {
        Fact::Wrong => "avg(CASE WHEN p.decision = o.label THEN 1.0 ELSE 0.0 END) AS accuracy",
        Fact::Off => "avg(abs(p.prediction - o.value)) AS mean_absolute_error",
        Fact::Surprise => "avg(p.score) AS mean_score",
    };
    let words = Words { what, names_place: false, of_what: "labelled predictions", share_kept };
    judged_finding::complete(state, finding, alarm, &words, |finding| evidence::outcomes(finding, sql))
}

#[cfg(test)]
mod tests;
