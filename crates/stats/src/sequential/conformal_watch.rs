//! The default detector for a stream of numbers: any law, any scale, a stated run to a false alarm.

use serde::{Deserialize, Serialize};

use super::ConformalRanks;
use super::monitor::{Monitor, Promise};

/// Bets `1 + slope x + bend (3 x^2 - 1)/2` with `x = 2 p - 1`, by slope, bend and weight.
///
/// Slopes answer to shifts (a negative one to larger values), bends to wider and narrower laws.
const SMOOTH: [(f64, f64, f64); 9] = [
    (-0.25, 0.0, 0.1),
    (0.25, 0.0, 0.1),
    (-0.5, 0.0, 0.1),
    (0.5, 0.0, 0.1),
    (-0.95, 0.0, 0.1),
    (0.95, 0.0, 0.1),
    (0.0, 0.4, 0.08),
    (0.0, 1.0, 0.08),
    (0.0, -0.5, 0.04),
];

/// Bets on a tail: the share of p-values in it without change, the ratio with it, and the weight.
/// Each stands for the upper and for the lower tail.
const TAILS: [(f64, f64, f64); 3] = [(0.02, 4.0, 0.04), (0.02, 20.0, 0.04), (0.1, 5.0, 0.02)];

const BETS: usize = SMOOTH.len() + 2 * TAILS.len();

/// The weights of all bets, which sum to one.
const WEIGHTS: [f64; BETS] = {
    let mut weights = [0.0; BETS];
    let mut bet = 0;
    while bet < BETS {
        weights[bet] = if bet < SMOOTH.len() { SMOOTH[bet].2 } else { TAILS[(bet - SMOOTH.len()) / 2].2 };
        bet += 1;
    }
    weights
};

/// Far above every threshold; keeps products finite.
const CEILING: f64 = 1e200;

/// Watches numbers of any law for ever: a conformal Shiryaev-Roberts detector.
///
/// **Promise:** while the values are exchangeable (independent with one law is enough, *whatever
/// that law is*: no scale, bound or reference is needed), the average run to a false alarm, and from
/// one to the next, is at least `run_length` values.
///
/// How: each value becomes its smoothed conformal p-value ([`ConformalRanks`]), which is even and
/// independent of the others while nothing changes. Each bet of a fixed grid is a density `f` on
/// `0..1`: slopes for shifts, bends for wider and narrower laws, steps for tails. For each
/// `S <- (S + 1) f(p)`; the weighted mean of `S` less the number of values is a martingale, so its
/// value at an alarm is the mean run.
///
/// After an alarm the evidence is gone and the ranks stay, so a lasting change alarms again until
/// the new values are most of all; [`ConformalWatch::relearn`] where they are the new normal.
/// Trends, seasons and autocorrelation are no exchangeable values, and are found as changes; for a
/// season give the residuals. For errors [`super::RateWatch`] is quicker.
/// Delays after 20,000 values, at a run of a million: a shift by 0.25 deviations of a normal law 400
/// values, by 0.5 110, by 1 45.
/// Cost: 15 multiply-adds and the rank of a value; 6 KiB; no allocation after learning.
/// Source: as [`super::RateWatch`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConformalWatch {
    ranks: ConformalRanks,
    run_length: f64,
    values: [f64; BETS],
    evidence: f64,
}

impl ConformalWatch {
    /// Learns from the first 2,000 values; `None` unless `1 <= run_length` and it is at most 1e100.
    #[must_use]
    pub fn new(run_length: f64, seed: u64) -> Option<Self> {
        Self::with_ranks(ConformalRanks::new(seed), run_length)
    }

    /// Watches from the next value on, after a sample of normal times; `None` also for fewer than
    /// 20 finite values.
    #[must_use]
    pub fn from_sample(sample: &[f64], run_length: f64, seed: u64) -> Option<Self> {
        Self::with_ranks(ConformalRanks::from_sample(sample, seed)?, run_length)
    }

    fn with_ranks(ranks: ConformalRanks, run_length: f64) -> Option<Self> {
        let valid = 1.0 <= run_length && run_length <= 1e100;
        valid.then_some(Self { ranks, run_length, values: [0.0; BETS], evidence: 0.0 })
    }

    /// Takes in one value; whether it alarms. A value that is not finite is ignored.
    pub fn observe(&mut self, value: f64) -> bool {
        self.ranks.observe(value).is_some_and(|p| self.bet(p))
    }

    fn bet(&mut self, p: f64) -> bool {
        let densities = densities(p);
        let mut evidence = 0.0;
        for ((value, density), weight) in self.values.iter_mut().zip(densities).zip(WEIGHTS) {
            *value = ((*value + 1.0) * density).min(CEILING);
            evidence += weight * *value;
        }
        self.evidence = evidence;
        let alarm = evidence >= self.run_length;
        if alarm {
            self.values = [0.0; BETS];
        }
        alarm
    }

    /// The value that is compared with the run length.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        self.evidence
    }

    /// Forgets what was normal and learns it anew from the next 2,000 values.
    pub fn relearn(&mut self) {
        self.ranks.relearn();
        self.values = [0.0; BETS];
        self.evidence = 0.0;
    }
}

/// What each bet pays for a p-value.
#[inline]
fn densities(p: f64) -> [f64; BETS] {
    let x = 2.0 * p - 1.0;
    let bend = 0.5 * (3.0 * x * x - 1.0);
    let mut densities = [0.0; BETS];
    let (smooth, tails) = densities.split_at_mut(SMOOTH.len());
    for (density, (slope, curve, _)) in smooth.iter_mut().zip(SMOOTH) {
        *density = 1.0 + slope * x + curve * bend;
    }
    for (pair, (share, ratio, _)) in tails.chunks_exact_mut(2).zip(TAILS) {
        let rest = (1.0 - ratio * share) / (1.0 - share);
        for (density, p) in pair.iter_mut().zip([p, 1.0 - p]) {
            *density = if p < share { ratio } else { rest };
        }
    }
    densities
}

impl Monitor for ConformalWatch {
    fn watch(&mut self, value: f64) -> bool {
        self.observe(value)
    }

    fn promise(&self) -> Promise {
        Promise::RunLength(self.run_length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    /// Goal: each bet is fair, and the weights are shares. Method: the mean density over 100,000
    /// even p-values (midpoints) is one, and no density is negative.
    #[test]
    fn bets_are_fair() {
        let n = 100_000;
        let mut sums = [0.0; BETS];
        let mut least = f64::INFINITY;
        for at in 0..n {
            let mut watch = ConformalWatch::new(1e100, 1).unwrap();
            watch.bet((f64::from(at) + 0.5) / f64::from(n));
            sums.iter_mut().zip(watch.values).for_each(|(sum, value)| *sum += value);
            least = watch.values.into_iter().fold(least, f64::min);
        }
        assert!(sums.iter().all(|sum| (sum / f64::from(n) - 1.0).abs() < 1e-6), "{sums:?}");
        assert!(least >= 0.0, "{least}");
        let weights: f64 = WEIGHTS.iter().sum();
        assert!((weights - 1.0).abs() < 1e-12, "{weights}");
    }

    /// Goal: the promise for laws of every kind. Method: 200,000 values at a run length of 2,000: at
    /// most 100 alarms in the mean, 133 is more than three deviations above.
    #[test]
    fn keeps_its_run_length_whatever_the_law() {
        let laws: [fn(&mut SplitMix) -> f64; 4] = [
            SplitMix::normal,
            |random| 1.0 / random.unit().powi(3),
            |random| (random.unit() * 5.0).floor(),
            |random| if random.unit() < 0.9 { 0.0 } else { random.unit() },
        ];
        for (seed, law) in laws.into_iter().enumerate() {
            let mut watch = ConformalWatch::new(2_000.0, seed as u64).unwrap();
            let mut stream = SplitMix::new(seed as u64 + 20);
            let alarms = (0..200_000).filter(|_| watch.observe(law(&mut stream))).count();
            assert!(alarms <= 133, "law {seed}: {alarms}");
            assert!(alarms >= 20, "law {seed}: {alarms} are so few that power is wasted");
        }
    }

    fn delay(shift: f64, scale: f64) -> f64 {
        let delays = (0..20).map(|run| {
            let mut stream = SplitMix::new(run * 31 + 5);
            let mut watch = ConformalWatch::new(1e6, run).unwrap();
            (0..20_000).for_each(|_| {
                watch.observe(stream.normal());
            });
            let found = (0..20_000).position(|_| watch.observe(shift + scale * stream.normal()));
            found.map_or(20_000, |at| at + 1) as f64
        });
        delays.sum::<f64>() / 20.0
    }

    /// Goal: shifts up and down, wider and narrower laws are found, each within its delay.
    #[test]
    fn finds_changes_of_every_kind() {
        for (shift, scale, most) in
            [(0.25, 1.0, 550.0), (-0.5, 1.0, 150.0), (1.0, 1.0, 60.0), (0.0, 1.5, 160.0), (0.0, 0.5, 130.0)]
        {
            let found = delay(shift, scale);

            assert!(found <= most, "shift {shift}, scale {scale}: {found}");
        }
    }

    #[test]
    fn constants_are_quiet_and_bad_input_is_refused() {
        let mut watch = ConformalWatch::new(1e6, 1).unwrap();
        assert!((0..10_000).all(|_| !watch.observe(3.0)));
        let before = watch.clone();
        assert!(!watch.watch(f64::NAN) && !watch.watch(f64::INFINITY));
        assert_eq!(watch, before);
        assert!((0..200).any(|_| watch.observe(3.1)));
        assert_eq!(ConformalWatch::new(0.0, 1), None);
        assert_eq!(ConformalWatch::from_sample(&[1.0], 1e6, 1), None);
    }
}
