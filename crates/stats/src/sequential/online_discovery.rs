//! Hypotheses that arrive one after the other for ever: which of them may be called findings?

use serde::{Deserialize, Serialize};

/// The spending sequence: `0.07720838 ln(max(j, 2)) / (j exp(sqrt(ln j)))`, whose sum is at most 1.
///
/// Source: Javanmard, Montanari (2018), with the constant of the R package onlineFDR.
fn spending(test: u64) -> f64 {
    let j = test as f64;
    0.077_208_38 * j.max(2.0).ln() / (j * j.ln().sqrt().exp())
}

fn is_rate(alpha: f64) -> bool {
    0.0 < alpha && alpha < 1.0
}

/// e-LOND: online findings from e-values, under *any* dependence.
///
/// **Promise:** at any time the expected share of false ones among the findings so far is at most
/// `alpha`, whatever the dependence of the e-values, so they may overlap in data. Test `t` is a
/// finding when `E_t >= 1/alpha_t` with `alpha_t = alpha g_t (findings before + 1)` and `g` a
/// sequence that sums to one. After thousands of tests without a finding little is left to spend.
/// An e-value is worth the same whenever it was stopped; never give a running maximum.
/// Cost: three elementary functions a test; 24 bytes.
/// Source: Xu, Ramdas, "Online multiple testing with e-values", AISTATS (2024), theorem 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ELond {
    alpha: f64,
    tests: u64,
    findings: u64,
}

impl ELond {
    /// Keeps the false-discovery rate at `alpha`; `None` unless `0 < alpha < 1`.
    #[must_use]
    pub fn new(alpha: f64) -> Option<Self> {
        is_rate(alpha).then_some(Self { alpha, tests: 0, findings: 0 })
    }

    /// The level of the next test: it is a finding from `ln E >= -ln(level)` on.
    #[must_use]
    pub fn level(&self) -> f64 {
        self.alpha * spending(self.tests + 1) * (self.findings as f64 + 1.0)
    }

    /// Tests the next e-value, given as a logarithm; NaN is no evidence.
    pub fn test(&mut self, log_e: f64) -> bool {
        let finding = log_e >= -self.level().ln();
        self.tests += 1;
        self.findings += u64::from(finding);
        finding
    }

    /// Tests and findings so far.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.tests, self.findings)
    }
}

/// The share of what is left that [`ESaffron`] spends on a test that turns out to be no candidate.
const SPENT: f64 = 0.01;
/// An e-value of at least `1/CANDIDATE` costs nothing.
const CANDIDATE: f64 = 0.25;

/// e-SAFFRON: online findings from e-values that each are valid given the past.
///
/// **Promise:** at any time the expected share of false ones among the findings is at most `alpha`,
/// if the mean of each e-value of a true null hypothesis is at most 1 *given what was tested before*
/// (fresh data, or one stream after the other). With `B = alpha` at first, test `t` has the level
/// `min(0.01 (1 - 0.25) B (findings + 1), 0.25)`; where its e-value is below `1/0.25`, what it might
/// have cost, `level / ((1 - 0.25) (findings + 1))`, is taken from `B`. As tests with some evidence cost
/// nothing it finds more than [`ELond`] where many hypotheses are false. Cost `O(1)`; 32 bytes.
/// Source: Ramdas, Zrnic, Wainwright, Jordan, "SAFFRON", ICML (2018), with e-values in place of
/// p-values as in Zhang, Jiang, Ren, Liang, "e-GAI: e-value-based generalized alpha-investing" (2025).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ESaffron {
    left: f64,
    tests: u64,
    findings: u64,
}

impl ESaffron {
    /// Keeps the false-discovery rate at `alpha`; `None` unless `0 < alpha < 1`.
    #[must_use]
    pub fn new(alpha: f64) -> Option<Self> {
        is_rate(alpha).then_some(Self { left: alpha, tests: 0, findings: 0 })
    }

    /// The level of the next test: it is a finding from `ln E >= -ln(level)` on.
    #[must_use]
    pub fn level(&self) -> f64 {
        (SPENT * (1.0 - CANDIDATE) * self.left * (self.findings as f64 + 1.0)).min(CANDIDATE)
    }

    /// Tests the next e-value, given as a logarithm; NaN is no evidence.
    pub fn test(&mut self, log_e: f64) -> bool {
        let level = self.level();
        let finding = log_e >= -level.ln();
        let candidate = log_e >= -CANDIDATE.ln();
        if !candidate {
            self.left -= level / ((1.0 - CANDIDATE) * (self.findings as f64 + 1.0));
        }
        self.tests += 1;
        self.findings += u64::from(finding);
        finding
    }

    /// Tests and findings so far.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.tests, self.findings)
    }
}

/// LORD++: online findings from p-values of independent tests.
///
/// **Promise:** at any time the expected share of false ones among the findings is at most `alpha`,
/// if the p-values of true null hypotheses are independent of all others. The level of test `t` is
/// `w g_t + (alpha - w) g_(t - t1) + alpha sum over later findings of g_(t - tj)`, with `w = alpha/10`
/// and `tj` the tests that were findings: each finding earns the right to look on.
/// Cost: three elementary functions for each of the last 1,000 findings; older ones, whose part of
/// the level is small, are left out, which only lowers it. 8 KiB at most.
/// Source: Ramdas, Yang, Wainwright, Jordan, "Online control of the false discovery rate with
/// decaying memory", NeurIPS (2017).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lord {
    alpha: f64,
    tests: u64,
    findings: u64,
    first: Option<u64>,
    later: std::collections::VecDeque<u64>,
}

const MOST_REMEMBERED: usize = 1_000;

impl Lord {
    /// Keeps the false-discovery rate at `alpha`; `None` unless `0 < alpha < 1`.
    #[must_use]
    pub fn new(alpha: f64) -> Option<Self> {
        is_rate(alpha).then(|| Self {
            alpha,
            tests: 0,
            findings: 0,
            first: None,
            later: std::collections::VecDeque::with_capacity(MOST_REMEMBERED + 1),
        })
    }

    /// The level of the next test: it is a finding where `p <= level`.
    #[must_use]
    pub fn level(&self) -> f64 {
        let next = self.tests + 1;
        let start = 0.1 * self.alpha;
        let first = self.first.map_or(0.0, |first| (self.alpha - start) * spending(next - first));
        let later: f64 = self.later.iter().map(|finding| spending(next - finding)).sum();
        start * spending(next) + first + self.alpha * later
    }

    /// Tests the next p-value; what is not in `0..=1` is no finding, and counts as a test.
    pub fn test(&mut self, p: f64) -> bool {
        let finding = (0.0..=1.0).contains(&p) && p <= self.level();
        self.tests += 1;
        if finding {
            self.findings += 1;
            if self.first.is_none() {
                self.first = Some(self.tests);
            } else {
                self.later.push_back(self.tests);
                if self.later.len() > MOST_REMEMBERED {
                    self.later.pop_front();
                }
            }
        }
        finding
    }

    /// Tests and findings so far.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.tests, self.findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    /// The R package onlineFDR 2.x, `LORD(sample.df)`: its first level is 0.0002675839.
    #[test]
    fn the_first_level_agrees_with_the_r_package() {
        assert!((Lord::new(0.05).unwrap().level() - 0.000_267_583_9).abs() < 1e-10);
        let sum: f64 = (1..=1_000_000).map(spending).sum();
        assert!(sum < 1.0);
    }

    #[test]
    fn levels_follow_their_formulas() {
        let mut lond = ELond::new(0.1).unwrap();
        assert!(lond.test(20.0) && !lond.test(2.0) && !lond.test(f64::NAN));
        assert!((lond.level() - 0.1 * 2.0 * spending(4)).abs() < 1e-15);
        let mut lord = Lord::new(0.1).unwrap();
        assert!(lord.test(0.0) && lord.test(1e-9) && !lord.test(0.9) && !lord.test(f64::NAN));
        let expected = 0.01 * spending(5) + 0.09 * spending(4) + 0.1 * spending(3);
        assert!((lord.level() - expected).abs() < 1e-15);
        let mut saffron = ESaffron::new(0.1).unwrap();
        let level = saffron.level();
        assert!(!saffron.test(5.0_f64.ln()) && saffron.level() == level, "a candidate costs nothing");
        assert!(!saffron.test(0.0) && (saffron.level() - level * 0.99).abs() < 1e-15);
        assert_eq!(ELond::new(1.0), None);
    }

    /// False and true findings among 2,000 tests, of which a fifth is false; e-values are likelihood
    /// ratios of N(3, 1) against N(0, 1), and p-values those of the same numbers.
    fn findings(seed: u64, signal: f64) -> [(usize, usize); 3] {
        let mut random = SplitMix::new(seed);
        let (mut lond, mut saffron, mut lord) =
            (ELond::new(0.1).unwrap(), ESaffron::new(0.1).unwrap(), Lord::new(0.1).unwrap());
        let mut found = [(0, 0); 3];
        for _ in 0..2_000 {
            let is_false = random.unit() < 0.2;
            let z = random.normal() + if is_false { signal } else { 0.0 };
            let log_e = 3.0 * z - 4.5;
            let answers = [lond.test(log_e), saffron.test(log_e), lord.test(crate::distribution::normal::sf(z))];
            for (count, finding) in found.iter_mut().zip(answers) {
                count.0 += usize::from(finding && !is_false);
                count.1 += usize::from(finding && is_false);
            }
        }
        found
    }

    /// Goal: the mean share of false findings is at most alpha, and clear effects are found.
    /// Method: 40 runs of 2,000 tests.
    #[test]
    fn keeps_the_share_of_false_findings() {
        for (method, least) in [(0, 60.0), (1, 100.0), (2, 150.0)] {
            let runs: Vec<(usize, usize)> = (0..40).map(|seed| findings(seed, 4.0)[method]).collect();
            let shares = runs.iter().map(|(wrong, right)| *wrong as f64 / (wrong + right).max(1) as f64);
            let share = shares.sum::<f64>() / 40.0;
            let right = runs.iter().map(|run| run.1).sum::<usize>() as f64 / 40.0;
            assert!(share <= 0.1 && right >= least, "method {method}: {share} false, {right} found");
        }
    }
}
