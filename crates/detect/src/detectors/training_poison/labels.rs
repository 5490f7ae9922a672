//! Labels of one channel that other channels, and its own past, would not give; and what forces a class.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};
use wardline_stats::{
    learn::Features,
    poisoning::{
        ChannelRows, DisagreementSettings, NeighbourSettings, OutsideNeighbours, Trigger, TriggerSettings, triggers,
    },
    two_sample::fisher_exact,
};

use super::shape::LabelColumns;
use crate::training_record::{Names, Record, Value, hashed, mixed};

/// Rows that are kept of each half, the stretch that is open and all before it, over all channels.
const MOST_ROWS: usize = 8_000;
/// Rows of a channel that are kept however many channels there are.
const LEAST_KEPT: usize = 150;
/// Further channels are left out.
const MOST_CHANNELS: usize = 64;
/// A stretch is over after so long.
const STRETCH: Span = 7 * Timestamp::DAY;
/// Neighbours are sought among so many rows, and so many of them are asked.
const REFERENCE_ROWS: usize = 3_000;
const NEIGHBOURS: usize = 7;
/// Votes of neighbours that make a row's class plain.
const PLAIN_VOTES: usize = 6;
/// With fewer rows of its own past, a channel is compared with the others alone.
const LEAST_PAST: u64 = 100;
/// The same rows are looked at day after day, and honest labellers have bad days too.
const PAST_SHARE: f64 = 0.1;
/// Most texts that are told apart, and words of one row.
const MOST_TOKENS: usize = 50_000;
const MOST_WORDS: usize = 48;
/// Columns that texts make for the distance of rows.
const MOST_INDICATORS: usize = 12;
/// Least share of rows with a value that makes such a column.
const LEAST_SHARE: f64 = 0.05;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Labelled {
    /// Rows are sampled by it: the same row always has the same.
    key: u64,
    time: Timestamp,
    version: u16,
    class: u32,
    user: Option<u32>,
    numbers: Vec<f32>,
    tokens: Vec<u32>,
}

/// A sample of a channel's rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Kept {
    current: Vec<Labelled>,
    past: Vec<Labelled>,
}

/// Rows with a class, sampled alike from every channel.
#[derive(Serialize, Deserialize)]
pub(super) struct Labels {
    columns: LabelColumns,
    channels: BTreeMap<u16, Kept>,
    classes: Names,
    tokens: Names,
    users: Names,
    stretch: Option<Timestamp>,
    /// Rows since they were last judged, and before that in the stretch.
    fresh: u64,
    judged: u64,
    usual: BTreeSet<(u16, Option<(String, String)>)>,
}

/// What is wrong with a channel's labels.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wrong {
    /// Rows that the others call one class are called the other; or, without a pair, anything else.
    Disagrees(Option<(String, String)>),
    /// Rows with this value nearly all have this class.
    Trigger(Vec<String>, String),
}

/// Labels of a channel that are not as they should be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mislabelled {
    pub(super) channel: u16,
    pub(super) wrong: Wrong,
    /// Rows that could show it, rows that do, and rows that would.
    pub(super) rows: u64,
    pub(super) hits: u64,
    pub(super) expected: f64,
    pub(super) users: Vec<String>,
    pub(super) versions: BTreeSet<u16>,
    pub(super) first: Timestamp,
    pub(super) adjusted_p: f64,
    pub(super) is_strong: bool,
}

impl Labels {
    pub(super) fn new(columns: LabelColumns) -> Self {
        Self {
            columns,
            channels: BTreeMap::new(),
            classes: Names::default(),
            tokens: Names::default(),
            users: Names::default(),
            stretch: None,
            fresh: 0,
            judged: 0,
            usual: BTreeSet::new(),
        }
    }

    pub(super) fn take(&mut self, record: &Record, channel: u16, version: u16) {
        let Some(label) = &record.label else { return };
        let stretch = *self.stretch.get_or_insert(record.time);
        if record.time.since(stretch) >= STRETCH {
            self.begin_stretch(record.time);
        }
        if self.channels.len() >= MOST_CHANNELS && !self.channels.contains_key(&channel) {
            return;
        }
        let Some(class) = self.classes.number(label, 1_000) else { return };
        let mut numbers: Vec<f32> = Vec::with_capacity(self.columns.numbers.len() + record.embedding.len());
        numbers.extend(self.columns.numbers.iter().map(|column| record.number(column).map_or(f32::NAN, |x| x as f32)));
        numbers.extend(&record.embedding);
        let tokens = self.tokens_of(record);
        let user = record.user.as_deref().and_then(|user| self.users.number(user, MOST_TOKENS));
        let key = key_of(record, &numbers);
        let row = Labelled { key, time: record.time, version, class, user, numbers, tokens };
        let kept = self.channels.entry(channel).or_default();
        kept.current.push(row);
        self.fresh += 1;
        let most = most_kept(self.channels.len());
        if let Some(kept) = self.channels.get_mut(&channel)
            && kept.current.len() > 2 * most
        {
            thin(&mut kept.current, most);
        }
    }

    fn tokens_of(&mut self, record: &Record) -> Vec<u32> {
        let mut tokens = Vec::new();
        for column in &self.columns.texts {
            let Some(Value::Text(text)) = record.value(column) else { continue };
            let words: Vec<&str> = text.split_whitespace().collect();
            let names: Vec<String> = if words.len() < 3 {
                vec![format!("{column}={text}")]
            } else {
                words.iter().take(MOST_WORDS).map(|word| format!("{column} has {}", word.to_lowercase())).collect()
            };
            tokens.extend(names.iter().filter_map(|name| self.tokens.number(name, MOST_TOKENS)));
        }
        tokens.sort_unstable();
        tokens.dedup();
        tokens.truncate(MOST_WORDS);
        tokens
    }

    /// What is open becomes past.
    fn begin_stretch(&mut self, now: Timestamp) {
        let most = most_kept(self.channels.len());
        for kept in self.channels.values_mut() {
            let current = std::mem::take(&mut kept.current);
            kept.past.extend(current);
            thin(&mut kept.past, most);
        }
        self.forget_names();
        self.stretch = Some(now);
        self.judged = 0;
    }

    /// Only texts of kept rows keep their number.
    fn forget_names(&mut self) {
        let (mut tokens, mut users) = (Names::default(), Names::default());
        for row in self.channels.values_mut().flat_map(|kept| &mut kept.past) {
            row.tokens =
                row.tokens.iter().filter_map(|token| tokens.number(self.tokens.text(*token), MOST_TOKENS)).collect();
            row.tokens.sort_unstable();
            row.user = row.user.and_then(|user| users.number(self.users.text(user), MOST_TOKENS));
        }
        (self.tokens, self.users) = (tokens, users);
    }

    /// Whether enough rows came since the last judging.
    pub(super) const fn is_due(&self) -> bool {
        self.fresh >= 100 && 10 * self.fresh >= self.judged
    }

    /// What channels disagree about while nobody is warned yet is how they are.
    pub(super) fn learn(&mut self) {
        let rows = self.rows();
        let Some(neighbours) = self.neighbours(&rows) else { return };
        let settings = DisagreementSettings { alpha: 0.2, ..DisagreementSettings::default() };
        let found: Vec<_> = neighbours.disagreement(&settings).into_iter().filter(|test| test.found).collect();
        for test in found {
            let pair = test.pair.map(|(a, b)| (self.classes.text(a).to_owned(), self.classes.text(b).to_owned()));
            self.usual.insert((test.channel as u16, pair));
        }
    }

    /// Channels whose labels are not as they should be.
    pub(super) fn mislabelled(&mut self, alpha: f64) -> Vec<Mislabelled> {
        self.judged += std::mem::take(&mut self.fresh);
        let rows = self.rows();
        let neighbours = self.neighbours(&rows);
        let mut found = Vec::new();
        if let Some(neighbours) = &neighbours {
            let changed = changed_cells(&rows, neighbours);
            found.extend(self.against_past(&rows, neighbours, &changed, alpha));
            found.extend(self.against_others(&rows, neighbours, &changed, alpha));
        }
        found.extend(self.triggers(&rows, neighbours.as_ref(), alpha));
        let mut once: Vec<Mislabelled> = Vec::new();
        for wrong in found {
            if !once.iter().any(|known| known.channel == wrong.channel && known.wrong == wrong.wrong) {
                once.push(wrong);
            }
        }
        once
    }

    /// All kept rows with their channel and whether their stretch is open.
    fn rows(&self) -> Vec<Judged<'_>> {
        let most = most_kept(self.channels.len());
        let mut rows = Vec::new();
        for (channel, kept) in &self.channels {
            let past: FxHashSet<u64> = kept.past.iter().map(|row| row.key).collect();
            let mut current: Vec<&Labelled> = kept.current.iter().filter(|row| !past.contains(&row.key)).collect();
            current.sort_by_key(|row| (row.key, row.time));
            current.dedup_by_key(|row| row.key);
            current.truncate(most);
            rows.extend(kept.past.iter().take(most).map(|row| Judged { channel: *channel, is_current: false, row }));
            rows.extend(current.into_iter().map(|row| Judged { channel: *channel, is_current: true, row }));
        }
        rows
    }

    fn neighbours(&self, rows: &[Judged<'_>]) -> Option<OutsideNeighbours> {
        let width = rows.iter().map(|judged| judged.row.numbers.len()).max()?;
        let number = |judged: &Judged<'_>, place: usize| {
            judged
                .row
                .numbers
                .get(place)
                .map_or(f64::NAN, |number| if number.is_finite() { f64::from(*number) } else { f64::NAN })
        };
        let mut columns: Vec<Vec<f64>> =
            (0..width).map(|place| rows.iter().map(|row| number(row, place)).collect()).collect();
        columns.retain(|column| column.iter().any(|value| !value.is_nan()));
        columns.extend(indicators(rows));
        let features = Features::new(columns.iter().map(Vec::as_slice).collect())?;
        let labels: Vec<u32> = rows.iter().map(|judged| judged.row.class).collect();
        let channels: Vec<u32> = rows.iter().map(|judged| u32::from(judged.channel)).collect();
        let settings = NeighbourSettings { k: NEIGHBOURS, most_reference_rows: REFERENCE_ROWS, seed: 1 };
        OutsideNeighbours::find(ChannelRows { features: &features, labels: &labels, channels: &channels }, &settings)
    }

    /// Pairs of classes that a channel confuses more often than it did, and than the others do.
    fn against_past(
        &self,
        rows: &[Judged<'_>],
        neighbours: &OutsideNeighbours,
        cells: &BTreeMap<Cell, Counts>,
        alpha: f64,
    ) -> Vec<Mislabelled> {
        let tests = cells.values().filter(|counts| counts.current.1 >= 5).count() as f64;
        let mut found = Vec::new();
        for (&(channel, a, b), counts) in cells {
            let Some(p) = counts.p_of_rise() else { continue };
            let p = (tests * p).min(1.0);
            if p > PAST_SHARE * alpha || counts.past.0 < LEAST_PAST || counts.current.1 < 5 {
                continue;
            }
            let pair = (self.classes.text(a).to_owned(), self.classes.text(b).to_owned());
            let rate = counts.past_rate().max(counts.others_rate());
            let is_strong = p <= 1e-6 && counts.current.1 >= 15;
            let is_hit = |judged: &Judged<'_>, class: u32, votes: usize| {
                judged.is_current
                    && judged.channel == channel
                    && class == a
                    && judged.row.class == b
                    && votes >= PLAIN_VOTES
            };
            let hits = hits(rows, neighbours, is_hit);
            let outcome = (counts.current.0, rate * counts.current.0 as f64, p, is_strong);
            found.push(self.mislabelled_of(channel, Wrong::Disagrees(Some(pair)), &hits, outcome));
        }
        found
    }

    /// Channels without a past that disagree with the others beyond what channels do.
    fn against_others(
        &self,
        rows: &[Judged<'_>],
        neighbours: &OutsideNeighbours,
        cells: &BTreeMap<Cell, Counts>,
        alpha: f64,
    ) -> Vec<Mislabelled> {
        let settings = DisagreementSettings { alpha: alpha.max(1e-3), ..DisagreementSettings::default() };
        let mut found = Vec::new();
        for test in neighbours.disagreement(&settings).into_iter().filter(|test| test.found) {
            let channel = test.channel as u16;
            let pair = test.pair.map(|(a, b)| (self.classes.text(a).to_owned(), self.classes.text(b).to_owned()));
            let mut of_channel =
                cells.iter().filter(|((of, a, b), _)| *of == channel && test.pair.is_none_or(|pair| pair == (*a, *b)));
            // Its own past says more, where it has one.
            let has_past = of_channel.any(|(_, counts)| counts.past.0 >= LEAST_PAST);
            if has_past || self.usual.contains(&(channel, pair.clone())) {
                continue;
            }
            let is_hit = |judged: &Judged<'_>, class: u32, votes: usize| {
                let is_pair = test.pair.map_or(class != judged.row.class, |(a, b)| class == a && judged.row.class == b);
                judged.channel == channel && is_pair && votes == NEIGHBOURS
            };
            let hits = hits(rows, neighbours, is_hit);
            let outcome = (test.excess.rows, test.excess.expected, test.adjusted_p, false);
            found.push(self.mislabelled_of(channel, Wrong::Disagrees(pair), &hits, outcome));
        }
        found
    }

    /// Values that are new, come by one channel and nearly always with one class.
    fn triggers(&self, rows: &[Judged<'_>], neighbours: Option<&OutsideNeighbours>, alpha: f64) -> Vec<Mislabelled> {
        let (tokens, names) = self.tokens_with_numbers(rows);
        let slices: Vec<&[u32]> = tokens.iter().map(Vec::as_slice).collect();
        let settings = TriggerSettings { alpha: alpha.min(1e-3), ..TriggerSettings::default() };
        let labels: Vec<u32> = rows.iter().map(|judged| judged.row.class).collect();
        let found = match neighbours {
            Some(neighbours) => neighbours.triggers(&slices, &settings),
            None => triggers(&slices, &labels, &settings),
        };
        let n_past = rows.iter().filter(|judged| !judged.is_current).count();
        let n_current = rows.len() - n_past;
        let has_past = 2 * n_past >= n_current && n_past >= 500;
        let mut suspects = Vec::new();
        for trigger in found.unwrap_or_default() {
            let has = |row: usize| trigger.tokens.iter().all(|token| tokens[row].binary_search(token).is_ok());
            let with: Vec<&Judged<'_>> = (0..rows.len()).filter(|row| has(*row)).map(|row| &rows[row]).collect();
            let in_past = with.iter().filter(|judged| !judged.is_current).count();
            let is_new = has_past && in_past * 5 * n_current <= (with.len() - in_past) * n_past;
            if let Some(channel) = sole_channel(rows, &with, trigger.class)
                && (is_new || (!has_past && trigger.adjusted_p <= 1e-8))
            {
                let hits: Vec<&Judged<'_>> =
                    with.into_iter().filter(|judged| judged.row.class == trigger.class).collect();
                let is_strong = is_new && is_beyond(&trigger, neighbours);
                let named = trigger.tokens.iter().map(|token| names.get(token).cloned().unwrap_or_default()).collect();
                let wrong = Wrong::Trigger(named, self.classes.text(trigger.class).to_owned());
                let outcome = (trigger.rows, trigger.expected, trigger.adjusted_p, is_strong);
                suspects.push(self.mislabelled_of(channel, wrong, &hits, outcome));
            }
        }
        suspects
    }

    /// Tokens of each row, numbers that repeat among them, and what they are called.
    fn tokens_with_numbers(&self, rows: &[Judged<'_>]) -> (Vec<Vec<u32>>, BTreeMap<u32, String>) {
        let mut tokens: Vec<Vec<u32>> = rows.iter().map(|judged| judged.row.tokens.clone()).collect();
        let mut names: BTreeMap<u32, String> =
            tokens.iter().flatten().map(|token| (*token, self.tokens.text(*token).to_owned())).collect();
        let mut next = self.tokens.len() as u32;
        for (place, column) in self.columns.numbers.iter().enumerate() {
            let mut of_value: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
            for (row, judged) in rows.iter().enumerate() {
                if let Some(number) = judged.row.numbers.get(place).filter(|number| number.is_finite()) {
                    of_value.entry(number.to_bits()).or_default().push(row);
                }
            }
            for (bits, with) in
                of_value.into_iter().filter(|(_, with)| with.len() >= 10 && 20 * with.len() <= rows.len())
            {
                names.insert(next, format!("{column}={}", f32::from_bits(bits)));
                with.iter().for_each(|row| tokens[*row].push(next));
                next += 1;
            }
        }
        (tokens, names)
    }

    fn mislabelled_of(
        &self,
        channel: u16,
        wrong: Wrong,
        hits: &[&Judged<'_>],
        (rows, expected, adjusted_p, is_strong): (u64, f64, f64, bool),
    ) -> Mislabelled {
        let mut by_user: BTreeMap<u32, u32> = BTreeMap::new();
        hits.iter().filter_map(|judged| judged.row.user).for_each(|user| *by_user.entry(user).or_default() += 1);
        let mut users: Vec<(u32, &str)> = by_user.into_iter().map(|(user, n)| (n, self.users.text(user))).collect();
        users.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        Mislabelled {
            channel,
            wrong,
            rows,
            hits: hits.len() as u64,
            expected,
            users: users.into_iter().map(|(_, user)| user.to_owned()).collect(),
            versions: hits.iter().map(|judged| judged.row.version).collect(),
            first: hits.iter().map(|judged| judged.row.time).min().unwrap_or_default(),
            adjusted_p,
            is_strong,
        }
    }
}

/// A row while it is judged.
struct Judged<'a> {
    channel: u16,
    is_current: bool,
    row: &'a Labelled,
}

/// A channel, the class of a row's neighbours, and what the row is called.
type Cell = (u16, u32, u32);

/// Rows and hits: of the channel before, of the channel now, of the others now.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    past: (u64, u64),
    current: (u64, u64),
    others: (u64, u64),
}

impl Counts {
    fn past_rate(&self) -> f64 {
        (self.past.1 as f64 + 0.5) / (self.past.0 as f64 + 1.0)
    }

    fn others_rate(&self) -> f64 {
        (self.others.1 as f64 + 0.5) / (self.others.0 as f64 + 1.0)
    }

    /// The chance of as large a rise, against its past or against the others, whichever says less; `None` where
    /// there is none that matters: three times as many, and one row in a hundred more.
    fn p_of_rise(&self) -> Option<f64> {
        let rate = self.current.1 as f64 / self.current.0.max(1) as f64;
        let usual = self.past_rate().max(self.others_rate());
        if rate < 3.0 * usual || rate < usual + 0.01 {
            return None;
        }
        let row = |(n, k): (u64, u64)| [k, n - k];
        let against = |other: (u64, u64)| fisher_exact([row(other), row(self.current)]);
        Some(against(self.past).max(against(self.others)))
    }
}

/// Where a channel calls plain rows otherwise, now and before.
fn changed_cells(rows: &[Judged<'_>], neighbours: &OutsideNeighbours) -> BTreeMap<Cell, Counts> {
    // By channel, neighbours' class and whether it is now: rows; and the same with the label: hits.
    let mut of_rows: BTreeMap<(u16, u32, bool), u64> = BTreeMap::new();
    let mut of_hits: BTreeMap<(Cell, bool), u64> = BTreeMap::new();
    for (judged, (class, votes)) in rows.iter().zip(neighbours.rows()).filter(|(_, (_, votes))| *votes >= PLAIN_VOTES) {
        debug_assert!(votes <= NEIGHBOURS);
        *of_rows.entry((judged.channel, class, judged.is_current)).or_default() += 1;
        if class != judged.row.class {
            *of_hits.entry(((judged.channel, class, judged.row.class), judged.is_current)).or_default() += 1;
        }
    }
    let channels: BTreeSet<u16> = rows.iter().map(|judged| judged.channel).collect();
    let counts = |channel: u16, a: u32, b: u32, is_current: bool| {
        let rows = of_rows.get(&(channel, a, is_current)).copied().unwrap_or(0);
        (rows, of_hits.get(&((channel, a, b), is_current)).copied().unwrap_or(0))
    };
    let mut cells = BTreeMap::new();
    for &((channel, a, b), is_current) in of_hits.keys() {
        if !is_current {
            continue;
        }
        let others = channels.iter().filter(|other| **other != channel).map(|other| counts(*other, a, b, true));
        let others = others.fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
        let (past, current) = (counts(channel, a, b, false), counts(channel, a, b, true));
        cells.insert((channel, a, b), Counts { past, current, others });
    }
    cells
}

fn hits<'a, 'b>(
    rows: &'a [Judged<'b>],
    neighbours: &OutsideNeighbours,
    is_hit: impl Fn(&Judged<'b>, u32, usize) -> bool,
) -> Vec<&'a Judged<'b>> {
    let found = rows.iter().zip(neighbours.rows()).filter(|(judged, (class, votes))| is_hit(judged, *class, *votes));
    found.map(|(judged, _)| judged).collect()
}

/// The channel that nearly all rows with a trigger came by, if it is not nearly all of the rows anyway.
fn sole_channel(rows: &[Judged<'_>], with: &[&Judged<'_>], class: u32) -> Option<u16> {
    let mut channels: BTreeMap<u16, usize> = BTreeMap::new();
    let hits = with.iter().filter(|judged| judged.row.class == class);
    hits.for_each(|judged| *channels.entry(judged.channel).or_default() += 1);
    let (channel, most) = channels.into_iter().max_by_key(|(channel, n)| (*n, std::cmp::Reverse(*channel)))?;
    let of_all = rows.iter().filter(|judged| judged.channel == channel).count();
    (10 * most >= 8 * with.len() && 10 * of_all <= 6 * rows.len()).then_some(channel)
}

/// Whether the rest of the rows' features says plainly otherwise.
fn is_beyond(trigger: &Trigger, neighbours: Option<&OutsideNeighbours>) -> bool {
    neighbours.is_some() && trigger.adjusted_p <= 1e-6 && trigger.expected <= 0.3 * trigger.hits as f64
}

/// Columns of one and zero for the values that many rows have.
fn indicators(rows: &[Judged<'_>]) -> Vec<Vec<f64>> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    rows.iter().flat_map(|judged| &judged.row.tokens).for_each(|token| *counts.entry(*token).or_default() += 1);
    let least = (LEAST_SHARE * rows.len() as f64) as usize;
    let mut often: Vec<(usize, u32)> = counts
        .into_iter()
        .filter(|(_, n)| least <= *n && *n <= rows.len() - least)
        .map(|(token, n)| (n, token))
        .collect();
    often.sort_unstable_by_key(|(n, token)| (std::cmp::Reverse(*n), *token));
    let has = |judged: &Judged<'_>, token: u32| f64::from(u8::from(judged.row.tokens.binary_search(&token).is_ok()));
    often.iter().take(MOST_INDICATORS).map(|(_, token)| rows.iter().map(|row| has(row, *token)).collect()).collect()
}

fn most_kept(channels: usize) -> usize {
    (MOST_ROWS / channels.max(1)).max(LEAST_KEPT)
}

/// Keeps the rows with the least keys: of the same rows always the same.
fn thin(rows: &mut Vec<Labelled>, most: usize) {
    rows.sort_by_key(|row| (row.key, row.time));
    rows.dedup_by_key(|row| row.key);
    rows.truncate(most);
}

fn key_of(record: &Record, numbers: &[f32]) -> u64 {
    if let Some(row_id) = &record.row_id {
        return hashed(row_id);
    }
    let of_numbers = numbers.iter().fold(0, |hash, number| mixed(hash ^ u64::from(number.to_bits())));
    let texts = record.values.iter().filter_map(|(_, value)| match value {
        Value::Text(text) => Some(text),
        Value::Number(_) => None,
    });
    let of_texts = texts.fold(of_numbers, |hash, text| mixed(hash ^ hashed(text)));
    let of_label = record.label.as_deref().map_or(0, hashed);
    mixed(of_texts ^ of_label ^ hashed(&record.channel) ^ mixed(record.time.micros() as u64))
}
