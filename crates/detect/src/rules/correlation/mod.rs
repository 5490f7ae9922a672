//! Correlations: matches of rules, counted and joined over time and by group.
//!
//! A window slides: it ends at the match that is looked at and holds what lies at most the span before it,
//! both ends included. A match whose group-by fields are missing belongs to no group and is left out.
//!
//! **Bounds**, for each rule: [`MOST_GROUPS`] groups, [`MOST_HELD`] entries of all groups together, and those
//! of one group as its window says. A match that finds no room is counted in `left_out`, and findings say so.

mod amounts;
mod distinct;
mod sequence;

use std::collections::BTreeMap;

use hashbrown::HashMap;
use rsigma_parser::ConditionOperator;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, RecordKind, Span};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    cells::{Cell, Cells},
    field::Field,
    text_pattern::folded,
};
use amounts::{AmountWindow, OrderWindow};
use distinct::{DistinctWindow, LEAST_SAMPLE, MOST_EXACT, MOST_OF_ALL};
pub(crate) use sequence::Meeting;
use sequence::SequenceWindow;

/// Most groups of one rule.
pub(crate) const MOST_GROUPS: usize = 100_000;
/// Most entries of all groups of one rule.
pub(crate) const MOST_HELD: usize = 1 << 23;

/// What a correlation asks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Question {
    EventCount,
    ValueCount,
    Sum,
    Average,
    Percentile(f64),
    /// Rules that must meet.
    Together(Meeting),
    /// How many of the rules meet.
    HowMany,
    InOrder,
}

/// A compiled correlation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Correlation {
    pub(crate) question: Question,
    /// The rules that it refers to, by their place in the rule set.
    pub(crate) rules: Vec<usize>,
    /// Fields to group by, for each reference and kind of record.
    pub(crate) groups: BTreeMap<(usize, RecordKind), Vec<Field>>,
    /// Fields whose values count, likewise.
    pub(crate) values: BTreeMap<(usize, RecordKind), Vec<Field>>,
    /// Names of the fields to group by.
    pub(crate) group_names: Vec<String>,
    pub(crate) span: Span,
    pub(crate) bounds: Vec<(ConditionOperator, f64)>,
    /// Whether models are told apart: all its records name one.
    pub(crate) by_model: bool,
}

/// A match of a rule that a correlation refers to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Match {
    pub(crate) row: usize,
    /// Which of the correlation's rules.
    pub(crate) reference: usize,
    /// Microseconds.
    pub(crate) time: i64,
}

/// The condition held at a match.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fired {
    pub(crate) row: usize,
    pub(crate) time: i64,
    pub(crate) group: Vec<String>,
    pub(crate) observed: f64,
    pub(crate) exactness: Exactness,
}

/// How exact a number is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Exactness {
    Exact,
    /// Counting stopped above the limit: it is this or more.
    OrMore,
    /// Estimated, with this relative standard error.
    About(f64),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Window {
    Amounts(AmountWindow),
    Distinct(DistinctWindow),
    Order(OrderWindow),
    Sequence(SequenceWindow),
}

impl Window {
    fn len(&self) -> usize {
        match self {
            Self::Amounts(window) => window.len(),
            Self::Distinct(window) => window.len(),
            Self::Order(window) => window.len(),
            Self::Sequence(window) => window.len(),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Group {
    last: i64,
    window: Window,
}

/// What a correlation remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(crate) struct CorrelationState {
    groups: HashMap<Box<str>, Group, FxBuildHasher>,
    held: usize,
    swept: i64,
    pub(crate) left_out: u64,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    groups: Vec<(Box<str>, Group)>,
    swept: i64,
    left_out: u64,
}

impl From<CorrelationState> for Saved {
    fn from(state: CorrelationState) -> Self {
        let mut groups: Vec<(Box<str>, Group)> = state.groups.into_iter().collect();
        groups.sort_by(|left, right| left.0.cmp(&right.0));
        Self { groups, swept: state.swept, left_out: state.left_out }
    }
}

impl From<Saved> for CorrelationState {
    fn from(saved: Saved) -> Self {
        let held = saved.groups.iter().map(|(_, group)| group.window.len()).sum();
        Self { groups: saved.groups.into_iter().collect(), held, swept: saved.swept, left_out: saved.left_out }
    }
}

/// The columns of one reference in a batch.
struct Columns<'a> {
    groups: Vec<Cells<'a>>,
    values: Vec<Cells<'a>>,
}

impl CorrelationState {
    /// Takes the matches of a batch, in the order of its rows. `model_of` names a row's model.
    pub(crate) fn observe(
        &mut self,
        correlation: &Correlation,
        batch: &EventBatch,
        matches: &[Match],
        model_of: &impl Fn(usize) -> String,
    ) -> Vec<Fired> {
        let columns: Vec<Columns<'_>> = (0..correlation.rules.len())
            .map(|reference| Columns {
                groups: columns_of(&correlation.groups, reference, batch),
                values: columns_of(&correlation.values, reference, batch),
            })
            .collect();
        let mut fired = Vec::new();
        let mut key = String::new();
        for found in matches {
            let columns = &columns[found.reference];
            key.clear();
            if correlation.by_model {
                push_part(&mut key, &model_of(found.row));
            }
            let cells: Vec<Cell<'_>> = columns.groups.iter().map(|cells| cells.get(found.row)).collect();
            let complete = cells.iter().all(|cell| cell.text().map(|text| push_part(&mut key, &text)).is_some());
            if !complete {
                continue;
            }
            if let Some((observed, exactness)) = self.take(correlation, found, &key, &columns.values) {
                let group = cells.iter().filter_map(|cell| cell.text().map(std::borrow::Cow::into_owned)).collect();
                fired.push(Fired { row: found.row, time: found.time, group, observed, exactness });
            }
        }
        fired
    }

    /// Groups that are remembered.
    #[cfg(test)]
    pub(crate) fn n_groups(&self) -> usize {
        self.groups.len()
    }

    fn take(
        &mut self,
        correlation: &Correlation,
        found: &Match,
        key: &str,
        values: &[Cells<'_>],
    ) -> Option<(f64, Exactness)> {
        let value = match correlation.question {
            Question::Sum | Question::Average | Question::Percentile(_) => values.first()?.get(found.row).number()?,
            _ => 0.0,
        };
        let hash = match correlation.question {
            Question::ValueCount => hash_of(values, found.row)?,
            _ => 0,
        };
        if !self.groups.contains_key(key) && !self.has_room(found.time, correlation.span) {
            self.left_out += 1;
            return None;
        }
        let held = self.held;
        if !self.groups.contains_key(key) {
            self.groups.insert(key.into(), Group { last: found.time, window: correlation.window() });
        }
        let group = self.groups.get_mut(key)?;
        // Times of one stream never go back, and those of another may: its records count when they come.
        let time = match group.window {
            Window::Sequence(_) => found.time,
            _ => found.time.max(group.last),
        };
        group.last = group.last.max(time);
        let before = group.window.len();
        let answer = group.window.take(correlation, found.reference, time, value, hash, held);
        self.held = self.held + group.window.len() - before.min(self.held);
        answer
    }

    fn has_room(&mut self, now: i64, span: Span) -> bool {
        let is_full = |state: &Self| state.groups.len() >= MOST_GROUPS || state.held >= MOST_HELD;
        // Going through all groups is dear, so it happens a few times in a span at most.
        if is_full(self) && now.saturating_sub(self.swept) >= (span / 8).max(1) {
            self.swept = now;
            self.groups.retain(|_, group| now.saturating_sub(group.last) <= span);
            self.held = self.groups.values().map(|group| group.window.len()).sum();
        }
        !is_full(self)
    }
}

fn columns_of<'a>(
    fields: &'a BTreeMap<(usize, RecordKind), Vec<Field>>,
    reference: usize,
    batch: &'a EventBatch,
) -> Vec<Cells<'a>> {
    fields.get(&(reference, batch.kind)).into_iter().flatten().map(|field| Cells::of(batch, field)).collect()
}

fn push_part(key: &mut String, part: &str) {
    key.push_str(part);
    key.push('\u{1f}');
}

/// The hash of the values of a row, their case folded; `None` where one is missing.
fn hash_of(values: &[Cells<'_>], row: usize) -> Option<u64> {
    let mut hash = 0;
    for cells in values {
        let cell = cells.get(row);
        let text = cell.text()?;
        let plain = !text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii());
        let one = if plain { xxh3_64(text.as_bytes()) } else { xxh3_64(folded(&text).as_bytes()) };
        hash = if values.len() == 1 { one } else { xxh3_64(&[u64::to_le_bytes(hash), one.to_le_bytes()].concat()) };
    }
    Some(hash)
}

impl Correlation {
    fn window(&self) -> Window {
        match self.question {
            Question::EventCount | Question::Sum | Question::Average => Window::Amounts(AmountWindow::default()),
            Question::ValueCount => Window::Distinct(DistinctWindow::default()),
            Question::Percentile(_) => Window::Order(OrderWindow::default()),
            Question::Together(_) | Question::HowMany | Question::InOrder => {
                Window::Sequence(SequenceWindow::default())
            }
        }
    }

    fn holds(&self, observed: f64) -> bool {
        self.bounds.iter().all(|(operator, limit)| match operator {
            ConditionOperator::Lt => observed < *limit,
            ConditionOperator::Lte => observed <= *limit,
            ConditionOperator::Gt => observed > *limit,
            ConditionOperator::Gte => observed >= *limit,
            ConditionOperator::Eq => observed == *limit,
            ConditionOperator::Neq => observed != *limit,
        })
    }

    /// The count above which nothing more need be known to judge the condition.
    pub(crate) fn needed(&self) -> u64 {
        self.bounds.iter().map(|(_, limit)| limit.max(0.0) as u64).max().unwrap_or(0).saturating_add(1)
    }
}

impl Window {
    fn take(
        &mut self,
        correlation: &Correlation,
        reference: usize,
        time: i64,
        value: f64,
        hash: u64,
        held: usize,
    ) -> Option<(f64, Exactness)> {
        let (span, needed) = (correlation.span, correlation.needed());
        let holds = |observed: f64, exactness| correlation.holds(observed).then_some((observed, exactness));
        match self {
            Self::Amounts(window) => {
                let is_count = correlation.question == Question::EventCount;
                window.see(time, value, span, if is_count { needed } else { u64::MAX });
                let count = window.count();
                let exactness = match () {
                    () if window.is_coarse() => Exactness::About(1e-3),
                    () if is_count && count == needed => Exactness::OrMore,
                    () => Exactness::Exact,
                };
                match correlation.question {
                    Question::Sum => holds(window.sum(), exactness),
                    Question::Average => holds(window.sum() / count.max(1) as f64, exactness),
                    _ => holds(count as f64, exactness),
                }
            }
            Self::Distinct(window) => {
                let most = if held >= MOST_OF_ALL { LEAST_SAMPLE } else { MOST_EXACT };
                let needed = usize::try_from(needed).unwrap_or(usize::MAX);
                window.see(hash, time, span, needed, most);
                let exactness = match window.error() {
                    Some(error) => Exactness::About(error),
                    None if window.len() == needed => Exactness::OrMore,
                    None => Exactness::Exact,
                };
                holds(window.count(), exactness)
            }
            Self::Order(window) => {
                window.see(time, value, span);
                let Question::Percentile(percent) = correlation.question else { return None };
                let exactness = if window.is_sample() {
                    Exactness::About(0.5 / (window.len().max(1) as f64).sqrt())
                } else {
                    Exactness::Exact
                };
                holds(window.percentile(percent)?, exactness)
            }
            Self::Sequence(window) => {
                let n_rules = correlation.rules.len();
                window.see(reference, n_rules, time, span);
                let met = match &correlation.question {
                    Question::InOrder => window.holds_in_order(time, span),
                    Question::Together(meeting) => window.holds(time, span, meeting),
                    _ => return holds(window.most_rules(time, span) as f64, Exactness::Exact),
                };
                met.then_some((n_rules as f64, Exactness::Exact))
            }
        }
    }
}
