//! A rate of the canary beside that of the standing version: evidence that it is worse, and that it is not.

use serde::{Deserialize, Serialize};
use wardline_stats::{
    interval::Interval,
    sequential::{Arm, BernoulliE, Coin, Direction, Promotion, Renewed, bernoulli_confidence_sequence, log_mean_exp},
};

use super::{event::Role, share::ShareBounds};

/// How sure the intervals of a record are, at every look together.
const INTERVAL_ALPHA: f64 = 0.05;

/// Bad events of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Bad events.
    pub bad: u64,
    /// All events.
    pub all: u64,
}

impl Count {
    pub(crate) const fn add(&mut self, is_bad: bool) {
        self.bad += is_bad as u64;
        self.all += 1;
    }

    /// The share of bad events.
    pub fn rate(self) -> Option<f64> {
        (self.all > 0).then(|| self.bad as f64 / self.all as f64)
    }

    /// 95 % interval of the share that holds at every look.
    pub fn interval(self) -> Option<Interval> {
        bernoulli_confidence_sequence(self.bad, self.all, INTERVAL_ALPHA)
    }
}

/// Counts of both versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The version on trial.
    pub canary: Count,
    /// The standing version.
    pub standing: Count,
}

impl Counts {
    pub(crate) const fn add(&mut self, role: Role, is_bad: bool) {
        match role {
            Role::Standing => self.standing.add(is_bad),
            Role::Canary | Role::Shadow => self.canary.add(is_bad),
        }
    }
}

pub(crate) const fn arm(role: Role) -> Arm {
    match role {
        Role::Standing => Arm::Baseline,
        Role::Canary | Role::Shadow => Arm::Canary,
    }
}

/// Evidence that a rate is not much worse: below so many times the standing version's, or below a margin.
///
/// The null hypothesis is that it is neither, and each of the two processes is an e-process under it, so their
/// mean is one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NotWorse {
    ratio: Promotion,
    margin: BernoulliE,
}

impl NotWorse {
    pub(crate) fn new(excluded_ratio: f64, margin: f64) -> Option<Self> {
        Some(Self { ratio: Promotion::new(excluded_ratio)?, margin: BernoulliE::new(margin, Direction::Decrease)? })
    }

    pub(crate) fn observe(&mut self, role: Role, is_bad: bool, bounds: ShareBounds) {
        if is_bad {
            self.ratio.observe(arm(role), bounds.low);
        }
        if role != Role::Standing {
            self.margin.observe(is_bad);
        }
    }

    pub(crate) fn observe_good(&mut self, canary: u64) {
        self.margin.observe_counts(0, canary);
    }

    pub(crate) fn log_e(&self) -> f64 {
        log_mean_exp(&[self.ratio.log_e(), self.margin.log_e()]).unwrap_or(0.0)
    }
}

/// One rate of both versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rate {
    pub(crate) worse: Renewed<Coin>,
    pub(crate) not_worse: NotWorse,
    pub(crate) counts: Counts,
}

/// How an event counts in a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ballot {
    pub(crate) role: Role,
    /// Whether it is one of those that are counted.
    pub(crate) is_counted: bool,
    pub(crate) bounds: ShareBounds,
}

impl Rate {
    pub(crate) fn new(coin: Coin, not_worse: NotWorse) -> Self {
        Self { worse: Renewed::new(coin), not_worse, counts: Counts::default() }
    }

    /// Takes one event; a bad one that may not vote is told, and is no evidence.
    pub(crate) fn observe(&mut self, ballot: Ballot, is_bad: bool, may_vote: bool) {
        self.counts.add(ballot.role, is_bad);
        if is_bad && !may_vote {
            return;
        }
        if ballot.role != Role::Standing {
            self.worse.count(1);
        }
        if is_bad {
            for coin in self.worse.copies_mut() {
                coin.observe(arm(ballot.role), ballot.bounds.high);
            }
        }
        if is_bad || ballot.is_counted {
            self.not_worse.observe(ballot.role, is_bad, ballot.bounds);
        }
    }

    /// Takes good events of both.
    pub(crate) fn observe_good(&mut self, canary: u64, standing: u64) {
        self.counts.canary.all += canary;
        self.counts.standing.all += standing;
        self.worse.count(canary);
        self.not_worse.observe_good(canary);
    }

    pub(crate) fn e(&self) -> f64 {
        self.worse.e(Coin::log_e)
    }

    pub(crate) fn at_most(&self) -> f64 {
        self.worse.at_most(Coin::at_most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: ShareBounds = ShareBounds { low: 0.1, high: 0.1 };

    fn rate(canary: (u64, u64), standing: (u64, u64)) -> Rate {
        let mut rate = Rate::new(Coin::default(), NotWorse::new(2.0, 0.005).unwrap());
        for (role, (bad, good)) in [(Role::Canary, canary), (Role::Standing, standing)] {
            let ballot = Ballot { role, is_counted: true, bounds: BOUNDS };
            (0..bad).for_each(|_| rate.observe(ballot, true, true));
            (0..good).for_each(|_| rate.observe(ballot, false, true));
        }
        rate
    }

    #[test]
    fn a_rate_without_a_bad_event_is_not_worse_after_a_thousand() {
        assert!(rate((0, 1_000), (0, 9_000)).not_worse.log_e() > 20.0_f64.ln());
        assert!(rate((0, 300), (0, 2_700)).not_worse.log_e() < 20.0_f64.ln());
        assert!(rate((20, 980), (0, 9_000)).not_worse.log_e() < 0.0);
    }

    #[test]
    fn a_rate_as_frequent_as_the_standing_one_is_not_twice_as_frequent() {
        assert!(rate((20, 980), (180, 8_820)).not_worse.log_e() > 20.0_f64.ln());
        assert!(rate((40, 960), (180, 8_820)).not_worse.log_e() < 0.0);
        assert!(rate((40, 960), (180, 8_820)).e() > 20.0);
    }

    #[test]
    fn good_events_at_once_equal_good_events() {
        let mut at_once = Rate::new(Coin::default(), NotWorse::new(2.0, 0.005).unwrap());
        at_once.observe_good(400, 3_000);
        let single = rate((0, 400), (0, 3_000));
        assert_eq!(at_once.counts, single.counts);
        assert!((at_once.not_worse.log_e() - single.not_worse.log_e()).abs() < 1e-9);
        assert_eq!(at_once.e(), single.e());
    }
}
