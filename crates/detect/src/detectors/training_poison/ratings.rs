//! Items that one channel's ratings push up or down.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};
use wardline_stats::{
    distribution::binomial,
    poisoning::{ItemLift, ItemRatings, LiftSettings, Push, channel_lift},
    two_sample::fisher_exact,
};

use super::shape::{RatingColumns, RatingSource, word_rating};
use crate::training_record::{Names, Record, hashed};

/// Most ratings that are kept: about six megabytes.
const MOST_ROWS: usize = 200_000;
/// Ratings older than this go first when there are too many.
const HISTORY: Span = 56 * Timestamp::DAY;
/// The stretches that are looked at.
const STRETCHES: [Span; 2] = [7 * Timestamp::DAY, 28 * Timestamp::DAY];
/// With fewer ratings of a channel before a stretch its own past says nothing.
const LEAST_PAST: u64 = 200;
/// With fewer it cannot be compared with.
const LEAST_COMPARED: u64 = 30;
/// What the other channels show as well, at this level, is a fashion.
const NO_FASHION: f64 = 0.02;
/// What an item already had in a channel is its taste, up to this factor.
const USUAL_GROWTH: f64 = 1.5;
/// At this level something beside the count of ratings is unusual.
const UNUSUAL: f64 = 1e-3;
/// Share of the ratings of an item that are the highest, or lowest, when they are called alike.
const ALIKE: f64 = 0.95;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Rated {
    /// The same row always has the same.
    key: u64,
    time: Timestamp,
    user: u32,
    item: u32,
    rating: f32,
    channel: u16,
    version: u16,
}

/// Ratings, the latest of every item or of a sample of items.
#[derive(Serialize, Deserialize)]
pub(super) struct Ratings {
    pub(super) columns: RatingColumns,
    rows: Vec<Rated>,
    users: Names,
    items: Names,
    /// Only items are kept whose number has so many zeros.
    halvings: u32,
    /// What was pushed before the learning ended: item, channel, up.
    usual: BTreeSet<(String, u16, bool)>,
    #[serde(skip)]
    known: FxHashSet<u64>,
}

/// Items that ratings by one channel push.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pushed {
    pub(super) channel: u16,
    pub(super) push: Push,
    /// By item: how many users, how many were to be expected.
    pub(super) items: Vec<(String, u64, f64)>,
    pub(super) users: Vec<String>,
    pub(super) rows: u64,
    /// Ratings of the channel in the same stretch.
    pub(super) of_channel: u64,
    /// Of so many ratings in all.
    pub(super) of_all: u64,
    pub(super) versions: BTreeSet<u16>,
    pub(super) first: Timestamp,
    pub(super) adjusted_p: f64,
    /// What else is unusual.
    pub(super) marks: Marks,
    /// The share of all items that is watched.
    pub(super) watched: f64,
}

/// What honest praise does not show.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Marks {
    /// The share of the users who push two or more of the items, where it is unusual.
    pub(super) together: Option<f64>,
    /// The share of the users whom nobody saw before, and the usual one, where it is unusual.
    pub(super) new_users: Option<(f64, f64)>,
    /// Whether nearly all of the channel's ratings of the items are the highest, or lowest, there is.
    pub(super) alike: bool,
}

impl Marks {
    pub(super) const fn count(&self) -> usize {
        self.together.is_some() as usize + self.new_users.is_some() as usize + self.alike as usize
    }
}

impl Ratings {
    pub(super) fn new(columns: RatingColumns) -> Self {
        Self {
            columns,
            rows: Vec::new(),
            users: Names::default(),
            items: Names::default(),
            halvings: 0,
            usual: BTreeSet::new(),
            known: FxHashSet::default(),
        }
    }

    pub(super) fn take(&mut self, record: &Record, channel: u16, version: u16) {
        let Some(item) = record.name(&self.columns.item) else { return };
        let Some(rating) = self.rating_of(record) else { return };
        if hashed(&item) & ((1 << self.halvings) - 1) != 0 {
            return;
        }
        let by_column = || self.columns.user.as_deref().and_then(|column| record.name(column));
        let place = format!("{item} {channel}");
        let user = record.user.clone().or_else(by_column).unwrap_or_else(|| match &record.row_id {
            // Nobody is named: each row stands for someone.
            Some(row_id) => format!("row {row_id}"),
            None => format!("row {} {item}", record.time.micros()),
        });
        if self.rows.len() >= MOST_ROWS {
            self.make_room(record.time);
        }
        let (Some(user), Some(item)) = (self.users.number(&user, 2 * MOST_ROWS), self.items.number(&item, MOST_ROWS))
        else {
            return;
        };
        if self.known.is_empty() {
            self.known = self.rows.iter().map(|row| row.key).collect();
        }
        // Data sets that list all rows again in each version bring nothing new.
        let key = record.row_id.as_deref().map_or_else(|| hashed(&place) ^ hashed(self.users.text(user)), hashed);
        if self.known.insert(key) {
            self.rows.push(Rated { key, time: record.time, user, item, rating: rating as f32, channel, version });
        }
    }

    fn rating_of(&self, record: &Record) -> Option<f64> {
        let label = record.label.as_deref();
        match &self.columns.rating {
            RatingSource::Column(column) => record.number(column),
            RatingSource::Label => label?.trim().parse().ok().filter(|rating: &f64| rating.is_finite()),
            RatingSource::Words => word_rating(label?),
            RatingSource::Presence => Some(1.0),
        }
    }

    /// Forgets what is old; where that is not enough, keeps half of the items, with all of their ratings.
    fn make_room(&mut self, now: Timestamp) {
        self.rows.retain(|row| now.since(row.time) <= HISTORY);
        while self.rows.len() > MOST_ROWS * 9 / 10 {
            self.halvings += 1;
            let mask = (1_u64 << self.halvings) - 1;
            let items = &self.items;
            self.rows.retain(|row| hashed(items.text(row.item)) & mask == 0);
        }
        let (mut users, mut items) = (Names::default(), Names::default());
        for row in &mut self.rows {
            row.user = users.number(self.users.text(row.user), MOST_ROWS).unwrap_or(0);
            row.item = items.number(self.items.text(row.item), MOST_ROWS).unwrap_or(0);
        }
        (self.users, self.items) = (users, items);
        self.known.clear();
    }

    /// What is pushed while nobody is warned yet is how the channels are.
    pub(super) fn learn(&mut self) {
        let rows: Vec<Rated> = self.rows.clone();
        let Some(levels) = levels(&rows) else { return };
        let settings = LiftSettings { alpha: 0.05, least_users: 4, least_lift: 1.5, ..levels };
        for lift in lifts(&rows, &settings) {
            let item = self.items.text(lift.item).to_owned();
            self.usual.insert((item, lift.channel as u16, lift.push == Push::Promoted));
        }
    }

    /// What is pushed, channel by channel, as of a moment.
    pub(super) fn pushed(&self, now: Timestamp, alpha: f64) -> Vec<Pushed> {
        let Some(levels) = levels(&self.rows) else { return Vec::new() };
        let settings = LiftSettings { alpha: 1.0, ..levels };
        let mut found: BTreeMap<(u16, Push), Pushed> = BTreeMap::new();
        let mut before = 0;
        for stretch in STRETCHES {
            let start = now.plus(-stretch);
            let (past, current): (Vec<Rated>, Vec<Rated>) = self.rows.iter().partition(|row| row.time < start);
            if current.len() == before {
                continue;
            }
            before = current.len();
            let mut of_channels: BTreeMap<(u16, Push), Vec<ItemLift>> = BTreeMap::new();
            let tests = tests(&current, &settings);
            for mut lift in lifts(&current, &settings) {
                lift.adjusted_p = self.judge(&lift, (&past, &current), &settings, tests);
                if lift.adjusted_p <= alpha {
                    of_channels.entry((lift.channel as u16, lift.push)).or_default().push(lift);
                }
            }
            for (key, lifts) in of_channels {
                let pushed = self.describe(&lifts, &past, &current, &settings);
                let stronger = |known: &Pushed| {
                    pushed.marks.count() > known.marks.count() || pushed.items.len() > known.items.len()
                };
                if found.get(&key).is_none_or(stronger) {
                    found.insert(key, pushed);
                }
            }
        }
        found.into_values().collect()
    }

    /// How unusual it is: against the other channels, or against the channel's own past where the others agree
    /// that it is no fashion; one for what the channel did before.
    fn judge(
        &self,
        lift: &ItemLift,
        (past, current): (&[Rated], &[Rated]),
        settings: &LiftSettings,
        tests: f64,
    ) -> f64 {
        let item = self.items.text(lift.item).to_owned();
        let is_usual = self.usual.contains(&(item, lift.channel as u16, lift.push == Push::Promoted));
        if is_usual || lift.p_value > NO_FASHION {
            return 1.0;
        }
        let share = |rows: &[Rated]| {
            let pushes =
                rows.iter().filter(|row| u32::from(row.channel) == lift.channel && is_push(row, lift.push, settings));
            pushes.fold((0_u64, 0_u64), |(n, of_item), row| (n + 1, of_item + u64::from(row.item == lift.item)))
        };
        let ((n_past, k_past), (n, k)) = (share(past), share(current));
        let growth = (k as f64 / n.max(1) as f64) / ((k_past as f64 + 0.5) / (n_past as f64 + 1.0));
        if n_past >= LEAST_PAST && growth < USUAL_GROWTH {
            return 1.0;
        }
        if n_past < LEAST_COMPARED || growth < settings.least_lift {
            return lift.adjusted_p;
        }
        let against_past = tests * fisher_exact([[k_past, n_past - k_past], [k, n - k]]);
        lift.adjusted_p.min(against_past)
    }

    fn describe(&self, lifts: &[ItemLift], past: &[Rated], current: &[Rated], settings: &LiftSettings) -> Pushed {
        let (channel, push) = (lifts[0].channel as u16, lifts[0].push);
        let items: BTreeSet<u32> = lifts.iter().map(|lift| lift.item).collect();
        let is_of_channel = |row: &&Rated| row.channel == channel;
        let pushes: Vec<&Rated> = current
            .iter()
            .filter(is_of_channel)
            .filter(|row| items.contains(&row.item) && is_push(row, push, settings))
            .collect();
        let mut by_user: BTreeMap<u32, u32> = BTreeMap::new();
        pushes.iter().for_each(|row| *by_user.entry(row.user).or_default() += 1);
        let mut users: Vec<(u32, &str)> = by_user.iter().map(|(user, n)| (*n, self.users.text(*user))).collect();
        users.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let marks = Marks {
            together: together(&by_user, items.len()),
            new_users: new_users(&by_user, past, current, channel),
            alike: are_alike(current, channel, &items, push),
        };
        let name = |lift: &ItemLift| (self.items.text(lift.item).to_owned(), lift.users.len() as u64, lift.expected);
        Pushed {
            channel,
            push,
            items: lifts.iter().map(name).collect(),
            users: users.into_iter().map(|(_, user)| user.to_owned()).collect(),
            rows: pushes.len() as u64,
            of_channel: current.iter().filter(is_of_channel).count() as u64,
            of_all: current.len() as u64,
            versions: pushes.iter().map(|row| row.version).collect(),
            first: onset(&pushes, current),
            adjusted_p: lifts.iter().map(|lift| lift.adjusted_p).fold(1.0, f64::min),
            marks,
            watched: 0.5_f64.powi(self.halvings as i32),
        }
    }
}

fn is_push(row: &Rated, push: Push, settings: &LiftSettings) -> bool {
    match push {
        Push::Promoted => settings.high <= f64::from(row.rating),
        Push::Demoted => f64::from(row.rating) <= settings.low,
    }
}

/// When the pushing began: the split of the stretch into a slow and a fast part that is likeliest under two Poisson
/// rates.
fn onset(pushes: &[&Rated], current: &[Rated]) -> Timestamp {
    let mut times: Vec<Timestamp> = pushes.iter().map(|row| row.time).collect();
    times.sort_unstable();
    let Some(&first) = times.first() else { return Timestamp::default() };
    let ends = |of: fn(Timestamp, Timestamp) -> Timestamp| current.iter().map(|row| row.time).reduce(of);
    let (Some(start), Some(end)) = (ends(Timestamp::min), ends(Timestamp::max)) else { return first };
    let n = times.len();
    let mut best = (f64::NEG_INFINITY, first);
    for (slow, time) in times.iter().enumerate() {
        let (k, m) = (slow as f64, (n - slow) as f64);
        let before = time.since(start).max(Timestamp::SECOND) as f64;
        let after = end.since(*time).max(Timestamp::SECOND) as f64;
        if k / before > m / after {
            continue;
        }
        let likelihood = m * (m / after).ln() + if slow > 0 { k * (k / before).ln() } else { 0.0 };
        if likelihood > best.0 {
            best = (likelihood, *time);
        }
    }
    best.1
}

/// Items that enough users push, times channels, in both directions: what could have been found.
fn tests(rows: &[Rated], settings: &LiftSettings) -> f64 {
    let mut counts: BTreeMap<(u32, Push), u64> = BTreeMap::new();
    let mut channels: BTreeSet<u16> = BTreeSet::new();
    for row in rows {
        channels.insert(row.channel);
        for push in [Push::Promoted, Push::Demoted].into_iter().filter(|push| is_push(row, *push, settings)) {
            *counts.entry((row.item, push)).or_default() += 1;
        }
    }
    let items = counts.values().filter(|n| **n >= settings.least_users).count();
    (items.max(1) * channels.len().max(1)) as f64
}

fn lifts(rows: &[Rated], settings: &LiftSettings) -> Vec<ItemLift> {
    let users: Vec<u32> = rows.iter().map(|row| row.user).collect();
    let items: Vec<u32> = rows.iter().map(|row| row.item).collect();
    let channels: Vec<u32> = rows.iter().map(|row| u32::from(row.channel)).collect();
    let ratings: Vec<f64> = rows.iter().map(|row| f64::from(row.rating)).collect();
    let ratings = ItemRatings { users: &users, items: &items, channels: &channels, ratings: &ratings };
    channel_lift(ratings, settings).unwrap_or_default()
}

/// What praises and what runs down: at most six ratings in ten are as high, at most three in ten as low.
fn levels(rows: &[Rated]) -> Option<LiftSettings> {
    let mut ratings: Vec<f64> = rows.iter().map(|row| f64::from(row.rating)).collect();
    ratings.sort_by(f64::total_cmp);
    let (least, most) = (*ratings.first()?, *ratings.last()?);
    if least == most {
        return Some(LiftSettings::new(most - 1.0, most));
    }
    let n = ratings.len();
    let above = |value: f64| n - ratings.partition_point(|rating| *rating < value);
    let below = |value: f64| ratings.partition_point(|rating| *rating <= value);
    let mut high = ratings[n * 2 / 5];
    if 10 * above(high) > 6 * n {
        high = ratings[ratings.partition_point(|rating| *rating <= high).min(n - 1)];
    }
    let mut low = ratings[n * 3 / 10];
    if 10 * below(low) > 3 * n {
        low = ratings[ratings.partition_point(|rating| *rating < low).saturating_sub(1)];
    }
    if low >= high {
        low = least;
    }
    Some(if low < high { LiftSettings::new(low, high) } else { LiftSettings::new(least, most) })
}

/// The share of users who push two or more of the items, where most do.
fn together(by_user: &BTreeMap<u32, u32>, items: usize) -> Option<f64> {
    let many = by_user.values().filter(|n| **n >= 2).count();
    let share = many as f64 / by_user.len().max(1) as f64;
    (items >= 2 && many >= 5 && share >= 0.5).then_some(share)
}

/// The share of the users who were never seen before, against that of the channel's other users.
fn new_users(by_user: &BTreeMap<u32, u32>, past: &[Rated], current: &[Rated], channel: u16) -> Option<(f64, f64)> {
    if (past.len() as u64) < LEAST_PAST {
        return None;
    }
    let seen: FxHashSet<u32> = past.iter().map(|row| row.user).collect();
    let new = by_user.keys().filter(|user| !seen.contains(user)).count() as u64;
    let others: BTreeSet<u32> = current
        .iter()
        .filter(|row| row.channel == channel && !by_user.contains_key(&row.user))
        .map(|row| row.user)
        .collect();
    let new_others = others.iter().filter(|user| !seen.contains(user)).count();
    let usual = (new_others as f64 + 1.0) / (others.len() as f64 + 2.0);
    let p = binomial::at_least(new, by_user.len() as u64, usual)?;
    (p <= UNUSUAL).then(|| (new as f64 / by_user.len().max(1) as f64, usual))
}

/// Whether nearly all of the channel's ratings of the items are one and the same extreme, unlike its other ones.
fn are_alike(current: &[Rated], channel: u16, items: &BTreeSet<u32>, push: Push) -> bool {
    let ratings = current.iter().map(|row| row.rating);
    let extreme = match push {
        Push::Promoted => ratings.fold(f32::NEG_INFINITY, f32::max),
        Push::Demoted => ratings.fold(f32::INFINITY, f32::min),
    };
    let (mut of_items, mut of_others) = ((0_u64, 0_u64), (0_u64, 0_u64));
    for row in current.iter().filter(|row| row.channel == channel) {
        let counts = if items.contains(&row.item) { &mut of_items } else { &mut of_others };
        counts.0 += 1;
        counts.1 += u64::from(row.rating == extreme);
    }
    let usual = (of_others.1 as f64 + 1.0) / (of_others.0 as f64 + 2.0);
    let p = binomial::at_least(of_items.1, of_items.0, usual).unwrap_or(1.0);
    of_items.1 as f64 >= ALIKE * of_items.0 as f64 && of_items.0 >= 8 && p <= UNUSUAL
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ratings: &[f32]) -> (f64, f64) {
        let row = |rating: &f32| Rated {
            key: 0,
            time: Timestamp::default(),
            user: 0,
            item: 0,
            rating: *rating,
            channel: 0,
            version: 0,
        };
        let rows: Vec<Rated> = ratings.iter().map(row).collect();
        levels(&rows).map(|levels| (levels.low, levels.high)).unwrap()
    }

    #[test]
    fn praise_and_blame_follow_the_scale() {
        assert_eq!(of(&[1.0, 2.0, 3.0, 3.0, 4.0, 4.0, 4.0, 5.0, 5.0, 5.0]), (2.0, 4.0));
        assert_eq!(of(&[5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 4.0, 3.0, 1.0]), (4.0, 5.0));
        assert_eq!(of(&[1.0; 5]), (0.0, 1.0));
        assert_eq!(of(&[0.0, 1.0, 1.0, 1.0]), (0.0, 1.0));
    }
}
