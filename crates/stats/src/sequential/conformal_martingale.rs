//! Bets against even p-values: evidence that a stream is not exchangeable.

use serde::{Deserialize, Serialize};

use super::monitor::EProcess;

/// Bets of the simple jumper: on large values, on none, on small values.
const SLOPES: [f64; 3] = [-1.0, 0.0, 1.0];

/// The Simple Jumper: capital that bets on small or on large p-values and changes its mind at times.
///
/// Null hypothesis: the p-values are independent and even in `(0, 1)`, as those of
/// [`super::ConformalRanks`] are for exchangeable values. Capital lies on three bets
/// `1 + e (p - 1/2)` with `e` in -1, 0, 1; before each p-value a share `jump` of it is spread evenly.
/// The sum is a martingale, so `E >= 1/alpha` happens ever with a probability of at most `alpha`.
/// It loses about `jump` of its logarithm a value while it waits, so it answers "was it exchangeable
/// from the start"; to watch for ever take [`super::ConformalWatch`].
/// Cost: a logarithm a value, no allocation.
/// Source: Vovk et al., "Retrain or not retrain: conformal test martingales for change-point
/// detection", COPA (2021), algorithm 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimpleJumper {
    jump: f64,
    /// Shares of the capital, which sum to one.
    shares: [f64; SLOPES.len()],
    log_capital: f64,
}

impl SimpleJumper {
    /// Spreads a share of `jump` (0.01 is usual) at each value; `None` unless `0 < jump <= 1`.
    #[must_use]
    pub fn new(jump: f64) -> Option<Self> {
        (0.0 < jump && jump <= 1.0).then_some(Self { jump, shares: [1.0 / 3.0; 3], log_capital: 0.0 })
    }

    /// Takes in one p-value; `false`, and no change, unless it lies in `0..=1`.
    pub fn observe(&mut self, p: f64) -> bool {
        if !(0.0..=1.0).contains(&p) {
            return false;
        }
        let spread = self.jump / 3.0;
        for (share, slope) in self.shares.iter_mut().zip(SLOPES) {
            *share = ((1.0 - self.jump) * *share + spread) * (1.0 + slope * (p - 0.5));
        }
        let gain: f64 = self.shares.iter().sum();
        self.shares = self.shares.map(|share| share / gain);
        self.log_capital += gain.ln();
        true
    }
}

impl EProcess for SimpleJumper {
    fn take(&mut self, value: f64) {
        self.observe(value);
    }

    fn log_e(&self) -> f64 {
        self.log_capital
    }
}

/// Cells of the histogram bet.
const CELLS: usize = 16;

/// A plug-in bet: the density of the p-values so far, as a histogram.
///
/// Null hypothesis: as of [`SimpleJumper`]. A p-value in a cell that held `k` of the `n` before it
/// multiplies the capital by `16 (k + 1) / (n + 16)`. It learns any shape of misfit (also a wider or
/// a narrower law, which slopes do not see), at a price of some `7.5 ln(n)`.
/// Cost: a logarithm a value, no allocation.
/// Source: Fedorova et al., "Plug-in martingales for testing exchangeability on-line", ICML (2012).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HistogramBet {
    counts: [u64; CELLS],
    total: u64,
    log_capital: f64,
}

impl HistogramBet {
    /// No p-value seen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in one p-value; `false`, and no change, unless it lies in `0..=1`.
    pub fn observe(&mut self, p: f64) -> bool {
        if !(0.0..=1.0).contains(&p) {
            return false;
        }
        let cell = ((p * CELLS as f64) as usize).min(CELLS - 1);
        let bet = CELLS as f64 * (self.counts[cell] as f64 + 1.0) / (self.total as f64 + CELLS as f64);
        self.counts[cell] += 1;
        self.total += 1;
        self.log_capital += bet.ln();
        true
    }
}

impl EProcess for HistogramBet {
    fn take(&mut self, value: f64) {
        self.observe(value);
    }

    fn log_e(&self) -> f64 {
        self.log_capital
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;
    use crate::sequential::{ConformalRanks, Monitor, Stop};

    fn ever_alarms<P: EProcess>(process: P, p_values: impl Iterator<Item = f64>) -> bool {
        let mut stop = Stop::new(process, 0.1).unwrap();
        p_values.into_iter().any(|p| stop.watch(p))
    }

    /// Goal: over 3,000 looks at most alpha of the runs alarm. Method: 300 runs at 10 %; 46 is three
    /// deviations above 30.
    #[test]
    fn even_p_values_alarm_at_most_at_alpha() {
        let even = |seed| {
            let mut random = SplitMix::new(seed);
            (0..3_000).map(move |_| random.unit())
        };
        let jumper = SimpleJumper::new(0.01).unwrap();
        assert!((0..300).filter(|seed| ever_alarms(jumper, even(*seed))).count() <= 46);
        assert!((0..300).filter(|seed| ever_alarms(HistogramBet::new(), even(*seed))).count() <= 46);
    }

    /// Goal: a shift is seen by both, a wider law by the histogram. Method: 3,000 values, of which
    /// the second half changes.
    #[test]
    fn a_change_is_evidence() {
        let p_values = |seed: u64, shift: f64, scale: f64| {
            let mut stream = SplitMix::new(1_000 + seed);
            let sample: Vec<f64> = (0..2_000).map(|_| stream.normal()).collect();
            let mut ranks = ConformalRanks::from_sample(&sample, seed).unwrap();
            (0..3_000)
                .filter_map(|at| {
                    let (shift, scale) = if at < 1_500 { (0.0, 1.0) } else { (shift, scale) };
                    ranks.observe(shift + scale * stream.normal())
                })
                .collect::<Vec<f64>>()
        };
        let jumper = SimpleJumper::new(0.01).unwrap();
        assert!(ever_alarms(jumper, p_values(1, 1.0, 1.0).into_iter()));
        assert!(ever_alarms(HistogramBet::new(), p_values(1, 1.0, 1.0).into_iter()));
        assert!(ever_alarms(HistogramBet::new(), p_values(1, 0.0, 3.0).into_iter()));
        let false_alarms = (0..100).filter(|seed| ever_alarms(jumper, p_values(*seed, 0.0, 1.0).into_iter())).count();
        assert!(false_alarms <= 19, "{false_alarms} of 100 where at most 10 are promised");
    }

    /// Goal: the jumper's sum of three products, worked out by hand for two p-values.
    #[test]
    fn agrees_with_its_definition() {
        let mut jumper = SimpleJumper::new(0.1).unwrap();
        assert!(jumper.observe(0.9) && jumper.observe(0.2));
        let first = [0.6, 1.0, 1.4].map(|bet: f64| bet / 3.0);
        let mixed = first.map(|capital| 0.9 * capital + 0.1 / 3.0);
        let expected: f64 = mixed.iter().zip([1.3, 1.0, 0.7]).map(|(capital, bet)| capital * bet).sum();
        assert!((jumper.log_e() - expected.ln()).abs() < 1e-12);
        assert!(!jumper.observe(f64::NAN) && !jumper.observe(1.1));
        assert_eq!(SimpleJumper::new(0.0), None);
        assert!(!HistogramBet::new().observe(f64::NAN));
    }
}
