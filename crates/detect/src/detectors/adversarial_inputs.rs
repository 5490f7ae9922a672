//! Inputs that do not fit, concentrated on one person, store, camera or sender: stickers, patches, odd embeddings.
//!
//! - **Method:** a sample of rows is scored against what the learning period showed of inputs and decisions
//!   ([`crate::odd_rows`]: Mahalanobis distance and the inputs that the others explain worst, as conformal p-values). A row
//!   with a p-value of 2 % or less is odd. For each version, channel, user and attribute value a sequential e-detector
//!   ([`crate::judged_watch`]) watches the share of odd rows against its own of the learning period, and never below what
//!   all traffic shows of late: what happens to all is drift, not a pattern at someone.
//! - **Fields:** numbers and booleans of `features`, `embedding`, `score`; with more than 64, sums of them.
//! - **False alarms:** the run to naming anybody falsely is at least the inverse of the budget, in days, over all entities
//!   together. The same row sent again counts once. A pattern at one of fewer than eight values is on record only: so large a
//!   part of the traffic moves by more than chance.
//! - **Least effect:** four odd rows, twice as many as normal.
//! - **Blind spots:** an attack from everywhere at once; inputs that differ from usual ones no more than usual ones do (a
//!   small perturbation of every pixel); more than 300 values of an attribute; texts alone.
//! - **ATLAS:** AML.T0015 (evade the model), AML.T0041 (physical environment), AML.T0043.003 (manual modification).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, RecordKind, Severity, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    draft::draft,
    evidence,
    input_rows::InputRows,
    judged_finding::{self, Words},
    judged_watch::{JudgedAlarm, JudgedWatch, Loss, Rule},
    model_state::ModelState,
    odd_rows::{OddRows, Oddness},
    outcomes::{JudgedPrediction, text_hash},
    wording::percent,
};

/// A pattern at one of fewer than these stores or people is on record only.
const FEWEST_ENTITIES: usize = 8;

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "adversarial_inputs",
    budget_share: 0.1,
    method: "conformal p-values of odd rows, and sequential e-detectors on their concentration by entity",
    atlas: &["AML.T0015", "AML.T0041", "AML.T0043.003"],
    build: |budget: &DetectorBudget| Box::new(AdversarialInputs::new(budget.weekly)),
};

/// Rows of a second that are looked at, at most.
const ROWS_A_SECOND: u64 = 8;
/// A row is odd at this p-value.
const ODD: f64 = 0.02;
/// Parts of the learning period: the shape is learned, then what is usual, then how odd each entity is anyway.
const SHAPE_PART: f64 = 0.5;
const CALIBRATION_PART: f64 = 0.75;
/// Rows that the shape rests on: so many, and so many for each input.
const LEAST_ROWS: f64 = 200.0;
const ROWS_AN_INPUT: f64 = 5.0;
/// Odd rows of late that are remembered to name inputs, and to know a row that is sent again.
const MOST_ODD: usize = 256;
const LEAST_BAD: u64 = 4;
const LEAST_RATIO: f64 = 2.0;
/// Most inputs that are named.
const MOST_FEATURES: usize = 6;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OddRow {
    hash: u64,
    time: Timestamp,
    entities: crate::entities::EntityIds,
    /// Places of the inputs that fit worst.
    worst: Vec<u16>,
}

#[derive(Serialize, Deserialize)]
struct AdversarialInputs {
    weekly_budget: f64,
    second: Timestamp,
    /// Rows of the second, and every so many-th of them is looked at.
    count: u64,
    stride: u64,
    inputs: InputRows,
    odd: OddRows,
    watch: JudgedWatch,
    recent: VecDeque<OddRow>,
    /// The inputs cannot be judged.
    is_off: bool,
}

impl Detector for AdversarialInputs {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, findings: &mut Vec<Finding>) {
        if rows.batch.kind != RecordKind::Inference || self.is_off {
            return;
        }
        let now = state.second.start;
        if self.second != now {
            self.stride = self.count.div_ceil(ROWS_A_SECOND).max(1);
            (self.second, self.count) = (now, 0);
        }
        for row in rows.range.clone() {
            let index = self.count;
            self.count += 1;
            // A second with many more rows than the one before stays bounded too.
            if index.is_multiple_of(self.stride) && index < ROWS_A_SECOND * self.stride {
                self.take(state, rows, row, now, findings);
            }
        }
    }

    saved_whole!();
}

impl AdversarialInputs {
    fn new(weekly_budget: f64) -> Self {
        Self {
            weekly_budget,
            second: Timestamp::from_micros(0),
            count: 0,
            stride: 1,
            inputs: InputRows::default(),
            odd: OddRows::default(),
            watch: JudgedWatch::default(),
            recent: VecDeque::new(),
            is_off: false,
        }
    }

    fn take(
        &mut self,
        state: &ModelState,
        rows: &EventRows<'_, '_>,
        row: usize,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        let Some(values) = self.inputs.row(rows.batch, row) else { return };
        let decision = rows.batch.text("decision").and_then(|text| text.get(row)).map_or(0, text_hash);
        let Some(started) = state.started else { return };
        let learned = now.since(started) as f64 / (state.learning_span(started) as f64).max(1.0);
        if !self.odd.is_fitted() {
            self.odd.learn(&values, decision);
            let least = LEAST_ROWS.max(ROWS_AN_INPUT * values.len() as f64);
            if learned >= SHAPE_PART && self.odd.rows() >= least {
                self.is_off = !self.odd.fit();
            }
            return;
        }
        if !self.odd.is_calibrated() {
            self.odd.calibrate(&values, decision);
            if learned >= CALIBRATION_PART {
                self.odd.finish();
            }
            return;
        }
        let Some(oddness) = self.odd.judge(&values, decision) else { return };
        let entities = state.entities.of(row);
        self.watch_row(state, &values, &oddness, entities, now, findings);
    }

    fn watch_row(
        &mut self,
        state: &ModelState,
        values: &[f64],
        oddness: &Oddness,
        mut entities: crate::entities::EntityIds,
        now: Timestamp,
        findings: &mut Vec<Finding>,
    ) {
        let Some(learning_ends) = judged_finding::learning_ends(state) else { return };
        let is_odd = oddness.p_value <= ODD;
        if is_odd && !self.remember(values, oddness, entities, now) {
            return;
        }
        // A version has no patterns of its own: what it is fed, it does not choose.
        entities[0] = 0;
        let row = seen(now, entities);
        let days = 7.0 / self.weekly_budget.max(1e-9);
        let rule = Rule { learning_ends, days, is_concentrated: true };
        let alarm = self.watch.observe(&row, (f64::from(u8::from(is_odd)), Loss::Wrong), &rule);
        if let Some(alarm) = alarm
            && alarm.bad >= LEAST_BAD
            && alarm.bad as f64 >= LEAST_RATIO * alarm.expected
        {
            findings.push(self.finding(state, &alarm));
        }
    }

    /// `false` where the same row was odd not long ago.
    fn remember(
        &mut self,
        values: &[f64],
        oddness: &Oddness,
        entities: crate::entities::EntityIds,
        now: Timestamp,
    ) -> bool {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_bits().to_le_bytes()).collect();
        let hash = wardline_domain::stable_hash(&bytes);
        if self.recent.iter().any(|odd| odd.hash == hash) {
            return false;
        }
        if self.recent.len() >= MOST_ODD {
            self.recent.pop_front();
        }
        let worst =
            if oddness.is_patch { oddness.worst.iter().map(|&place| place as u16).collect() } else { Vec::new() };
        self.recent.push_back(OddRow { hash, time: now, entities, worst });
        true
    }

    fn finding(&self, state: &ModelState, alarm: &JudgedAlarm) -> Finding {
        let mut finding = draft(state, SPEC.name, FindingKind::Adversarial, "inputs", alarm.time);
        let n = alarm.n.max(1) as f64;
        (finding.observed, finding.expected) = (alarm.bad as f64 / n, alarm.expected / n);
        finding.unit = "share of odd inputs".to_owned();
        (finding.effect, finding.effect_name) = (finding.observed / finding.expected.max(1e-9), "ratio".to_owned());
        // One of few, or all: a part of the traffic that moved is drift, which is judged by how much it usually moves.
        let is_one_of_many = alarm.entity.is_some_and(|(slot, _)| state.entities.n_values(slot) >= FEWEST_ENTITIES);
        finding.severity = if is_one_of_many { Severity::Ticket } else { Severity::Info };
        finding.atlas = ["AML.T0015", "AML.T0041", "AML.T0043.003"].map(str::to_owned).to_vec();
        finding.features = self.features(alarm);
        let inputs: Vec<&str> = finding.features.iter().map(|feature| feature.name.as_str()).take(4).collect();
        let places = if inputs.is_empty() { String::new() } else { format!(", mostly in {}", inputs.join(", ")) };
        let place = alarm.entity.map_or_else(String::new, |(slot, id)| {
            format!(" at {}={}", state.entities.dimension(slot), state.entities.value(slot, id))
        });
        let what = format!(
            "a pattern of odd inputs (adversarial patch, sticker or fault){place}: {} of its predictions, normally {}{places},",
            percent(finding.observed),
            percent(finding.expected)
        );
        let words = Words { what, names_place: true, of_what: "predictions looked at", share_kept: 1.0 };
        judged_finding::complete(state, finding, alarm, &words, evidence::predictions)
    }

    /// Inputs that fit worst in the odd rows of the entity, where they are fewer than chance would have them.
    fn features(&self, alarm: &JudgedAlarm) -> Vec<Carrier> {
        let Some((slot, id)) = alarm.entity else { return Vec::new() };
        let own = || self.recent.iter().filter(|odd| odd.entities[slot] == id && alarm.onset <= odd.time);
        let n = own().count();
        let mut counts: std::collections::BTreeMap<u16, u64> = std::collections::BTreeMap::new();
        own().flat_map(|odd| &odd.worst).for_each(|&place| *counts.entry(place).or_default() += 1);
        let mut named: Vec<Carrier> = counts
            .into_iter()
            .filter(|&(_, count)| count >= 2 && 5 * count >= n as u64)
            .filter_map(|(place, count)| {
                let share = count as f64 / n.max(1) as f64;
                Some(Carrier { name: self.inputs.name(place)?, share: share.min(1.0), interval: None })
            })
            .collect();
        named.sort_by(|left, right| right.share.total_cmp(&left.share).then_with(|| left.name.cmp(&right.name)));
        named.truncate(MOST_FEATURES);
        named
    }
}

/// A row as the watch takes it: it is judged when it is served.
const fn seen(time: Timestamp, entities: crate::entities::EntityIds) -> JudgedPrediction {
    JudgedPrediction {
        time,
        predicted: time,
        hash: 0,
        entities,
        decision: 0,
        label: 0,
        score: f64::NAN,
        prediction: f64::NAN,
        value: f64::NAN,
        feedback: f64::NAN,
        share_kept: 1.0,
    }
}

#[cfg(test)]
mod tests;
