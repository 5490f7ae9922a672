//! One client walks by small steps to another decision: an attack that feels its way across the model's boundary.
//!
//! - **Method:** each query of a client is joined to the nearest of its last twelve of six hours that it is near
//!   to: one value differs, or all values lie within three places among the 32 that were learned (of prompts: two
//!   words differ). The chain's length counts when a step of it changes the decision. Exact repetitions do not
//!   count.
//! - **Fields:** `api_key`, else `user`, else `client_ip`; `feature_*` (the first ten by name), else `embedding`,
//!   else `prompt`; `decision`.
//! - **False alarms:** a chain must be three times as long as the longest that any client made in learning, which
//!   also says how near honest queries are to one another in this model.
//! - **Least effect:** fifteen near inputs that end in another decision, where honest chains have at most five.
//! - **Blind spots:** attacks without queries to this model (transfer), over many accounts, or with long pauses;
//!   models of a few whole numbers, where honest queries are near to one another by chance; clients beyond the
//!   1,024 busiest.
//! - **ATLAS:** AML.T0043.001 (black-box optimization), AML.T0042 (verify attack), AML.T0015 (evade the model).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, RecordKind, Severity, Span, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    clients::ClientTable,
    draft::{draft, sealed},
    evidence,
    model_state::{ModelState, Phase},
    queries::{Decisions, Query},
    repeats::Repeats,
    wording::span,
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "query_chains",
    budget_share: 0.05,
    method: "chains of near queries of one client that end in another decision, against the longest honest one",
    atlas: &["AML.T0015", "AML.T0042", "AML.T0043.001"],
    build: |_: &DetectorBudget| Box::new(Chains::default()),
};

const MOST_CLIENTS: usize = 1_024;
/// Queries of a client that a new one may be near to, and for how long.
const KEPT: usize = 12;
const LASTS: Span = 6 * Timestamp::HOUR;
/// The least chain that is told, and times the longest honest one.
const LEAST: u32 = 15;
const TIMES_HONEST: u32 = 3;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Chains {
    clients: ClientTable<Walk, MOST_CLIENTS>,
    /// The longest chain to another decision in learning.
    longest_honest: u32,
    pending: Vec<u64>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Walk {
    steps: VecDeque<Step>,
    /// The longest chain to another decision that is to be told or was told.
    told_length: u32,
    chain: Option<Step>,
    told: Option<Repeats>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Step {
    query: Query,
    class: u32,
    time: Timestamp,
    /// Of the chain that ends here.
    length: u32,
    flips: u32,
    began: Timestamp,
}

impl Detector for Chains {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, _findings: &mut Vec<Finding>) {
        if rows.batch.kind != RecordKind::Inference || state.phase == Phase::Sampling {
            return;
        }
        let decisions = Decisions::of(rows.batch);
        if !decisions.is_known() {
            return;
        }
        let Some(columns) = rows.clients() else { return };
        let Some(queries) = rows.queries(state) else { return };
        let now = state.second.start;
        let is_watching = state.phase == Phase::Watching;
        for row in rows.range.clone() {
            let (Some(name), Some(query)) = (rows.client(row), queries.query(row)) else { continue };
            let class = decisions.class(row);
            if class == 0 {
                continue;
            }
            let Some(client) = self.clients.ask(state.client_room, columns, &name, row, now, Walk::default) else {
                continue;
            };
            let Some(step) = client.habit.step(query, class, now) else { continue };
            if !is_watching {
                self.longest_honest = self.longest_honest.max(step.length);
            } else if step.length >= LEAST.max(TIMES_HONEST * self.longest_honest) && self.pending.len() < 64 {
                client.habit.chain = Some(step);
                if !self.pending.contains(&name.key) {
                    self.pending.push(name.key);
                }
            }
        }
    }

    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        for key in std::mem::take(&mut self.pending) {
            findings.extend(self.tell(state, key, state.second.start));
        }
    }

    saved_whole!();
}

impl Walk {
    /// Takes a query; the step, if it changes the decision.
    fn step(&mut self, query: Query, class: u32, now: Timestamp) -> Option<Step> {
        while self.steps.front().is_some_and(|step| now.since(step.time) > LASTS) {
            self.steps.pop_front();
        }
        let mut nearest: Option<(u32, &Step)> = None;
        for step in self.steps.iter().rev() {
            match distance(&query, &step.query) {
                Some(0) => return None,
                Some(distance) if nearest.is_none_or(|(least, _)| distance < least) => nearest = Some((distance, step)),
                _ => {}
            }
        }
        let step = match nearest {
            None => Step { query, class, time: now, length: 1, flips: 0, began: now },
            Some((_, before)) => {
                let flips = before.flips + u32::from(before.class != class);
                Step { query, class, time: now, length: before.length + 1, flips, began: before.began }
            }
        };
        let is_flip = nearest.is_some_and(|(_, before)| before.class != class);
        if self.steps.len() >= KEPT {
            self.steps.pop_front();
        }
        self.steps.push_back(step);
        is_flip.then_some(step)
    }
}

/// How far two queries are apart, if they are near; 0 for the same.
fn distance(one: &Query, other: &Query) -> Option<u32> {
    const MOST: u32 = 3;
    let changed = one.n_changed(other) as u32;
    if changed <= 1 {
        return Some(changed);
    }
    if one.levels().next().is_none() {
        return (changed <= 2).then_some(changed);
    }
    let used = usize::from(one.width);
    let places = one.codes.iter().zip(&other.codes).take(used).map(|(mine, theirs)| u32::from(mine.abs_diff(*theirs)));
    let places: u32 = places.sum();
    (places <= MOST).then_some(1 + places)
}

impl Chains {
    fn tell(&mut self, state: &ModelState, key: u64, now: Timestamp) -> Option<Finding> {
        let client = self.clients.get_mut(key)?;
        let walk = &mut client.habit;
        let chain = walk.chain?;
        // The same walk is told again when it is much longer.
        if walk.told.is_some_and(|told| told.quiet_for(now) <= LASTS) && chain.length < 2 * walk.told_length {
            return None;
        }
        Repeats::tell(&mut walk.told, now, chain.began, 0);
        walk.told_length = chain.length;
        let limit = LEAST.max(TIMES_HONEST * self.longest_honest);
        let mut finding = draft(state, SPEC.name, FindingKind::Adversarial, "chain", now);
        finding.slice = client.slice();
        finding.responsible = vec![Carrier { name: client.label(), share: 1.0, interval: None }];
        (finding.onset, finding.onset_interval) = (chain.began, (chain.began, chain.began));
        (finding.observed, finding.expected) = (f64::from(chain.length), f64::from(self.longest_honest));
        finding.unit = "near queries".to_owned();
        finding.n_observed = u64::from(chain.length);
        (finding.effect, finding.effect_name) =
            (f64::from(chain.length) / f64::from(limit), "times_the_limit".to_owned());
        finding.severity = if chain.length >= 3 * limit { Severity::Page } else { Severity::Ticket };
        finding.atlas = ["AML.T0043.001", "AML.T0043", "AML.T0042", "AML.T0015"].map(str::to_owned).to_vec();
        finding.title = format!(
            "{} walked through {} near inputs of {} within {} to another decision ({} changes of the decision; the longest honest walk had {})",
            client.words(),
            chain.length,
            state.name,
            span(now.since(chain.began).max(Timestamp::SECOND)),
            chain.flips,
            self.longest_honest,
        );
        finding.evidence = evidence::queries(&finding);
        Some(sealed(finding))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        client_stream::{Ask, accused, learning, population, score_of, usual, watched},
        stream::{Dice, Told, monday},
    };
    use wardline_domain::Timestamp;

    /// A walk of one client from a usual input towards another decision, by so many steps each of so little.
    fn with_walk(steps: usize, stride: f64) -> Told {
        let mut asks = population(8, 40, 40, 12);
        let start = monday().plus(251 * Timestamp::HOUR);
        let mut dice = Dice(4);
        let mut ask: Ask = usual(&mut dice, "walker", start, 3);
        ask.features = vec![16_000.0, 35.0, 1_000.0, 900.0, 2.0, 0.0];
        for step in 0..steps {
            ask.time = start.plus(step as i64 * 20 * Timestamp::SECOND);
            ask.features[0] += stride;
            ask.features[3] += stride * (dice.next() - 0.5) * 0.01;
            ask.score = score_of(&ask.features);
            asks.push(ask.clone());
        }
        watched(learning(10), &mut asks, 4_000)
    }

    #[test]
    fn alerts_on_a_walk_to_another_decision() {
        assert_eq!(accused(&with_walk(40, 200.0), "query_chains"), ["api_key=walker"]);
    }

    /// Goal: a handful of corrections is what people do.
    #[test]
    fn stays_quiet_on_a_few_corrections() {
        assert_eq!(accused(&with_walk(6, 2_000.0), "query_chains"), [] as [&str; 0]);
    }
}
