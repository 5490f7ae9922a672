//! Watches batches with rules: matches in, findings out, a bounded number of them.
//!
//! The first match of a rule in a group is told at once. What follows is counted, and told once an hour as
//! long as it goes on. Answers depend on the records, their order and their times only.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, Finding, RecordKind, Timestamp};

use super::{
    cells::Cells,
    condition::Rows,
    correlation::{CorrelationState, Fired, Match},
    program::Program,
    rule::Body,
    rule_finding::{self, Telling},
    rule_set::RuleSet,
};
use crate::clock::StreamClock;

/// Most groups of all rules whose repeats are counted; beyond it a match is counted in `left_out`.
const MOST_REPEATS: usize = 10_000;
/// Most streams, one for each kind and model, whose clocks are kept.
const MOST_CLOCKS: usize = 50_000;
/// How often what goes on is told.
const EVERY: i64 = Timestamp::HOUR;

/// Rules over a stream.
#[derive(Debug)]
pub struct RuleWatch {
    set: Arc<RuleSet>,
    state: State,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    clocks: BTreeMap<(RecordKind, String), StreamClock>,
    /// By the rule's fingerprint: a rule that was changed begins anew.
    correlations: BTreeMap<u64, CorrelationState>,
    repeats: BTreeMap<Group, Repeat>,
    left_out: u64,
}

/// A rule's fingerprint, the model, and the values of its group.
type Group = (u64, String, Vec<String>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Repeat {
    /// When the hour began that is counted.
    since: Timestamp,
    /// Matches since then that were not told.
    count: u64,
    first: Finding,
}

impl RuleWatch {
    /// A watch that has seen nothing yet.
    pub fn new(set: Arc<RuleSet>) -> Self {
        Self { set, state: State::default() }
    }

    /// Takes a batch; each finding comes with the row that made it known, in the order of rows.
    pub fn observe(&mut self, batch: &EventBatch) -> VecDeque<(usize, Finding)> {
        let set = Arc::clone(&self.set);
        let Some(program) = set.programs.get(&batch.kind) else { return VecDeque::new() };
        let times = self.times(batch);
        if times.is_empty() {
            return VecDeque::new();
        }
        let models = Models::of(batch);
        let matches = self.matched(&set, program, batch, &times);
        let mut tellings: Vec<Telling> = matches
            .iter()
            .enumerate()
            .filter(|(index, _)| set.rules[*index].tells)
            .flat_map(|(index, matched)| told(&set, index, matched, batch, &times, &models))
            .collect();
        // By rows first, so that it does not matter where the batch ends.
        tellings.sort_by_key(|telling| (telling.row, telling.rule));
        let mut findings = VecDeque::new();
        for telling in &tellings {
            self.tell(telling, batch, &mut findings);
        }
        findings
    }

    /// What each rule matches in a batch, correlations behind what they refer to.
    pub(super) fn matched(
        &mut self,
        set: &RuleSet,
        program: &Program,
        batch: &EventBatch,
        times: &[Timestamp],
    ) -> Vec<Matched> {
        let passed = program.run(batch);
        let models = Models::of(batch);
        let mut matches: Vec<Matched> = Vec::with_capacity(set.rules.len());
        for rule in &set.rules {
            matches.push(match &rule.body {
                Body::Records { condition, .. } if rule.record_kind == batch.kind => {
                    Matched::Rows(passed.rows_of(condition))
                }
                Body::Records { .. } => Matched::Rows(Rows::Nothing),
                Body::Correlation(correlation) => {
                    let found = gathered(&correlation.rules, &matches, times);
                    if found.is_empty() {
                        Matched::Fired(Vec::new())
                    } else {
                        let state = self.state.correlations.entry(rule.fingerprint).or_default();
                        Matched::Fired(state.observe(correlation, batch, &found, &|row| models.get(row)))
                    }
                }
            });
        }
        matches
    }

    /// The stream's clock moved: tells what was counted in hours that ended.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Finding> {
        self.close(|repeat| repeat.since.plus(EVERY) <= now)
    }

    /// The stream ends: tells what was counted and not told yet.
    pub fn finish(&mut self) -> Vec<Finding> {
        self.close(|_| true)
    }

    /// Matches that found no room, here or in a correlation.
    pub fn left_out(&self) -> u64 {
        self.state.left_out + self.state.correlations.values().map(|state| state.left_out).sum::<u64>()
    }

    /// Everything it knows.
    ///
    /// # Errors
    /// Never for data in memory.
    pub fn save(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_stdvec(&self.state)
    }

    /// Goes on from a saved state. What belongs to rules that are gone or changed is dropped.
    ///
    /// # Errors
    /// Where the bytes are no saved state.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), postcard::Error> {
        let mut state: State = postcard::from_bytes(bytes)?;
        let is_known = |fingerprint: u64| self.set.rules.iter().any(|rule| rule.fingerprint == fingerprint);
        state.correlations.retain(|fingerprint, _| is_known(*fingerprint));
        state.repeats.retain(|(fingerprint, ..), _| is_known(*fingerprint));
        self.state = state;
        Ok(())
    }

    /// When each row counts.
    pub(super) fn times(&mut self, batch: &EventBatch) -> Vec<Timestamp> {
        let Ok(times) = batch.times() else { return Vec::new() };
        let key = (batch.kind, batch.model.as_deref().unwrap_or_default().to_owned());
        if self.state.clocks.len() >= MOST_CLOCKS && !self.state.clocks.contains_key(&key) {
            self.state.left_out += batch.len() as u64;
            return Vec::new();
        }
        let clock = self.state.clocks.entry(key).or_default();
        times.values().iter().map(|&micros| clock.arrive(Timestamp::from_micros(micros))).collect()
    }

    fn tell(&mut self, telling: &Telling, batch: &EventBatch, findings: &mut VecDeque<(usize, Finding)>) {
        let rule = &self.set.rules[telling.rule];
        let group: Group = (rule.fingerprint, telling.model.clone(), telling.group.clone());
        let now = telling.time;
        if let Some(repeat) = self.state.repeats.get_mut(&group) {
            if now < repeat.since.plus(EVERY) {
                repeat.count += 1;
                return;
            }
            let until = repeat.since.plus(EVERY);
            if repeat.count > 0 {
                findings.push_back((telling.row, rule_finding::again(&repeat.first, &rule.title, repeat.count, until)));
            }
            // It goes on where the hour that ended had matches, and begins anew after a quiet one.
            if repeat.count > 0 && now < until.plus(EVERY) {
                (repeat.since, repeat.count) = (until, 1);
                return;
            }
            self.state.repeats.remove(&group);
        }
        if self.state.repeats.len() >= MOST_REPEATS {
            self.state.repeats.retain(|_, repeat| now < repeat.since.plus(EVERY) || repeat.count > 0);
            if self.state.repeats.len() >= MOST_REPEATS {
                self.state.left_out += 1;
                return;
            }
        }
        let first = rule_finding::first(&self.set, telling, batch);
        findings.push_back((telling.row, first.clone()));
        self.state.repeats.insert(group, Repeat { since: now, count: 0, first });
    }

    fn close(&mut self, is_over: impl Fn(&Repeat) -> bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        let set = &self.set;
        self.state.repeats.retain(|(fingerprint, ..), repeat| {
            if !is_over(repeat) {
                return true;
            }
            if repeat.count == 0 {
                return false;
            }
            let until = repeat.since.plus(EVERY);
            let title = set.rules.iter().find(|rule| rule.fingerprint == *fingerprint).map_or("", |rule| &rule.title);
            findings.push(rule_finding::again(&repeat.first, title, repeat.count, until));
            (repeat.since, repeat.count) = (until, 0);
            true
        });
        findings.sort_by(|left, right| (left.time, &left.id).cmp(&(right.time, &right.id)));
        findings
    }
}

/// What a rule matched in a batch.
pub(super) enum Matched {
    Rows(Rows),
    Fired(Vec<Fired>),
}

/// Matches of the rules that a correlation refers to, in the order of rows.
fn gathered(rules: &[usize], matches: &[Matched], times: &[Timestamp]) -> Vec<Match> {
    let mut found = Vec::new();
    for (reference, &rule) in rules.iter().enumerate() {
        match matches.get(rule) {
            Some(Matched::Rows(rows)) => {
                found.extend(rows.iter(times.len()).map(|row| Match { row, reference, time: times[row].micros() }));
            }
            Some(Matched::Fired(fired)) => {
                found.extend(fired.iter().map(|fired| Match { row: fired.row, reference, time: fired.time }));
            }
            None => {}
        }
    }
    found.sort_by_key(|found| (found.row, found.reference));
    found
}

/// The matches of a rule that are told.
fn told(
    set: &RuleSet,
    index: usize,
    matched: &Matched,
    batch: &EventBatch,
    times: &[Timestamp],
    models: &Models<'_>,
) -> Vec<Telling> {
    let rule = &set.rules[index];
    match matched {
        Matched::Rows(rows) if rows.is_nothing() => Vec::new(),
        Matched::Rows(rows) => {
            let columns: Vec<Cells<'_>> = rule.group_by.iter().map(|(_, field)| Cells::of(batch, field)).collect();
            let group = |row: usize| {
                let values = columns.iter().map(|cells| cells.get(row).text().unwrap_or_default().into_owned());
                values.collect::<Vec<String>>()
            };
            let telling = |row: usize| Telling {
                row,
                rule: index,
                time: times[row],
                model: models.get(row),
                group: group(row),
                counted: None,
            };
            rows.iter(batch.len()).map(telling).collect()
        }
        Matched::Fired(fired) => {
            let telling = |fired: &Fired| Telling {
                row: fired.row,
                rule: index,
                time: Timestamp::from_micros(fired.time),
                model: models.get(fired.row),
                group: fired.group.clone(),
                counted: Some((fired.observed, fired.exactness)),
            };
            fired.iter().map(telling).collect()
        }
    }
}

/// Which model a row is about; of records without one the service, else the sender.
struct Models<'a> {
    batch: &'a EventBatch,
    columns: [&'static str; 3],
}

impl<'a> Models<'a> {
    const fn of(batch: &'a EventBatch) -> Self {
        Self { batch, columns: ["model", "service", "sender"] }
    }

    fn get(&self, row: usize) -> String {
        if let Some(model) = &self.batch.model {
            return model.to_string();
        }
        let named = self.columns.iter().find_map(|column| self.batch.text(column).and_then(|text| text.get(row)));
        named.unwrap_or_default().to_owned()
    }
}
