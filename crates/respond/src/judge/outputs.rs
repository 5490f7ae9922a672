//! What the model says: where scores lie, and how often each decision is taken.

use serde::{Deserialize, Serialize};
use wardline_stats::sequential::{Coin, DistributionCoin, Renewed, log_mean_exp};

use super::{
    baseline::Frozen,
    event::Role,
    guard::{Ballot, Counts, NotWorse, arm},
    key::Key,
    settings::JudgeSettings,
};

/// Scores of both versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scores {
    pub(crate) differ: Renewed<DistributionCoin>,
    high: f64,
    low: f64,
    not_more_high: NotWorse,
    not_more_low: NotWorse,
    above: Counts,
    below: Counts,
}

impl Scores {
    pub(crate) fn new(frozen: &Frozen, settings: &JudgeSettings) -> Option<Self> {
        let (above, below) = (&frozen.scores_above, &frozen.scores_below);
        // The second from the end is p90 and p10, where values are not all alike.
        let high = *above.get(above.len().saturating_sub(2))?;
        let low = *below.get(1.min(below.len().saturating_sub(1)))?;
        let coin = DistributionCoin::tolerating(above, below, settings.tolerated_output_ratio)?;
        let not_worse = NotWorse::new(settings.excluded_ratio, settings.margin)?;
        Some(Self {
            differ: Renewed::new(coin),
            high,
            low,
            not_more_high: not_worse,
            not_more_low: not_worse,
            above: Counts::default(),
            below: Counts::default(),
        })
    }

    pub(crate) fn observe(&mut self, ballot: Ballot, score: f64) {
        if !score.is_finite() || !ballot.is_counted {
            return;
        }
        if ballot.role != Role::Standing {
            self.differ.count(1);
        }
        let (low, high) = (ballot.bounds.low, ballot.bounds.high);
        for coin in self.differ.copies_mut() {
            coin.observe_between(score, arm(ballot.role), low, high);
        }
        self.above.add(ballot.role, score > self.high);
        self.below.add(ballot.role, score < self.low);
        self.not_more_high.observe(ballot.role, score > self.high, ballot.bounds);
        self.not_more_low.observe(ballot.role, score < self.low, ballot.bounds);
    }

    pub(crate) fn e(&self) -> f64 {
        self.differ.e(DistributionCoin::log_e)
    }

    pub(crate) fn at_most(&self) -> f64 {
        self.differ.at_most(DistributionCoin::at_most)
    }

    pub(crate) fn log_e_not_worse(&self) -> f64 {
        self.not_more_high.log_e().min(self.not_more_low.log_e())
    }

    /// The end of the scores that differs more, in words, with its counts.
    pub(crate) fn strongest(&self) -> (String, Counts) {
        let place = self.differ.strongest(DistributionCoin::log_e).strongest();
        let (threshold, is_more, is_above) = place.unwrap_or((self.high, true, true));
        let amount = if is_more { "more" } else { "fewer" };
        let side = if is_above { "above" } else { "below" };
        let counts = if is_above { self.above } else { self.below };
        (format!("{amount} scores {side} {threshold:.4}"), counts)
    }
}

/// Coins on the share of each usual decision, either way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClassCoins {
    more: Vec<Coin>,
    fewer: Vec<Coin>,
}

impl ClassCoins {
    fn log_e(&self) -> f64 {
        let logs: Vec<f64> = self.more.iter().chain(&self.fewer).map(Coin::log_e).collect();
        log_mean_exp(&logs).unwrap_or(0.0)
    }

    fn at_most(&self) -> f64 {
        self.more.iter().chain(&self.fewer).map(Coin::at_most).fold(f64::NEG_INFINITY, f64::max)
    }
}

/// Decisions of both versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decisions {
    /// The usual ones; with a favourable decision there is one class: whatever is not it.
    classes: Vec<Key>,
    favourable: Key,
    pub(crate) differ: Renewed<ClassCoins>,
    /// The class that a promotion asks about.
    guarded: Option<usize>,
    not_more: NotWorse,
    counts: Vec<Counts>,
}

/// A class that is more frequent cannot be twice as frequent.
const MOST_GUARDED_SHARE: f64 = 0.45;

impl Decisions {
    pub(crate) fn new(frozen: &Frozen, settings: &JudgeSettings) -> Option<Self> {
        let usual = &frozen.decisions;
        if usual.is_empty() {
            return None;
        }
        let favourable = settings.favourable_decision.as_deref().map_or(Key::NONE, Key::of_class);
        let positive = settings.positive_class.as_deref().map_or(Key::NONE, Key::of_class);
        let share_of = |class: Key| usual.iter().find(|(key, _)| *key == class).map(|(_, share)| *share);
        let (classes, guarded) = match share_of(favourable) {
            Some(share) => (vec![favourable], (1.0 - share <= MOST_GUARDED_SHARE).then_some(0)),
            None => {
                let classes: Vec<Key> = usual.iter().map(|(key, _)| *key).collect();
                let is_guarded = |(_, (key, share)): &(usize, &(Key, f64))| {
                    *share <= MOST_GUARDED_SHARE && (share_of(positive).is_none() || *key == positive)
                };
                let guarded = usual.iter().enumerate().find(is_guarded).map(|(place, _)| place);
                (classes, guarded)
            }
        };
        let coin = Coin::fine(settings.tolerated_output_ratio)?;
        let n = classes.len();
        Some(Self {
            favourable: if share_of(favourable).is_some() { favourable } else { Key::NONE },
            classes,
            differ: Renewed::new(ClassCoins { more: vec![coin; n], fewer: vec![coin; n] }),
            guarded,
            not_more: NotWorse::new(settings.excluded_ratio, settings.margin)?,
            counts: vec![Counts::default(); n],
        })
    }

    /// The class of a decision among those that are watched.
    fn class_of(&self, decision: Key) -> Option<usize> {
        if self.favourable.is_none() {
            return self.classes.iter().position(|class| *class == decision);
        }
        (decision != self.favourable).then_some(0)
    }

    pub(crate) fn observe(&mut self, ballot: Ballot, decision: Key) {
        if decision.is_none() || !ballot.is_counted {
            return;
        }
        if ballot.role != Role::Standing {
            self.differ.count(1);
        }
        let found = self.class_of(decision);
        for (place, counts) in self.counts.iter_mut().enumerate() {
            counts.add(ballot.role, found == Some(place));
        }
        if let Some(guarded) = self.guarded {
            self.not_more.observe(ballot.role, found == Some(guarded), ballot.bounds);
        }
        let Some(place) = found else { return };
        let exchanged = if ballot.role == Role::Standing { Role::Canary } else { Role::Standing };
        for coins in self.differ.copies_mut() {
            coins.more[place].observe(arm(ballot.role), ballot.bounds.high);
            coins.fewer[place].observe(arm(exchanged), 1.0 - ballot.bounds.low);
        }
    }

    pub(crate) fn e(&self) -> f64 {
        self.differ.e(ClassCoins::log_e)
    }

    pub(crate) fn at_most(&self) -> f64 {
        self.differ.at_most(ClassCoins::at_most)
    }

    /// `None` where no decision is seldom enough to be asked about.
    pub(crate) fn log_e_not_worse(&self) -> Option<f64> {
        self.guarded.map(|_| self.not_more.log_e())
    }

    /// The decision that differs most (none: the unfavourable ones), and how often both take it.
    pub(crate) fn strongest(&self) -> Option<(Key, Counts)> {
        let coins = self.differ.strongest(ClassCoins::log_e);
        let evidence = |place: &usize| coins.more[*place].log_e().max(coins.fewer[*place].log_e());
        let place = (0..self.classes.len()).max_by(|l, r| evidence(l).total_cmp(&evidence(r)))?;
        let name = if self.favourable.is_none() { self.classes[place] } else { Key::NONE };
        Some((name, self.counts[place]))
    }
}
