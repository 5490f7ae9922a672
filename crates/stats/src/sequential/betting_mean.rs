//! The tightest interval for a bounded mean that holds at every look: a bet against each candidate.

use serde::{Deserialize, Serialize};

use super::bernstein_mean::Predicted;
use crate::interval::Interval;

/// The most of its capital that a bet may lose at once.
const MOST_LOSS: f64 = 0.5;

/// Values between two logarithms. A factor lies in `0.5..40`, so products keep within `1e-20..1e103`.
const VALUES_A_LOGARITHM: u64 = 64;
const MOST_CANDIDATES: usize = 1_000_000;

/// The hedged-capital confidence sequence for the mean of values in `0..=1`.
///
/// With probability at least `1 - alpha` the mean lies in the interval at *every* look, whatever the
/// law, as long as each value has that mean given the ones before. For each candidate `m` of an even
/// grid half the capital bets that the mean is above, half that it is below:
/// `prod (1 + min(l_i, c/m) (x_i - m))` and `prod (1 - min(l_i, c/(1-m)) (x_i - m))` with `c = 1/2` and
/// `l_i` as for [`super::BernsteinMean`]; `m` is excluded for ever once either half is worth `2/alpha`
/// of what it was. Both are monotone in `m`, so the interval ends at candidates that are
/// excluded: a coarse grid widens it by at most one cell a side, and never breaks the promise.
///
/// Not to be trusted when the mean itself moves. Cost: four multiply-adds a value for each
/// candidate still in the interval and as many logarithms at every 64th; `32 n` bytes for `n` candidates,
/// no allocation after the start.
/// Source: Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting", JRSS B
/// 86 (2024), theorem 3 and section 4.2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BettingMean {
    alpha: f64,
    predicted: Predicted,
    /// The greatest candidate excluded from below and the least excluded from above.
    low: usize,
    high: usize,
    above: Capital,
    below: Capital,
}

/// The capital of one half, for each candidate: a product since the last logarithm, and the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Capital {
    product: Vec<f64>,
    log: Vec<f64>,
}

impl Capital {
    fn new(candidates: usize) -> Self {
        Self { product: vec![1.0; candidates], log: vec![0.0; candidates] }
    }

    fn log_at(&self, candidate: usize) -> f64 {
        self.log[candidate] + self.product[candidate].ln()
    }

    fn settle(&mut self, low: usize, high: usize) {
        for (log, product) in self.log[low..=high].iter_mut().zip(&mut self.product[low..=high]) {
            *log += product.ln();
            *product = 1.0;
        }
    }
}

impl BettingMean {
    /// An interval that fails with probability at most `alpha`, at one of `cells` (1,000, say) even
    /// steps; `None` unless `1e-9 <= alpha < 1` and `1 <= cells <= 1,000,000`.
    #[must_use]
    pub fn new(alpha: f64, cells: usize) -> Option<Self> {
        let valid = 1e-9 <= alpha && alpha < 1.0 && 1 <= cells && cells <= MOST_CANDIDATES;
        valid.then(|| Self {
            alpha,
            predicted: Predicted::default(),
            low: 0,
            high: cells,
            above: Capital::new(cells + 1),
            below: Capital::new(cells + 1),
        })
    }

    /// Takes in one value; `false`, and no change, if it lies outside `0..=1`.
    pub fn observe(&mut self, value: f64) -> bool {
        if !(0.0..=1.0).contains(&value) {
            return false;
        }
        let log_two_over_alpha = (2.0 / self.alpha).ln();
        let stake = self.predicted.stake(log_two_over_alpha);
        self.predicted.take(value);
        if self.low > self.high {
            return true;
        }
        self.bet(value, stake);
        if self.predicted.count.is_multiple_of(VALUES_A_LOGARITHM) {
            self.above.settle(self.low, self.high);
            self.below.settle(self.low, self.high);
        }
        self.exclude(log_two_over_alpha);
        true
    }

    fn bet(&mut self, value: f64, stake: f64) {
        let cell = 1.0 / (self.above.product.len() - 1) as f64;
        let (low, high) = (self.low, self.high);
        for (at, product) in (low..=high).zip(&mut self.above.product[low..=high]) {
            let candidate = at as f64 * cell;
            *product *= 1.0 + stake.min(MOST_LOSS / candidate) * (value - candidate);
        }
        for (at, product) in (low..=high).zip(&mut self.below.product[low..=high]) {
            let candidate = at as f64 * cell;
            *product *= 1.0 - stake.min(MOST_LOSS / (1.0 - candidate)) * (value - candidate);
        }
    }

    fn exclude(&mut self, log_threshold: f64) {
        while self.low < self.high && self.above.log_at(self.low + 1) >= log_threshold {
            self.low += 1;
        }
        while self.low < self.high && self.below.log_at(self.high - 1) >= log_threshold {
            self.high -= 1;
        }
        // The last candidate of all, excluded from the other side too: nothing is left.
        if self.low == self.high {
            self.low = 1;
            self.high = 0;
        }
    }

    /// The interval; `None` before the first value, and when every candidate is excluded, which says
    /// that the mean has moved (or that the `alpha` has happened).
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        let cells = (self.above.product.len() - 1) as f64;
        (self.predicted.count > 0 && self.low < self.high)
            .then(|| Interval { low: self.low as f64 / cells, high: self.high as f64 / cells })
    }

    /// How many values were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.predicted.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;
    use crate::sequential::BernsteinMean;

    /// The products by their definition, with all values at hand.
    fn by_definition(values: &[f64], alpha: f64, cells: usize) -> (f64, f64) {
        let (mut low, mut high) = (0, cells);
        for at in 0..=cells {
            let candidate = at as f64 / cells as f64;
            let (mut above, mut below) = (0.0, 0.0);
            let (mut sum, mut squares) = (0.0, 0.0);
            for (i, x) in values.iter().enumerate() {
                let next = (i + 1) as f64;
                let variance = (0.25 + squares) / next;
                let stake = (2.0 * (2.0_f64 / alpha).ln() / (variance * next * (1.0 + next).ln())).sqrt();
                above += (1.0 + stake.min(0.5 / candidate) * (x - candidate)).ln();
                below += (1.0 - stake.min(0.5 / (1.0 - candidate)) * (x - candidate)).ln();
                sum += x;
                squares += (x - (0.5 + sum) / (next + 1.0)).powi(2);
                if above >= (2.0 / alpha).ln() {
                    low = low.max(at);
                }
                if below >= (2.0 / alpha).ln() {
                    high = high.min(at);
                }
            }
        }
        (low as f64 / cells as f64, high as f64 / cells as f64)
    }

    #[test]
    fn agrees_with_the_definition() {
        let mut stream = SplitMix::new(3);
        let values: Vec<f64> = (0..700).map(|_| stream.unit().powi(2)).collect();
        let mut mean = BettingMean::new(0.05, 200).unwrap();
        values.iter().for_each(|value| assert!(mean.observe(*value)));
        let held = mean.interval().unwrap();
        assert_eq!((held.low, held.high), by_definition(&values, 0.05, 200));
        assert!(held.contains(1.0 / 3.0));
    }

    /// Goal: over 2,000 looks the mean leaves in at most alpha of the runs. Method: 200 runs at 10 %
    /// of a law that is 0 or 1; 33 is three deviations above 20.
    #[test]
    fn holds_at_every_look() {
        let left = (0..200)
            .filter(|seed| {
                let mut stream = SplitMix::new(*seed + 500);
                let mut mean = BettingMean::new(0.1, 100).unwrap();
                (0..2_000).any(|_| {
                    mean.observe(f64::from(u8::from(stream.unit() < 0.3)));
                    mean.interval().is_none_or(|held| !held.contains(0.3))
                })
            })
            .count();
        assert!(left <= 33, "left in {left} of 200 runs");
    }

    #[test]
    fn is_tighter_than_bernstein() {
        let mut stream = SplitMix::new(8);
        let (mut betting, mut bernstein) = (BettingMean::new(0.05, 2_000).unwrap(), BernsteinMean::new(0.05).unwrap());
        for _ in 0..1_000 {
            let value = 0.2 * stream.unit();
            betting.observe(value);
            bernstein.observe(value);
        }
        let (betting, bernstein) = (betting.interval().unwrap(), bernstein.interval().unwrap());
        assert!(betting.contains(0.1) && bernstein.contains(0.1));
        assert!(betting.high - betting.low < bernstein.high - bernstein.low, "{betting:?} {bernstein:?}");
    }

    #[test]
    fn a_moved_mean_leaves_nothing_and_bad_input_is_refused() {
        let mut mean = BettingMean::new(0.05, 100).unwrap();
        (0..500).for_each(|at| assert!(mean.observe(f64::from(u8::from(at % 10 == 0)))));
        assert!(mean.interval().is_some());
        (0..5_000).for_each(|at| assert!(mean.observe(f64::from(u8::from(at % 10 != 0)))));
        assert_eq!(mean.interval(), None);
        assert!(!mean.observe(f64::NAN) && !mean.observe(-0.1));
        assert_eq!(BettingMean::new(0.05, 0), None);
        assert_eq!(BettingMean::new(1.0, 10), None);
    }
}
