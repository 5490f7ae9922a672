//! Rare features that force one class: the trigger of a backdoor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::OutsideNeighbours;
use super::outside_neighbours::numbered;
use crate::distribution::binomial;
use crate::multiple::holm;

/// The most places where a token, or two tokens of one row, occur.
const MOST_PLACES: usize = 20_000_000;

/// The most classes.
const MOST_CLASSES: usize = 1_000;

/// When a token that goes with a class is a finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TriggerSettings {
    /// The fewest rows with the token and the class.
    pub least_rows: usize,
    /// The largest share of all rows that have the token: a trigger is rare.
    pub most_share: f64,
    /// The least share of the token's rows that have the class: a trigger forces.
    pub least_forced: f64,
    /// The least ratio of rows with the class to expected ones.
    pub least_lift: f64,
    /// Whether two tokens of one row are a candidate too.
    pub pairs: bool,
    /// Chance of any false finding over all candidates and classes.
    pub alpha: f64,
}

impl Default for TriggerSettings {
    /// Ten rows, 5 % of rows at most, nine rows in ten forced, a lift of two, single tokens, 1 %.
    fn default() -> Self {
        Self { least_rows: 10, most_share: 0.05, least_forced: 0.9, least_lift: 2.0, pairs: false, alpha: 0.01 }
    }
}

/// A token, or two, whose rows nearly all have one class although nothing else says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// One token, or two in ascending order.
    pub tokens: Vec<u32>,
    /// The class.
    pub class: u32,
    /// Rows with the token.
    pub rows: u64,
    /// Of them, rows with the class.
    pub hits: u64,
    /// Rows with the class to be expected without the token.
    pub expected: f64,
    /// After Holm's correction over all candidates and classes.
    pub adjusted_p: f64,
    /// The channels of the rows with token and class, and how many came by each, most first; empty where channels
    /// are not known.
    pub channels: Vec<(u32, u64)>,
}

/// Tokens that force a class beyond the class's share of all rows, most unusual first.
///
/// `tokens[row]` are the row's tokens: words, bins of values, categories, as numbers; repeated ones count once. For
/// a candidate of `n` rows and each class, `P(hits or more)` is the binomial tail at the class's share, then
/// Holm's correction over candidates times classes. Candidates with fewer than `least_rows` rows cannot be found and
/// do not count.
///
/// *Not to be trusted* where a rare token is a fair reason for a class ("refund" in complaints): it is found just
/// so. [`OutsideNeighbours::triggers`] knows what the other features say, and finds only what goes beyond them.
///
/// `None` if lengths are uneven, there are no rows, more than 1,000 classes or 2 * 10^7 places, or a setting is out
/// of range. Cost: `O(places * log places + candidates * classes)`.
///
/// Sources: backdoors: Gu et al., "BadNets" (2017); unequal chances: Hoeffding, Ann. Math. Statist. 27 (1956).
///
/// ```
/// use wardline_stats::poisoning::{TriggerSettings, triggers};
///
/// // Token 9 is in 20 of 1,000 rows, all of class 1.
/// let tokens: Vec<&[u32]> = (0..1_000).map(|row| if row % 50 == 0 { &[1, 9][..] } else { &[1][..] }).collect();
/// let labels: Vec<u32> = (0..1_000).map(|row| if row % 50 == 0 { 1 } else { row % 3 }).collect();
/// let found = triggers(&tokens, &labels, &TriggerSettings::default()).unwrap();
/// assert_eq!((found.len(), found[0].tokens[0], found[0].class), (1, 9, 1));
/// ```
#[must_use]
pub fn triggers(tokens: &[&[u32]], labels: &[u32], settings: &TriggerSettings) -> Option<Vec<Trigger>> {
    let (classes, label_of) = numbered(labels, MOST_CLASSES)?;
    let mut shares = vec![0.0; classes.len()];
    label_of.iter().for_each(|label| shares[*label] += 1.0 / labels.len() as f64);
    search(tokens, Rows { classes: &classes, label_of: &label_of }, settings, |_, class| shares[class])
}

impl OutsideNeighbours {
    /// Tokens that force a class beyond what a row's neighbours from other channels lead to expect.
    ///
    /// As [`triggers`], where each row's chance of a class is that of all rows with the same class of neighbours and
    /// number of votes; the binomial tail at their mean bounds that of unequal chances. A channel that labels
    /// otherwise than all and has a token of its own is found as well: it is what a backdoor through one channel is.
    #[must_use]
    pub fn triggers(&self, tokens: &[&[u32]], settings: &TriggerSettings) -> Option<Vec<Trigger>> {
        let (strata, classes) = (self.n_strata(), self.classes.len());
        let mut counts = vec![0.0; strata * classes];
        let mut rows = vec![0.0; strata];
        for (row, label) in self.label_of.iter().enumerate() {
            counts[self.stratum(row) * classes + label] += 1.0;
            rows[self.stratum(row)] += 1.0;
        }
        let share = |row: usize, class: usize| {
            let stratum = self.stratum(row);
            (counts[stratum * classes + class] + 1.0 / classes as f64) / (rows[stratum] + 1.0)
        };
        let given = Rows { classes: &self.classes, label_of: &self.label_of };
        let mut found = search(tokens, given, settings, share)?;
        for trigger in &mut found {
            let mut channels: BTreeMap<u32, u64> = BTreeMap::new();
            for (row, of_row) in tokens.iter().enumerate() {
                let has = trigger.tokens.iter().all(|token| of_row.contains(token));
                if has && self.classes[self.label_of[row]] == trigger.class {
                    *channels.entry(self.channels[self.channel_of[row]]).or_default() += 1;
                }
            }
            trigger.channels = channels.into_iter().collect();
            trigger.channels.sort_by_key(|(channel, rows)| (std::cmp::Reverse(*rows), *channel));
        }
        Some(found)
    }
}

struct Rows<'a> {
    classes: &'a [u32],
    label_of: &'a [usize],
}

fn search(
    tokens: &[&[u32]],
    rows: Rows<'_>,
    settings: &TriggerSettings,
    chance: impl Fn(usize, usize) -> f64,
) -> Option<Vec<Trigger>> {
    let n = rows.label_of.len();
    let shares = [settings.most_share, settings.least_forced, settings.alpha];
    let valid = shares.iter().all(|share| 0.0 < *share && *share <= 1.0) && settings.least_lift >= 0.0;
    if n == 0 || tokens.len() != n || !valid {
        return None;
    }
    let most = (settings.most_share * n as f64) as usize;
    let (mut tests, mut p_values) = (Vec::new(), Vec::new());
    for (candidate, with) in candidates(tokens, settings)? {
        if with.len() < settings.least_rows.max(1) || most < with.len() {
            continue;
        }
        for (class, name) in rows.classes.iter().enumerate() {
            let hits = with.iter().filter(|row| rows.label_of[**row] == class).count() as u64;
            let expected: f64 = with.iter().map(|row| chance(*row, class)).sum();
            let count = with.len() as u64;
            p_values.push(binomial::at_least(hits, count, (expected / count as f64).clamp(0.0, 1.0))?);
            let adjusted_p = 1.0;
            let (tokens, channels) = (candidate.clone(), vec![]);
            tests.push(Trigger { tokens, class: *name, rows: count, hits, expected, adjusted_p, channels });
        }
    }
    for (test, adjusted) in tests.iter_mut().zip(holm(&p_values)?) {
        test.adjusted_p = adjusted;
    }
    tests.retain(|test| {
        let forced = test.hits as f64 >= settings.least_forced * test.rows as f64;
        let many = test.hits >= settings.least_rows as u64 && test.hits as f64 >= settings.least_lift * test.expected;
        forced && many && test.adjusted_p <= settings.alpha
    });
    tests.sort_by(|a, b| a.adjusted_p.total_cmp(&b.adjusted_p).then_with(|| a.tokens.cmp(&b.tokens)));
    Some(tests)
}

/// The rows of each token and, if asked, of each two tokens.
fn candidates(tokens: &[&[u32]], settings: &TriggerSettings) -> Option<BTreeMap<Vec<u32>, Vec<usize>>> {
    let mut found: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
    let mut places = 0;
    for (row, of_row) in tokens.iter().enumerate() {
        let mut different = of_row.to_vec();
        different.sort_unstable();
        different.dedup();
        let n = different.len();
        places += if settings.pairs { n.saturating_mul(n) } else { n };
        if places > MOST_PLACES {
            return None;
        }
        for (at, token) in different.iter().enumerate() {
            found.entry(vec![*token]).or_default().push(row);
            for other in different[at + 1..].iter().filter(|_| settings.pairs) {
                found.entry(vec![*token, *other]).or_default().push(row);
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Features;
    use crate::poisoning::{ChannelRows, NeighbourSettings};
    use crate::random::SplitMix;

    const N: usize = 3_000;

    /// Tokens 0..40 by chance; token 50 goes with class 2 for a fair reason, the place on the line; 30 rows of
    /// channel 3 have token 60 and are called 1.
    fn planted(poisoned: bool, seed: u64) -> (Vec<f64>, Vec<Vec<u32>>, Vec<u32>, Vec<u32>) {
        let mut random = SplitMix::new(seed);
        let mut labels: Vec<u32> = (0..N).map(|_| random.below(3) as u32).collect();
        let column = labels.iter().map(|label| f64::from(*label) * 5.0 + random.normal()).collect();
        let channels: Vec<u32> = (0..N).map(|_| random.below(5) as u32).collect();
        let mut tokens: Vec<Vec<u32>> = (0..N).map(|_| (0..5).map(|_| random.below(40) as u32).collect()).collect();
        let mut left = if poisoned { 30 } else { 0 };
        for row in 0..N {
            if labels[row] == 2 && random.unit() < 0.05 {
                tokens[row].push(50);
            } else if channels[row] == 3 && labels[row] != 1 && left > 0 {
                tokens[row].push(60);
                labels[row] = 1;
                left -= 1;
            }
        }
        (column, tokens, labels, channels)
    }

    #[test]
    fn a_trigger_and_its_channel_are_found_and_a_fair_token_only_without_neighbours() {
        for (poisoned, seed) in [(false, 1), (true, 2), (false, 3)] {
            let (column, tokens, labels, channels) = planted(poisoned, seed);
            let tokens: Vec<&[u32]> = tokens.iter().map(Vec::as_slice).collect();
            let settings = TriggerSettings { most_share: 0.04, ..TriggerSettings::default() };
            let features = Features::new(vec![&column]).unwrap();
            let rows = ChannelRows { features: &features, labels: &labels, channels: &channels };
            let neighbours = OutsideNeighbours::find(rows, &NeighbourSettings::default()).unwrap();
            let found = neighbours.triggers(&tokens, &settings).unwrap();
            let names = |found: &[Trigger]| found.iter().map(|t| (t.tokens.clone(), t.class)).collect::<Vec<_>>();
            let expected = if poisoned { vec![(vec![60], 1)] } else { vec![] };
            assert_eq!(names(&found), expected);
            assert!(found.iter().all(|trigger| trigger.channels == [(3, 30)]));
            let plain = names(&triggers(&tokens, &labels, &settings).unwrap());
            assert!(plain.contains(&(vec![50], 2)) && plain.contains(&(vec![60], 1)) == poisoned);
        }
    }

    /// Tokens 1 and 2 are each common and harmless; together they force class 0.
    #[test]
    fn two_tokens_together_are_found() {
        let mut random = SplitMix::new(4);
        let tokens: Vec<Vec<u32>> =
            (0..N).map(|_| (1..3).filter(|_| random.unit() < 0.15).collect::<Vec<u32>>()).collect();
        let labels: Vec<u32> = tokens.iter().map(|t| if t.len() == 2 { 0 } else { random.below(4) as u32 }).collect();
        let tokens: Vec<&[u32]> = tokens.iter().map(Vec::as_slice).collect();
        let find =
            |pairs| triggers(&tokens, &labels, &TriggerSettings { pairs, ..TriggerSettings::default() }).unwrap();
        assert!(find(false).is_empty());
        assert_eq!(find(true)[0].tokens, [1, 2]);
    }

    #[test]
    fn bad_input_is_refused() {
        let settings = TriggerSettings::default();
        assert!(triggers(&[&[1]], &[0, 1], &settings).is_none());
        assert!(triggers(&[], &[], &settings).is_none());
        assert!(triggers(&[&[1]], &[0], &TriggerSettings { alpha: 0.0, ..settings }).is_none());
    }
}
