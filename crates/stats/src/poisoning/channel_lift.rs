//! Items that one channel praises or runs down, as no other channel does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::distribution::negative_binomial;
use crate::multiple::benjamini_hochberg;
use crate::robust::{MAD_TO_SIGMA, median};

/// Cells with a smaller expected count say little about taste.
const LEAST_EXPECTED: f64 = 5.0;

/// Fewer cells do not tell a channel's own taste.
const FEWEST_CELLS: usize = 30;

/// Where nothing tells how much tastes differ: a factor of 1.6 either way for two items in three.
const UNKNOWN_TASTE: f64 = 0.5;

/// How much more than in the other channels tastes may differ in one: its own ratings are the attacker's to make.
const MOST_OF_USUAL: f64 = 1.5;

/// Tastes are widened by this, since they are estimated and their tails are heavier than the law's.
const CAUTION: f64 = 1.25;

/// Halvings until a channel's taste is known to the last bits.
const HALVINGS: u32 = 50;

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
    /// A false-discovery rate of 1 %, five users, and twice as many as expected.
    #[must_use]
    pub fn new(low: f64, high: f64) -> Self {
        Self { high, low, alpha: 0.01, least_users: 5, least_lift: 2.0 }
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
/// multiplied by a log-normal factor, and the p-value is the tail averaged over it. Its standard deviation is
/// that of `ln (k / expected)` over the channel's items beyond counting error, taken by medians, but at least that of
/// the other channels and at most 1.5 times it, so that an attack cannot pass as taste; then widened by a quarter.
///
/// *False alarms.* Benjamini and Hochberg over all cells whose item has at least `least_users` such ratings in all
/// (others cannot be found). A new item that is liked everywhere has the same share everywhere, and is not
/// found. In simulated markets of differing taste some 4 % of honest sets still had one cell found (the example
/// `promised`, part `poisoning`). Honest causes remain: an item sold, shown or priced differently in one channel.
///
/// *Not to be trusted* where one channel carries nearly all ratings, where an item is pushed through all channels
/// alike, where the profiles of an attack praise popular items too and are much of their channel (then those items
/// look like taste, and hide or join the target), or where users of a channel rate in
/// groups (a class that rates its own book).
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

/// The standard deviation of the logarithm of each channel's factor of taste.
fn tastes(cells: &[(ItemLift, f64)]) -> BTreeMap<u32, f64> {
    let mut deviations: BTreeMap<u32, Vec<(f64, f64)>> = BTreeMap::new();
    for (cell, elsewhere) in cells {
        let of_channel = deviations.entry(cell.channel).or_default();
        if cell.expected >= LEAST_EXPECTED {
            let log = ((cell.users.len() as f64 + 0.5) / (cell.expected + 0.5)).ln();
            of_channel.push((log, 1.0 / cell.expected + 1.0 / elsewhere));
        }
    }
    for of_channel in deviations.values_mut() {
        let middle = median(&of_channel.iter().map(|(log, _)| *log).collect::<Vec<_>>()).unwrap_or(0.0);
        of_channel.iter_mut().for_each(|(log, _)| *log -= middle);
    }
    let found = deviations.keys().map(|channel| {
        let others = deviations.iter().filter(|(other, _)| *other != channel).flat_map(|(_, of_other)| of_other);
        let usual = taste(&others.copied().collect::<Vec<_>>()).unwrap_or(UNKNOWN_TASTE);
        let own = taste(&deviations[channel]).unwrap_or(usual);
        (*channel, CAUTION * own.clamp(usual, MOST_OF_USUAL * usual))
    });
    found.collect()
}

/// The spread by which the median of standardised deviations is as large as a normal law's.
fn taste(deviations: &[(f64, f64)]) -> Option<f64> {
    if deviations.len() < FEWEST_CELLS {
        return None;
    }
    let too_large = |spread: f64| {
        let standardised = deviations.iter().map(|(log, error)| log.abs() / (spread * spread + error).sqrt());
        median(&standardised.collect::<Vec<_>>()).is_some_and(|middle| middle * MAD_TO_SIGMA > 1.0)
    };
    let (mut low, mut high) = (0.0, 4.0);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if too_large(middle) { low = middle } else { high = middle }
    }
    Some(high)
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
