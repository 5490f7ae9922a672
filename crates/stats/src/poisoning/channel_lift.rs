//! Items that one channel praises or runs down, as no other channel does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::distribution::negative_binomial;
use crate::multiple::benjamini_hochberg;

/// Taste is measured apart in cells with at least these expected counts, and the widest counts: what everybody rates
/// leaves little room for taste.
const POPULARITY: [f64; 3] = [0.5, 2.0, 8.0];

/// Fewer cells do not tell how much tastes differ.
const FEWEST_CELLS: usize = 100;

/// Where nothing tells how much tastes differ: a factor of 1.6 either way for two items in three.
const UNKNOWN_TASTE: f64 = 0.5;

/// Ratings of items by users, and the channel each came by.
#[derive(Clone, Copy, Debug)]
pub struct ItemRatings<'a> {
    /// Who rated. Of several ratings of one item by one user, the first counts.
    pub users: &'a [u32],
    /// What was rated.
    pub items: &'a [u32],
    /// The channel of each rating.
    pub channels: &'a [u32],
    /// The ratings, finite.
    pub ratings: &'a [f64],
}

/// What counts as praise, and when it is a finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiftSettings {
    /// Ratings of at least this praise.
    pub high: f64,
    /// Ratings of at most this run down; below `high`.
    pub low: f64,
    /// The false-discovery rate over all items, channels and both directions.
    pub alpha: f64,
    /// The fewest users a finding rests on.
    pub least_users: u64,
    /// The least ratio of users to expected ones that matters.
    pub least_lift: f64,
}

impl LiftSettings {
    /// A false-discovery rate of 0.5 %, five users, and twice as many as expected.
    #[must_use]
    pub fn new(low: f64, high: f64) -> Self {
        Self { high, low, alpha: 0.005, least_users: 5, least_lift: 2.0 }
    }
}

/// Whether ratings push an item up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Push {
    /// High ratings.
    Promoted,
    /// Low ratings.
    Demoted,
}

/// An item that one channel rates high, or low, more often than the others lead to expect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemLift {
    /// The item.
    pub item: u32,
    /// The channel.
    pub channel: u32,
    /// The direction.
    pub push: Push,
    /// Who gave the item such a rating by this channel, ascending.
    pub users: Vec<u32>,
    /// Such ratings to be expected from the other channels' share.
    pub expected: f64,
    /// How unusual so many are, given how tastes differ.
    pub p_value: f64,
    /// After Benjamini and Hochberg's correction over all cells.
    pub adjusted_p: f64,
}

/// The items that one channel promotes or demotes, the most unusual first.
///
/// A cell is an item, a channel and a direction. Of `n` ratings in that direction by the channel and `m` by the
/// others, `k` and `K` are the item's. With no difference of taste, `k` given `K` is negative binomial with size
/// `K + 1/2` and mean `(K + 1/2) n / m`, which keeps the error of the share itself. Tastes differ: the mean is
/// multiplied by a log-normal factor, and the p-value is the tail averaged over it. Its variance is what the counts of
/// the *other* channels have beyond counting error, measured apart for rare, usual and popular items, the widest of them
/// counting: an attack cannot pass as taste, and what everybody rates does not make tastes look narrow.
///
/// *False alarms.* Benjamini and Hochberg over all cells whose item has at least `least_users` such ratings in all
/// (others cannot be found). A new item that is liked everywhere has the same share everywhere, and is not
/// found. In simulated markets of differing taste 2 of 100 honest sets had a cell found where 0.5 % were asked: tails
/// of taste are heavier than what can be measured of them. There, 18 profiles of 618 users were found with item and
/// channel in 95 to 99 of 100 sets (the example `promised`, part `poisoning`). Honest causes remain: an item sold, shown
/// or priced differently in one channel.
///
/// *Not to be trusted* where one channel carries nearly all ratings, where an item is pushed through all channels
/// alike, where the profiles of an attack praise popular items too and are much of their channel (those items join the
/// target), or where users of a channel rate in groups (a class that rates its own book).
///
/// `None` if lengths are uneven, a rating is not finite, there are fewer than two channels, or `low < high` does not
/// hold. Cost: `O(n log n)`.
///
/// Source: binomial share by item: Bhaumik et al., "Securing Collaborative Filtering ... Statistical Techniques"
/// (2006); predictive law of a count given another: Gelman et al., "Bayesian Data Analysis" (2013), 2.6.
///
/// ```
/// use wardline_stats::poisoning::{ItemRatings, LiftSettings, Push, channel_lift};
///
/// // 40 users a channel rate items 0..10 high; 20 more praise item 99 by channel 2.
/// let honest = (0..1_600_u32).map(|i| (i / 10, i % 10, i / 400));
/// let rows: Vec<_> = honest.chain((0..20).map(|i| (1_000 + i, 99, 2))).collect();
/// let users: Vec<u32> = rows.iter().map(|row| row.0).collect();
/// let items: Vec<u32> = rows.iter().map(|row| row.1).collect();
/// let channels: Vec<u32> = rows.iter().map(|row| row.2).collect();
/// let ratings = vec![5.0; rows.len()];
/// let ratings = ItemRatings { users: &users, items: &items, channels: &channels, ratings: &ratings };
/// let found = channel_lift(ratings, &LiftSettings::new(2.0, 4.0)).unwrap();
/// assert_eq!((found.len(), found[0].item, found[0].channel, found[0].push), (1, 99, 2, Push::Promoted));
/// ```
#[must_use]
pub fn channel_lift(ratings: ItemRatings<'_>, settings: &LiftSettings) -> Option<Vec<ItemLift>> {
    let n = ratings.users.len();
    let even = [ratings.items.len(), ratings.channels.len(), ratings.ratings.len()].iter().all(|len| *len == n);
    let valid = settings.low < settings.high && 0.0 < settings.alpha && settings.alpha <= 1.0;
    if !even || !valid || ratings.ratings.iter().any(|rating| !rating.is_finite()) {
        return None;
    }
    let mut firsts: Vec<usize> = (0..n).collect();
    firsts.sort_by_key(|row| (ratings.users[*row], ratings.items[*row]));
    firsts.dedup_by_key(|row| (ratings.users[*row], ratings.items[*row]));
    let mut cells = Vec::new();
    for push in [Push::Promoted, Push::Demoted] {
        let pushes = |row: &usize| match push {
            Push::Promoted => settings.high <= ratings.ratings[*row],
            Push::Demoted => ratings.ratings[*row] <= settings.low,
        };
        let rows: Vec<usize> = firsts.iter().copied().filter(pushes).collect();
        cells.extend(one_direction(ratings, &rows, push, settings));
    }
    (ratings.channels.iter().any(|channel| *channel != ratings.channels[0])).then(|| found(cells, settings))
}

fn found(mut cells: Vec<ItemLift>, settings: &LiftSettings) -> Vec<ItemLift> {
    let p_values: Vec<f64> = cells.iter().map(|cell| cell.p_value).collect();
    for (cell, adjusted) in cells.iter_mut().zip(benjamini_hochberg(&p_values).unwrap_or_default()) {
        cell.adjusted_p = adjusted;
    }
    cells.retain(|cell| cell.adjusted_p <= settings.alpha && matters(cell, settings));
    cells.sort_by(|a, b| a.p_value.total_cmp(&b.p_value).then((a.item, a.channel).cmp(&(b.item, b.channel))));
    cells
}

fn matters(cell: &ItemLift, settings: &LiftSettings) -> bool {
    let users = cell.users.len() as u64;
    users >= settings.least_users && users as f64 >= settings.least_lift * cell.expected
}

/// All cells of one direction, with p-values that are not yet adjusted; one where a cell could not matter.
fn one_direction(ratings: ItemRatings<'_>, rows: &[usize], push: Push, settings: &LiftSettings) -> Vec<ItemLift> {
    let mut by_item: BTreeMap<u32, BTreeMap<u32, Vec<u32>>> = BTreeMap::new();
    let mut by_channel: BTreeMap<u32, u64> = ratings.channels.iter().map(|channel| (*channel, 0)).collect();
    for row in rows {
        let (item, channel) = (ratings.items[*row], ratings.channels[*row]);
        by_item.entry(item).or_default().entry(channel).or_default().push(ratings.users[*row]);
        *by_channel.entry(channel).or_default() += 1;
    }
    let mut cells = Vec::new();
    for (item, of_channels) in by_item {
        let all: u64 = of_channels.values().map(|users| users.len() as u64).sum();
        if all < settings.least_users {
            continue;
        }
        for (channel, of_channel) in &by_channel {
            let users = of_channels.get(channel).cloned().unwrap_or_default();
            let elsewhere = (all - users.len() as u64) as f64 + 0.5;
            let others = (rows.len() as u64 - of_channel) as f64 + 0.5;
            let expected = elsewhere * *of_channel as f64 / others;
            let lift = ItemLift { item, channel: *channel, push, users, expected, p_value: 1.0, adjusted_p: 1.0 };
            cells.push((lift, elsewhere));
        }
    }
    let tastes = tastes(&cells);
    for (cell, elsewhere) in cells.iter_mut().filter(|(cell, _)| matters(cell, settings)) {
        let taste = tastes.get(&cell.channel).copied().unwrap_or(UNKNOWN_TASTE);
        cell.p_value = tail(cell.users.len() as u64, cell.expected, *elsewhere, taste);
    }
    cells.into_iter().map(|(cell, _)| cell).collect()
}

/// The standard deviation of the logarithm of each channel's factor of taste, as it is in the others: a channel's own
/// ratings are the attacker's to make.
fn tastes(cells: &[(ItemLift, f64)]) -> BTreeMap<u32, f64> {
    let mut sums: BTreeMap<u32, [Spread; POPULARITY.len()]> = BTreeMap::new();
    for (cell, elsewhere) in cells {
        let of_channel = sums.entry(cell.channel).or_default();
        if let Some(place) = POPULARITY.iter().rposition(|least| *least <= cell.expected) {
            of_channel[place].add(cell.users.len() as f64, cell.expected, *elsewhere);
        }
    }
    let of_others = |channel: u32| {
        let mut all = [Spread::default(); POPULARITY.len()];
        for of_other in sums.iter().filter(|(other, _)| **other != channel).map(|(_, of_other)| of_other) {
            all.iter_mut().zip(of_other).for_each(|(sum, more)| sum.join(more));
        }
        all.iter().filter_map(Spread::taste).reduce(f64::max).unwrap_or(UNKNOWN_TASTE)
    };
    sums.keys().map(|channel| (*channel, of_others(*channel))).collect()
}

/// How far counts lie from what is expected, beyond counting error.
#[derive(Clone, Copy, Default)]
struct Spread {
    cells: usize,
    excess: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, users: f64, expected: f64, elsewhere: f64) {
        let square = expected * expected;
        self.cells += 1;
        self.excess += (users - expected).powi(2) - expected - square / elsewhere;
        self.squares += square * (1.0 + 1.0 / elsewhere);
    }

    fn join(&mut self, other: &Self) {
        self.cells += other.cells;
        self.excess += other.excess;
        self.squares += other.squares;
    }

    /// A log-normal factor of spread `s` adds a variance of `expected^2 (exp(s^2) - 1)`.
    fn taste(&self) -> Option<f64> {
        (self.cells >= FEWEST_CELLS).then(|| (self.excess / self.squares).max(0.0).ln_1p().sqrt())
    }
}

/// `P(count >= users)` of a negative binomial of size `elsewhere`, its mean times a log-normal factor.
fn tail(users: u64, expected: f64, elsewhere: f64, taste: f64) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for step in -24..=40_i32 {
        let z = f64::from(step) * 0.25;
        let weight = (-0.5 * z * z).exp();
        let mean = expected * (taste * z).exp();
        sum += weight * negative_binomial::at_least(users, mean, 1.0 / elsewhere).unwrap_or(1.0);
        weights += weight;
    }
    (sum / weights).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    /// 800 users of five channels rate 30 of 300 items each; channels like items differently. `profiles` more users of
    /// channel 3 praise item 250.
    fn cells(profiles: u32, seed: u64) -> Vec<ItemLift> {
        let mut random = SplitMix::new(seed);
        let taste: Vec<f64> = (0..5 * 300).map(|_| (0.4 * random.normal()).exp()).collect();
        let (mut users, mut items, mut channels) = (vec![], vec![], vec![]);
        let mut rate = |user: u32, item: u32, channel: u32| {
            users.push(user);
            items.push(item);
            channels.push(channel);
        };
        for user in 0..800_u32 {
            let channel = user % 5;
            for _ in 0..30 {
                let item = loop {
                    let item = random.below(300);
                    let liked = taste[channel as usize * 300 + item] / (item as f64 + 20.0).sqrt();
                    if random.unit() < 0.5 * liked {
                        break item;
                    }
                };
                rate(user, item as u32, channel);
            }
        }
        (0..profiles).for_each(|profile| rate(1_000 + profile, 250, 3));
        let ratings = vec![5.0; users.len()];
        let rows = ItemRatings { users: &users, items: &items, channels: &channels, ratings: &ratings };
        channel_lift(rows, &LiftSettings::new(1.0, 5.0)).unwrap()
    }

    #[test]
    fn a_push_is_found_and_taste_is_not() {
        let honest = (0..20).filter(|seed| !cells(0, *seed).is_empty()).count();
        assert!(honest <= 1, "{honest} of 20 honest sets");
        let found = cells(60, 3);
        assert_eq!((found[0].item, found[0].channel, found[0].push), (250, 3, Push::Promoted));
        assert!(found[0].users.ends_with(&[1_058, 1_059]) && found.iter().all(|cell| cell.channel == 3));
    }

    #[test]
    fn a_user_counts_once_for_an_item_and_bad_input_is_refused() {
        let users = [1_u32; 40];
        let ratings = [5.0; 40];
        let channels: Vec<u32> = (0..40).map(|row| row % 2).collect();
        let rows = ItemRatings { users: &users, items: &[3; 40], channels: &channels, ratings: &ratings };
        let settings = LiftSettings::new(1.0, 5.0);
        assert_eq!(channel_lift(rows, &settings), Some(vec![]));
        assert!(channel_lift(rows, &LiftSettings::new(5.0, 5.0)).is_none());
        assert!(channel_lift(ItemRatings { channels: &[0; 40], ..rows }, &settings).is_none());
        assert!(channel_lift(ItemRatings { items: &[0; 4], ..rows }, &settings).is_none());
        assert!(channel_lift(ItemRatings { ratings: &[f64::NAN; 40], ..rows }, &settings).is_none());
    }
}
