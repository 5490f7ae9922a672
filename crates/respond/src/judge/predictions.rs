//! Predictions that wait for what turned out to be true of them, and for their twin in the shadow.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{
    event::{JudgedEvent, JudgedOutcome, Role},
    key::Key,
    share::ShareBounds,
};

/// Most predictions that are remembered; the oldest give way.
const MOST_PREDICTIONS: usize = 131_072;
/// Most outcomes that wait for their prediction.
const MOST_WAITING: usize = 4_096;
/// Most mirrored requests of which one answer is known.
const MOST_TWINS: usize = 32_768;

/// What is remembered of a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Prediction {
    role: Role,
    decision: Key,
    /// The share when it was routed; `None` while there was none.
    bounds: Option<ShareBounds>,
    /// What the version on trial answered to a copy of the request.
    shadow: Key,
    had_label: bool,
    had_feedback: bool,
}

/// A prediction of which the truth is now known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) role: Role,
    pub(crate) bounds: Option<ShareBounds>,
    pub(crate) is_wrong: bool,
    /// Of a mirrored request with a label: whether the version on trial was wrong.
    pub(crate) shadow_is_wrong: Option<bool>,
}

/// Predictions by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Predictions {
    known: FxHashMap<Key, Prediction>,
    order: VecDeque<Key>,
    waiting: FxHashMap<Key, JudgedOutcome>,
    waiting_order: VecDeque<Key>,
    /// The id of the standing version's answer, or the shadow's answer where it came first, by request.
    twins: FxHashMap<Key, Twin>,
    twins_order: VecDeque<Key>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Twin {
    Standing { id: Key, decision: Key },
    Shadow { decision: Key },
}

impl Predictions {
    /// Remembers a prediction; answers what an outcome that came before it says.
    pub(crate) fn remember(&mut self, event: &JudgedEvent, bounds: Option<ShareBounds>) -> Option<Judged> {
        if event.id.is_none() || self.known.contains_key(&event.id) {
            return None;
        }
        let prediction = Prediction {
            role: event.role,
            decision: event.decision,
            bounds,
            shadow: Key::NONE,
            had_label: false,
            had_feedback: false,
        };
        self.known.insert(event.id, prediction);
        keep_at_most(MOST_PREDICTIONS, &mut self.order, &mut self.known, event.id);
        let outcome = self.waiting.remove(&event.id)?;
        self.outcome(&outcome)
    }

    /// Takes an outcome; `None` where it waits for its prediction, was sent twice, or says nothing.
    pub(crate) fn outcome(&mut self, outcome: &JudgedOutcome) -> Option<Judged> {
        let Some(prediction) = self.known.get_mut(&outcome.id) else {
            if !outcome.id.is_none() && self.waiting.insert(outcome.id, *outcome).is_none() {
                keep_at_most(MOST_WAITING, &mut self.waiting_order, &mut self.waiting, outcome.id);
            }
            return None;
        };
        let is_label = !outcome.label.is_none() && !prediction.decision.is_none() && !prediction.had_label;
        let is_feedback = outcome.feedback.is_finite() && !prediction.had_feedback;
        if !is_label && !is_feedback {
            return None;
        }
        prediction.had_label |= is_label;
        prediction.had_feedback |= is_feedback;
        let is_wrong = if is_label { outcome.label != prediction.decision } else { outcome.feedback < 0.0 };
        let shadow_is_wrong = (is_label && !prediction.shadow.is_none()).then(|| outcome.label != prediction.shadow);
        Some(Judged { role: prediction.role, bounds: prediction.bounds, is_wrong, shadow_is_wrong })
    }

    /// Joins the two answers to one request; whether they differ, once both are known.
    pub(crate) fn join(&mut self, event: &JudgedEvent) -> Option<bool> {
        if event.twin.is_none() || event.decision.is_none() || event.role == Role::Canary {
            return None;
        }
        let decision = event.decision;
        let (id, standing, shadow) = match (event.role, self.twins.get(&event.twin)) {
            (Role::Shadow, Some(Twin::Standing { id, decision: standing })) => (*id, *standing, decision),
            (Role::Standing, Some(Twin::Shadow { decision: shadow })) => (event.id, decision, *shadow),
            (_, Some(_)) => return None,
            (Role::Shadow, None) => return self.wait(event.twin, Twin::Shadow { decision }),
            (_, None) => return self.wait(event.twin, Twin::Standing { id: event.id, decision }),
        };
        self.twins.remove(&event.twin);
        if let Some(prediction) = self.known.get_mut(&id) {
            prediction.shadow = shadow;
        }
        Some(standing != shadow)
    }

    fn wait(&mut self, request: Key, twin: Twin) -> Option<bool> {
        self.twins.insert(request, twin);
        keep_at_most(MOST_TWINS, &mut self.twins_order, &mut self.twins, request);
        None
    }
}

/// Puts a key last and drops the oldest ones beyond the most that are kept.
fn keep_at_most<V>(most: usize, order: &mut VecDeque<Key>, known: &mut FxHashMap<Key, V>, key: Key) {
    order.push_back(key);
    while order.len() > most
        && let Some(oldest) = order.pop_front()
    {
        known.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use wardline_domain::Timestamp;

    use super::*;

    fn event(number: u64, role: Role, decision: &str) -> JudgedEvent {
        let mut event = JudgedEvent::good(Timestamp::from_micros(0), role, Key::numbered(number));
        event.decision = Key::of_class(decision);
        event
    }

    fn label(number: u64, label: &str) -> JudgedOutcome {
        let time = Timestamp::from_micros(0);
        JudgedOutcome { time, id: Key::numbered(number), label: Key::of_class(label), feedback: f64::NAN }
    }

    #[test]
    fn an_outcome_finds_its_prediction_before_or_after_and_counts_once() {
        let mut predictions = Predictions::default();
        assert_eq!(predictions.outcome(&label(1, "no")), None);
        let judged = predictions.remember(&event(1, Role::Canary, "yes"), None).unwrap();
        assert!(judged.is_wrong && judged.role == Role::Canary);
        assert_eq!(predictions.outcome(&label(1, "no")), None);
        predictions.remember(&event(2, Role::Standing, "yes"), None);
        assert!(!predictions.outcome(&label(2, "yes")).unwrap().is_wrong);
    }

    #[test]
    fn twins_are_joined_in_either_order_and_labels_judge_both() {
        let mut predictions = Predictions::default();
        let shadow = |number, decision| JudgedEvent { id: Key::NONE, ..event(number, Role::Shadow, decision) };
        predictions.remember(&event(1, Role::Standing, "yes"), None);
        assert_eq!(predictions.join(&event(1, Role::Standing, "yes")), None);
        assert_eq!(predictions.join(&shadow(1, "no")), Some(true));
        assert_eq!(predictions.outcome(&label(1, "yes")).unwrap().shadow_is_wrong, Some(true));
        assert_eq!(predictions.join(&shadow(2, "no")), None);
        assert_eq!(predictions.join(&event(2, Role::Standing, "no")), Some(false));
    }

    #[test]
    fn memory_is_bounded() {
        let mut predictions = Predictions::default();
        for number in 0..300_000 {
            predictions.remember(&event(number, Role::Standing, "yes"), None);
            predictions.join(&event(number, Role::Standing, "yes"));
            predictions.outcome(&label(number + 1_000_000, "yes"));
        }
        assert!(predictions.known.len() <= MOST_PREDICTIONS && predictions.twins.len() <= MOST_TWINS);
        assert!(predictions.waiting.len() <= MOST_WAITING && predictions.twins_order.len() <= MOST_TWINS);
    }
}
