//! A group against everyone else, now and before.
//!
//! The ratio of selection rates is `r = (k / n) / (k' / n')`; `ln r` has variance
//! `(1 - p) / k + (1 - p') / k'` (delta method, half a person added to `k` where it is zero), and so has its change
//! from before, with the sum of both. Each look spends a part of the level: up to the information that a ratio
//! of 0.64 needs, as O'Brien and Fleming do (`1 - Phi(q / sqrt(t))`), and half of the level over all later
//! looks (Lan, DeMets 1983). The parts add up, whatever the looks have in common.

use serde::{Deserialize, Serialize};
use wardline_stats::{
    distribution::normal,
    fairness::{Impact, ImpactRules, Selection, impact},
};

/// The four-fifths rule.
pub(super) const FOUR_FIFTHS: f64 = 0.8;
/// A ratio that has not fallen to this share of what it was has not changed to speak of.
pub(super) const LEAST_FALL: f64 = 0.9;
/// The least people of a group and of the others.
pub(super) const LEAST_PEOPLE: u64 = 50;
/// The least of them with the decision, or without it.
const LEAST_DECIDED: u64 = 5;

/// A group and everyone else: people, and those with the decision.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sides {
    pub(super) group: (u64, u64),
    pub(super) others: (u64, u64),
}

impl Sides {
    /// Whether there are enough people to say anything.
    pub(super) fn are_enough(&self) -> bool {
        let has = |side: (u64, u64)| side.0 >= LEAST_PEOPLE;
        has(self.group) && has(self.others) && self.others.1 >= LEAST_DECIDED
    }

    /// The logarithm of the ratio, and its variance.
    fn log_ratio(&self) -> (f64, f64) {
        let part = |(n, k): (u64, u64)| {
            let k = (k as f64).max(0.5);
            let p = (k / n.max(1) as f64).min(1.0);
            (p.ln(), (1.0 - p) / k)
        };
        let ((a, u), (b, v)) = (part(self.group), part(self.others));
        (a - b, u + v)
    }

    /// The group without some of its people.
    pub(super) fn without(&self, part: &Self) -> Self {
        let less = |whole: u64, part: u64| whole.saturating_sub(part);
        Self { group: (less(self.group.0, part.group.0), less(self.group.1, part.group.1)), others: self.others }
    }

    /// The ratio of the rates.
    pub(super) fn ratio(&self) -> f64 {
        self.log_ratio().0.exp()
    }

    pub(super) fn impact(&self, confidence: f64) -> Option<Impact> {
        let selection = |(count, selected): (u64, u64)| Selection { selected, count };
        let rules = ImpactRules { confidence, floor: FOUR_FIFTHS, least_count: LEAST_PEOPLE };
        impact(selection(self.others), selection(self.group), &rules)
    }
}

/// How much of a level was spent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Spending {
    alpha: f64,
    /// The part of the planned information at the last look.
    at: f64,
    late_looks: u32,
}

impl Spending {
    pub(super) const fn new(alpha: f64) -> Self {
        Self { alpha, at: 0.0, late_looks: 0 }
    }

    /// The level of the next look at a ratio with this variance; `None` where nothing could be said yet.
    fn next(&mut self, variance: f64) -> Option<f64> {
        let quantile = normal::upper_quantile(0.5 * self.alpha)?;
        // Enough to see a ratio of 0.64 below 0.8 nine times in ten.
        let planned = ((quantile + 1.2816) / -FOUR_FIFTHS.ln()).powi(2);
        let at = (1.0 / variance / planned).min(1.0);
        let spent = |at: f64| if at > 0.0 { normal::sf(quantile / at.sqrt()) } else { 0.0 };
        if self.at >= 1.0 {
            self.late_looks += 1;
            // These parts add up to less than one.
            let part = 0.6 / f64::from(self.late_looks + 1).powf(1.5);
            return Some(0.5 * self.alpha * part);
        }
        let level = spent(at) - spent(self.at);
        self.at = self.at.max(at);
        (level > 1e-12).then_some(level)
    }
}

/// What a look says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    pub(super) is_worse: bool,
    pub(super) is_below: bool,
    pub(super) p_value: f64,
}

/// Whether a group's ratio is surely worse than before, and surely below four fifths.
pub(super) fn look(before: &Sides, now: &Sides, spending: &mut Spending) -> Option<Look> {
    if !before.are_enough() || !now.are_enough() {
        return None;
    }
    let level = spending.next(now.log_ratio().1)?;
    once(before, now, level)
}

/// The same at one look of a level.
pub(super) fn once(before: &Sides, now: &Sides, level: f64) -> Option<Look> {
    if !before.are_enough() || !now.are_enough() {
        return None;
    }
    let ((old, old_variance), (new, variance)) = (before.log_ratio(), now.log_ratio());
    let z = normal::upper_quantile(level)?;
    let error = (variance + old_variance).sqrt();
    let is_worse = new - old <= LEAST_FALL.ln() && new - old < -z * error;
    let is_below = now.impact(1.0 - 2.0 * level).is_some_and(|impact| impact.ratio_interval.high < FOUR_FIFTHS);
    Some(Look { is_worse, is_below, p_value: normal::sf((old - new) / error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_level_add_up_to_less() {
        let mut spending = Spending::new(0.01);
        let levels = (1..2_000).filter_map(|look| spending.next(10.0 / f64::from(look).powf(1.3)));
        let sum: f64 = levels.sum();
        assert!(0.004 < sum && sum < 0.01, "{sum}");
    }
}
