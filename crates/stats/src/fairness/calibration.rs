//! Do scores mean the same for every group?

use serde::{Deserialize, Serialize};

use super::ScoredRows;
use crate::distribution::normal;
use crate::interval::{Interval, clopper_pearson, tail_of};
use crate::multiple::holm;
use crate::performance::{ReliabilityBin, reliability_by_rank};

/// A bin has at least about so many people: of fewer, its share says next to nothing.
const LEAST_IN_BIN: usize = 30;
const MOST_BINS: usize = 1_000;
/// Up to so many people the chance of their number of positives is computed exactly.
const MOST_EXACT_PEOPLE: usize = 1_000;
/// And beyond, for so few positives (or negatives).
const MOST_EXACT_COUNT: usize = 50;

/// How calibration is judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationRules {
    /// Of each interval, such as 0.95.
    pub confidence: f64,
    /// The most ranges of scores, at most 1,000; a group of few people has fewer, down to one.
    pub bins: usize,
}

impl Default for CalibrationRules {
    fn default() -> Self {
        Self { confidence: 0.95, bins: 10 }
    }
}

/// How far a group's scores are from what came true.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupCalibration {
    /// How many people.
    pub count: u64,
    /// The mean of their scores.
    pub mean_score: f64,
    /// The share of them that is positive.
    pub rate: f64,
    /// `mean_score - rate`, in `-1..=1`: above zero, the group is scored higher than it deserves.
    pub excess: f64,
    /// Where `mean_score` less the mean of the people's true chances lies.
    ///
    /// The exact interval of a binomial share, which covers at least as often as stated for people with chances
    /// of their own too (Hoeffding, Annals of Mathematical Statistics 27 (1956)).
    pub excess_interval: Interval,
    /// Two-sided, of labels drawn with the scores as chances; never below about `1e-13`.
    ///
    /// Exact for up to 1,000 people, or up to 50 positives or negatives; beyond, the normal limit with a
    /// correction for continuity. A small one says that the scores are off, not in which range.
    pub p_value: f64,
    /// By Holm over the groups: where at most alpha, a finding; the chance of any false one is then at most alpha.
    pub adjusted_p_value: f64,
    /// The mean distance of score and share over `bins`, weighted by their counts; biased upwards for few.
    pub expected_error: f64,
    /// Where that distance lies for the true shares of the bins.
    ///
    /// From exact intervals that hold for all bins at once: it covers at least as often as stated, and is wide.
    pub expected_error_interval: Interval,
    /// Ranges of scores with about equal counts, about 30 people at least.
    pub bins: Vec<ReliabilityBin>,
}

impl ScoredRows<'_> {
    /// Scores against labels for each group; `None` for a group of nobody.
    ///
    /// Cost `O(n log n)`, and up to 1,000 steps more a person for the exact p-value. All are `None` unless
    /// `0 < confidence < 1` and `1 <= bins <= 1,000`.
    ///
    /// ```
    /// use wardline_stats::fairness::{CalibrationRules, ScoredRows};
    ///
    /// // Everyone is scored 0.5; of the first group half are positive, of the second a tenth.
    /// let groups: Vec<u32> = (0..200).map(|row| row % 2).collect();
    /// let labels: Vec<bool> = (0..200).map(|row| if row % 2 == 0 { row % 4 == 0 } else { row % 20 == 1 }).collect();
    /// let rows = ScoredRows::new(&groups, &[0.5; 200], &labels, 2).unwrap();
    /// let found = rows.calibration(&CalibrationRules::default());
    /// let [Some(first), Some(second)] = &found[..] else { panic!() };
    /// assert!(first.excess == 0.0 && first.p_value > 0.9);
    /// assert!(second.excess_interval.low > 0.3 && second.adjusted_p_value < 1e-9);
    /// ```
    /// References: Pleiss et al., "On Fairness and Calibration", NeurIPS (2017); Nixon et al., CVPR Workshops (2019).
    #[must_use]
    pub fn calibration(&self, rules: &CalibrationRules) -> Vec<Option<GroupCalibration>> {
        let all = self.by_group();
        let mut found: Vec<_> = all.iter().map(|(scores, labels)| calibration(scores, labels, rules)).collect();
        let p_values: Vec<f64> = found.iter().flatten().map(|group| group.p_value).collect();
        let adjusted = holm(&p_values).unwrap_or(p_values);
        found.iter_mut().flatten().zip(adjusted).for_each(|(group, p)| group.adjusted_p_value = p);
        found
    }
}

fn calibration(scores: &[f64], labels: &[bool], rules: &CalibrationRules) -> Option<GroupCalibration> {
    let tail = tail_of(rules.confidence)?;
    if scores.is_empty() || !(1..=MOST_BINS).contains(&rules.bins) {
        return None;
    }
    let n = scores.len();
    let n_positive = labels.iter().filter(|label| **label).count();
    let (mean_score, rate) = (scores.iter().sum::<f64>() / n as f64, n_positive as f64 / n as f64);
    let share = clopper_pearson(n_positive as u64, n as u64, rules.confidence)?;
    let bins = reliability_by_rank(scores, labels, rules.bins.min(n / LEAST_IN_BIN).max(1))?;
    let each = 1.0 - 2.0 * tail / bins.len() as f64;
    let (mut expected_error, mut low, mut high) = (0.0, 0.0, 0.0);
    for bin in &bins {
        let (weight, share) = (bin.n as f64 / n as f64, bin.interval(each)?);
        expected_error += weight * (bin.mean_score - bin.share_true).abs();
        low += weight * (share.low - bin.mean_score).max(bin.mean_score - share.high).max(0.0);
        high += weight * (share.high - bin.mean_score).max(bin.mean_score - share.low);
    }
    let p_value = p_value(scores, n_positive);
    Some(GroupCalibration {
        count: n as u64,
        mean_score,
        rate,
        excess: mean_score - rate,
        excess_interval: Interval { low: mean_score - share.high, high: mean_score - share.low },
        p_value,
        adjusted_p_value: p_value,
        expected_error,
        expected_error_interval: Interval { low, high },
        bins,
    })
}

/// Twice the smaller tail of the number of positives, each drawn with its score as chance.
fn p_value(scores: &[f64], n_positive: usize) -> f64 {
    let n = scores.len();
    let fewer = n_positive.min(n - n_positive);
    if n <= MOST_EXACT_PEOPLE || fewer <= MOST_EXACT_COUNT {
        // Of positives and negatives the fewer are counted: the cost grows with their number.
        let (at_most, below) = if fewer == n_positive {
            chances(scores.iter().copied(), fewer)
        } else {
            chances(scores.iter().map(|score| 1.0 - score), fewer)
        };
        // What is left of one after so many roundings is no smaller than they are.
        let least = n as f64 * f64::EPSILON;
        return (2.0 * at_most.min(1.0 - below).max(least)).min(1.0);
    }
    let variance: f64 = scores.iter().map(|score| score * (1.0 - score)).sum();
    let distance = ((n_positive as f64 - scores.iter().sum::<f64>()).abs() - 0.5).max(0.0);
    let z = if distance == 0.0 { 0.0 } else { distance / variance.sqrt().max(f64::MIN_POSITIVE) };
    normal::two_sided(z).max(n as f64 * f64::EPSILON).min(1.0)
}

/// The chances of at most `count`, and of fewer than `count`, successes.
fn chances(each: impl Iterator<Item = f64>, count: usize) -> (f64, f64) {
    let mut of_number = vec![0.0; count + 1];
    of_number[0] = 1.0;
    for chance in each {
        for number in (1..=count).rev() {
            of_number[number] = of_number[number] * (1.0 - chance) + of_number[number - 1] * chance;
        }
        of_number[0] *= 1.0 - chance;
    }
    let below: f64 = of_number[..count].iter().sum();
    (below + of_number[count], below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::binomial;
    use crate::random::SplitMix;

    /// Goal: with equal scores the number of positives is binomial. Method: both tails against that law, in both forms.
    #[test]
    fn equal_scores_give_the_binomial_law() {
        for (n, k, score) in [(20_u64, 3_u64, 0.4), (20, 17, 0.4), (1, 0, 0.5), (900, 300, 0.3), (5_000, 40, 0.006)] {
            let tails = (binomial::at_most(k, n, score).unwrap(), binomial::at_least(k, n, score).unwrap());
            let expected = (2.0 * tails.0.min(tails.1)).min(1.0);
            let found = p_value(&vec![score; n as usize], k as usize);
            assert!((found - expected).abs() < 1e-9 * expected + 1e-11, "{n} {k}: {found} for {expected}");
        }
        let (n, k) = (4_000_u64, 1_270_u64);
        let expected = 2.0 * binomial::at_least(k, n, 0.3).unwrap();
        let found = p_value(&vec![0.3; n as usize], k as usize);
        assert!((found / expected - 1.0).abs() < 0.05, "{found} for {expected}");
    }

    /// Goal: right scores pass and the same labels against bent ones do not.
    /// Method: three groups of ten bins, each interval at 99.9 %.
    #[test]
    fn tells_right_from_bent() {
        let mut random = SplitMix::new(5);
        let scores: Vec<f64> = (0..6_000).map(|_| random.unit()).collect();
        let labels: Vec<bool> = scores.iter().map(|score| random.unit() < *score).collect();
        let groups: Vec<u32> = (0..6_000).map(|row| row % 3).collect();
        let judged = |scores: &[f64]| {
            let rows = ScoredRows::new(&groups, scores, &labels, 4).unwrap();
            rows.calibration(&CalibrationRules { confidence: 0.999, bins: 10 })
        };
        let right = judged(&scores);
        assert!(right[3].is_none());
        for group in right.iter().flatten() {
            assert!(group.adjusted_p_value > 0.01 && group.excess_interval.contains(0.0));
            assert_eq!((group.count, group.bins.len()), (2_000, 10));
            assert!(group.expected_error_interval.contains(group.expected_error));
            assert_eq!(group.expected_error_interval.low, 0.0);
        }
        let bent: Vec<f64> = scores.iter().map(|score| score.powi(3)).collect();
        for group in judged(&bent).iter().flatten() {
            assert!(group.adjusted_p_value < 1e-9 && group.excess_interval.high < -0.2);
            assert!(group.expected_error_interval.low > 0.1);
        }
    }

    #[test]
    fn few_people_say_little() {
        let rows = ScoredRows::new(&[0, 0, 1], &[0.9, 0.8, 0.0], &[false, false, true], 2).unwrap();
        let found = rows.calibration(&CalibrationRules::default());
        let first = found[0].as_ref().unwrap();
        // Both negative has a chance of 0.1 * 0.2.
        assert!((first.p_value - 0.04).abs() < 1e-12 && (first.adjusted_p_value - 0.04).abs() < 1e-12);
        assert_eq!(first.bins.len(), 1);
        assert!(first.excess_interval.contains(0.1) && first.expected_error_interval.high > 0.8);
        assert!(found[1].as_ref().unwrap().p_value < 1e-9, "what cannot happen did");
        assert!(rows.calibration(&CalibrationRules { confidence: 1.0, bins: 10 }).iter().all(Option::is_none));
        assert!(rows.calibration(&CalibrationRules { confidence: 0.9, bins: 0 }).iter().all(Option::is_none));
        assert!(ScoredRows::new(&[2], &[0.5], &[true], 2).is_none());
        assert!(ScoredRows::new(&[0], &[f64::NAN], &[true], 2).is_none());
        assert!(ScoredRows::new(&[], &[], &[], 2).is_none());
    }
}
