//! The share of the traffic that the canary has: counted, between bounds, and checked against what was asked for.

use serde::{Deserialize, Serialize};
use wardline_stats::sequential::bernoulli_confidence_sequence;

/// Requests that the asked-for share stands for until enough were counted.
const WEIGHT_OF_PLAN: f64 = 300.0;
/// Requests after which what was counted earlier weighs half.
const MEMORY: f64 = 40_000.0;
/// Standard errors on each side: a bound that is too wide costs time, one too narrow costs the promise.
const ERRORS_AROUND: f64 = 1.0;
/// Requests of one look at whether the share has moved.
const BLOCK: u32 = 256;
/// Standard errors that a block must be off.
const MOVED: f64 = 5.0;
/// Error rate of the check of the split, over all looks.
const SPLIT_ALPHA: f64 = 0.001;
/// How far from the plan a split may be, as a ratio.
const SPLIT_TOLERANCE: f64 = 1.15;
/// Requests between two checks of the split.
const BETWEEN_CHECKS: u64 = 128;

/// Between which numbers the canary's share lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareBounds {
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
}

/// Counts whose requests are whose.
///
/// The bounds for a request come from requests before it alone. They are renewed with every fiftieth of
/// what was counted, so a coin seldom has to learn a new share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountedShare {
    plan: Option<f64>,
    canary: f64,
    all: f64,
    block_canary: u32,
    block_all: u32,
    bounds: Option<ShareBounds>,
    renew_at: f64,
    /// Since the plan was made, for the check.
    checked_canary: u64,
    checked_all: u64,
    is_off: bool,
}

impl CountedShare {
    /// Nothing counted; `plan` is the share that was asked for, where one was.
    pub fn new(plan: Option<f64>) -> Self {
        let plan = plan.filter(|plan| 0.0 < *plan && *plan < 1.0);
        let (canary, all) = plan.map_or((0.5, 1.0), |plan| (plan * WEIGHT_OF_PLAN, WEIGHT_OF_PLAN));
        let mut share = Self {
            plan,
            canary,
            all,
            block_canary: 0,
            block_all: 0,
            bounds: None,
            renew_at: 0.0,
            checked_canary: 0,
            checked_all: 0,
            is_off: false,
        };
        share.renew();
        share
    }

    /// Another share was asked for: what was counted before says nothing any more.
    pub fn plan(&mut self, plan: Option<f64>) {
        *self = Self::new(plan);
    }

    /// The bounds for the next request; `None` while only one of the two answers.
    #[inline]
    pub const fn bounds(&self) -> Option<ShareBounds> {
        self.bounds
    }

    /// Whether the split surely is not what was asked for, with what was asked for and what is.
    pub fn off(&self) -> Option<(f64, f64)> {
        let plan = self.plan.filter(|_| self.is_off)?;
        Some((plan, self.checked_canary as f64 / self.checked_all as f64))
    }

    /// Counts one request.
    #[inline]
    pub fn count(&mut self, is_canary: bool) {
        self.count_many(u64::from(is_canary), u64::from(!is_canary));
    }

    /// Counts requests that came one after the other, at most [`BLOCK`] of them for the look at moves to be sharp.
    pub fn count_many(&mut self, canary: u64, standing: u64) {
        let all = canary + standing;
        self.canary += canary as f64;
        self.all += all as f64;
        self.block_canary += u32::try_from(canary).unwrap_or(u32::MAX / 4);
        self.block_all += u32::try_from(all).unwrap_or(u32::MAX / 4);
        let before = self.checked_all / BETWEEN_CHECKS;
        self.checked_canary += canary;
        self.checked_all += all;
        if self.checked_all / BETWEEN_CHECKS != before {
            self.check();
        }
        if self.block_all >= BLOCK {
            self.close_block();
        }
        if self.all >= self.renew_at {
            self.renew();
        }
    }

    fn check(&mut self) {
        let Some(plan) = self.plan else { return };
        let held = bernoulli_confidence_sequence(self.checked_canary, self.checked_all, SPLIT_ALPHA);
        self.is_off |= held.is_some_and(|held| held.high < plan / SPLIT_TOLERANCE || plan * SPLIT_TOLERANCE < held.low);
    }

    /// A block that is far off means that someone else has set another share: what is older is forgotten.
    fn close_block(&mut self) {
        let (canary, all) = (f64::from(self.block_canary), f64::from(self.block_all));
        let (old_canary, old_all) = (self.canary - canary, self.all - all);
        if old_all >= all {
            let share = ((old_canary + canary) / (old_all + all)).clamp(1e-6, 1.0 - 1e-6);
            let error = (share * (1.0 - share) / all).sqrt();
            if (canary / all - old_canary / old_all).abs() > MOVED * error {
                (self.canary, self.all) = (canary + 0.5, all + 1.0);
                self.renew_at = 0.0;
            }
        }
        (self.block_canary, self.block_all) = (0, 0);
        if self.all >= 2.0 * MEMORY {
            (self.canary, self.all) = (self.canary * 0.5, self.all * 0.5);
            self.renew_at = 0.0;
        }
    }

    fn renew(&mut self) {
        self.renew_at = self.all * 1.02 + 4.0;
        let has_both = self.plan.is_some() || (self.canary >= 1.0 && self.all - self.canary >= 1.0 && self.all >= 20.0);
        self.bounds = has_both.then(|| {
            let share = (self.canary / self.all).clamp(1e-6, 1.0 - 1e-6);
            let around = ERRORS_AROUND * (share * (1.0 - share) / self.all).sqrt();
            ShareBounds {
                low: (share - around).max(share * 0.3),
                high: (share + around).min(1.0 - (1.0 - share) * 0.3),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(plan: Option<f64>, every: u64, requests: u64) -> CountedShare {
        let mut share = CountedShare::new(plan);
        (0..requests).for_each(|at| share.count(at % every == 0));
        share
    }

    #[test]
    fn bounds_close_around_what_is_counted_whatever_was_asked_for() {
        for plan in [None, Some(0.1), Some(0.5)] {
            let bounds = counted(plan, 10, 20_000).bounds().unwrap();
            assert!(
                bounds.low < 0.1 + 1e-3 && 0.1 < bounds.high && bounds.high - bounds.low < 0.02,
                "{plan:?} {bounds:?}"
            );
        }
        assert_eq!(CountedShare::new(None).bounds(), None);
        assert!(CountedShare::new(Some(0.1)).bounds().is_some());
    }

    /// Goal: the check of the split finds 12 % where 10 % were asked for within 60,000 requests, and not 10 %.
    #[test]
    fn a_split_that_is_not_what_was_asked_for_is_told() {
        let off = counted(Some(0.1), 8, 60_000).off().unwrap();
        assert!((off.1 - 0.125).abs() < 1e-3);
        assert_eq!(counted(Some(0.1), 10, 200_000).off(), None);
        assert_eq!(counted(None, 8, 60_000).off(), None);
    }

    /// Goal: a share that someone else moves is followed within three blocks.
    #[test]
    fn a_share_that_moves_is_followed() {
        let mut share = counted(Some(0.1), 10, 20_000);
        (0..800).for_each(|at| share.count(at % 2 == 0));
        let bounds = share.bounds().unwrap();
        assert!(bounds.low < 0.5 && 0.5 < bounds.high, "{bounds:?}");
    }
}
