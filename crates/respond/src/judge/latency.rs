//! Whether the canary is slower, anywhere between the median and the far tail.

use serde::{Deserialize, Serialize};
use wardline_stats::sequential::{Coin, Renewed, TailCoin};

use super::{
    baseline::Frozen,
    event::Role,
    guard::{Ballot, Counts, NotWorse, arm},
    settings::JudgeSettings,
};

/// A promotion asks about thresholds that at least this many requests stay under: twice half the requests is all.
const LEAST_UNDER: usize = 1;

/// Latencies above thresholds that were frozen before the trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    thresholds: Vec<f64>,
    pub(crate) worse: Renewed<TailCoin>,
    not_worse: Vec<NotWorse>,
    /// For each threshold.
    counts: Vec<Counts>,
}

impl Latency {
    pub(crate) fn new(frozen: &Frozen, settings: &JudgeSettings) -> Option<Self> {
        if frozen.latency_ms.is_empty() {
            return None;
        }
        let mut thresholds = frozen.latency_ms.clone();
        thresholds.extend(settings.latency_ms);
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup_by(|right, left| *right <= *left * 1.001);
        let coin = TailCoin::new(&thresholds, settings.tolerated_ratio)?;
        let not_worse = NotWorse::new(settings.excluded_ratio, settings.margin)?;
        let n = thresholds.len();
        Some(Self {
            thresholds,
            worse: Renewed::new(coin),
            not_worse: vec![not_worse; n],
            counts: vec![Counts::default(); n],
        })
    }

    /// Takes one latency; `vote` is asked whether its session may vote on a threshold.
    pub(crate) fn observe(&mut self, ballot: Ballot, value: f64, mut vote: impl FnMut(u32) -> bool) {
        if value.is_nan() {
            return;
        }
        if ballot.role != Role::Standing {
            self.worse.count(1);
        }
        let mut above = 0_usize;
        let mut withheld = false;
        for (place, threshold) in self.thresholds.iter().enumerate() {
            let is_above = value > *threshold;
            let is_bad = is_above && vote(place as u32);
            above += usize::from(is_bad);
            withheld |= is_above && !is_bad;
            self.counts[place].add(ballot.role, is_above);
            if is_bad || (ballot.is_counted && !is_above) {
                self.not_worse[place].observe(ballot.role, is_bad, ballot.bounds);
            }
        }
        if above == 0 {
            return;
        }
        let (arm, share) = (arm(ballot.role), ballot.bounds.high);
        for coin in self.worse.copies_mut() {
            if withheld {
                // The session has voted on the lower thresholds: what is new is the last ones it passes.
                let all = self.thresholds.iter().filter(|threshold| value > **threshold).count();
                let flags: Vec<u64> =
                    (0..self.thresholds.len()).map(|place| u64::from(all - above <= place && place < all)).collect();
                let none = vec![0; flags.len()];
                let (canary, standing) = if ballot.role == Role::Standing { (&none, &flags) } else { (&flags, &none) };
                coin.observe_counts(canary, standing, share);
            } else {
                coin.observe(value, arm, share);
            }
        }
    }

    /// Whether a latency is above the lowest threshold, and so moves a coin.
    pub(crate) fn is_slow(&self, value: f64) -> bool {
        self.thresholds.first().is_some_and(|lowest| value > *lowest)
    }

    /// Whether a latency is in the far tail, which a record lists.
    pub(crate) fn is_far(&self, value: f64) -> bool {
        self.thresholds.get(2).or(self.thresholds.last()).is_some_and(|far| value > *far)
    }

    pub(crate) fn e(&self) -> f64 {
        self.worse.e(TailCoin::log_e)
    }

    pub(crate) fn at_most(&self) -> f64 {
        self.worse.at_most(TailCoin::at_most)
    }

    /// The least evidence that a tail is not worse.
    pub(crate) fn log_e_not_worse(&self) -> f64 {
        let upper = self.not_worse.iter().skip(LEAST_UNDER.min(self.not_worse.len() - 1));
        upper.map(NotWorse::log_e).fold(f64::INFINITY, f64::min)
    }

    /// The threshold with the most evidence, and the counts above it.
    pub(crate) fn strongest(&self) -> Option<(f64, Counts)> {
        let coin = self.worse.strongest(TailCoin::log_e);
        let evidence = |place: &usize| coin.coins().get(*place).map_or(f64::NEG_INFINITY, Coin::log_e);
        let place = (0..self.thresholds.len()).max_by(|l, r| evidence(l).total_cmp(&evidence(r)))?;
        Some((self.thresholds[place], self.counts[place]))
    }
}
