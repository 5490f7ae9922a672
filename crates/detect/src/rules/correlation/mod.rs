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

use std::{borrow::Cow, collections::BTreeMap};

use arrow::array::Array as _;
use hashbrown::HashMap;
use rsigma_parser::ConditionOperator;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, RecordKind, Span, TextColumn};
use xxhash_rust::xxh3::xxh3_64;

use super::{cells::Cells, field::Field, text_pattern::folded};
use amounts::{AmountWindow, OrderWindow};
use distinct::{DistinctWindow, LEAST_SAMPLE, MOST_EXACT, MOST_OF_ALL};
pub(crate) use sequence::Meeting;
use sequence::{Moment, SequenceWindow};

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
    key: Box<str>,
    last: i64,
    window: Window,
}

/// What a correlation remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(crate) struct CorrelationState {
    places: HashMap<Box<str>, u32, FxBuildHasher>,
    groups: Vec<Group>,
    held: usize,
    swept: i64,
    /// Records that matched.
    seen: u64,
    /// How often groups were moved to other places.
    moved: u64,
    pub(crate) left_out: u64,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    groups: Vec<Group>,
    swept: i64,
    seen: u64,
    left_out: u64,
}

impl From<CorrelationState> for Saved {
    fn from(state: CorrelationState) -> Self {
        Self { groups: state.groups, swept: state.swept, seen: state.seen, left_out: state.left_out }
    }
}

impl From<Saved> for CorrelationState {
    fn from(saved: Saved) -> Self {
        let held = saved.groups.iter().map(|group| group.window.len()).sum();
        let places = saved.groups.iter().zip(0..).map(|(group, place)| (group.key.clone(), place)).collect();
        let Saved { groups, swept, seen, left_out } = saved;
        Self { places, groups, held, swept, seen, moved: 0, left_out }
    }
}

/// The columns of one reference in a batch, and what was looked up of them.
struct Columns<'a> {
    groups: Vec<Cells<'a>>,
    values: Vec<Cells<'a>>,
    /// The group's place by the code of its only field, and the sweep since which it holds.
    places: ByCode<u32>,
    moved: u64,
    /// The value's hash by the code of its only field.
    hashes: ByCode<u64>,
}

/// Something for each value of a dictionary; empty where there is no dictionary, or more than one.
type ByCode<T> = Vec<Option<T>>;

fn by_code<T: Clone>(cells: &[Cells<'_>]) -> ByCode<T> {
    match cells {
        [Cells::Text(TextColumn::Dictionary(_, values))] => vec![None; values.len()],
        _ => Vec::new(),
    }
}

fn code_of(cells: &[Cells<'_>], row: usize) -> Option<usize> {
    match cells {
        [Cells::Text(text)] => text.code(row),
        _ => None,
    }
}

impl<'a> Columns<'a> {
    fn of(correlation: &'a Correlation, reference: usize, batch: &'a EventBatch) -> Self {
        let cells = |fields: &'a BTreeMap<(usize, RecordKind), Vec<Field>>| -> Vec<Cells<'a>> {
            fields.get(&(reference, batch.kind)).into_iter().flatten().map(|field| Cells::of(batch, field)).collect()
        };
        let (groups, values) = (cells(&correlation.groups), cells(&correlation.values));
        // Where rows name their models themselves, the code of a field alone is no group.
        let one_model = batch.model.is_some() || !correlation.by_model;
        let places = if one_model { by_code(&groups) } else { Vec::new() };
        let hashes = by_code(&values);
        Self { groups, values, places, moved: 0, hashes }
    }

    /// Whether no row can belong to a group, or have a value.
    fn is_absent(&self) -> bool {
        self.groups.iter().chain(&self.values).any(|cells| matches!(cells, Cells::Absent))
    }

    fn hash(&mut self, row: usize) -> Option<u64> {
        let code = if self.hashes.is_empty() { None } else { code_of(&self.values, row) };
        if let Some(known) = code.and_then(|code| self.hashes[code]) {
            return Some(known);
        }
        let hash = hash_of(&self.values, row)?;
        if let Some(code) = code {
            self.hashes[code] = Some(hash);
        }
        Some(hash)
    }
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
        let mut columns: Vec<Columns<'_>> =
            (0..correlation.rules.len()).map(|reference| Columns::of(correlation, reference, batch)).collect();
        let mut fired = Vec::new();
        let mut last = None;
        for found in matches {
            if last != Some(found.row) {
                last = Some(found.row);
                self.seen += 1;
            }
            let columns = &mut columns[found.reference];
            if columns.is_absent() {
                continue;
            }
            let value = match correlation.question {
                Question::Sum | Question::Average | Question::Percentile(_) => {
                    let Some(number) = columns.values.first().and_then(|cells| cells.get(found.row).number()) else {
                        continue;
                    };
                    Value::Number(number)
                }
                Question::ValueCount => match columns.hash(found.row) {
                    Some(hash) => Value::Hash(hash),
                    None => continue,
                },
                _ => Value::None,
            };
            let Some(place) = self.place(correlation, columns, found, model_of) else { continue };
            if let Some((observed, exactness)) = self.take(correlation, found, place, value) {
                let texts = columns.groups.iter().filter_map(|cells| cells.get(found.row).text().map(Cow::into_owned));
                fired.push(Fired { row: found.row, time: found.time, group: texts.collect(), observed, exactness });
            }
        }
        fired
    }

    /// The place of a match's group, made where it is new; `None` where it has none, or no room.
    fn place(
        &mut self,
        correlation: &Correlation,
        columns: &mut Columns<'_>,
        found: &Match,
        model_of: &impl Fn(usize) -> String,
    ) -> Option<usize> {
        if columns.moved != self.moved {
            columns.places.fill(None);
            columns.moved = self.moved;
        }
        let code = if columns.places.is_empty() { None } else { code_of(&columns.groups, found.row) };
        if let Some(known) = code.and_then(|code| columns.places[code]) {
            return Some(known as usize);
        }
        let mut key = String::new();
        if correlation.by_model {
            push_part(&mut key, &model_of(found.row));
        }
        for cells in &columns.groups {
            push_part(&mut key, &cells.get(found.row).text()?);
        }
        let place = match self.places.get(key.as_str()) {
            Some(&place) => place,
            None => {
                if !self.has_room(found.time, correlation.span) {
                    self.left_out += 1;
                    return None;
                }
                let (place, key) = (self.groups.len() as u32, key.into_boxed_str());
                self.places.insert(key.clone(), place);
                self.groups.push(Group { key, last: found.time, window: correlation.window() });
                place
            }
        };
        if columns.moved == self.moved
            && let Some(code) = code
        {
            columns.places[code] = Some(place);
        }
        Some(place as usize)
    }

    fn take(
        &mut self,
        correlation: &Correlation,
        found: &Match,
        place: usize,
        value: Value,
    ) -> Option<(f64, Exactness)> {
        let (held, seen) = (self.held, self.seen);
        let group = self.groups.get_mut(place)?;
        // Times of one stream never go back, and those of another may: its records count when they come.
        let time = match group.window {
            Window::Sequence(_) => found.time,
            _ => found.time.max(group.last),
        };
        group.last = group.last.max(time);
        let before = group.window.len();
        let answer = group.window.take(correlation, found.reference, (time, seen), value, held);
        self.held = (held + group.window.len()).saturating_sub(before);
        answer
    }

    fn has_room(&mut self, now: i64, span: Span) -> bool {
        let is_full = |state: &Self| state.groups.len() >= MOST_GROUPS || state.held >= MOST_HELD;
        // Going through all groups is dear, so it happens a few times in a span at most.
        if is_full(self) && now.saturating_sub(self.swept) >= (span / 8).max(1) {
            self.swept = now;
            self.moved += 1;
            self.groups.retain(|group| now.saturating_sub(group.last) <= span);
            self.held = self.groups.iter().map(|group| group.window.len()).sum();
            self.places = self.groups.iter().zip(0..).map(|(group, place)| (group.key.clone(), place)).collect();
        }
        !is_full(self)
    }
}

/// What a match brings.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    None,
    Number(f64),
    Hash(u64),
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

    /// Where its limit is too high to be judged exactly.
    pub(crate) fn note(&self) -> Option<String> {
        let (most, error) = match self.question {
            Question::ValueCount => (MOST_EXACT, "0.1 %"),
            Question::EventCount => (amounts::MOST_ENTRIES, "0.1 % of the timespan"),
            _ => return None,
        };
        (self.needed() > most as u64)
            .then(|| format!("above {most} its count is estimated, with an error of {error}: its limit is higher"))
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
        moment: Moment,
        value: Value,
        held: usize,
    ) -> Option<(f64, Exactness)> {
        let (time, _) = moment;
        let number = if let Value::Number(number) = value { number } else { 0.0 };
        let hash = if let Value::Hash(hash) = value { hash } else { 0 };
        let (span, needed) = (correlation.span, correlation.needed());
        let holds = |observed: f64, exactness| correlation.holds(observed).then_some((observed, exactness));
        match self {
            Self::Amounts(window) => {
                let is_count = correlation.question == Question::EventCount;
                window.see(time, number, span, if is_count { needed } else { u64::MAX });
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
                window.see(time, number, span);
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
                window.see(reference, n_rules, moment, span);
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
